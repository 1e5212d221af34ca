// dose dvh: dose-volume histograms of structures.
#include "libdose/dvh.h"

#include <fmt/core.h>

#include <sstream>

#include "base/csv.h"
#include "base/temporary_name.h"
#include "cli/common.h"
#include "libdose/comparable.h"
#include "libdose/dvh_metric.h"
#include "libdose/error.h"
#include "libdose/io/dicom.h"

namespace libdose::cli {

namespace {

struct Arguments {
    std::filesystem::path dose, structures, csv, json;
    std::vector<std::string> names, metrics;
    double prescription_gy = 0;
    DvhOptions options;
};

/// Three decimals, or three digits of what is too small for them.
std::string dose_text(double gy) {
    return gy == 0 || gy >= 0.1 ? fmt::format("{:.3f}", gy) : fmt::format("{:.3g}", gy);
}

std::vector<StructureExpression> wanted_regions(const Arguments& arguments, const StructureSet& set) {
    std::vector<StructureExpression> wanted;
    for (const std::string& name : arguments.names) wanted.push_back(parse_structure_expression(name, set));
    if (!arguments.names.empty()) return wanted;
    for (const Structure& structure : set.structures)
        if (!structure.contours.empty()) wanted.emplace_back(structure);
    return wanted;
}

std::vector<DvhMetric> wanted_metrics(const Arguments& arguments) {
    std::vector<DvhMetric> metrics;
    for (const std::string& text : arguments.metrics) {
        metrics.push_back(parse_dvh_metric(text));
        if (metrics.back().needs_prescription() && !(arguments.prescription_gy > 0))
            throw bad_input("the metric \"" + text + "\" needs the prescribed dose", "--metric",
                            "Give it with --prescription-gy");
    }
    return metrics;
}

nlohmann::json as_json(const DoseVolumeHistogram& h) {
    nlohmann::json entry = {{"name", h.structure},
                            {"roi_number", h.structure_number},
                            {"volume_cm3", finite(h.volume_cm3)},
                            {"volume_outside_cm3", finite(h.volume_outside_cm3)},
                            {"mean_gy", finite(h.mean_gy)},
                            {"minimum_gy", finite(h.minimum_gy)},
                            {"maximum_gy", finite(h.maximum_gy)},
                            {"bin_width_gy", h.bin_width_gy},
                            {"sampling_mm", finite(h.sampling_mm)}};
    for (const double percent : {99.0, 98.0, 95.0, 90.0, 50.0, 10.0, 5.0, 2.0, 1.0})
        entry["dose_at_volume_percent"][fmt::format("{:g}", percent)] =
            finite(h.dose_at_volume_percent(percent));
    entry["cumulative_cm3"] = h.cumulative_cm3;
    return entry;
}

/// Prints the metrics of one structure. One that this structure cannot have is null, with its reason.
nlohmann::json print_metrics(const DoseVolumeHistogram& h, const std::vector<DvhMetric>& metrics,
                             double prescription_gy) {
    nlohmann::json list = nlohmann::json::array();
    for (const DvhMetric& metric : metrics) {
        nlohmann::json entry = {{"name", metric.name}, {"unit", metric.unit()}, {"value", nullptr}};
        try {
            const double value = finite(metric.value(h, prescription_gy));
            entry["value"] = value;
            fmt::print("  {} = {} {}\n", metric.name, dose_text(value), metric.unit());
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::bad_input) throw;
            entry["error"] = error.what();
            fmt::print("  {}: {}\n", metric.name, error.problem());
        }
        list.push_back(entry);
    }
    return list;
}

void print_row(const DoseVolumeHistogram& h) {
    fmt::print("{:<20} {:>10.2f}", h.structure, h.volume_cm3);
    for (const double gy : {h.mean_gy, h.minimum_gy, h.maximum_gy, h.dose_at_volume_percent(98),
                            h.dose_at_volume_percent(50), h.dose_at_volume_percent(2)})
        fmt::print(" {:>8}", dose_text(gy));
    fmt::print("\n");
    if (h.volume_outside_cm3 > 1e-6 * h.volume_cm3)
        fmt::print(
            "  {:.2f} cm3 of {} lie outside the dose grid: their dose is not known; D and V count it as not "
            "irradiated, mean, min and max leave it out\n",
            h.volume_outside_cm3, h.structure);
}

void add_curve(const DoseVolumeHistogram& h, std::ostream& csv) {
    for (std::size_t i = 0; i < h.cumulative_cm3.size(); ++i)
        csv << csv_field(h.structure) << ',' << static_cast<double>(i) * h.bin_width_gy << ','
            << h.cumulative_cm3[i] << ',' << 100 * h.cumulative_cm3[i] / h.volume_cm3 << ','
            << h.structure_number << '\n';
}

int histograms(const Arguments& arguments) {
    const std::vector<DvhMetric> metrics = wanted_metrics(arguments);
    const Dose dose = read_any_dose(arguments.dose);
    const StructureSet set = io::read_structures(arguments.structures);
    std::vector<std::string> notes = set.notes;
    for (std::string& note : check_histogram(dose, set)) notes.push_back(std::move(note));
    const std::vector<StructureExpression> wanted = wanted_regions(arguments, set);
    nlohmann::json json;
    json["structures"] = nlohmann::json::array();
    json["notes"] = notes;
    std::ostringstream csv;
    csv << "structure,dose_gy,volume_cm3,volume_percent,roi_number\n";
    for (const std::string& note : notes) fmt::print("note: {}\n", note);
    fmt::print("{:<20} {:>10} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}\n", "structure", "cm3", "mean Gy", "min",
               "max", "D98", "D50", "D2");
    std::size_t evaluated = 0;
    for (const StructureExpression& region : wanted) {
        DoseVolumeHistogram h;
        try {
            check_histogram(dose, region);
            h = dose_volume_histogram(dose.gy, region, arguments.options);
        } catch (const Error& error) {
            // A structure that was asked for by name must have its histogram; among all of them one may lie
            // elsewhere.
            if (!arguments.names.empty() || error.kind() != ErrorKind::bad_input) throw;
            fmt::print("{:<20} no histogram: {}\n", region.name, error.what());
            json["structures"].push_back(
                {{"name", region.name}, {"roi_number", region.number()}, {"error", error.what()}});
            continue;
        }
        ++evaluated;
        print_row(h);
        json["structures"].push_back(as_json(h));
        json["structures"].back()["metrics"] = print_metrics(h, metrics, arguments.prescription_gy);
        add_curve(h, csv);
    }
    if (evaluated == 0)
        throw bad_input("no structure has a histogram on this dose", arguments.structures.string(),
                        "Check that dose and structures are of the same patient");
    if (!arguments.csv.empty()) write_text(csv.str(), arguments.csv);
    if (!arguments.json.empty()) write_json(json, arguments.json);
    return done;
}

}  // namespace

