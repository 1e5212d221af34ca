// Wedges that a moving jaw makes: Varian enhanced dynamic wedge, Siemens virtual wedge.
// docs/theory/wedges.md.
#pragma once

#include "libdose/beam_model.h"
#include "libdose/plan.h"

namespace libdose {

/// The beam with the control points of its moving jaw in place of the dynamic wedge, and with the MU that it
/// then takes; any other beam as it is. Throws refused_plan for a wedge that the head does not hold or a
/// field that it cannot make.
Beam with_moving_jaw(const Beam& beam, const HeadModel& head);

}  // namespace libdose
