// Verdicts on a plan before it is calculated.
#include "capi/reading.h"
#include "capi/request.h"
#include "libdose/admission.h"
#include "libdose/io/dicom.h"

using namespace libdose;
using namespace libdose::capi;

struct libdose_gate {
    static constexpr const char* kind = "list of verdicts";
    Tag tag{kind};
    std::vector<GateEntry> entries;
};

namespace {

/// The texts stay those of the entry.
libdose_gate_entry entry_struct(const GateEntry& entry) {
    static_assert(static_cast<int>(GateEntry::Verdict::honoured) == LIBDOSE_HONOURED &&
                  static_cast<int>(GateEntry::Verdict::harmless) == LIBDOSE_HARMLESS &&
                  static_cast<int>(GateEntry::Verdict::accepted) == LIBDOSE_ACCEPTED &&
                  static_cast<int>(GateEntry::Verdict::refused) == LIBDOSE_REFUSED);
    libdose_gate_entry values{};
    values.tag = entry.tag.c_str();
    values.name = entry.name.c_str();
    values.where = entry.where.c_str();
    values.value = entry.value.c_str();
    values.reason = entry.reason.c_str();
    values.count = entry.count;
    values.verdict = static_cast<std::int32_t>(entry.verdict);
    values.beam = entry.beam;
    values.acceptable = entry.acceptable ? 1 : 0;
    return values;
}

}  // namespace

void libdose_gate_entry_init(libdose_gate_entry* entry, size_t struct_size) {
    init_struct(entry, struct_size, libdose_gate_entry{});
}

libdose_status libdose_gate_read(const char* file, const libdose_plan_reading* reading, libdose_gate** gate) {
    return guarded([&] {
        Output<libdose_gate> made(gate, "gate");
        const PlanReading how(reading);
        made->entries = io::gate_plan(text_of(file, "file"), how.fraction_group, how.accepted);
        made.hand_over();
    });
}

libdose_status libdose_gate_admit(const libdose_plan* plan, const libdose_models* models,
                                  const libdose_options* options, libdose_gate** gate) {
    return guarded([&] {
        Output<libdose_gate> made(gate, "gate");
        const Plan& planned = handle(plan, "plan").plan;
        const libdose_options given = options_or_defaults(options);
        const libdose_models automatic;
        CalibratedModels chosen(models ? handle(models, "models") : automatic, given.calibration_depth);
        made->entries = admit_beams(
            planned, [&](const Beam& beam) -> const BeamModel& { return chosen.of(beam); },
            engine_options(given));
        made.hand_over();
    });
}

libdose_status libdose_gate_count(const libdose_gate* gate, size_t* count, size_t* refused) {
    return guarded([&] {
        const std::vector<GateEntry>& entries = handle(gate, "gate").entries;
        if (count) *count = entries.size();
        if (refused)
            *refused =
                static_cast<size_t>(std::count_if(entries.begin(), entries.end(), [](const GateEntry& entry) {
                    return entry.verdict == GateEntry::Verdict::refused;
                }));
    });
}

libdose_status libdose_gate_get(const libdose_gate* gate, size_t index, libdose_gate_entry* entry) {
    return guarded([&] {
        write_struct(entry, entry_struct(item(handle(gate, "gate").entries, index, "index")), "entry");
    });
}

void libdose_gate_free(libdose_gate** gate) { free_handle(gate); }
