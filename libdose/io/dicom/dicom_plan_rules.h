// The table of the plan gate: what becomes of every attribute of an RT Plan that libdose knows.
#pragma once

#include <span>

#include "io/dicom/dicom_item.h"

namespace libdose::io {

/// Where an attribute stands: the same tag may mean something else in another place.
enum class Place {
    plan,
    fraction_group,
    referenced_beam,
    patient_setup,
    beam,
    limiting_device,
    control_point,
    device_position,
    fluence_mode,
    wedge,
    wedge_position,
    block,
    bolus
};

enum class Rule {
    honoured,                ///< read by the engine, or by the reader into what it calculates
    harmless,                ///< cannot change the dose of what is calculated
    refused_with_items,      ///< a sequence with at least one item is refused
    refused_above_zero,      ///< a number above 0
    refused_unless_no_turn,  ///< an angle that is not a multiple of 360 degrees
    refused_unless_one,
    refused_if_yes,  ///< a text that is YES
    by_reader        ///< honoured or refused by what it says; the reader throws
};

struct GateRule {
    DcmTagKey tag;
    Rule rule;
    const char* reason;
};

/// The rules of a place, every tag once.
std::span<const GateRule> gate_rules(Place place);

/// Attributes of a group, first to last, that are harmless wherever they stand.
struct GateRange {
    unsigned group, first, last;
    const char* reason;
};
std::span<const GateRange> gate_ranges();

/// Why every attribute of a group is harmless in a place; null when it is not.
const char* harmless_group(Place place, unsigned group);

}  // namespace libdose::io
