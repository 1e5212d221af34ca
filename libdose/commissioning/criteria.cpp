#include "commissioning/criteria.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/text.h"
#include "commissioning/fit_data.h"
#include "commissioning/profile_edges.h"
#include "engine/compute.h"
#include "engine/jaw_field.h"
#include "fluence/head_equations.h"
#include "patient/water_phantom.h"
#include "validation/field_judgement.h"
#include "validation/point_dose.h"

namespace libdose::commission {

namespace {

constexpr const char* mppg = "AAPM MPPG 5.b";
constexpr const char* venselaar = "Venselaar 2001";

class Criteria {
public:
    /// Adds a criterion that is passed up to the tolerance.
    void at_most(const std::string& standard, const std::string& test, const std::string& curve, double value,
                 double tolerance, const std::string& unit) {
        rows_.push_back({standard, test, curve, value, tolerance, unit, value <= tolerance});
    }
    std::vector<CommissionCriterion> take() { return std::move(rows_); }

private:
    std::vector<CommissionCriterion> rows_;
};

constexpr double grid_spacing_mm = 2.5;

/// Dose down the axis of a field in water on a planning grid.
std::vector<double> axis_on_grid(const BeamModel& model, const FluenceMap& map) {
    const DensityGrid water = water_cube(grid_spacing_mm);
    return axis_curve(water.grid, compute_dose(water, {map}, model, ComputeOptions{}));
}

/// Difference of a planning grid from the calibration at the calibration point, percent.
double calibration_point_percent(const BeamModel& model, const std::vector<double>& axis) {
    const bool deep = model.calibration.depth == "10cm";
    const double per_unit =
        deep ? model.calibration.collapsed_cone_10cm : model.calibration.collapsed_cone_maximum;
    const double at_point =
        deep ? at_depth(axis, 100, grid_spacing_mm) : *std::max_element(axis.begin(), axis.end());
    return std::abs(100 * (at_point / per_unit - 1));
}

/// MPPG 5.1 and 5.2: the engine on a grid, as a plan is calculated, beside the model that was fitted.
void judge_grid(Criteria& criteria, const BeamModel& model) {
    const PointDose exact(model.spectrum, model.cone_kernel, model.pencil_kernel, model.head.electrons);
    for (const double side : {40.0, 100.0, 200.0}) {
        const bool reference = side == 100;
        const FluenceMap map = jaw_field(model.head, side, side, Vec3(0, 0, reference ? 0 : 100));
        const std::vector<double> axis = axis_on_grid(model, map);
        double worst = 0;
        for (const double depth : {50.0, 100.0, 200.0}) {
            const double of_model = exact.collapsed_cone(map, {reference ? 1000.0 : 900.0, depth, 0, 0});
            worst = std::max(worst, std::abs(100 * (at_depth(axis, depth, grid_spacing_mm) / of_model - 1)));
        }
        if (reference)
            criteria.at_most(mppg, "5.1 dose at the calibration point, planning grid", "10 x 10 cm",
                             calibration_point_percent(model, axis), 0.5, "%");
        criteria.at_most(mppg, "5.2 planning grid against the model, 5, 10, 20 cm deep",
                         short_number(side) + " x " + short_number(side) + " mm", worst, 1, "%");
    }
}

/// Venselaar's fields of a complex geometry: 3 % on the axis and, with the axis itself taken as right, off
/// it.
void judge_wedged(Criteria& criteria, const CurveComparison& c) {
    const bool across = c.kind == CurveKind::profile;
    criteria.at_most(venselaar,
                     across ? "delta 3, wedge, off the axis in the field" : "delta 1, wedge, on the axis",
                     c.name, c.max_abs_percent, 3, "%");
}

/// Whether a curve takes a value within 2 mm of a position.
bool reaches(const CurveComparison& c, const std::vector<double>& curve, double position, double value) {
    const double a = physics::table_value(c.position_mm, curve, position - 2),
                 b = physics::table_value(c.position_mm, curve, position + 2);
    return value >= std::min(a, b) && value <= std::max(a, b);
}

/// Whether the measured or the calculated curve has, within 2 mm, the value that the other has at a point.
bool agrees_within_2_mm(const CurveComparison& c, std::size_t i) {
    return reaches(c, c.measured, c.position_mm[i], c.calculated[i]) ||
           reaches(c, c.calculated, c.position_mm[i], c.measured[i]);
}

/// Differences of a depth dose or ratio, percent.
struct DepthDifferences {
    double beyond = 0;    ///< largest from the maximum on
    double build_up = 0;  ///< largest before it, of the points that do not agree within 2 mm
    double sum = 0, squares = 0;
    int count = 0;  ///< from the maximum on
};

DepthDifferences depth_differences(const CurveComparison& c, double maximum_mm) {
    DepthDifferences found;
    for (std::size_t i = 0; i < c.position_mm.size(); ++i) {
        const double d = c.difference_percent[i];
        if (c.position_mm[i] >= maximum_mm) {
            found.beyond = std::max(found.beyond, std::abs(d));
            found.sum += d;
            found.squares += d * d;
            ++found.count;
        } else if (!agrees_within_2_mm(c, i)) {
            found.build_up = std::max(found.build_up, std::abs(d));
        }
    }
    return found;
}

void judge_depth(Criteria& criteria, const CurveComparison& c, const MeasuredCurve* measured) {
    const double maximum_mm = !measured ? 15 : std::max(10.0, depth_of_maximum(*measured));
    const DepthDifferences found = depth_differences(c, maximum_mm);
    criteria.at_most(mppg, "5.3 high dose", c.name, found.beyond, 2, "%");
    criteria.at_most(venselaar, "delta 1, beyond the maximum", c.name, found.beyond, 2, "%");
    criteria.at_most(venselaar, "delta 2, build-up not within 2 mm", c.name, found.build_up, 10, "%");
    if (found.count <= 1) return;
    const double mean = found.sum / found.count,
                 sd = std::sqrt(std::max(0.0, found.squares / found.count - mean * mean));
    criteria.at_most(venselaar, "confidence limit, |mean| + 1.5 SD", c.name, std::abs(mean) + 1.5 * sd, 2,
                     "%");
}

void judge_profile(Criteria& criteria, const CurveComparison& c) {
    const double axis = physics::table_value(c.position_mm, c.measured, 0);
    for (const SuiteRow& judged : judge_lines({{true, c.position_mm, c.calculated, c.measured}}, axis, 2))
        if (judged.points > 0)
            criteria.at_most(mppg, "5.3 " + judged.test, c.name, judged.value, judged.tolerance, judged.unit);
    criteria.at_most(venselaar, "delta 3, off the axis in the field", c.name, c.max_abs_percent, 3, "%");
    const double off = std::abs(width_at(c.position_mm, c.measured, 0.5 * axis) -
                                width_at(c.position_mm, c.calculated, 0.5 * axis));
    if (std::isfinite(off)) criteria.at_most(venselaar, "RW50, width at half", c.name, off, 2, "mm");
}

/// The residual table is of fields of the jaws: others have no factors from before it.
void judge_output(Criteria& criteria, const CurveComparison& c) {
    if (!c.before_residual_table.empty())
        criteria.at_most(mppg, "5.3 output factors, before the residual table", c.name,
                         c.before_max_abs_percent, 2, "%");
    criteria.at_most(mppg, "5.3 output factors", c.name, c.max_abs_percent, 2, "%");
}

/// The measured curve of this name, the last where there are several; null: none.
const MeasuredCurve* curve_named(const MeasurementSet& set, const std::string& name) {
    const MeasuredCurve* found = nullptr;
    for (const auto* list : {&set.curves, &set.device_curves})
        for (const MeasuredCurve& curve : *list)
            if (curve.name == name) found = &curve;
    return found;
}

void judge_curve(Criteria& criteria, const CurveComparison& c, const MeasuredCurve* measured) {
    if (c.kind == CurveKind::leaf_gap) return;
    if (measured && measured->wedge) return judge_wedged(criteria, c);
    switch (c.kind) {
        case CurveKind::depth_dose:
        case CurveKind::tissue_phantom_ratio:
            return judge_depth(criteria, c, measured);
        case CurveKind::profile:
            return judge_profile(criteria, c);
        case CurveKind::output_factor:
            return judge_output(criteria, c);
        default:
            return criteria.at_most(mppg, "5.3 in air", c.name, c.max_abs_percent, 2, "%");
    }
}

}  // namespace

std::vector<CommissionCriterion> judge(const std::vector<CurveComparison>& comparisons,
                                       const BeamModel& model, const MeasurementSet& set) {
    Criteria criteria;
    judge_grid(criteria, model);
    for (const CurveComparison& c : comparisons)
        if (c.engine == to_string(Algorithm::collapsed_cone))
            judge_curve(criteria, c, curve_named(set, c.name));
    return criteria.take();
}

}  // namespace libdose::commission
