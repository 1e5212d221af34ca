// What a beam model says of a measured curve.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/stages.h"
#include "libdose/beam_model.h"
#include "libdose/engine.h"
#include "libdose/measurement.h"

namespace libdose::commission {

/// A part of a curve that is to be calculated.
struct CurvePoints {
    const MeasuredCurve* curve = nullptr;
    std::vector<double> position_mm;
    std::vector<double> side_y_mm;  ///< output factors only
    std::vector<double> measured;
};

/// All points of a curve.
CurvePoints all_points(const MeasuredCurve& curve);

/// Fields of one head, made once; another head empties it.
class FieldCache {
public:
    /// Makes the fields that are not there, side by side.
    void prepare(const HeadModel& head, const std::vector<std::array<double, 3>>& sides_and_axis_mm);
    const FluenceMap& field(const std::array<double, 3>& sides_and_axis_mm) const { return fields_.at(sides_and_axis_mm); }

private:
    std::vector<double> head_;  ///< every number that a field depends on
    std::map<std::array<double, 3>, FluenceMap> fields_;
};

/// Calculated values of every point, normalised as the curve is: a normalised curve at its own position; depth doses to the measurement at
/// 100 mm, profiles to it within a fifth of the field around the axis. The field is one of jaws. Water is endless.
std::vector<std::vector<double>> predict(const BeamModel& model, const std::vector<CurvePoints>& curves, Algorithm algorithm, FieldCache& cache,
                                         const std::function<void(double)>& progress = {});

}  // namespace libdose::commission
