// What the standards say of the differences between a model and the measurements.
#pragma once

#include <vector>

#include "libdose/beam_model.h"
#include "libdose/commission.h"
#include "libdose/measurement.h"

namespace libdose::commission {

/// Venselaar 2001 and AAPM MPPG 5.b, tests 5.1 to 5.3, of a calibrated model.
std::vector<CommissionCriterion> judge(const std::vector<CurveComparison>& comparisons,
                                       const BeamModel& model, const MeasurementSet& set);

}  // namespace libdose::commission
