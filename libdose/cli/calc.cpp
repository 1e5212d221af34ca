// dose calc: the dose of a plan.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "cli/calculation_options.h"
#include "libdose/admission.h"
#include "libdose/comparable.h"
#include "libdose/couch.h"
#include "libdose/data.h"
#include "libdose/error.h"
#include "libdose/io/dicom.h"
#include "libdose/io/hdf5.h"
#include "libdose/io/provenance.h"

namespace libdose::cli {

namespace {

namespace fs = std::filesystem;

struct Arguments : CalculationArguments {
    std::vector<fs::path> paths;
    fs::path out, json;
    std::string plan, series, calibration_depth;
    std::vector<std::string> accepted;
    std::optional<double> grid_mm;
    std::string grid_of;
    int fraction_group = 0;
    bool per_beam = false, without_structures = false;
};

/// Puts the couch that was asked for under the body. Returns the settings for the provenance; fills the
/// notes.
std::map<std::string, std::string> add_couch(const Arguments& arguments, const CtImage& ct, const Plan& plan,
                                             std::optional<StructureSet>& structures,
                                             std::vector<std::string>& notes) {
    if (arguments.couch.empty()) {
        if (arguments.couch_top_mm || arguments.couch_lateral_mm)
            throw bad_input("a place is given for a couch, but no couch", "--couch-top, --couch-lateral",
                            "Add --couch NAME");
        return {};
    }
    if (!structures)
        throw bad_input("a couch needs a structure set with a structure of type EXTERNAL", "--couch",
                        "Give the RTSTRUCT of the plan");
    const CouchModel couch = read_couch(arguments.couch);
    const CouchPlacement placement =
        insert_couch(*structures, ct, plan.position, couch, arguments.couch_top_mm,
                     arguments.couch_lateral_mm.value_or(0));
    notes = placement.notes;
    std::map<std::string, std::string> settings{
        {"couch", couch.name},
        {"couch_top_mm", fmt::format("{:g}", placement.top_mm)},
        {"couch_middle_mm", fmt::format("{:g}", placement.centre_x_mm)}};
    for (const CouchPart& part : couch.parts)
        settings["couch " + part.name] = fmt::format("{:g} g/cm3{}{}", part.density_g_cm3,
                                                     part.material.empty() ? "" : " ", part.material);
    return settings;
}

/// Grid of a dose file in the frame of the CT.
Grid grid_of_dose(const fs::path& file, const CtImage& ct) {
    const Dose dose = read_any_dose(file);
    check_same_frame(dose.frame_of_reference_uid, ct.frame_of_reference_uid,
                     "the dose of --grid-of and the CT", file.string());
    return dose.gy.grid;
}

double largest(const Dose& dose) {
    return static_cast<double>(*std::max_element(dose.gy.values.begin(), dose.gy.values.end()));
}

EngineOptions options_of(const Arguments& arguments) {
    EngineOptions options = arguments.options();
    if (arguments.grid_mm == 0.0)
        throw bad_input("grid spacing 0 mm is not between 0.5 and 20", "--grid",
                        "Leave it out, and it is chosen");
    options.grid_mm = arguments.grid_mm.value_or(0);
    options.per_beam = arguments.per_beam;
    return options;
}

/// Models of the beams: a copy of each with the calibration depth that was asked for.
class CalibratedModels {
public:
    explicit CalibratedModels(const Arguments& arguments) : arguments_(arguments) {}

    const BeamModel& operator()(const Beam& beam) {
        const BeamModel& model = store_.for_beam(beam, arguments_.model);
        auto [entry, fresh] = models_.try_emplace(model.name, model);
        if (fresh && !arguments_.calibration_depth.empty())
            entry->second.calibration.depth = arguments_.calibration_depth;
        return entry->second;
    }

private:
    const Arguments& arguments_;
    ModelStore store_;
    std::map<std::string, BeamModel> models_;
};

void print_notes(const std::vector<std::string>& notes, const char* of = "") {
    for (const std::string& note : notes) fmt::print("{}{}\n", of, note);
}

/// A plan and the patient that it is calculated on.
struct Case {
    io::DicomCase selected;
    Plan plan;
    CtImage ct;
    std::optional<StructureSet> structures;
    std::vector<std::string> couch_notes;
    std::map<std::string, std::string> couch_settings;

