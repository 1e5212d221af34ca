#include "commissioning/leaf_field.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "base/text.h"
#include "engine/beam_modifiers.h"
#include "engine/jaw_field.h"
#include "libdose/error.h"
#include "validation/point_dose.h"

namespace libdose::commission {

LeafPositions all_pairs(const LeafDesign& design, double lower_mm, double upper_mm) {
    const std::size_t pairs = design.leaf_boundaries_mm.size() - 1;
    return {std::vector<double>(pairs, lower_mm), std::vector<double>(pairs, upper_mm)};
}

LeafPositions rectangle_of_leaves(const LeafDesign& design, double side_x_mm, double side_y_mm,
                                  double jaw_x_mm, const std::string& where) {
    constexpr double tolerance_mm = 0.1, behind_jaw_mm = 20;
    const double half = 0.5 * side_y_mm, parked = -0.5 * jaw_x_mm - behind_jaw_mm;
    const auto& edges = design.leaf_boundaries_mm;
    const auto ends = [&](double y) {
        return std::any_of(edges.begin(), edges.end(),
                           [&](double edge) { return std::abs(edge - y) <= tolerance_mm; });
    };
    if (!ends(-half) || !ends(half)) {
        double nearest = 0;
        for (const double edge : edges)
            if (ends(-edge) && std::abs(edge - half) < std::abs(nearest - half)) nearest = edge;
        throw bad_input("leaves of " + design.name + " do not end at " + short_number(half) +
                            " mm on either side of the axis",
                        where,
                        "An opening is as many whole leaves high: the nearest is " +
                            short_number(2 * nearest) + " mm along y");
    }
    LeafPositions positions = all_pairs(design, parked, parked);
    for (std::size_t p = 0; p + 1 < edges.size(); ++p)
        if (std::abs(0.5 * (edges[p] + edges[p + 1])) < half) {
            positions.lower_mm[p] = -0.5 * side_x_mm;
            positions.upper_mm[p] = 0.5 * side_x_mm;
        }
    return positions;
}

FluenceMap field_of_leaves(const BeamModel& model, const LeafDesign& design, double jaw_x_mm, double jaw_y_mm,
                           double sad_mm, const LeafPositions& first, const LeafPositions& last) {
    Beam beam = jaw_beam(jaw_x_mm, jaw_y_mm, sad_mm);
    MultileafCollimator collimator;
    collimator.type = "MLCX";
    collimator.leaf_boundaries_mm = design.leaf_boundaries_mm;
    beam.collimators = {std::move(collimator)};
    beam.control_points[0].leaves = {first};
    beam.control_points[1].leaves = {last};
    FluenceOptions options;
    options.leaves = {edges_of(design, sad_mm, model)};
    return field_along_axis(beam, model.head, options);
}

std::vector<std::vector<double>> predict_leaf_fields(const BeamModel& model, const LeafDesign& design,
                                                     const std::vector<CurvePoints>& curves,
                                                     Algorithm algorithm) {
    const PointDose dose(model.spectrum, model.cone_kernel, model.pencil_kernel, model.head.electrons);
    std::vector<std::vector<double>> all;
    for (const CurvePoints& points : curves) {
        const MeasuredCurve& curve = *points.curve;
        const auto field = [&](double x, double y) {
            const LeafPositions ends = rectangle_of_leaves(design, x, y, curve.jaw_x_mm, curve.name);
            return field_of_leaves(model, design, curve.jaw_x_mm, curve.jaw_y_mm, curve.sad_mm, ends, ends);
        };
        std::vector<double> values(points.position_mm.size());
        if (curve.kind == CurveKind::output_factor) {
            const WaterPoint at = water_point(curve, 0);
            const double side = curve.normalisation_mm;
            const double one =
                dose(algorithm,
                     curve.unity_of_leaves ? field(side, side)
                                           : jaw_field(model.head, side, side, Vec3::Zero(), curve.sad_mm),
                     at);
            for_each_parallel(values.size(), [&](std::size_t i) {
                values[i] = dose(algorithm, field(points.position_mm[i], points.side_y_mm[i]), at) / one;
            });
        } else {
            values = values_in_field(dose, algorithm, field(curve.side_x_mm, curve.side_y_mm), points, true);
        }
        all.push_back(std::move(values));
    }
    return all;
}

}  // namespace libdose::commission
