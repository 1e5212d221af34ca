// The table of the plan gate: what becomes of every attribute of an RT Plan that libdose knows.
#pragma once

#include <span>

#include "io/dicom_item.h"

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
    honoured,            ///< read by the engine, or by the reader into what it calculates
    harmless,            ///< cannot change the dose of what is calculated
    refused_with_items,  ///< a sequence with at least one item is refused
    refused_above_zero,  ///< a number above 0
    refused_unless_zero,
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

/// Groups whose every attribute is harmless in a place, because they say who, when and with which equipment.
bool is_administrative(Place place, unsigned group);

}  // namespace libdose::io
