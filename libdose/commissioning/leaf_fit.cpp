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
    if (curve.kind != CurveKind::profile || curve.axis != ProfileAxis::crossplane ||
        !curve.shaped_by_leaves())
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

/// The curves that were measured of leaves.
struct LeafCurves {
    std::vector<const MeasuredCurve*> gaps;
    std::vector<CurvePoints> shaped;  ///< fields that leaves shape
    std::vector<CurvePoints> edges;   ///< of these the profiles whose widths tell the offset
    bool tell_offset() const { return !gaps.empty() || !edges.empty(); }
    /// Edges do not tell what comes through the leaf.
    bool tell_transmission() const { return !gaps.empty(); }
};

LeafCurves leaf_curves(const MeasurementSet& set) {
    LeafCurves curves;
    for (const MeasuredCurve& curve : set.device_curves) {
        if (curve.kind == CurveKind::leaf_gap) curves.gaps.push_back(&curve);
        if (!curve.shaped_by_leaves()) continue;
        curves.shaped.push_back(all_points(curve));
        if (tells_offset(curve)) curves.edges.push_back(all_points(curve));
    }
    return curves;
}

BeamModel with_leaves(const BeamModel& model, const LeafDesign& design, double offset_mm,
                      double transmission) {
    BeamModel trial = model;
    trial.head.leaf_design = design.name;
    trial.head.leaf_offset_mm = offset_mm;
    trial.head.leaf_transmission = transmission;
    return trial;
}

/// Readings of the gaps, then widths between the edges, with one standard deviation each.
struct LeafReadings {
    std::vector<double> measured, sigma;
};

LeafReadings measured_readings(const LeafCurves& curves) {
    LeafReadings all;
    for (const MeasuredCurve* curve : curves.gaps)
        for (const double reading : curve->value) {
            // Of the reading, and of the gap as the machine makes it.
            constexpr double relative_sigma = 0.005, gap_sigma_mm = 0.02;
            all.measured.push_back(reading);
            all.sigma.push_back(std::hypot(relative_sigma * reading, gap_sigma_mm / curve->travel_mm));
        }
    for (const CurvePoints& points : curves.edges) {
        // Of all widths together: the same few leaves and the same scanner made them.
        constexpr double width_sigma_mm = 0.3;
        all.measured.push_back(isocentre_width(points, points.measured));
        all.sigma.push_back(width_sigma_mm * std::sqrt(static_cast<double>(curves.edges.size())));
    }
    return all;
}

/// The same readings and widths as a model calculates them.
std::vector<double> calculated_readings(const BeamModel& model, const LeafDesign& design,
                                        const LeafCurves& curves) {
    std::vector<double> all;
    for (const auto& values : readings(model, design, curves.gaps, Algorithm::collapsed_cone))
        all.insert(all.end(), values.begin(), values.end());
    const auto calculated = predict_leaf_fields(model, design, curves.edges, Algorithm::collapsed_cone);
    for (std::size_t c = 0; c < curves.edges.size(); ++c)
        all.push_back(isocentre_width(curves.edges[c], calculated[c]));
    return all;
}

/// Calculated readings by offset and transmission. What comes through is linear in the opening, and so in the
/// offset, and in what comes through the leaf: four calculations tell all.
class LeafResponse {
public:
    LeafResponse(const BeamModel& model, const LeafDesign& design, const LeafCurves& curves,
                 double transmission, const std::function<void(double)>& progress)
        : transmission_(transmission) {
        for (const double through : {transmission, transmission + step})
            for (const double offset : {0.0, step_mm}) {
                const bool needed = curves.tell_transmission() || through == transmission;
                corners_.push_back(
                    needed ? calculated_readings(with_leaves(model, design, offset, through), design, curves)
                           : corners_[corners_.size() - 2]);
                if (progress) progress(0.25 * static_cast<double>(corners_.size()));
            }
    }

    double at(std::size_t i, double offset_mm, double transmission) const {
        const double x = offset_mm / step_mm, y = (transmission - transmission_) / step;
        return (1 - y) * ((1 - x) * corners_[0][i] + x * corners_[1][i]) +
               y * ((1 - x) * corners_[2][i] + x * corners_[3][i]);
    }

private:
    static constexpr double step_mm = 0.5, step = 0.01;
    double transmission_;
    std::vector<std::vector<double>> corners_;
};

/// Offset of the ends and, where the curves tell it, transmission of the leaves, in this order.
std::vector<Parameter> leaf_parameters(const LeafCurves& curves, double transmission) {
    constexpr double offset_sigma_mm = 0.5, transmission_sigma = 0.05;
    std::vector<Parameter> parameters{
        {"leaf offset", "mm, of each end", 0, -2.5, 2.5, 0, offset_sigma_mm, 0.05}};
    if (curves.tell_transmission())
        parameters.push_back({"leaf transmission", "of the open field", transmission, 0, 0.2, transmission,
                              transmission_sigma * transmission, 0.001});
    return parameters;
}

/// Fits offset and transmission and leaves them in the model.
void fit_ends(DeviceFit& fit, BeamModel& model, const LeafDesign& design, const LeafCurves& curves,
              double start_transmission, const std::function<void(double)>& progress) {
    const std::vector<Parameter> parameters = leaf_parameters(curves, start_transmission);
    const LeafReadings data = measured_readings(curves);
    const LeafResponse response(model, design, curves, start_transmission, progress);
    const auto transmission_of = [&](const std::vector<double>& values) {
        return curves.tell_transmission() ? values[1] : start_transmission;
    };
    const auto residuals = [&](const std::vector<double>& values) {
        Eigen::VectorXd all(static_cast<Eigen::Index>(data.measured.size()));
        for (std::size_t i = 0; i < data.measured.size(); ++i)
            all[static_cast<Eigen::Index>(i)] =
                (response.at(i, values[0], transmission_of(values)) - data.measured[i]) / data.sigma[i];
        return all;
    };
    constexpr int most_evaluations = 100;
    const LeastSquaresResult result = least_squares(parameters, residuals, most_evaluations);
    fit.parameters = fitted(parameters, result);
    fit.correlation = result.correlation;
    fit.converged = result.converged;
    model = with_leaves(model, design, result.values[0], transmission_of(result.values));
}

/// Every field of leaves beside the model's, by both engines.
void compare_leaves(DeviceFit& fit, const BeamModel& model, const LeafDesign& design,
                    const LeafCurves& curves) {
    for (const Algorithm algorithm : {Algorithm::collapsed_cone, Algorithm::pencil_beam}) {
        const auto swept = readings(model, design, curves.gaps, algorithm);
        for (std::size_t c = 0; c < curves.gaps.size(); ++c)
            fit.curves.push_back(comparison_of(*curves.gaps[c], algorithm, swept[c]));
        const auto still = predict_leaf_fields(model, design, curves.shaped, algorithm);
        for (std::size_t c = 0; c < curves.shaped.size(); ++c)
            fit.curves.push_back(comparison_of(*curves.shaped[c].curve, algorithm, still[c]));
    }
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
    const LeafCurves curves = leaf_curves(set);
    if (curves.tell_offset()) {
        const double start =
            set.leaf_transmission.value_or(design->transmission.value_or(model.head.leaf_transmission));
        fit_ends(fit, model, *design, curves, start, progress);
    }
    compare_leaves(fit, model, *design, curves);
    return fit;
}

}  // namespace libdose::commission
