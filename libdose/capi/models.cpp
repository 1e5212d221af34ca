#include "capi/handles.h"

using namespace libdose;
using namespace libdose::capi;

const BeamModel& libdose_models::of(const Beam& beam) const {
    auto found = chosen.find(beam.number);
    if (found == chosen.end()) found = chosen.find(0);
    return store.for_beam(beam, found == chosen.end() ? std::string() : found->second);
}

libdose_status libdose_models_create(libdose_models** models) {
    return guarded([&] { Output<libdose_models>(models, "models").hand_over(); });
}

libdose_status libdose_models_use(libdose_models* models, int32_t beam_number, const char* name_or_file) {
    return guarded([&] {
        libdose_models& choice = handle(models, "models");
        if (beam_number < 0)
            throw bad_input("the beam number is negative", "beam_number",
                            "0 is for every beam that has no model of its own");
        const std::string name = text_of(name_or_file, "name_or_file");
        choice.store.get(name);
        choice.chosen[beam_number] = name;
    });
}

libdose_status libdose_models_find(const libdose_models* models, const libdose_plan* plan, size_t beam_index,
                                   const char** name, const char** hash) {
    return guarded([&] {
        const Beam& beam = item(handle(plan, "plan").plan.beams, beam_index, "beam_index");
        const BeamModel& model = handle(models, "models").of(beam);
        if (name) *name = model.name.c_str();
        if (hash) *hash = model.content_hash.c_str();
    });
}

void libdose_models_free(libdose_models** models) { free_handle(models); }
