// Integrity of what is checked: do the objects belong together, and is the plan what it says?
#pragma once

#include <vector>

#include "libdose/check/check.h"

namespace libdose::check {

/// Rows of section "integrity". `models` may be asked for each beam of the plan; it may throw. Never throws
/// for what the input holds.
std::vector<Row> integrity_rows(const CheckInput& input, const CheckOptions& options,
                                const BeamModelProvider& models);

}  // namespace libdose::check
