// What a beam model says of a measured curve.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "commissioning/head_key.h"
#include "fluence/fluence_map.h"
#include "libdose/beam_model.h"
#include "libdose/engine.h"
#include "libdose/measurement.h"
#include "validation/point_dose.h"

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

/// What a depth dose or ratio measures where it is normalised, in its own scale: of one reading the noise
/// would shift every other point. A parabola through the readings within 15 mm, where there are four and more
/// on both sides and all lie behind the maximum; else the reading. 1 for a curve without values.
double value_of_normalisation(const MeasuredCurve& curve, double depth_mm);

/// Mean of the values within a fifth of the field around the axis.
double centre_mean(const CurvePoints& points, const std::vector<double>& values);

/// Where a point of a depth dose, ratio or profile lies.
WaterPoint water_point(const MeasuredCurve& curve, double position_mm);

/// Calculated values of a depth dose or profile in one field, on the scale of the measurement: depth doses
/// equal to its smooth course at 100 mm, profiles to it within a fifth of the field around the axis.
/// `mirrored`: of the field, as WaterPoint has it.
std::vector<double> values_in_field(const PointDose& dose, Algorithm algorithm, const FluenceMap& field,
                                    const CurvePoints& points, bool mirrored);

/// Fields of one head, made once; another head empties it.
class FieldCache {
public:
    /// Makes the fields that are not there, side by side.
    void prepare(const HeadModel& head, const std::vector<std::array<double, 3>>& sides_and_axis_mm);
    const FluenceMap& field(const std::array<double, 3>& sides_and_axis_mm) const {
        return fields_.at(sides_and_axis_mm);
    }

private:
    HeadKey head_;  ///< of the head that the fields were made with
    std::map<std::array<double, 3>, FluenceMap> fields_;
};

/// Calculated values of every point, normalised as the curve is: ratios to the smooth course of the
/// measurement where it is 1, depth doses to it at 100 mm, output factors at their field, profiles to it
/// within a fifth of the field around the axis. The field is one of jaws. Water is endless.
std::vector<std::vector<double>> predict(const BeamModel& model, const std::vector<CurvePoints>& curves,
                                         Algorithm algorithm, FieldCache& cache,
                                         const std::function<void(double)>& progress = {});

}  // namespace libdose::commission
