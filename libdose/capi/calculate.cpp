#include "capi/handles.h"
#include "capi/request.h"
#include "libdose/engine.h"
#include "libdose/prepared_patient.h"

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
        Request request(ct, structures, plan, models, options);
        request.run([&] {
            request.hand_to(*made, calculate(request.ct, request.structures, request.plan, request.materials,
                                             request.models(), request.engine));
        });
        made.hand_over();
    });
}

libdose_status libdose_estimate_memory(const libdose_ct* ct, const libdose_structures* structures,
                                       const libdose_plan* plan, const libdose_models* models,
                                       const libdose_options* options, double* needed_bytes,
                                       double* available_bytes) {
    return guarded([&] {
        Request request(ct, structures, plan, models, options);
        const MemoryEstimate estimate =
            estimate_memory(request.ct, request.structures, request.plan, request.models(), request.engine);
        if (needed_bytes) *needed_bytes = estimate.needed_bytes;
        if (available_bytes) *available_bytes = estimate.available_bytes;
    });
}
