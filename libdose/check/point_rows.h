// Dose at points and independent MU, for the plan and for each beam apart.
#pragma once

#include "check/dose_rows.h"

namespace libdose::check {

/// Adds the points and their rows.
void add_points(const CheckInput& input, const CalculationResult& calculation, const Protocol& protocol,
                DoseComparison& comparison);

}  // namespace libdose::check
