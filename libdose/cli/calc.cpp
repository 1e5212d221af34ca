// dose calc: the dose of a plan.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "cli/common.h"
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

struct Arguments {
    std::vector<fs::path> paths;
    fs::path out, json;
    std::string plan, series, hu_curve, engine = "collapsed-cone", quality = "standard", transport = "auto",
                                        model, calibration_depth;
    std::vector<std::string> densities, materials, accepted;
    std::string dose_to = "medium", lateral_scaling = "on", leaf_ends = "rounded", leaves;
    std::optional<double> grid_mm;
    double margin_mm = EngineOptions().beam_margin_mm, sub_arc_deg = EngineOptions().sub_arc_deg;
    std::string grid_of;
    std::string couch;
    std::optional<double> couch_top_mm, couch_lateral_mm;
    BackendArguments backend;
    int threads = 0, fraction_group = 0;
    bool per_beam = false, accept_gaps = false, without_structures = false;
};

DensityOverride parse_override(const std::string& text) {
    const auto equals = text.rfind('=');
    if (equals != std::string::npos && equals > 0)
        if (const std::optional<double> value = number_of(text.substr(equals + 1)))
            return {text.substr(0, equals), *value, ""};
    throw bad_input("\"" + text + "\" is not STRUCTURE=DENSITY", "--density",
                    "Example: --density \"PTV=1.0\" (g/cm3)");
}

