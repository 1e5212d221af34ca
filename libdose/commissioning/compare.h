// Measured curves beside the model's.
#pragma once

#include <functional>
#include <vector>

#include "commissioning/fit_data.h"
#include "commissioning/predict.h"
#include "libdose/commission.h"

namespace libdose::commission {

/// One curve beside what an engine says of its points.
CurveComparison comparison_of(const MeasuredCurve& curve, Algorithm algorithm,
                              const std::vector<double>& calculated);

/// Every curve with both engines. Output factors of one table are two comparisons: sides from 20 mm on, and
/// below.
std::vector<CurveComparison> compare(const BeamModel& before_table, const BeamModel& model,
                                     const MeasurementSet& set, FieldCache& cache,
                                     const std::function<void(double)>& progress);

/// Adds the differences of the fields that were left out of a model's fit to the collapsed cone's
/// comparisons.
void judge_held_out(std::vector<CurveComparison>& comparisons, const BeamModel& without,
                    const MeasurementSet& set, const LeftOut& left_out, FieldCache& cache);

/// Sets the calibration of a model so that it gives the measured dose per MU in its set-up.
void set_absolute(BeamModel& model, const AbsoluteDose& absolute, FieldCache& cache);

}  // namespace libdose::commission
