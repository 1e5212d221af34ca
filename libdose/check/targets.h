// Which structures of a set are its targets.
#pragma once

#include <vector>

#include "libdose/check/protocol.h"
#include "libdose/structure.h"

namespace libdose::check {

/// Structures with contours that the protocol names as targets; without names the PTVs, or what of CTVs and
/// GTVs there is.
std::vector<const Structure*> targets_of(const StructureSet& structures, const Protocol& protocol);

}  // namespace libdose::check
