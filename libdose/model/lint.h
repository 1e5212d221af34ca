// What the parts of the linter of measurements share.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "libdose/measurement.h"

namespace libdose::linting {

double value_at(const MeasuredCurve& curve, double position);
bool covers(const MeasuredCurve& curve, double position);
std::string text_of(double value);  ///< to three decimals

/// Where a profile has half of what it has on the axis, left and right of it, mm at the detector; none where it does not reach both.
std::optional<std::array<double, 2>> half_dose_edges(const MeasuredCurve& profile);

/// Gaps that sweep a field, and fields that leaves shape.
std::vector<Finding> lint_leaves(const MeasurementSet& set);

}  // namespace libdose::linting
