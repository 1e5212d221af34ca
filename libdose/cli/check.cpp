// dose check: the independent check of a plan.
#include "libdose/check/check.h"

#include <fmt/core.h>

#include "cli/calculation_options.h"
#include "cli/print_pdf.h"
#include "libdose/check/report.h"

namespace libdose::cli {

namespace {

namespace fs = std::filesystem;
using check::CheckInput;
using check::CheckOptions;
using check::CheckResult;
using check::Row;
using check::Verdict;

struct Arguments : CalculationArguments {
    std::vector<fs::path> paths;
    fs::path out;
    check::Selection selection;
    std::string protocol = "default", site;
    bool no_attribution = false, quiet = false, pdf = false;
};

CheckOptions options_of(const Arguments& arguments) {
    CheckOptions options;
    options.protocol = check::read_protocol(arguments.protocol, arguments.site);
    options.engine = arguments.options();
    options.model = arguments.model;
    options.couch = arguments.couch;
    options.couch_top_mm = arguments.couch_top_mm;
    options.couch_lateral_mm = arguments.couch_lateral_mm;
    options.attribution = !arguments.no_attribution;
    return options;
}

void print_row(const Row& row) {
    fmt::print("  {:<11} {}{}{}\n", to_string(row.verdict), row.name,
               row.subject.empty() ? "" : ", " + row.subject, row.reason.empty() ? "" : ": " + row.reason);
}

/// The rows that are not PASS, worst first, and how many there are of each verdict.
void print_rows(const std::vector<Row>& rows) {
    for (const Verdict verdict : {Verdict::fail, Verdict::not_checked, Verdict::look})
        for (const Row& row : rows)
            if (row.verdict == verdict) print_row(row);
    std::size_t passed = 0;
    for (const Row& row : rows) passed += row.verdict == Verdict::pass;
    fmt::print("  {} of {} rows PASS\n", passed, rows.size());
}

int exit_code(Verdict verdict) {
    switch (verdict) {
        case Verdict::pass:
            return done;
        case Verdict::fail:
            return failed_criteria;
        case Verdict::look:
            return look_code;
        case Verdict::not_checked:
            return not_checked_code;
    }
    return internal_code;
}

int check_plan(const Arguments& arguments) {
    CheckOptions options = options_of(arguments);
    Progress progress(arguments.quiet);
    options.progress = std::ref(progress);
    const CheckInput input = check::read_check_input(arguments.paths, arguments.selection);
    const CheckResult result = check::check(input, options);
    progress.finish();
    const check::ReportFiles files = check::write_report(input, result, options, arguments.out);
    fmt::print("verdict: {}\n", to_string(result.verdict));
    print_rows(result.rows);
    fmt::print("cause: {}\n", result.attribution.sentence);
    fmt::print("report: {}\n", files.html.string());
    if (arguments.pdf) {
        print_pdf(files.html, arguments.out / "check.pdf");
        fmt::print("report: {}\n", (arguments.out / "check.pdf").string());
    }
    return exit_code(result.verdict);
}

void add_check_options(CLI::App& command, Arguments& arguments) {
    command.add_option("paths", arguments.paths, "Files or folders with CT, RTSTRUCT, RTPLAN and RTDOSE")
        ->required();
    command
        .add_option("--out", arguments.out,
                    "Folder for check.html, check.json, check.csv and recalculated.dcm")
        ->required();
    command.add_option("--plan", arguments.selection.plan,
                       "Label or SOP Instance UID, when there are several plans");
    command.add_option("--series", arguments.selection.series,
                       "Series Instance UID of the CT, when the structure set names several or none");
    command.add_option("--fraction-group", arguments.selection.fraction_group,
                       "Fraction group number, when there are several");
    command.add_option("--accept", arguments.selection.accepted,
                       "Tag of an unknown attribute of the plan that cannot change the dose, as 300a,01a0; "
                       "may be repeated");
    command.add_option("--protocol", arguments.protocol, "Criteria and limits: a name or a JSON file")
        ->capture_default_str();
    command.add_option("--site", arguments.site, "Section of the protocol for a site, as lung");
    command.add_flag("--no-attribution", arguments.no_attribution, "Do not look for the cause");
    command.add_flag("--pdf", arguments.pdf, "Also print the page as check.pdf, with Chromium");
    command.add_flag("--quiet", arguments.quiet, "No progress");
}

}  // namespace

void add_check(CLI::App& app, Command& run) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = app.add_subcommand(
        "check", "Recalculate a plan and judge the planning system's dose: PASS, LOOK, FAIL or NOT CHECKED");
    add_check_options(*command, *arguments);
    add_engine_options(*command, *arguments);
    add_patient_options(*command, *arguments);
    add_physics_options(*command, *arguments);
    command->footer(
        "Examples:\n  dose check patient/ --out result\n  dose check patient/ --protocol our.json --site "
        "lung --out result\nExit codes: 0 PASS, 1 FAIL, 5 LOOK, 6 NOT CHECKED, 2 bad input, 4 internal "
        "error.");
    command->callback([&run, arguments] { run = [arguments] { return check_plan(*arguments); }; });
}

}  // namespace libdose::cli
