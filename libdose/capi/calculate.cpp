#include <map>

#include "capi/handles.h"
#include "capi/relay.h"
#include "libdose/data.h"
#include "libdose/engine.h"
#include "libdose/io/provenance.h"

using namespace libdose;
using namespace libdose::capi;

namespace {

HuCurve hu_curve_of(const libdose_options& given) {
    if (given.hu_curve_file) {
        if (given.hu_curve_hu || given.hu_curve_count > 0)
            throw bad_input("a file and points are given", "options->hu_curve_file", "Give one of them");
        return read_hu_curve(text_of(given.hu_curve_file, "options->hu_curve_file"));
    }
    if (given.hu_curve_count == 0) return HuCurve::default_curve();
    const double *hu = &required(given.hu_curve_hu, "options->hu_curve_hu"),
                 *density = &required(given.hu_curve_density, "options->hu_curve_density");
    return HuCurve("given by the caller", {hu, hu + given.hu_curve_count},
                   {density, density + given.hu_curve_count});
}

std::vector<DensityOverride> overrides_of(const libdose_options& given) {
    std::vector<DensityOverride> overrides;
    for (std::size_t i = 0; i < given.override_count; ++i) {
        const libdose_override& one = (&required(given.overrides, "options->overrides"))[i];
        const DensityOverride added{text_of(one.structure, "options->overrides"), one.density_g_cm3,
                                    text_or_empty(one.material)};
        require_finite(one.density_g_cm3, "options->overrides");
        if (added.material.empty() && !(added.density_g_cm3 > 0))
            throw bad_input("neither a density nor a material is given for \"" + added.structure + "\"",
                            "options->overrides");
        overrides.push_back(added);
    }
    return overrides;
}

EngineOptions engine_options(const libdose_options& given) {
    EngineOptions options;
    options.algorithm =
        one_of(given.algorithm, 2, "options->algorithm") ? Algorithm::pencil_beam : Algorithm::collapsed_cone;
    one_of(given.quality, 3, "options->quality");
    options.quality = given.quality == LIBDOSE_QUALITY_DRAFT  ? Quality::draft
                      : given.quality == LIBDOSE_QUALITY_HIGH ? Quality::high
                                                              : Quality::standard;
    one_of(given.transport, 3, "options->transport");
    options.transport = given.transport == LIBDOSE_TRANSPORT_ONE    ? Transport::one
                        : given.transport == LIBDOSE_TRANSPORT_EACH ? Transport::each
                                                                    : Transport::automatic;
    options.dose_to = one_of(given.dose_to, 2, "options->dose_to") ? DoseMedium::water : DoseMedium::medium;
    one_of(given.backend, 3, "options->backend");
    options.backend = given.backend == LIBDOSE_BACKEND_CUDA   ? BackendChoice::cuda
                      : given.backend == LIBDOSE_BACKEND_AUTO ? BackendChoice::automatic
                                                              : BackendChoice::cpu;
    if (given.device < 0) throw bad_input("the device is negative", "options->device");
    options.device = given.device;
    if (given.devices) options.devices = handle(given.devices, "options->devices").open;
    require_finite(given.grid_mm, "options->grid_mm");
    options.grid_mm = given.grid_mm;
    if (given.grid) options.grid = grid_of(given.grid, "options->grid");
    require_finite(given.beam_margin_mm, "options->beam_margin_mm");
    if (!(given.beam_margin_mm >= 0)) throw bad_input("the margin is negative", "options->beam_margin_mm");
    options.beam_margin_mm = given.beam_margin_mm;
    require_finite(given.sub_arc_deg, "options->sub_arc_deg");
    if (!(given.sub_arc_deg >= 0.05 && given.sub_arc_deg <= 10))
        throw bad_input("the sub-arc is not between 0.05 and 10 degrees", "options->sub_arc_deg");
    options.sub_arc_deg = given.sub_arc_deg;
    if (given.threads < 0 || given.threads > 4096)
        throw bad_input("the number of threads is not between 0 and 4096", "options->threads");
    options.threads = given.threads;
    options.per_beam = given.per_beam != 0;
    options.accept_gaps = given.accept_gaps != 0;
    options.lateral_scaling = given.lateral_scaling != 0;
    options.leaves = text_or_empty(given.leaves);
    options.leaf_ends =
        one_of(given.leaf_ends, 2, "options->leaf_ends") ? LeafEnds::sharp : LeafEnds::rounded;
    if (options.leaf_ends == LeafEnds::sharp && !options.leaves.empty())
        throw bad_input("a leaf design is asked for, and sharp ends too", "options->leaves");
    options.hu_curve = hu_curve_of(given);
    options.overrides = overrides_of(given);
    return options;
}

/// Copies of the chosen models with the depth that the caller's calibration holds at.
class CalibratedModels {
public:
    CalibratedModels(const libdose_models& choice, const char* depth)
        : choice_(choice), depth_(text_or_empty(depth)) {
        if (!depth_.empty() && depth_ != "maximum" && depth_ != "10cm")
            throw bad_input("unknown depth \"" + depth_ + "\"", "options->calibration_depth",
                            "Choose maximum or 10cm");
    }
    const BeamModel& of(const Beam& beam) {
        const BeamModel& model = choice_.of(beam);
        if (depth_.empty()) return model;
        auto [entry, fresh] = changed_.try_emplace(&model, model);
        if (fresh) entry->second.calibration.depth = depth_;
        return entry->second;
    }

private:
    const libdose_models& choice_;
    std::string depth_;
    std::map<const BeamModel*, BeamModel> changed_;
};

}  // namespace