/// A structure with a density of its own keeps it and gets the material; any other gets the material at its
/// usual density.
void add_material(std::vector<DensityOverride>& overrides, const std::string& text) {
    const auto equals = text.rfind('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
        throw bad_input("\"" + text + "\" is not STRUCTURE=MATERIAL", "--material",
                        "Example: --material \"Hip=titanium\"");
    const std::string structure = text.substr(0, equals), material = text.substr(equals + 1);
    for (DensityOverride& o : overrides)
        if (o.structure == structure) {
            if (!o.material.empty())
                throw bad_input("\"" + structure + "\" is given two materials", "--material");
            o.material = material;
            return;
        }
    overrides.push_back({structure, 0, material});
}

/// Puts the couch that was asked for under the body; what was done becomes notes and settings of the
/// provenance.
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

int calculate_plan(const Arguments& arguments) {
    EngineOptions options;
    options.algorithm = algorithm_from_string(arguments.engine);
    options.quality = quality_from_string(arguments.quality);
    options.transport = transport_from_string(arguments.transport);
    options.backend = arguments.backend.choice();
    options.device = arguments.backend.device;
    if (arguments.grid_mm == 0.0)
        throw bad_input("grid spacing 0 mm is not between 0.5 and 20", "--grid",
                        "Leave it out, and it is chosen");
    options.grid_mm = arguments.grid_mm.value_or(0);
    options.beam_margin_mm = arguments.margin_mm;
    options.sub_arc_deg = arguments.sub_arc_deg;
    options.threads = arguments.threads;
    options.per_beam = arguments.per_beam;
    options.accept_gaps = arguments.accept_gaps;
    for (const std::string& text : arguments.densities) options.overrides.push_back(parse_override(text));
    for (const std::string& text : arguments.materials) add_material(options.overrides, text);
    options.dose_to = arguments.dose_to == "water" ? DoseMedium::water : DoseMedium::medium;
    options.lateral_scaling = arguments.lateral_scaling == "on";
    if (!arguments.hu_curve.empty()) options.hu_curve = read_hu_curve(arguments.hu_curve);

    options.leaf_ends = leaf_ends_from_string(arguments.leaf_ends);
    options.leaves = arguments.leaves;
    design_by_name(leaf_designs_for({}, options),
                   options.leaves);  // an unknown name is said before files are read

    const io::DicomIndex index = io::index_dicom(arguments.paths);
    const io::DicomCase selected = io::select_case(
        index, arguments.plan, arguments.series,
        arguments.without_structures ? io::StructureUse::left_out : io::StructureUse::required);
    for (const std::string& note : selected.notes) fmt::print("{}\n", note);
    const Plan plan = io::read_plan(selected.plan.front().file, arguments.fraction_group, arguments.accepted);
    for (const GateEntry& entry : plan.gate)
        if (entry.verdict == GateEntry::Verdict::accepted) fmt::print("gate: {}\n", entry.text());
    for (const std::string& note : plan.notes) fmt::print("plan: {}\n", note);
    ModelStore store;
    // A copy of each model with the calibration depth that was asked for.
    std::map<std::string, BeamModel> models;
    const BeamModelProvider provider = [&](const Beam& beam) -> const BeamModel& {
        const BeamModel& model = store.for_beam(beam, arguments.model);
        auto [entry, fresh] = models.try_emplace(model.name, model);
        if (fresh && !arguments.calibration_depth.empty())
            entry->second.calibration.depth = arguments.calibration_depth;
        return entry->second;
    };
    for (const Beam& beam : plan.beams) {
        const BeamModel& model = provider(beam);
        fmt::print("beam {} \"{}\": {:g} MV, {:.2f} MU, {} control points, model {}\n", beam.number,
                   beam.name, beam.nominal_energy_mv, beam.meterset_mu, beam.control_points.size(),
                   model.name);
    }
    std::vector<fs::path> ct_files;
    for (const auto& entry : selected.ct) ct_files.push_back(entry.file);
    const CtImage ct = io::read_ct(ct_files);
    for (const std::string& note : ct.notes) fmt::print("{}\n", note);
    if (!arguments.grid_of.empty())
        options.grid = arguments.grid_of == "ct" ? ct.hu.grid : grid_of_dose(arguments.grid_of, ct);
    std::optional<StructureSet> structures;
    if (!selected.structures.empty()) {
        structures = io::read_structures(selected.structures.front().file);
        for (const std::string& note : structures->notes) fmt::print("structures: {}\n", note);
    }
    std::vector<std::string> couch_notes;
    const auto couch_settings = add_couch(arguments, ct, plan, structures, couch_notes);
    for (const std::string& note : couch_notes) fmt::print("{}\n", note);
    const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");

    Progress progress;
    options.progress = std::ref(progress);
    CalculationResult result =
        calculate(ct, structures ? &*structures : nullptr, plan, materials, provider, options);
    for (const std::string& note : result.notes) fmt::print("{}\n", note);
    for (const auto& [name, value] : result.plan.provenance.settings)
        if (name.starts_with("leaves ")) fmt::print("{}: {}\n", name, value);

    const auto complete = [&](Dose& dose) {
        io::add_inputs(dose.provenance, options.hu_curve, ct, structures ? &*structures : nullptr, plan);
        dose.provenance.settings.insert(couch_settings.begin(), couch_settings.end());
    };
    complete(result.plan);
    std::error_code error;
    fs::create_directories(arguments.out, error);
    if (error) throw bad_input("the folder cannot be made: " + error.message(), arguments.out.string());
    std::vector<fs::path> written{arguments.out / "plan.dcm"};
    result.plan.sop_instance_uid = io::write_dose(result.plan, ct, written.front());
    for (Dose& beam : result.beams) {
        complete(beam);
        written.push_back(arguments.out / fmt::format("beam-{}.dcm", beam.beam_number));
        beam.sop_instance_uid = io::write_dose(beam, ct, written.back());
    }
    written.push_back(arguments.out / "dose.h5");
    io::write_doses_hdf5(result.plan, result.beams, written.back());

    nlohmann::json json;
    json["engine"] = arguments.engine;
    json["quality"] = arguments.quality;
    json["dose_to"] = arguments.dose_to;
    json["plan"] = {{"label", plan.label}, {"uid", plan.sop_instance_uid}, {"fractions", plan.fractions}};
    const Provenance& p = result.plan.provenance;
    json["provenance"] = {{"engine_version", p.engine_version},
                          {"engine", p.engine},
                          {"backend", p.backend},
                          {"model_hashes", p.model_hashes},
                          {"hu_curve_name", p.hu_curve_name},
                          {"hu_curve_hash", p.hu_curve_hash},
                          {"settings", p.settings},
                          {"input_uids", p.input_uids}};
    const Grid& grid = result.plan.gy.grid;
    json["grid"] = {{"size", grid.size},
                    {"spacing_mm", {grid.spacing_mm[0], grid.spacing_mm[1], grid.spacing_mm[2]}},
                    {"origin_mm", {grid.origin_mm[0], grid.origin_mm[1], grid.origin_mm[2]}}};
    json["maximum_gy"] = finite(largest(result.plan));
    fmt::print("maximum dose {:.3f} Gy in {} fractions, to {}\n", largest(result.plan), plan.fractions,
               result.plan.medium == DoseMedium::medium ? "medium" : "water");
    json["beams"] = nlohmann::json::array();
    std::vector<Vec3> shown;
    for (const Beam& beam : plan.beams) {
        nlohmann::json entry = {{"number", beam.number},
                                {"name", beam.name},
                                {"meterset_mu", beam.meterset_mu},
                                {"model", provider(beam).name}};
        const auto point = [&](const char* name, const Vec3& at) {
            const double dose = dose_at(result.plan, {at}).front();
            entry[name] = {{"position_mm", {at[0], at[1], at[2]}}, {"plan_gy", nullptr}};
            if (std::isnan(dose)) {
                fmt::print("the {} of beam {} lies outside the dose grid\n",
                           std::string(name) == "isocentre" ? "isocentre" : "dose point", beam.number);
                return;
            }
            entry[name]["plan_gy"] = finite(dose);
            if (std::none_of(shown.begin(), shown.end(),
                             [&](const Vec3& s) { return (s - at).norm() < 1e-6; })) {
                fmt::print("dose at the {} of beam {} ({:.1f}, {:.1f}, {:.1f}) mm: {:.3f} Gy\n",
                           std::string(name) == "isocentre" ? "isocentre" : "dose point", beam.number, at[0],
                           at[1], at[2], dose);
                shown.push_back(at);
            }
            for (const Dose& one : result.beams)
                if (one.beam_number == beam.number) entry[name]["beam_gy"] = finite(interpolate(one.gy, at));
        };
        point("isocentre", beam.control_points.front().isocentre_mm);
        if (beam.dose_point_mm) point("dose_point", *beam.dose_point_mm);
        if (beam.dose_point_gy && entry.contains("dose_point"))
            entry["dose_point"]["planned_beam_gy"] = *beam.dose_point_gy;
        json["beams"].push_back(entry);
    }
    json["gate"] = as_json(plan.gate);
    json["notes"] = selected.notes;
    const std::vector<std::string> structure_notes =
        structures ? structures->notes : std::vector<std::string>();
    for (const auto& list : {plan.notes, ct.notes, structure_notes, couch_notes, result.notes})
        for (const std::string& note : list) json["notes"].push_back(note);
    double total = 0;
    json["seconds"] = result.seconds;
    for (const auto& [stage, seconds] : result.seconds) {
        fmt::print("  {:<24} {:7.2f} s\n", stage, seconds);
        total += seconds;
    }
    fmt::print("  {:<24} {:7.2f} s\n", "calculation", total);
    json["files"] = nlohmann::json::array();
    for (const fs::path& file : written) {
        fmt::print("written: {}\n", file.string());
        json["files"].push_back(file.string());
    }
    if (!arguments.json.empty()) write_json(json, arguments.json);
    return done;
}

}  // namespace

