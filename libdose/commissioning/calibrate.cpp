#include "libdose/calibrate.h"

#include <algorithm>
#include <cmath>

#include "base/units.h"
#include "engine/compute.h"
#include "engine/jaw_field.h"
#include "engine/small_fields.h"
#include "fluence/fluence_integral.h"
#include "fluence/fluence_map.h"
#include "libdose/error.h"
#include "patient/water_phantom.h"
#include "validation/point_dose.h"

namespace libdose {

Calibration calibrate(const BeamModel& model) {
    constexpr double spacing_mm = 2.5;
    const DensityGrid water = water_cube(spacing_mm);
    const Grid& grid = water.grid;
    const std::vector<FluenceMap> maps = {jaw_field(model.head, 100, 100)};

    Calibration calibration = model.calibration;
    for (const Algorithm algorithm : {Algorithm::collapsed_cone, Algorithm::pencil_beam}) {
        ComputeOptions options;
        options.algorithm = algorithm;
        options.settings = quality_settings(Quality::high);
        const std::vector<double> curve = axis_curve(grid, compute_dose(water, maps, model, options));
        const auto top =
            static_cast<std::size_t>(std::max_element(curve.begin(), curve.end()) - curve.begin());
        if (top == 0 || top + 1 >= curve.size())
            throw bad_input("the depth dose has no maximum in the phantom", model.name);
        // Vertex of the parabola through the three layers around the maximum.
        const double a = curve[top - 1], b = curve[top], c = curve[top + 1],
                     shift = 0.5 * (a - c) / (a - 2 * b + c);
        const double maximum = b - 0.25 * (a - c) * shift;
        if (algorithm == Algorithm::collapsed_cone) {
            calibration.depth_of_maximum_cm =
                cm_per_mm * spacing_mm * (static_cast<double>(top) + 0.5 + shift);
            calibration.collapsed_cone_maximum = maximum;
            calibration.collapsed_cone_10cm = at_depth(curve, 100, spacing_mm);
        } else {
            calibration.pencil_beam_maximum = maximum;
            calibration.pencil_beam_10cm = at_depth(curve, 100, spacing_mm);
        }
    }
    return calibration;
}

std::vector<OutputFactor> output_factors(const BeamModel& model, const std::vector<double>& sides_mm,
                                         Algorithm algorithm) {
    constexpr double depth_mm = 100, reference_mm = 100;
    const DensityGrid water = water_cube(usual_grid_mm);
    const PointDose point(model.spectrum, model.cone_kernel, model.pencil_kernel, model.head.electrons);
    ComputeOptions options;
    options.algorithm = algorithm;
    const auto field = [&](double side) {
        if (!(side >= 5 && side <= 1.4 * model.head.maximum_field_radius_mm))
            throw bad_input(
                "the field of " + std::to_string(side) + " mm is not between 5 mm and the primary collimator",
                "output factors");
        const std::vector<FluenceMap> maps = {jaw_field(model.head, side, side, Vec3(0, 0, depth_mm))};
        OutputFactor factor{side, 0, 0};
        factor.in_air = FluenceIntegral(maps.front()).average(0, 0, 2, 2);
        factor.in_water = at_depth(axis_curve(water.grid, compute_dose(water, maps, model, options)),
                                   depth_mm, usual_grid_mm);
        return factor;
    };
    const OutputFactor reference = field(reference_mm);
    // Voxels would average small fields: their dose at the point is integrated, and so is that of the
    // reference field.
    const auto small_field = [&](double side) {
        constexpr double pixel_mm = 0.25;
        const auto at_point = [&](double side_mm) {
            return point(algorithm,
                         jaw_field(model.head, side_mm, side_mm, Vec3(0, 0, depth_mm), 1000, pixel_mm),
                         {1000 - depth_mm, depth_mm});
        };
        const double air = FluenceIntegral(jaw_field(model.head, side, side, Vec3::Zero(), 1000, pixel_mm))
                               .average(0, 0, pixel_mm, pixel_mm);
        return OutputFactor{side, air, reference.in_water * at_point(side) / at_point(reference_mm)};
    };
    std::vector<OutputFactor> factors;
    for (const double side : sides_mm) {
        OutputFactor factor = side == reference_mm                    ? reference
                              : side >= 5 && side < narrow_opening_mm ? small_field(side)
                                                                      : field(side);
        factor.in_air /= reference.in_air;
        factor.in_water /= reference.in_water;
        factors.push_back(factor);
    }
    return factors;
}

}  // namespace libdose