void libdose_options_init(libdose_options* options, size_t struct_size) {
    static const EngineOptions defaults;
    libdose_options values{};
    values.grid_mm = defaults.grid_mm;
    values.beam_margin_mm = defaults.beam_margin_mm;
    values.sub_arc_deg = defaults.sub_arc_deg;
    values.lateral_scaling = defaults.lateral_scaling ? 1 : 0;
    init_struct(options, struct_size, values);
}

libdose_status libdose_devices_create(libdose_devices** devices) {
    return guarded([&] { Output<libdose_devices>(devices, "devices").hand_over(); });
}
void libdose_devices_free(libdose_devices** devices) { free_handle(devices); }

libdose_status libdose_calculate(const libdose_ct* ct, const libdose_structures* structures,
                                 const libdose_plan* plan, const libdose_models* models,
                                 const libdose_options* options, libdose_dose** dose) {
    return guarded([&] {
        Output<libdose_dose> made(dose, "dose");
        const CtImage& image = handle(ct, "ct").image;
        const StructureSet* set = structures ? &handle(structures, "structures").set : nullptr;
        const Plan& planned = handle(plan, "plan").plan;
        libdose_options given;
        libdose_options_init(&given, sizeof given);
        if (options) given = read_struct(options, "options");
        EngineOptions engine = engine_options(given);
        const libdose_models automatic;
        CalibratedModels chosen(models ? handle(models, "models") : automatic, given.calibration_depth);
        const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
        CalculationResult result;
        const auto work = [&] {
            result = calculate(
                image, set, planned, materials,
                [&](const Beam& beam) -> const BeamModel& { return chosen.of(beam); }, engine);
        };
        if (given.progress) {
            Relay relay([&](double fraction, const std::string& stage) {
                return given.progress(given.user, fraction, stage.c_str()) != 0;
            });
            engine.progress = [&](double fraction, const std::string& stage) {
                relay.report(fraction, stage);
            };
            relay.run(work);
        } else {
            work();
        }
        io::add_inputs(result.plan.provenance, engine.hu_curve, image, set, planned);
        for (Dose& beam : result.beams) io::add_inputs(beam.provenance, engine.hu_curve, image, set, planned);
        made->dose = std::move(result.plan);
        made->beams = std::move(result.beams);
        // What the reader of the structure set had to say is not to be had elsewhere in C.
        if (set) made->notes = set->notes;
        made->notes.insert(made->notes.end(), result.notes.begin(), result.notes.end());
        made.hand_over();
    });
}