    const StructureSet* structure_set() const { return structures ? &*structures : nullptr; }
};

io::DicomCase select_files(const Arguments& arguments) {
    const io::DicomIndex index = io::index_dicom(arguments.paths);
    const io::DicomCase selected = io::select_case(
        index, arguments.plan, arguments.series,
        arguments.without_structures ? io::StructureUse::left_out : io::StructureUse::required);
    print_notes(selected.notes);
    return selected;
}

Plan read_plan(const io::DicomCase& selected, const Arguments& arguments, CalibratedModels& models) {
    const Plan plan = io::read_plan(selected.plan.front().file, arguments.fraction_group, arguments.accepted);
    for (const GateEntry& entry : plan.gate)
        if (entry.verdict == GateEntry::Verdict::accepted) fmt::print("gate: {}\n", entry.text());
    print_notes(plan.notes, "plan: ");
    for (const Beam& beam : plan.beams)
        fmt::print("beam {} \"{}\": {:g} MV, {:.2f} MU, {} control points, model {}\n", beam.number,
                   beam.name, beam.nominal_energy_mv, beam.meterset_mu, beam.control_points.size(),
                   models(beam).name);
    return plan;
}

CtImage read_ct(const io::DicomCase& selected) {
    std::vector<fs::path> files;
    for (const auto& entry : selected.ct) files.push_back(entry.file);
    const CtImage ct = io::read_ct(files);
    print_notes(ct.notes);
    return ct;
}

std::optional<StructureSet> read_structures(const io::DicomCase& selected) {
    if (selected.structures.empty()) return std::nullopt;
    const StructureSet structures = io::read_structures(selected.structures.front().file);
    print_notes(structures.notes, "structures: ");
    return structures;
}

/// Reads the case, prints its notes, and sets the dose grid of the options where another's was asked for.
Case read_case(const Arguments& arguments, CalibratedModels& models, EngineOptions& options) {
    Case c;
    c.selected = select_files(arguments);
    c.plan = read_plan(c.selected, arguments, models);
    c.ct = read_ct(c.selected);
    if (!arguments.grid_of.empty())
        options.grid = arguments.grid_of == "ct" ? c.ct.hu.grid : grid_of_dose(arguments.grid_of, c.ct);
    c.structures = read_structures(c.selected);
    c.couch_settings = add_couch(arguments, c.ct, c.plan, c.structures, c.couch_notes);
    print_notes(c.couch_notes);
    return c;
}

CalculationResult calculate_case(const Case& c, CalibratedModels& models, const EngineOptions& options) {
    const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
    CalculationResult result =
        calculate(c.ct, c.structure_set(), c.plan, materials, std::ref(models), options);
    print_notes(result.notes);
    for (const auto& [name, value] : result.plan.provenance.settings)
        if (name.starts_with("leaves ")) fmt::print("{}: {}\n", name, value);
    return result;
}

/// Completes the provenance of the doses and writes them; returns the files.
std::vector<fs::path> write_doses(CalculationResult& result, const Case& c, const EngineOptions& options,
                                  const fs::path& out) {
    const auto complete = [&](Dose& dose) {
        io::add_inputs(dose.provenance, options.hu_curve, c.ct, c.structure_set(), c.plan);
        dose.provenance.settings.insert(c.couch_settings.begin(), c.couch_settings.end());
    };
    complete(result.plan);
    std::error_code error;
    fs::create_directories(out, error);
    if (error) throw bad_input("the folder cannot be made: " + error.message(), out.string());
    std::vector<fs::path> written{out / "plan.dcm"};
    result.plan.sop_instance_uid = io::write_dose(result.plan, c.ct, written.front());
    for (Dose& beam : result.beams) {
        complete(beam);
        written.push_back(out / fmt::format("beam-{}.dcm", beam.beam_number));
        beam.sop_instance_uid = io::write_dose(beam, c.ct, written.back());
    }
    written.push_back(out / "dose.h5");
    io::write_doses_hdf5(result.plan, result.beams, written.back());
    return written;
}

nlohmann::json provenance_json(const Provenance& p) {
    return {{"engine_version", p.engine_version},
            {"engine", p.engine},
            {"backend", p.backend},
            {"model_hashes", p.model_hashes},
            {"hu_curve_name", p.hu_curve_name},
            {"hu_curve_hash", p.hu_curve_hash},
            {"settings", p.settings},
            {"input_uids", p.input_uids}};
}

nlohmann::json vector_json(const Vec3& v) { return {v[0], v[1], v[2]}; }

nlohmann::json grid_json(const Grid& grid) {
    return {{"size", grid.size},
            {"spacing_mm", vector_json(grid.spacing_mm)},
            {"origin_mm", vector_json(grid.origin_mm)}};
}

/// Prints the doses at the points of beams, each point once.
class PointDoses {
public:
    explicit PointDoses(const CalculationResult& result) : result_(result) {}

