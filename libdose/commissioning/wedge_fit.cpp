// Thickness of wedges from wedge factors and wedged profiles.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/parallel.h"
#include "commissioning/compare.h"
#include "commissioning/device_fit.h"
#include "commissioning/predict.h"
#include "engine/jaw_field.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "fluence/head_equations.h"
#include "libdose/error.h"
#include "terma/terma_table.h"
#include "validation/point_dose.h"

namespace libdose::commission {

namespace {

constexpr double across_mm = 100;  // where the slope and the curvature of a wedge are stated

bool enhanced(const MeasuredWedge& wedge) { return wedge.kind == "enhanced"; }
bool same(const MeasuredWedge& a, const MeasuredWedge& b) {
    return a.kind == b.kind && a.angle_deg == b.angle_deg && a.id == b.id;
}

/// Thickness (g/cm² of the starting wedge's material) along a wedge: that of the start on the axis times
/// `axis`, its slope times `slope`, and a curvature.
struct Shape {
    double axis = 1, slope = 1, curvature_g_cm2 = 0;
};

WedgeModel shaped(const WedgeModel& start, const Shape& shape) {
    WedgeModel wedge = start;
    std::vector<double> thickness;
    for (std::size_t i = 0; i < start.position_mm.size(); ++i)
        thickness.push_back(start.water_g_cm2[i] + start.high_z_g_cm2[i]);
    const auto thickest =
        static_cast<std::size_t>(std::max_element(thickness.begin(), thickness.end()) - thickness.begin());
    const double water_part = start.water_g_cm2[thickest] / thickness[thickest],
                 middle = physics::table_value(start.position_mm, thickness, 0);
    for (std::size_t i = 0; i < thickness.size(); ++i) {
        const double t = shape.axis * middle + shape.slope * (thickness[i] - middle) +
                         shape.curvature_g_cm2 * std::pow(start.position_mm[i] / across_mm, 2);
        wedge.water_g_cm2[i] = std::max(0.0, t) * water_part;
        wedge.high_z_g_cm2[i] = std::max(0.0, t) * (1 - water_part);
    }
    return wedge;
}

/// The generic wedge of this kind and angle; of the nearest angle, with its slope by the tangents, where
/// there is none.
WedgeModel start_of(const BeamModel& model, const MeasuredWedge& wedge, const std::string& curve) {
    const WedgeModel* best = nullptr;
    for (const WedgeModel& known : model.head.wedges)
        if (known.kind == wedge.kind && (!best || std::abs(known.angle_deg - wedge.angle_deg) <
                                                      std::abs(best->angle_deg - wedge.angle_deg)))
            best = &known;
    if (!best)
        throw bad_input("there is no " + wedge.kind + " wedge in " + model.name + " to start from", curve,
                        "Beams without flattening filter have none; leave the wedge out");
    const auto tangent = [](double degrees) { return std::tan(degrees * std::numbers::pi / 180); };
    const double part = tangent(wedge.angle_deg) / tangent(best->angle_deg);
    WedgeModel start = *best;
    for (auto* list : {&start.water_g_cm2, &start.high_z_g_cm2})
        for (double& value : *list) value *= part;
    start.angle_deg = wedge.angle_deg;
    start.id = wedge.id;
    return start;
}

FluenceMap wedged_field(const HeadModel& head, const MeasuredWedge& measured, double side_x, double side_y,
                        double sad, const TermaTable& terma) {
    Beam beam = jaw_beam(side_x, side_y, sad);
    Wedge wedge;
    wedge.kind = enhanced(measured)             ? Wedge::Kind::dynamic
                 : measured.kind == "motorised" ? Wedge::Kind::motorised
                                                : Wedge::Kind::physical;
    wedge.id = enhanced(measured) ? "EDW" : measured.id;
    wedge.angle_deg = measured.angle_deg;
    wedge.orientation_deg = measured.orientation_deg.value_or(0);
    beam.wedges = {wedge};
    for (ControlPoint& point : beam.control_points) point.wedge_in = {true};
    FluenceOptions options;
    options.terma = &terma;
    return field_along_axis(beam, head, options);
}

/// Values of some points of curves behind one wedge, as the curves are normalised: factors by the open field,
/// depth doses to the measurement at 100 mm, profiles to it around the axis.
std::vector<std::vector<double>> predict_wedged(const BeamModel& model,
                                                const std::vector<CurvePoints>& curves, Algorithm algorithm) {
    const PointDose dose(model.spectrum, model.cone_kernel, model.pencil_kernel, model.head.electrons);
    const TermaTable terma(model.spectrum);
    std::vector<std::vector<double>> all;
    for (const CurvePoints& points : curves) {
        const MeasuredCurve& curve = *points.curve;
        std::vector<double> values(points.position_mm.size());
        if (curve.kind == CurveKind::wedge_factor) {
            for_each_parallel(values.size(), [&](std::size_t i) {
                const double x = points.position_mm[i], y = points.side_y_mm[i];
                WaterPoint at = water_point(curve, 0);
                const double open =
                    dose(algorithm, jaw_field(model.head, x, y, Vec3::Zero(), curve.sad_mm), at);
                at.mirrored = false;
                values[i] =
                    dose(algorithm, wedged_field(model.head, *curve.wedge, x, y, curve.sad_mm, terma), at) /
                    open;
            });
        } else {
            const FluenceMap field =
                wedged_field(model.head, *curve.wedge, curve.side_x_mm, curve.side_y_mm, curve.sad_mm, terma);
            values = values_in_field(dose, algorithm, field, points, false);
        }
        all.push_back(std::move(values));
    }
    return all;
}

bool along_wedge(const MeasuredCurve& curve) {
    const bool along_y = std::fmod(std::abs(curve.wedge->orientation_deg.value_or(0)), 180.0) < 1;
    return curve.kind == CurveKind::profile && along_y == (curve.axis == ProfileAxis::inplane);
}

/// A dozen points across the field of a profile along the wedge; every field of a table of factors.
CurvePoints fit_points(const MeasuredCurve& curve) {
    if (curve.kind == CurveKind::wedge_factor) return all_points(curve);
    const double half = 0.5 * (curve.axis == ProfileAxis::inplane ? curve.side_y_mm : curve.side_x_mm) *
                        (curve.ssd_mm + curve.depth_mm) / curve.sad_mm;
    CurvePoints points{&curve, {}, {}, {}};
    for (const double part : {-0.85, -0.7, -0.5, -0.3, -0.15, 0.0, 0.15, 0.3, 0.5, 0.7, 0.85}) {
        const double at = part * half;
        if (at < curve.position_mm.front() || at > curve.position_mm.back()) continue;
        points.position_mm.push_back(at);
        points.measured.push_back(physics::table_value(curve.position_mm, curve.value, at));
    }
    return points;
}

double sigma_of(const CurvePoints& points, std::size_t i) {
    constexpr double factor_sigma = 0.005, profile_sigma = 0.01;
    const bool factor = points.curve->kind == CurveKind::wedge_factor;
    return (factor ? factor_sigma : profile_sigma) * points.measured[i];
}

void add(DeviceFit& fit, const DeviceFit& one) {
    fit.correlation = side_by_side(fit.correlation, one.correlation);
    fit.converged = fit.converged && one.converged;
    fit.parameters.insert(fit.parameters.end(), one.parameters.begin(), one.parameters.end());
}

/// The curves behind one wedge.
struct WedgeCurves {
    MeasuredWedge wedge;
    std::vector<const MeasuredCurve*> curves;
    const std::string& where() const { return curves.back()->name; }  ///< for messages
    bool has(CurveKind kind) const {
        return std::any_of(curves.begin(), curves.end(),
                           [&](const MeasuredCurve* c) { return c->kind == kind; });
    }
};

/// In the order in which the wedges appear among the curves.
std::vector<WedgeCurves> curves_by_wedge(const MeasurementSet& set) {
    std::vector<WedgeCurves> wedges;
    for (const MeasuredCurve& curve : set.device_curves) {
        if (!curve.wedge) continue;
        auto found = std::find_if(wedges.begin(), wedges.end(),
                                  [&](const WedgeCurves& w) { return same(w.wedge, *curve.wedge); });
        if (found == wedges.end()) found = wedges.insert(wedges.end(), {*curve.wedge, {}});
        found->curves.push_back(&curve);
    }
    return wedges;
}

void require_golden_table(const BeamModel& model, const WedgeCurves& behind) {
    if (model.head.dynamic_wedge.golden_position_mm.empty())
        throw bad_input("there is no segmented treatment table in " + model.name + " to compare with",
                        behind.where(), "Leave enhanced dynamic wedges out");
}

/// Thickness on the axis and, where a profile along the wedge tells them, slope and curvature.
std::vector<Parameter> thickness_parameters(const MeasuredWedge& wedge, bool by_profile) {
    std::vector<Parameter> parameters{
        {wedge.words() + ", thickness on the axis", "of the generic wedge's", 1, 0.2, 3, 1, 0.5, 0.02}};
    if (!by_profile) return parameters;
    parameters.push_back({wedge.words() + ", slope", "of the generic wedge's", 1, 0.2, 3, 1, 0.5, 0.02});
    parameters.push_back({wedge.words() + ", curvature", "g/cm2 at 100 mm", 0, -15, 15, 0, 5, 0.2});
    return parameters;
}

/// Of the values of thickness_parameters; without a profile the slope goes with the thickness.
Shape shape_of(const std::vector<double>& values) {
    return values.size() > 1 ? Shape{values[0], values[1], values[2]} : Shape{values[0], values[0], 0};
}

/// The wedge whose factors and profiles are nearest to the measured ones. Throws bad_input without a factor,
/// and where the model has no wedge to start from.
WedgeModel fit_thickness(DeviceFit& all, const BeamModel& model, const WedgeCurves& behind,
                         const std::function<void(double)>& progress) {
    if (!behind.has(CurveKind::wedge_factor))
        throw bad_input("there is no wedge factor of the " + behind.wedge.words(), behind.where(),
                        "A profile alone does not tell its thickness");
    const WedgeModel start = start_of(model, behind.wedge, behind.where());
    std::vector<CurvePoints> points;
    bool by_profile = false;
    for (const MeasuredCurve* curve : behind.curves) {
        if (curve->kind != CurveKind::wedge_factor && !along_wedge(*curve)) continue;
        by_profile = by_profile || curve->kind == CurveKind::profile;
        points.push_back(fit_points(*curve));
    }
    BeamModel trial = model;
    const auto residuals = [&](const std::vector<double>& values) {
        trial.head.wedges = {shaped(start, shape_of(values))};
        const auto calculated = predict_wedged(trial, points, Algorithm::collapsed_cone);
        std::vector<double> r;
        for (std::size_t c = 0; c < points.size(); ++c)
            for (std::size_t i = 0; i < calculated[c].size(); ++i)
                r.push_back((calculated[c][i] - points[c].measured[i]) / sigma_of(points[c], i));
        return Eigen::VectorXd(
            Eigen::Map<const Eigen::VectorXd>(r.data(), static_cast<Eigen::Index>(r.size())));
    };
    constexpr int most_evaluations = 30;
    const std::vector<Parameter> parameters = thickness_parameters(behind.wedge, by_profile);
    const LeastSquaresResult result = least_squares(parameters, residuals, most_evaluations, progress);
    add(all, {fitted(parameters, result), result.correlation, {}, result.converged});
    return shaped(start, shape_of(result.values));
}

/// Every curve behind a wedge beside the model's, by both engines.
void compare_wedge(DeviceFit& all, const BeamModel& model, const WedgeCurves& behind) {
    std::vector<CurvePoints> every;
    for (const MeasuredCurve* curve : behind.curves) every.push_back(all_points(*curve));
    for (const Algorithm algorithm : {Algorithm::collapsed_cone, Algorithm::pencil_beam}) {
        const auto calculated = predict_wedged(model, every, algorithm);
        for (std::size_t c = 0; c < every.size(); ++c)
            all.curves.push_back(comparison_of(*every[c].curve, algorithm, calculated[c]));
    }
}

}  // namespace

DeviceFit fit_wedges(BeamModel& model, const MeasurementSet& set,
                     const std::function<void(double)>& progress) {
    DeviceFit all;
    const std::vector<WedgeCurves> wedges = curves_by_wedge(set);
    std::vector<WedgeModel> made;
    for (std::size_t w = 0; w < wedges.size(); ++w) {
        const auto part = [&](double done) {
            progress((static_cast<double>(w) + done) / static_cast<double>(wedges.size()));
        };
        BeamModel trial = model;
        if (enhanced(wedges[w].wedge)) {
            require_golden_table(model, wedges[w]);
        } else {
            trial.head.wedges = {fit_thickness(all, model, wedges[w], part)};
            made.push_back(trial.head.wedges.front());
        }
        compare_wedge(all, trial, wedges[w]);
    }
    model.head.wedges = made;
    return all;
}

}  // namespace libdose::commission
