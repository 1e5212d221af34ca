// What the parts of the linter of measurements share.
#pragma once

#include <string>
#include <vector>

#include "libdose/measurement.h"

namespace libdose::linting {

double value_at(const MeasuredCurve& curve, double position);
bool covers(const MeasuredCurve& curve, double position);
std::string text_of(double value);  ///< to three decimals

/// Gaps that sweep a field, and fields that leaves shape.
std::vector<Finding> lint_leaves(const MeasurementSet& set);

}  // namespace libdose::linting