void add_dvh(CLI::App& app, Command& run) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* dvh = app.add_subcommand("dvh", "Dose-volume histograms of structures");
    dvh->add_option("dose", arguments->dose, "RTDOSE (.dcm) or libdose HDF5 (.h5)")->required();
    dvh->add_option("structures", arguments->structures, "RTSTRUCT")->required();
    dvh->add_option("--structure", arguments->names,
                    "Only this structure, by name or as \"#12\" by its ROI number, or a combination: "
                    "\"LUNG_L or LUNG_R\", \"BODY minus PTV\"; may be repeated");
    dvh->add_option("--metric", arguments->metrics,
                    "D95%, D0.1cc, V20Gy, V20Gy[cm3], V95%, Dmean, …; may be repeated")
        ->allow_extra_args(false);
    dvh->add_option("--prescription-gy", arguments->prescription_gy,
                    "Prescribed dose, which V95% and D95%[%] refer to")
        ->check(CLI::PositiveNumber);
    dvh->add_option("--bin-gy", arguments->options.bin_width_gy,
                    "Width of the bins of the cumulative histogram; 0.01, or less for doses below 1 Gy")
        ->check(CLI::PositiveNumber);
    dvh->add_option("--sampling-mm", arguments->options.sampling_mm,
                    "About the distance of the dose samples; by the volume of each structure")
        ->check(CLI::PositiveNumber);
    add_threads(*dvh, arguments->options.threads);
    dvh->add_option("--csv", arguments->csv, "Write the cumulative histograms as CSV");
    dvh->add_option("--json", arguments->json, "Also write the results as JSON");
    dvh->footer(std::string("Example:\n  dose dvh result/plan.dcm patient/RS.dcm --structure PTV --metric "
                            "D95% --metric V20Gy[cm3] --csv dvh.csv\n") +
                exit_code_text);
    dvh->callback([&run, arguments] { run = [arguments] { return histograms(*arguments); }; });
}

}  // namespace libdose::cli
