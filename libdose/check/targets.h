// Which structures of a set are its targets, and what is prescribed to them.
#pragma once

#include <vector>

#include "libdose/check/input.h"
#include "libdose/check/protocol.h"
#include "libdose/structure.h"

namespace libdose::check {

/// Structures with contours that the protocol names as targets; without names the PTVs, or what of CTVs and
/// GTVs there is.
std::vector<const Structure*> targets_of(const StructureSet& structures, const Protocol& protocol);

/// The largest dose that the plan prescribes to a target, Gy, whole course; 0: it states none.
double prescription_gy(const CheckInput& input);

}  // namespace libdose::check
