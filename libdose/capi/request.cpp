#include "capi/request.h"

#include <utility>

#include "capi/relay.h"
#include "libdose/data.h"
#include "libdose/io/provenance.h"

namespace libdose::capi {

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

}  // namespace

libdose_options options_or_defaults(const libdose_options* options) {
    if (options) return read_struct(options, "options");
    libdose_options given;
    libdose_options_init(&given, sizeof given);
    return given;
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
    options.grouping = given.transport == LIBDOSE_TRANSPORT_ONE    ? Grouping::shared
                       : given.transport == LIBDOSE_TRANSPORT_EACH ? Grouping::per_geometry
                                                                   : Grouping::automatic;
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

CalibratedModels::CalibratedModels(const libdose_models& choice, const char* depth)
    : choice_(choice), depth_(text_or_empty(depth)) {
    if (!depth_.empty() && depth_ != "maximum" && depth_ != "10cm")
        throw bad_input("unknown depth \"" + depth_ + "\"", "options->calibration_depth",
                        "Choose maximum or 10cm");
}

const BeamModel& CalibratedModels::of(const Beam& beam) {
    const BeamModel& model = choice_.of(beam);
    if (depth_.empty()) return model;
    auto [entry, fresh] = changed_.try_emplace(&model, model);
    if (fresh) entry->second.calibration.depth = depth_;
    return entry->second;
}

void run_reporting(libdose_progress progress, void* user, const ReportingWork& work) {
    if (!progress) return work({});
    Relay relay([&](double fraction, const std::string& stage) {
        return progress(user, fraction, stage.c_str()) != 0;
    });
    relay.run(
        [&] { work([&](double fraction, const std::string& stage) { relay.report(fraction, stage); }); });
}

Request::Request(const libdose_ct* image, const libdose_structures* set, const libdose_plan* planned,
                 const libdose_models* choice, const libdose_options* options)
    : ct(handle(image, "ct").image),
      structures(set ? &handle(set, "structures").set : nullptr),
      plan(handle(planned, "plan").plan),
      given_(options_or_defaults(options)),
      chosen_(choice ? handle(choice, "models") : automatic_, given_.calibration_depth) {
    engine = engine_options(given_);
    materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
}

BeamModelProvider Request::models() {
    return [this](const Beam& beam) -> const BeamModel& { return chosen_.of(beam); };
}

void Request::run(const std::function<void()>& work) {
    run_reporting(given_.progress, given_.user, [&](const ProgressCallback& progress) {
        engine.progress = progress;
        work();
    });
}

void Request::hand_to(libdose_dose& dose, CalculationResult&& result) const {
    io::add_inputs(result.plan.provenance, engine.hu_curve, ct, structures, plan);
    for (Dose& beam : result.beams) io::add_inputs(beam.provenance, engine.hu_curve, ct, structures, plan);
    dose.dose = std::move(result.plan);
    dose.beams = std::move(result.beams);
    if (structures) dose.notes = structures->notes;
    dose.notes.insert(dose.notes.end(), result.notes.begin(), result.notes.end());
}

}  // namespace libdose::capi
