// dose dvh: dose-volume histograms of structures.
#include "libdose/dvh.h"

#include <fmt/core.h>

#include <sstream>

#include "cli/common.h"
#include "libdose/comparable.h"
#include "libdose/error.h"
#include "libdose/io/dicom.h"

namespace libdose::cli {

namespace {

struct Arguments {
    std::filesystem::path dose, structures, csv, json;
    std::vector<std::string> names;
};

int histograms(const Arguments& arguments) {
    const Dose dose = read_any_dose(arguments.dose);
    const StructureSet set = io::read_structures(arguments.structures);
    for (const std::string& note : check_histogram(dose, set)) fmt::print("note: {}\n", note);
    std::vector<const Structure*> wanted;
    if (arguments.names.empty()) {
        for (const Structure& structure : set.structures)
            if (!structure.contours.empty()) wanted.push_back(&structure);
    }
    for (const std::string& name : arguments.names) {
        const Structure* structure = set.find(name);
        if (!structure) {
            std::string known;
            for (const Structure& s : set.structures) known += (known.empty() ? "" : ", ") + s.name;
            throw bad_input("there is no structure \"" + name + "\"", arguments.structures.string(), "Structures: " + known);
        }
        wanted.push_back(structure);
    }
    nlohmann::json json;
    json["structures"] = nlohmann::json::array();
    std::ostringstream csv;
    csv << "structure,dose_gy,volume_cm3,volume_percent\n";
    fmt::print("{:<20} {:>10} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}\n", "structure", "cm3", "mean Gy", "min", "max", "D98", "D50", "D2");
    std::size_t evaluated = 0;
    for (const Structure* structure : wanted) {
        DoseVolumeHistogram h;
        try {
            h = dose_volume_histogram(dose.gy, *structure);
        } catch (const Error& error) {
            // A structure that was asked for by name must have its histogram; among all of them one may lie elsewhere.
            if (!arguments.names.empty() || error.kind() != ErrorKind::bad_input) throw;
            fmt::print("{:<20} no histogram: {}\n", structure->name, error.what());
            json["structures"].push_back({{"name", structure->name}, {"error", error.what()}});
            continue;
        }
        ++evaluated;
        fmt::print("{:<20} {:>10.2f} {:>8.3f} {:>8.3f} {:>8.3f} {:>8.3f} {:>8.3f} {:>8.3f}\n", structure->name, h.volume_cm3, h.mean_gy, h.minimum_gy,
                   h.maximum_gy, h.dose_at_volume_percent(98), h.dose_at_volume_percent(50), h.dose_at_volume_percent(2));
        if (h.volume_outside_cm3 > 1e-6 * h.volume_cm3)
            fmt::print(
                "  {:.2f} cm3 of {} lie outside the dose grid: their dose is not known; D and V count it as not irradiated, mean, min and max leave it out\n",
                h.volume_outside_cm3, structure->name);
        nlohmann::json entry = {{"name", structure->name},       {"volume_cm3", finite(h.volume_cm3)}, {"volume_outside_cm3", finite(h.volume_outside_cm3)},
                                {"mean_gy", finite(h.mean_gy)},  {"minimum_gy", finite(h.minimum_gy)}, {"maximum_gy", finite(h.maximum_gy)},
                                {"bin_width_gy", h.bin_width_gy}};
        for (const double percent : {99.0, 98.0, 95.0, 90.0, 50.0, 10.0, 5.0, 2.0, 1.0})
            entry["dose_at_volume_percent"][fmt::format("{:g}", percent)] = finite(h.dose_at_volume_percent(percent));
        entry["cumulative_cm3"] = h.cumulative_cm3;
        json["structures"].push_back(entry);
        for (std::size_t i = 0; i < h.cumulative_cm3.size(); ++i)
            csv << '"' << structure->name << "\"," << static_cast<double>(i) * h.bin_width_gy << ',' << h.cumulative_cm3[i] << ','
                << 100 * h.cumulative_cm3[i] / h.volume_cm3 << '\n';
    }
    if (evaluated == 0)
        throw bad_input("no structure has a histogram on this dose", arguments.structures.string(), "Check that dose and structures are of the same patient");
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
    dvh->add_option("--structure", arguments->names, "Only this structure; may be repeated");
    add_threads(*dvh);
    dvh->add_option("--csv", arguments->csv, "Write the cumulative histograms as CSV");
    dvh->add_option("--json", arguments->json, "Also write the results as JSON");
    dvh->footer(std::string("Example:\n  dose dvh result/plan.dcm patient/RS.dcm --structure PTV --csv dvh.csv\n") + exit_code_text);
    dvh->callback([&run, arguments] { run = [arguments] { return histograms(*arguments); }; });
}

}  // namespace libdose::cli
