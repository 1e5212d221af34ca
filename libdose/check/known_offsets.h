// Published differences between dose algorithms that a reader of a check should expect.
#pragma once

#include <string>
#include <vector>

#include "libdose/check/check.h"

namespace libdose::check {

/// Sentences with their source: of our algorithm against the planning system's, where the body holds lung or
/// metal. Empty where nothing published applies.
std::vector<std::string> known_offsets(const CheckInput& input, const CalculationResult& calculation);

}  // namespace libdose::check
