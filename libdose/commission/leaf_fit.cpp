// Offset and transmission of the leaves from sweeping gaps, with the engine's own fluence.
#include <algorithm>
#include <cmath>

#include "commission/compare.h"
#include "commission/device_fit.h"
#include "commission/parallel.h"
#include "engine/devices.h"
#include "engine/jaw_field.h"
#include "engine/point_dose.h"
#include "libdose/error.h"

namespace libdose::commission {

namespace {

/// One MU while a gap of all leaves goes over the field of a curve's jaws.
FluenceMap swept_field(const BeamModel& model, const LeafDesign& design, const MeasuredCurve& curve, double gap_mm, double travel_mm) {
    Beam beam = jaw_beam(curve.side_x_mm, curve.side_y_mm, curve.sad_mm);
    MultileafCollimator collimator;
    collimator.type = "MLCX";
    collimator.leaf_boundaries_mm = design.leaf_boundaries_mm;
    const auto pairs = static_cast<std::size_t>(collimator.leaf_pairs());
    for (std::size_t p = 0; p < 2; ++p) {
        const double middle = (p == 0 ? -0.5 : 0.5) * travel_mm;
        beam.control_points[p].leaves = {{std::vector<double>(pairs, middle - 0.5 * gap_mm), std::vector<double>(pairs, middle + 0.5 * gap_mm)}};
    }
    beam.collimators = {std::move(collimator)};
    cpu::FluenceOptions options;
    options.leaves = {edges_of(design, curve.sad_mm, model)};
    return field_along_axis(beam, model.head, options);
}

/// Dose of every gap of every curve over that of its open field.
std::vector<std::vector<double>> readings(const BeamModel& model, const LeafDesign& design, const std::vector<const MeasuredCurve*>& curves,
                                          Algorithm algorithm) {
    const PointDose dose(model.spectrum, model.cone_kernel, model.pencil_kernel, model.head.electrons);
    std::vector<std::vector<double>> all;
    for (const MeasuredCurve* curve : curves) {
        // The last is the open field: the leaves rest outside of it.
        constexpr double outside_mm = 400;
        std::vector<double> values(curve->position_mm.size() + 1);
        for_each_parallel(values.size(), [&](std::size_t i) {
            const bool swept = i < curve->position_mm.size();
            const FluenceMap map = swept_field(model, design, *curve, swept ? curve->position_mm[i] : outside_mm, swept ? curve->travel_mm : 0);
            values[i] = dose(algorithm, map, {curve->ssd_mm, curve->depth_mm, 0, 0});
        });
        const double open = values.back();
        values.pop_back();
        for (double& value : values) value /= open;
        all.push_back(std::move(values));
    }
    return all;
}

}  // namespace

std::vector<FittedParameter> fitted(const std::vector<Parameter>& parameters, const LeastSquaresResult& result) {
    std::vector<FittedParameter> all;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const Parameter& p = parameters[i];
        all.push_back({p.name, p.unit, result.values[i], result.sigma[i], p.lower, p.upper, p.prior, p.prior_sigma});
    }
    return all;
}

DeviceFit fit_leaves(BeamModel& model, const MeasurementSet& set, const std::vector<LeafDesign>& designs, const std::function<void(double)>& progress) {
    DeviceFit fit;
    std::vector<const MeasuredCurve*> curves;
    for (const MeasuredCurve& curve : set.device_curves)
        if (curve.kind == CurveKind::leaf_gap) curves.push_back(&curve);
    if (curves.empty()) return fit;
    const std::string& name = curves.front()->leaves;
    for (const MeasuredCurve* curve : curves)
        if (curve->leaves != name) throw bad_input("the gaps are of two kinds of leaves, " + name + " and " + curve->leaves, curve->name);
    const auto design = std::find_if(designs.begin(), designs.end(), [&](const LeafDesign& d) { return d.name == name; });
    if (design == designs.end()) throw bad_input("there are no leaves \"" + name + "\"", curves.front()->name, "dose model list has the names");
    if (!set.leaf_transmission)
        throw bad_input("the transmission of the leaves is not given, without which gaps do not tell the offset of their ends", curves.front()->name,
                        "Add leaf_transmission to measurements.yaml: closed leaves over the open field");

    const double measured = *set.leaf_transmission;
    constexpr double offset_sigma_mm = 0.5, transmission_sigma = 0.05;
    const std::vector<Parameter> parameters{{"leaf offset", "mm, of each end", 0, -2.5, 2.5, 0, offset_sigma_mm, 0.05},
                                            {"leaf transmission", "of the open field", measured, 0, 0.2, measured, transmission_sigma * measured, 0.001}};
    const auto with = [&](const std::vector<double>& values) {
        BeamModel trial = model;
        trial.head.leaf_design = name, trial.head.leaf_offset_mm = values[0], trial.head.leaf_transmission = values[1];
        return trial;
    };
    // What comes through is linear in the opening, and so in the offset, and in what comes through the leaf: four calculations tell all.
    constexpr double step_mm = 0.5;
    constexpr double step = 0.01;
    std::vector<std::vector<std::vector<double>>> corners;
    for (const double transmission : {measured, measured + step})
        for (const double offset : {0.0, step_mm}) {
            corners.push_back(readings(with({offset, transmission}), *design, curves, Algorithm::collapsed_cone));
            if (progress) progress(0.25 * static_cast<double>(corners.size()));
        }
    const auto residuals = [&](const std::vector<double>& values) {
        const double x = values[0] / step_mm, y = (values[1] - measured) / step;
        std::vector<double> all;
        for (std::size_t c = 0; c < curves.size(); ++c)
            for (std::size_t i = 0; i < curves[c]->value.size(); ++i) {
                const double calculated =
                    (1 - y) * ((1 - x) * corners[0][c][i] + x * corners[1][c][i]) + y * ((1 - x) * corners[2][c][i] + x * corners[3][c][i]);
                // Of the reading, and of the gap as the machine makes it.
                constexpr double relative_sigma = 0.005, gap_sigma_mm = 0.02;
                const double reading = curves[c]->value[i];
                all.push_back((calculated - reading) / std::hypot(relative_sigma * reading, gap_sigma_mm / curves[c]->travel_mm));
            }
        return Eigen::VectorXd(Eigen::Map<const Eigen::VectorXd>(all.data(), static_cast<Eigen::Index>(all.size())));
    };
    constexpr int most_evaluations = 100;
    const LeastSquaresResult result = least_squares(parameters, residuals, most_evaluations);
    fit.parameters = fitted(parameters, result), fit.correlation = result.correlation, fit.converged = result.converged;
    model = with(result.values);
    for (const Algorithm algorithm : {Algorithm::collapsed_cone, Algorithm::pencil_beam}) {
        const auto calculated = readings(model, *design, curves, algorithm);
        for (std::size_t c = 0; c < curves.size(); ++c) fit.curves.push_back(comparison_of(*curves[c], algorithm, calculated[c]));
    }
    return fit;
}

}  // namespace libdose::commission
