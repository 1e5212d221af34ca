// dose gamma: two doses compared.
#include "libdose/gamma.h"

#include <fmt/core.h>

#include "cli/common.h"
#include "libdose/error.h"

namespace libdose::cli {

namespace {

struct Arguments {
    std::filesystem::path reference, evaluated, json;
    std::string normalisation = "maximum";
    GammaOptions options;
    double pass_rate = -1;
};

/// Gy of --normalisation; 0 for the maximum of the reference.
double normalisation_gy(const std::string& text) {
    if (text == "maximum") return 0;
    const std::optional<double> gy = number_of(text);
    if (!gy || !(*gy > 0))
        throw bad_input("\"" + text + "\" is neither a dose in Gy nor maximum", "--normalisation",
                        "Example: --normalisation 60");
    return *gy;
}

int compare(const Arguments& arguments) {
    const Dose reference = read_any_dose(arguments.reference), evaluated = read_any_dose(arguments.evaluated);
    GammaOptions o = arguments.options;
    o.normalisation_gy = normalisation_gy(arguments.normalisation);
    const GammaResult result = gamma_index(reference, evaluated, o);
    for (const std::string& note : result.notes) fmt::print("note: {}\n", note);
    fmt::print(
        "gamma {:g} %/{:g} mm, {}, above {:g} %: {:.2f} % of {} points pass; mean {:.3f}, largest {:.2f}; "
        "100 % is {:.3f} Gy\n",
        o.dose_percent, o.distance_mm, o.local ? "local" : "global", o.threshold_percent,
        result.pass_rate_percent, result.evaluated, result.mean, result.maximum, result.normalisation_gy);
    if (result.outside > 0)
        fmt::print("{} points of the reference lie outside the evaluated dose and count as failed\n",
                   result.outside);
    if (o.margin_mm > 0)
        fmt::print("{} points outside the evaluated dose or within {:g} mm of its edge are left out\n",
                   result.left_out, o.margin_mm);
    const bool failed = arguments.pass_rate >= 0 && result.pass_rate_percent < arguments.pass_rate;
    if (failed) fmt::print("below the required {:g} %\n", arguments.pass_rate);
    if (!arguments.json.empty())
        write_json({{"reference", arguments.reference.string()},
                    {"evaluated", arguments.evaluated.string()},
                    {"dose_percent", o.dose_percent},
                    {"distance_mm", o.distance_mm},
                    {"threshold_percent", o.threshold_percent},
                    {"local", o.local},
                    {"normalisation_gy", finite(result.normalisation_gy)},
                    {"margin_mm", o.margin_mm},
                    {"left_out", result.left_out},
                    {"notes", result.notes},
                    {"points", result.evaluated},
                    {"passed", result.passed},
                    {"outside", result.outside},
                    {"pass_rate_percent", finite(result.pass_rate_percent)},
                    {"mean", finite(result.mean)},
                    {"maximum", finite(result.maximum)}},
                   arguments.json);
    return failed ? failed_criteria : done;
}

}  // namespace

void add_gamma(CLI::App& app, Command& run) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* gamma = app.add_subcommand("gamma", "Gamma index of a dose against a reference dose");
    gamma->add_option("reference", arguments->reference, "RTDOSE (.dcm) or libdose HDF5 (.h5)")->required();
    gamma->add_option("evaluated", arguments->evaluated, "RTDOSE (.dcm) or libdose HDF5 (.h5)")->required();
    gamma->add_option("--dose-percent", arguments->options.dose_percent, "Dose criterion, percent")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    gamma->add_option("--distance-mm", arguments->options.distance_mm, "Distance to agreement, mm")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    gamma
        ->add_option("--threshold", arguments->options.threshold_percent,
                     "Points below this percentage of the normalisation are left out")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 100.0));
    gamma->add_flag("--local", arguments->options.local,
                    "Percent of the local reference dose instead of the normalisation");
    gamma
        ->add_option("--normalisation", arguments->normalisation,
                     "Dose of 100 %: Gy (the prescription, for example), or maximum of the reference")
        ->capture_default_str();
    gamma
        ->add_option(
            "--margin", arguments->options.margin_mm,
            "Leave out points outside the evaluated dose, or this near to its edge, mm; 0: outside fails")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    add_threads(*gamma, arguments->options.threads);
    gamma
        ->add_option("--pass-rate", arguments->pass_rate, "Exit with 1 when fewer percent of the points pass")
        ->check(CLI::Range(0.0, 100.0));
    gamma->add_option("--json", arguments->json, "Also write the result as JSON");
    gamma->footer(std::string("Example:\n  dose gamma tps.dcm result/plan.dcm --dose-percent 3 --distance-mm "
                              "2 --pass-rate 95\n") +
                  exit_code_text);
    gamma->callback([&run, arguments] { run = [arguments] { return compare(*arguments); }; });
}

}  // namespace libdose::cli
