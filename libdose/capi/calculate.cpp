#include "capi/handles.h"
#include "capi/request.h"
#include "libdose/data.h"
#include "libdose/engine.h"
#include "libdose/io/provenance.h"

using namespace libdose;
using namespace libdose::capi;

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
        const libdose_options given = options_or_defaults(options);
        EngineOptions engine = engine_options(given);
        const libdose_models automatic;
        CalibratedModels chosen(models ? handle(models, "models") : automatic, given.calibration_depth);
        const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
        CalculationResult result;
        run_reporting(given.progress, given.user, [&](const ProgressCallback& progress) {
            engine.progress = progress;
            result = calculate(
                image, set, planned, materials,
                [&](const Beam& beam) -> const BeamModel& { return chosen.of(beam); }, engine);
        });
        io::add_inputs(result.plan.provenance, engine.hu_curve, image, set, planned);
        for (Dose& beam : result.beams) io::add_inputs(beam.provenance, engine.hu_curve, image, set, planned);
        made->dose = std::move(result.plan);
        made->beams = std::move(result.beams);
        // Notes of the reader of the structure set are not to be had elsewhere in C.
        if (set) made->notes = set->notes;
        made->notes.insert(made->notes.end(), result.notes.begin(), result.notes.end());
        made.hand_over();
    });
}
