// The planning system's doses of a plan: which RTDOSE is which, on the scale of the whole course.
#pragma once

#include "libdose/check/input.h"

namespace libdose::check {

/// Fills planned, planned_beams and dose_facts from the RTDOSEs that refer to the plan. A dose that is
/// missing, cannot be read, or is of another plan is a row.
void read_planned_doses(CheckInput& input, const Selection& selection);

}  // namespace libdose::check