    /// Doses of the plan and of the beam at a point, for JSON; null outside the dose grid.
    nlohmann::json at(const Vec3& point_mm, const char* name, const Beam& beam) {
        const double dose = dose_at(result_.plan, {point_mm}).front();
        nlohmann::json entry = {{"position_mm", vector_json(point_mm)}, {"plan_gy", nullptr}};
        if (std::isnan(dose)) {
            fmt::print("the {} of beam {} lies outside the dose grid\n", name, beam.number);
            return entry;
        }
        entry["plan_gy"] = finite(dose);
        if (is_new(point_mm))
            fmt::print("dose at the {} of beam {} ({:.1f}, {:.1f}, {:.1f}) mm: {:.3f} Gy\n", name,
                       beam.number, point_mm[0], point_mm[1], point_mm[2], dose);
        for (const Dose& one : result_.beams)
            if (one.beam_number == beam.number) entry["beam_gy"] = finite(interpolate(one.gy, point_mm));
        return entry;
    }

private:
    bool is_new(const Vec3& point_mm) {
        if (std::any_of(shown_.begin(), shown_.end(),
                        [&](const Vec3& s) { return (s - point_mm).norm() < 1e-6; }))
            return false;
        shown_.push_back(point_mm);
        return true;
    }

    const CalculationResult& result_;
    std::vector<Vec3> shown_;
};

/// The beams with the doses at their isocentres and dose points, which it prints.
nlohmann::json report_beams(const CalculationResult& result, const Plan& plan, CalibratedModels& models) {
    nlohmann::json beams = nlohmann::json::array();
    PointDoses doses(result);
    for (const Beam& beam : plan.beams) {
        nlohmann::json entry = {{"number", beam.number},
                                {"name", beam.name},
                                {"meterset_mu", beam.meterset_mu},
                                {"model", models(beam).name}};
        entry["isocentre"] = doses.at(beam.control_points.front().isocentre_mm, "isocentre", beam);
        if (beam.dose_point_mm) entry["dose_point"] = doses.at(*beam.dose_point_mm, "dose point", beam);
        if (beam.dose_point_gy && entry.contains("dose_point"))
            entry["dose_point"]["planned_beam_gy"] = *beam.dose_point_gy;
        beams.push_back(entry);
    }
    return beams;
}

/// All notes, in the order in which they were printed.
nlohmann::json all_notes(const Case& c, const CalculationResult& result) {
    nlohmann::json notes = c.selected.notes;
    const std::vector<std::string> structure_notes =
        c.structures ? c.structures->notes : std::vector<std::string>();
    for (const auto& list : {c.plan.notes, c.ct.notes, structure_notes, c.couch_notes, result.notes})
        for (const std::string& note : list) notes.push_back(note);
    return notes;
}

void print_seconds(const CalculationResult& result) {
    double total = 0;
    for (const auto& [stage, seconds] : result.seconds) {
        fmt::print("  {:<24} {:7.2f} s\n", stage, seconds);
        total += seconds;
    }
    fmt::print("  {:<24} {:7.2f} s\n", "calculation", total);
}

/// Prints the results; returns them for JSON.
nlohmann::json report(const Arguments& arguments, const Case& c, const CalculationResult& result,
                      CalibratedModels& models, const std::vector<fs::path>& written) {
    nlohmann::json json;
    json["engine"] = arguments.algorithm;
    json["quality"] = arguments.quality;
    json["dose_to"] = arguments.dose_to;
    json["plan"] = {
        {"label", c.plan.label}, {"uid", c.plan.sop_instance_uid}, {"fractions", c.plan.fractions}};
    json["provenance"] = provenance_json(result.plan.provenance);
    json["grid"] = grid_json(result.plan.gy.grid);
    json["maximum_gy"] = finite(largest(result.plan));
    fmt::print("maximum dose {:.3f} Gy in {} fractions, to {}\n", largest(result.plan), c.plan.fractions,
               result.plan.medium == DoseMedium::medium ? "medium" : "water");
    json["beams"] = report_beams(result, c.plan, models);
    json["gate"] = as_json(c.plan.gate);
    json["notes"] = all_notes(c, result);
    json["seconds"] = result.seconds;
    print_seconds(result);
    json["files"] = nlohmann::json::array();
    for (const fs::path& file : written) {
        fmt::print("written: {}\n", file.string());
        json["files"].push_back(file.string());
    }
    return json;
}

int calculate_plan(const Arguments& arguments) {
    EngineOptions options = options_of(arguments);
    CalibratedModels models(arguments);
    const Case c = read_case(arguments, models, options);
    Progress progress;
    options.progress = std::ref(progress);
    CalculationResult result = calculate_case(c, models, options);
    const std::vector<fs::path> written = write_doses(result, c, options, arguments.out);
    const nlohmann::json json = report(arguments, c, result, models, written);
    if (!arguments.json.empty()) write_json(json, arguments.json);
    return done;
}

// Options in the order of the help.

void add_case_options(CLI::App& calc, Arguments& arguments) {
    calc.add_option("paths", arguments.paths, "Files or folders with CT, RTSTRUCT and RTPLAN")->required();
    calc.add_option("--out", arguments.out, "Folder for plan.dcm, beam-N.dcm and dose.h5")->required();
    calc.add_option("--plan", arguments.plan, "Label or SOP Instance UID, when there are several plans");
    calc.add_option("--series", arguments.series,
                    "Series Instance UID of the CT, when the structure set names several or none");
    calc.add_option("--fraction-group", arguments.fraction_group,
                    "Fraction group number, when there are several");
    calc.add_option(
        "--accept", arguments.accepted,
        "Tag of an unknown attribute of the plan that cannot change the dose, as 300a,01a0; may be repeated");
    calc.add_flag("--without-structures", arguments.without_structures,
                  "Calculate without a structure set: the whole CT counts as the patient, and no density is "
                  "overridden");
}

void add_result_options(CLI::App& calc, Arguments& arguments) {
    CLI::Option* spacing = calc.add_option(
        "--grid", arguments.grid_mm, "Dose grid spacing, mm; default: 2.5, finer where an opening is narrow");
    calc.add_option("--grid-of", arguments.grid_of,
                    "Calculate on the grid of this dose (RTDOSE or HDF5), or on that of the CT: ct")
        ->excludes(spacing);
    calc.add_flag("--per-beam", arguments.per_beam, "Also write the dose of every beam");
    calc.add_option("--calibration-depth", arguments.calibration_depth,
                    "1 cGy/MU holds at: maximum or 10cm (default: as the model says)")
        ->check(CLI::IsMember({"maximum", "10cm"}));
    calc.add_option("--json", arguments.json, "Also write the results as JSON");
}

}  // namespace

void add_calc(CLI::App& app, Command& run) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* calc = app.add_subcommand("calc", "Calculate the dose of a DICOM plan on its CT");
    add_case_options(*calc, *arguments);
    add_engine_options(*calc, *arguments);
    add_patient_options(*calc, *arguments);
    add_physics_options(*calc, *arguments);
    add_result_options(*calc, *arguments);
    calc->footer(std::string("Examples:\n  dose calc patient/ --out result\n  dose calc patient/ --plan "
                             "\"Plan 1\" --algorithm pencil-beam --grid 3 --out result\n"
                             "  dose calc patient/ --density \"Couch=0.1\" --material \"Hip=titanium\" "
                             "--per-beam --json result.json --out result\n") +
                 exit_code_text);
    calc->callback([&run, arguments] { run = [arguments] { return calculate_plan(*arguments); }; });
}

}  // namespace libdose::cli
