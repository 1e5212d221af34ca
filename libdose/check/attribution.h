// The single cause that explains most of a difference, found by recalculations with one thing changed.
#pragma once

#include "libdose/check/check.h"

namespace libdose::check {

/// Which cause explains the difference between the planned and the recalculated dose best. "none" where the
/// difference is too small to look for one; "not tried" without a planned dose.
Attribution attribute(const CheckInput& input, const CalculationResult& calculation,
                      const CheckOptions& options, const BeamModelProvider& models);

}  // namespace libdose::check
