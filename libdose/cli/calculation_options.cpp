#include "cli/calculation_options.h"

#include "libdose/admission.h"
#include "libdose/error.h"

namespace libdose::cli {

namespace {

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

}  // namespace

EngineOptions CalculationArguments::options() const {
    EngineOptions result;
    result.algorithm = algorithm_from_string(algorithm);
    result.quality = quality_from_string(quality);
    result.grouping = grouping_from_string(grouping);
    result.backend = backend.choice();
    result.device = backend.device;
    result.beam_margin_mm = margin_mm;
    result.sub_arc_deg = sub_arc_deg;
    result.threads = threads;
    result.accept_gaps = accept_gaps;
    for (const std::string& text : densities) result.overrides.push_back(parse_override(text));
    for (const std::string& text : materials) add_material(result.overrides, text);
    result.dose_to = dose_to == "water" ? DoseMedium::water : DoseMedium::medium;
    result.lateral_scaling = lateral_scaling == "on";
    if (!hu_curve.empty()) result.hu_curve = read_hu_curve(hu_curve);

    result.leaf_ends = leaf_ends_from_string(leaf_ends);
    result.leaves = leaves;
    design_by_name(leaf_designs_for({}, result),
                   result.leaves);  // an unknown name is said before files are read
    return result;
}

void add_engine_options(CLI::App& command, CalculationArguments& arguments) {
    command
        .add_option("--algorithm,--engine", arguments.algorithm,
                    "collapsed-cone or pencil-beam (--engine: a synonym)")
        ->capture_default_str();
    command.add_option("--model", arguments.model,
                       "Beam model: name or file; default: generic model of the beam's energy");
    command
        .add_option("--margin", arguments.margin_mm,
                    "The dose grid ends this far from the fields, or at the body, mm")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    command
        .add_option("--sub-arc", arguments.sub_arc_deg,
                    "Largest turn of gantry, collimator or couch that one fluence map stands for, degrees, "
                    "give or take a twentieth")
        ->capture_default_str()
        ->check(CLI::Range(0.05, 10.0));
    command.add_flag("--accept-gaps", arguments.accept_gaps,
                     "Take a body in which contour planes are missing as it is, with vacuum between");
    command.add_option("--quality", arguments.quality, "draft, standard or high")->capture_default_str();
    command
        .add_option("--grouping,--transport", arguments.grouping,
                    "Collapsed cone: geometries in one transport (shared), each in its own (per-geometry), "
                    "or auto (--transport, one, each: synonyms)")
        ->capture_default_str();
    add_backend_options(command, arguments.backend);
    add_threads(command, arguments.threads);
}

void add_patient_options(CLI::App& command, CalculationArguments& arguments) {
    command.add_option("--density", arguments.densities, "STRUCTURE=DENSITY in g/cm3; may be repeated");
    command.add_option(
        "--material", arguments.materials,
        "STRUCTURE=MATERIAL with its usual density: titanium, steel, aluminium, bone_cortical, "
        "water, lung, adipose, air, ...; may be repeated");
    command.add_option(
        "--couch", arguments.couch,
        "Couch under the body: name (dose model list) or CSV file; default: none but structures "
        "of type SUPPORT");
    command.add_option(
        "--couch-top", arguments.couch_top_mm,
        "LPS y of the surface that the patient lies on, mm; default: where the body's lowest point is");
    command.add_option("--couch-lateral", arguments.couch_lateral_mm,
                       "LPS x of the couch's middle, mm; default: 0");
}

void add_physics_options(CLI::App& command, CalculationArguments& arguments) {
    command
        .add_option("--dose-to", arguments.dose_to,
                    "Dose to the local medium, or to water by stopping-power ratios")
        ->capture_default_str()
        ->check(CLI::IsMember({"medium", "water"}));
    command
        .add_option("--lateral-scaling", arguments.lateral_scaling,
                    "Pencil beam: widen kernels by density, on or off")
        ->capture_default_str()
        ->check(CLI::IsMember({"on", "off"}));
    command.add_option(
        "--leaves", arguments.leaves,
        "Leaf design (dose model list) of collimators with its boundaries; default: found from the plan");
    command
        .add_option("--leaf-ends", arguments.leaf_ends,
                    "Leaves as they are built, or sharp, without tongue and groove")
        ->capture_default_str()
        ->check(CLI::IsMember({"rounded", "sharp"}));
    command.add_option(
        "--hu-curve", arguments.hu_curve,
        "Name (dose model list; \"water\": HU 0 is 1.000 g/cm3) or CSV with the columns hu,density_g_cm3");
}

}  // namespace libdose::cli