void add_calc(CLI::App& app, Command& run) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* calc = app.add_subcommand("calc", "Calculate the dose of a DICOM plan on its CT");
    calc->add_option("paths", arguments->paths, "Files or folders with CT, RTSTRUCT and RTPLAN")->required();
    calc->add_option("--out", arguments->out, "Folder for plan.dcm, beam-N.dcm and dose.h5")->required();
    calc->add_option("--plan", arguments->plan, "Label or SOP Instance UID, when there are several plans");
    calc->add_option("--series", arguments->series,
                     "Series Instance UID of the CT, when the structure set names several or none");
    calc->add_option("--fraction-group", arguments->fraction_group,
                     "Fraction group number, when there are several");
    calc->add_option(
        "--accept", arguments->accepted,
        "Tag of an unknown attribute of the plan that cannot change the dose, as 300a,01a0; may be repeated");
    calc->add_flag("--without-structures", arguments->without_structures,
                   "Calculate without a structure set: the whole CT counts as the patient, and no density is "
                   "overridden");
    calc->add_option("--engine", arguments->engine, "collapsed-cone or pencil-beam")->capture_default_str();
    calc->add_option("--model", arguments->model,
                     "Beam model: name or file; default: generic model of the beam's energy");
    CLI::Option* spacing =
        calc->add_option("--grid", arguments->grid_mm,
                         "Dose grid spacing, mm; default: 2.5, finer where an opening is narrow");
    calc->add_option("--grid-of", arguments->grid_of,
                     "Calculate on the grid of this dose (RTDOSE or HDF5), or on that of the CT: ct")
        ->excludes(spacing);
    calc->add_option("--margin", arguments->margin_mm,
                     "The dose grid ends this far from the fields, or at the body, mm")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    calc->add_option("--sub-arc", arguments->sub_arc_deg,
                     "Largest turn of gantry, collimator or couch that one fluence map stands for, degrees, "
                     "give or take a twentieth")
        ->capture_default_str()
        ->check(CLI::Range(0.05, 10.0));
    calc->add_flag("--per-beam", arguments->per_beam, "Also write the dose of every beam");
    calc->add_flag("--accept-gaps", arguments->accept_gaps,
                   "Take a body in which contour planes are missing as it is, with vacuum between");
    calc->add_option("--quality", arguments->quality, "draft, standard or high")->capture_default_str();
    calc->add_option("--transport", arguments->transport,
                     "collapsed cone: one transport for the whole plan, each geometry its own, or auto")
        ->capture_default_str();
    add_backend_options(*calc, arguments->backend);
    add_threads(*calc, arguments->threads);
    calc->add_option("--density", arguments->densities, "STRUCTURE=DENSITY in g/cm3; may be repeated");
    calc->add_option("--material", arguments->materials,
                     "STRUCTURE=MATERIAL with its usual density: titanium, steel, aluminium, bone_cortical, "
                     "water, lung, adipose, air, ...; may be repeated");
    calc->add_option("--couch", arguments->couch,
                     "Couch under the body: name (dose model list) or CSV file; default: none but structures "
                     "of type SUPPORT");
    calc->add_option(
        "--couch-top", arguments->couch_top_mm,
        "LPS y of the surface that the patient lies on, mm; default: where the body's lowest point is");
    calc->add_option("--couch-lateral", arguments->couch_lateral_mm,
                     "LPS x of the couch's middle, mm; default: 0");
    calc->add_option("--dose-to", arguments->dose_to,
                     "Dose to the local medium, or to water by stopping-power ratios")
        ->capture_default_str()
        ->check(CLI::IsMember({"medium", "water"}));
    calc->add_option("--lateral-scaling", arguments->lateral_scaling,
                     "Pencil beam: widen kernels by density, on or off")
        ->capture_default_str()
        ->check(CLI::IsMember({"on", "off"}));
    calc->add_option(
        "--leaves", arguments->leaves,
        "Leaf design (dose model list) of collimators with its boundaries; default: found from the plan");
    calc->add_option("--leaf-ends", arguments->leaf_ends,
                     "Leaves as they are built, or sharp, without tongue and groove")
        ->capture_default_str()
        ->check(CLI::IsMember({"rounded", "sharp"}));
    calc->add_option(
        "--hu-curve", arguments->hu_curve,
        "Name (dose model list; \"water\": HU 0 is 1.000 g/cm3) or CSV with the columns hu,density_g_cm3");
    calc->add_option("--calibration-depth", arguments->calibration_depth,
                     "1 cGy/MU holds at: maximum or 10cm (default: as the model says)")
        ->check(CLI::IsMember({"maximum", "10cm"}));
    calc->add_option("--json", arguments->json, "Also write the results as JSON");
    calc->footer(std::string("Examples:\n  dose calc patient/ --out result\n  dose calc patient/ --plan "
                             "\"Plan 1\" --engine pencil-beam --grid 3 --out result\n"
                             "  dose calc patient/ --density \"Couch=0.1\" --material \"Hip=titanium\" "
                             "--per-beam --json result.json --out result\n") +
                 exit_code_text);
    calc->callback([&run, arguments] { run = [arguments] { return calculate_plan(*arguments); }; });
}

}  // namespace libdose::cli
