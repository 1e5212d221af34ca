// Which measured points a fit sees, and how far each may be off. docs/theory/commissioning.md has the
// figures.
#pragma once

#include <set>
#include <vector>

#include "commissioning/predict.h"
#include "libdose/measurement.h"

namespace libdose::commission {

/// Points of some curves with one standard deviation of measurement and model together, in the unit of the
/// values.
struct FitData {
    std::vector<CurvePoints> curves;
    std::vector<std::vector<double>> sigma;
    std::size_t size() const;
    /// (calculated - measured) / sigma of every point.
    std::vector<double> residuals(const std::vector<std::vector<double>>& calculated) const;
};

enum class DataPart { depth, shallow, output, profiles, everything };

/// Sides of the fields (mm, of the equivalent square) that are left out of a fit.
using LeftOut = std::set<int>;

/// Whether one of the curves is of this kind.
bool has(const std::vector<MeasuredCurve>& curves, CurveKind kind);
/// Depth at which the curve is largest, mm; 0 for curves that are not against depth.
double depth_of_maximum(const MeasuredCurve& curve);
/// Side of the equivalent square of a curve or of one of its points, rounded to mm: what fields are left out
/// by.
int field_of(const MeasuredCurve& curve, std::size_t point);

FitData fit_data(const MeasurementSet& set, DataPart part, const LeftOut& left_out = {});

}  // namespace libdose::commission
