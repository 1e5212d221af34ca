// Offset and transmission of the leaves from sweeping gaps and from the edges of fields that they shape, with
// the engine's own fluence.
#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "commissioning/compare.h"
#include "commissioning/device_fit.h"
#include "commissioning/leaf_field.h"
#include "commissioning/profile_edges.h"
#include "fluence/head_equations.h"
#include "libdose/error.h"
#include "validation/point_dose.h"

namespace libdose::commission {

namespace {

/// Dose of every gap of every curve over that of its open field.
std::vector<std::vector<double>> readings(const BeamModel& model, const LeafDesign& design,
                                          const std::vector<const MeasuredCurve*>& curves,
                                          Algorithm algorithm) {
    const PointDose dose(model.spectrum, model.cone_kernel, model.pencil_kernel, model.head.electrons);
    std::vector<std::vector<double>> all;
    for (const MeasuredCurve* curve : curves) {
        // The last is the open field: the leaves rest outside of it.
        constexpr double outside_mm = 400;
        std::vector<double> values(curve->position_mm.size() + 1);
        for_each_parallel(values.size(), [&](std::size_t i) {
            const bool swept = i < curve->position_mm.size();
            const double half = 0.5 * (swept ? curve->position_mm[i] : outside_mm),
                         way = swept ? 0.5 * curve->travel_mm : 0;
            const FluenceMap map = field_of_leaves(model, design, curve->side_x_mm, curve->side_y_mm,
                                                   curve->sad_mm, all_pairs(design, -way - half, -way + half),
                                                   all_pairs(design, way - half, way + half));
            values[i] = dose(algorithm, map, {curve->ssd_mm, curve->depth_mm, 0, 0});
        });
        const double open = values.back();
        values.pop_back();
        for (double& value : values) value /= open;
        all.push_back(std::move(values));
    }
    return all;
}

/// Profiles along the leaves whose edges are apart, and not those of the jaws.
bool tells_offset(const MeasuredCurve& curve) {
    constexpr double reached = 0.25;
    if (curve.kind != CurveKind::profile || curve.axis != ProfileAxis::crossline || !curve.shaped_by_leaves())
        return false;
    if (curve.side_x_mm < leaf_edges_from_mm ||
        curve.jaw_x_mm - curve.side_x_mm < leaf_edges_clear_of_jaws_mm)
        return false;
    // Far enough beyond both edges for those of other offsets.
    const double axis = physics::table_value(curve.position_mm, curve.value, 0);
    return std::max(curve.value.front(), curve.value.back()) < reached * axis;
}

/// Width at half of the measured dose on the axis, mm at the isocentre plane: does not know where the
/// scanner's zero is.
double isocentre_width(const CurvePoints& points, const std::vector<double>& values) {
    const MeasuredCurve& curve = *points.curve;
    return width_at(points.position_mm, values,
                    0.5 * physics::table_value(curve.position_mm, curve.value, 0)) *
           curve.sad_mm / (curve.ssd_mm + curve.depth_mm);
}

}  // namespace

std::vector<FittedParameter> fitted(const std::vector<Parameter>& parameters,
                                    const LeastSquaresResult& result) {
    std::vector<FittedParameter> all;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const Parameter& p = parameters[i];
        all.push_back(
            {p.name, p.unit, result.values[i], result.sigma[i], p.lower, p.upper, p.prior, p.prior_sigma});
    }
    return all;
}

const LeafDesign* measured_leaves(const MeasurementSet& set, const std::vector<LeafDesign>& designs) {
    const LeafDesign* found = nullptr;
    for (const MeasuredCurve& curve : set.device_curves) {
        if (curve.leaves.empty()) continue;
        if (found && curve.leaves != found->name)
            throw bad_input(
                "the measurements are of two kinds of leaves, " + found->name + " and " + curve.leaves,
                curve.name);
        const auto design = std::find_if(designs.begin(), designs.end(),
                                         [&](const LeafDesign& d) { return d.name == curve.leaves; });
        if (design == designs.end())
            throw bad_input("there are no leaves \"" + curve.leaves + "\"", curve.name,
                            "dose model list has the names");
        found = &*design;
        if (!curve.shaped_by_leaves()) continue;
        // Throws where no leaves end at the sides.
        if (curve.kind != CurveKind::output_factor)
            rectangle_of_leaves(*found, curve.side_x_mm, curve.side_y_mm, curve.jaw_x_mm, curve.name);
        for (const double side : curve.side_y_of_mm)
            rectangle_of_leaves(*found, side, side, curve.jaw_x_mm, curve.name);
        if (curve.unity_of_leaves)
            rectangle_of_leaves(*found, curve.normalisation_mm, curve.normalisation_mm, curve.jaw_x_mm,
                                curve.name);
    }
    const auto gap = std::find_if(set.device_curves.begin(), set.device_curves.end(),
                                  [](const MeasuredCurve& c) { return c.kind == CurveKind::leaf_gap; });
    if (gap != set.device_curves.end() && !set.leaf_transmission)
        throw bad_input(
            "the transmission of the leaves is not given, without which gaps do not tell the offset of their "
            "ends",
            gap->name, "Add leaf_transmission to measurements.yaml: closed leaves over the open field");
    return found;
}

