// Refusal of plans that the engine does not model: docs/reference/plan.md.
#pragma once

#include <string>

#include "libdose/plan.h"

namespace libdose {

/// Kind of machine that a manufacturer's or model's name means and that is not modelled ("TomoTherapy");
/// nullptr: none is known.
const char* unmodelled_machine(const std::string& name);

/// Throws refused_plan, with beam and place, for what is not modelled or leaves two meanings open. The
/// numbers of the beam have been checked to be finite and of matching counts.
void require_modelled_meaning(const Beam& beam);

}  // namespace libdose
