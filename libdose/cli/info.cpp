// dose info: what is in folders, and what a calculation would use.
#include <fmt/core.h>

#include "cli/common.h"
#include "libdose/error.h"
#include "libdose/io/dicom.h"

namespace libdose::cli {

namespace {

struct Arguments {
    std::vector<std::filesystem::path> paths;
    std::filesystem::path json;
    std::string plan, series;
};

nlohmann::json describe_plan(const std::filesystem::path& file) {
    nlohmann::json json;
    try {
        const Plan plan = io::read_plan(file);
        json["position"] = to_string(plan.position);
        json["fractions"] = plan.fractions;
        json["notes"] = plan.notes;
        json["beams"] = nlohmann::json::array();
        ModelStore store;
        for (const Beam& beam : plan.beams) {
            nlohmann::json entry = {{"number", beam.number},
                                    {"name", beam.name},
                                    {"machine", beam.machine},
                                    {"energy_mv", beam.nominal_energy_mv},
                                    {"fluence_mode", beam.fluence_mode},
                                    {"meterset_mu", beam.meterset_mu},
                                    {"control_points", beam.control_points.size()}};
            try {
                entry["model"] = store.for_beam(beam, {}).name;
            } catch (const Error& error) {
                entry["refused"] = error.what();
            }
            fmt::print(
                "    beam {} \"{}\": {:g} MV {}, {:.2f} MU, {} control points, {}\n", beam.number, beam.name,
                beam.nominal_energy_mv, beam.fluence_mode, beam.meterset_mu, beam.control_points.size(),
                entry.contains("model") ? "model " + entry["model"].get<std::string>() : "refused: no model");
            json["beams"].push_back(entry);
        }
        for (const std::string& note : plan.notes) fmt::print("    note: {}\n", note);
    } catch (const Error& error) {
        fmt::print("    {}: {}\n", error.kind() == ErrorKind::refused_plan ? "refused" : "cannot be read",
                   error.what());
        json["error"] = error.what();
    }
    return json;
}

int show(const Arguments& arguments) {
    const io::DicomIndex index = io::index_dicom(arguments.paths);
    if (index.entries.empty() && index.broken.empty())
        throw bad_input("there is no DICOM object among the files", arguments.paths.front().string(),
                        fmt::format("{} other files were looked at", index.not_dicom.size()));
    nlohmann::json json;
    json["objects"] = nlohmann::json::array();
    std::map<std::string, std::size_t> slices;
    for (const auto& e : index.entries)
        if (e.kind == "CT") ++slices[e.series_uid];
    std::string last_series;
    for (const auto& e : index.entries) {
        if (e.kind == "CT" && e.series_uid == last_series) continue;
        last_series = e.series_uid;
        nlohmann::json entry = {{"kind", e.kind},
                                {"modality", e.modality},
                                {"label", e.label},
                                {"patient_id", e.patient_id},
                                {"series_uid", e.series_uid},
                                {"frame_of_reference_uid", e.frame_of_reference_uid}};
        if (e.kind == "CT") {
            entry["files"] = slices[e.series_uid];
            fmt::print("CT        patient {}, series {} \"{}\", {} files\n", e.patient_id, e.series_uid,
                       e.label, slices[e.series_uid]);
        } else {
            entry["file"] = e.file.string();
            entry["sop_instance_uid"] = e.sop_instance_uid;
            fmt::print("{:<9} patient {}, \"{}\", {}\n", e.kind == "other" ? e.modality : e.kind,
                       e.patient_id, e.label, e.file.string());
        }
        if (e.kind == "RTPLAN") entry["plan"] = describe_plan(e.file);
        json["objects"].push_back(entry);
    }
    if (!index.not_dicom.empty()) fmt::print("{} files are not DICOM\n", index.not_dicom.size());
    json["not_dicom"] = index.not_dicom.size();
    json["broken"] = nlohmann::json::array();
    for (const auto& e : index.broken) {
        fmt::print("{:<9} {}: cannot be read, {}\n", "broken", e.file.string(), e.problem);
        json["broken"].push_back({{"file", e.file.string()}, {"kind", e.kind}, {"problem", e.problem}});
    }
    try {
        const io::DicomCase selected = io::select_case(index, arguments.plan, arguments.series);
        fmt::print("\nA calculation would use\n");
        for (const std::string& note : selected.notes) fmt::print("  {}\n", note);
        json["selection"] = selected.notes;
    } catch (const Error& error) {
        fmt::print("\nA calculation needs a choice: {}\n", error.what());
        json["selection_error"] = error.what();
    }
    if (!arguments.json.empty()) write_json(json, arguments.json);
    return done;
}

}  // namespace

void add_info(CLI::App& app, Command& run) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* info =
        app.add_subcommand("info", "Show what is in files and folders, and what a calculation would use");
    info->add_option("paths", arguments->paths, "Files or folders")->required();
    info->add_option("--plan", arguments->plan,
                     "Label or SOP Instance UID of the plan that is to be calculated");
    info->add_option("--series", arguments->series, "Series Instance UID of the CT, as for calc");
    info->add_option("--json", arguments->json, "Also write it as JSON");
    info->footer(std::string("Example:\n  dose info patient/\n") + exit_code_text);
    info->callback([&run, arguments] { run = [arguments] { return show(*arguments); }; });
}

}  // namespace libdose::cli
