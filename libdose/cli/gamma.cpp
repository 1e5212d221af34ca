// dose gamma: two doses compared.
#include "libdose/gamma.h"

#include <fmt/core.h>

#include "cli/common.h"
#include "libdose/error.h"

namespace libdose::cli {

namespace {

struct Arguments {
    std::filesystem::path reference, evaluated, json;
    GammaOptions options;
    double pass_rate = -1;
};

int compare(const Arguments& arguments) {
    const Dose reference = read_any_dose(arguments.reference), evaluated = read_any_dose(arguments.evaluated);
    if (!reference.frame_of_reference_uid.empty() && !evaluated.frame_of_reference_uid.empty() &&
        reference.frame_of_reference_uid != evaluated.frame_of_reference_uid)
        throw bad_input("the two doses have different frames of reference", arguments.reference.string() + " and " + arguments.evaluated.string());
    const GammaOptions& o = arguments.options;
    const GammaResult result = gamma_index(reference.gy, evaluated.gy, o);
    fmt::print("gamma {:g} %/{:g} mm, {}, above {:g} %: {:.2f} % of {} points pass; mean {:.3f}, largest {:.2f}\n", o.dose_percent, o.distance_mm,
               o.local ? "local" : "global", o.threshold_percent, result.pass_rate_percent, result.evaluated, result.mean, result.maximum);
    if (result.outside > 0) fmt::print("{} points of the reference lie outside the evaluated dose and count as failed\n", result.outside);
    const bool failed = arguments.pass_rate >= 0 && result.pass_rate_percent < arguments.pass_rate;
    if (failed) fmt::print("below the required {:g} %\n", arguments.pass_rate);
    if (!arguments.json.empty())
        write_json({{"reference", arguments.reference.string()},
                    {"evaluated", arguments.evaluated.string()},
                    {"dose_percent", o.dose_percent},
                    {"distance_mm", o.distance_mm},
                    {"threshold_percent", o.threshold_percent},
                    {"local", o.local},
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
    gamma->add_option("--dose-percent", arguments->options.dose_percent, "Dose criterion, percent")->capture_default_str()->check(CLI::PositiveNumber);
    gamma->add_option("--distance-mm", arguments->options.distance_mm, "Distance to agreement, mm")->capture_default_str()->check(CLI::PositiveNumber);
    gamma->add_option("--threshold", arguments->options.threshold_percent, "Points below this percentage of the maximum are left out")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 100.0));
    gamma->add_flag("--local", arguments->options.local, "Percent of the local reference dose instead of the maximum");
    gamma->add_option("--pass-rate", arguments->pass_rate, "Exit with 1 when fewer percent of the points pass")->check(CLI::Range(0.0, 100.0));
    gamma->add_option("--json", arguments->json, "Also write the result as JSON");
    gamma->footer(std::string("Example:\n  dose gamma tps.dcm result/plan.dcm --dose-percent 3 --distance-mm 2 --pass-rate 95\n") + exit_code_text);
    gamma->callback([&run, arguments] { run = [arguments] { return compare(*arguments); }; });
}

}  // namespace libdose::cli