DeviceFit fit_leaves(BeamModel& model, const MeasurementSet& set, const std::vector<LeafDesign>& designs,
                     const std::function<void(double)>& progress) {
    DeviceFit fit;
    const LeafDesign* design = measured_leaves(set, designs);
    if (!design) return fit;
    std::vector<const MeasuredCurve*> gaps;
    std::vector<CurvePoints> shaped, edges;
    for (const MeasuredCurve& curve : set.device_curves) {
        if (curve.kind == CurveKind::leaf_gap) gaps.push_back(&curve);
        if (!curve.shaped_by_leaves()) continue;
        shaped.push_back(all_points(curve));
        if (tells_offset(curve)) edges.push_back(all_points(curve));
    }
    if (!gaps.empty() || !edges.empty()) {
        const double through =
            set.leaf_transmission.value_or(design->transmission.value_or(model.head.leaf_transmission));
        constexpr double offset_sigma_mm = 0.5, transmission_sigma = 0.05;
        std::vector<Parameter> parameters{
            {"leaf offset", "mm, of each end", 0, -2.5, 2.5, 0, offset_sigma_mm, 0.05}};
        // Edges do not tell what comes through the leaf.
        if (!gaps.empty())
            parameters.push_back({"leaf transmission", "of the open field", through, 0, 0.2, through,
                                  transmission_sigma * through, 0.001});
        const auto with = [&](double offset, double transmission) {
            BeamModel trial = model;
            trial.head.leaf_design = design->name;
            trial.head.leaf_offset_mm = offset;
            trial.head.leaf_transmission = transmission;
            return trial;
        };
        std::vector<double> measured, sigma;
        for (const MeasuredCurve* curve : gaps)
            for (const double reading : curve->value) {
                // Of the reading, and of the gap as the machine makes it.
                constexpr double relative_sigma = 0.005, gap_sigma_mm = 0.02;
                measured.push_back(reading);
                sigma.push_back(std::hypot(relative_sigma * reading, gap_sigma_mm / curve->travel_mm));
            }
        for (const CurvePoints& points : edges) {
            // Of all widths together: the same few leaves and the same scanner made them.
            constexpr double width_sigma_mm = 0.3;
            measured.push_back(isocentre_width(points, points.measured));
            sigma.push_back(width_sigma_mm * std::sqrt(static_cast<double>(edges.size())));
        }
        const auto quantities = [&](const BeamModel& trial) {
            std::vector<double> all;
            for (const auto& values : readings(trial, *design, gaps, Algorithm::collapsed_cone))
                all.insert(all.end(), values.begin(), values.end());
            const auto calculated = predict_leaf_fields(trial, *design, edges, Algorithm::collapsed_cone);
            for (std::size_t c = 0; c < edges.size(); ++c)
                all.push_back(isocentre_width(edges[c], calculated[c]));
            return all;
        };
        // What comes through is linear in the opening, and so in the offset, and in what comes through the
        // leaf: four calculations tell all.
        constexpr double step_mm = 0.5, step = 0.01;
        std::vector<std::vector<double>> corners;
        for (const double transmission : {through, through + step})
            for (const double offset : {0.0, step_mm}) {
                const bool needed = parameters.size() > 1 || transmission == through;
                corners.push_back(needed ? quantities(with(offset, transmission))
                                         : corners[corners.size() - 2]);
                if (progress) progress(0.25 * static_cast<double>(corners.size()));
            }
        const auto residuals = [&](const std::vector<double>& values) {
            const double x = values[0] / step_mm, y = values.size() > 1 ? (values[1] - through) / step : 0;
            Eigen::VectorXd all(static_cast<Eigen::Index>(measured.size()));
            for (std::size_t i = 0; i < measured.size(); ++i) {
                const double calculated = (1 - y) * ((1 - x) * corners[0][i] + x * corners[1][i]) +
                                          y * ((1 - x) * corners[2][i] + x * corners[3][i]);
                all[static_cast<Eigen::Index>(i)] = (calculated - measured[i]) / sigma[i];
            }
            return all;
        };
        constexpr int most_evaluations = 100;
        const LeastSquaresResult result = least_squares(parameters, residuals, most_evaluations);
        fit.parameters = fitted(parameters, result);
        fit.correlation = result.correlation;
        fit.converged = result.converged;
        model = with(result.values[0], parameters.size() > 1 ? result.values[1] : through);
    }
    for (const Algorithm algorithm : {Algorithm::collapsed_cone, Algorithm::pencil_beam}) {
        const auto swept = readings(model, *design, gaps, algorithm);
        for (std::size_t c = 0; c < gaps.size(); ++c)
            fit.curves.push_back(comparison_of(*gaps[c], algorithm, swept[c]));
        const auto still = predict_leaf_fields(model, *design, shaped, algorithm);
        for (std::size_t c = 0; c < shaped.size(); ++c)
            fit.curves.push_back(comparison_of(*shaped[c].curve, algorithm, still[c]));
    }
    return fit;
}

}  // namespace libdose::commission
