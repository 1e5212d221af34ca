#include "libdose/calibrate.h"

#include <algorithm>
#include <cmath>

#include "cpu/fluence.h"
#include "engine/compute.h"
#include "libdose/error.h"
#include "model/density.h"

namespace libdose {

namespace {

constexpr double side_mm = 400;

/// Dose on the axis at the middle of every layer, from the four voxels around it.
std::vector<double> axis_curve(const Grid& grid, const std::vector<float>& dose) {
    std::vector<double> curve;
    const int i = grid.size[0] / 2, j = grid.size[1] / 2;
    for (int k = 0; k < grid.size[2]; ++k) {
        double sum = 0;
        for (const int di : {-1, 0})
            for (const int dj : {-1, 0}) sum += static_cast<double>(dose[grid.index(i + di, j + dj, k)]);
        curve.push_back(sum / 4);
    }
    return curve;
}

/// 40 cm of water whose surface is at z = 0, depth along +z.
DensityGrid water_cube(double spacing_mm) {
    const int voxels = static_cast<int>(side_mm / spacing_mm);
    Grid grid;
    grid.size = {voxels, voxels, voxels};
    grid.spacing_mm = Vec3::Constant(spacing_mm);
    grid.origin_mm = Vec3(-0.5 * side_mm + 0.5 * spacing_mm, -0.5 * side_mm + 0.5 * spacing_mm, 0.5 * spacing_mm);
    return uniform_density(grid, MaterialProperties{});
}

/// One MU through a square opening of the jaws, along +z, with the isocentre at a depth (mm).
std::vector<FluenceMap> square_field(const BeamModel& model, double opening_mm, double isocentre_depth_mm) {
    Beam beam;
    beam.name = "square field";
    beam.meterset_mu = 1;
    ControlPoint point;
    point.jaw_x = point.jaw_y = JawOpening{-0.5 * opening_mm, 0.5 * opening_mm};
    beam.control_points = {point, point};
    beam.control_points.back().cumulative_weight = 1;
    std::vector<FluenceMap> maps = cpu::beam_fluence(beam, PatientPosition::hfs, model.head, {});
    maps.front().frame.axes << Vec3(1, 0, 0), Vec3(0, 1, 0), Vec3(0, 0, -1);
    maps.front().frame.isocentre_mm = Vec3(0, 0, isocentre_depth_mm);
    return maps;
}

/// Mean of the two layers that meet at a depth.
double at_depth(const std::vector<double>& curve, double depth_mm, double spacing_mm) {
    const auto k = static_cast<std::size_t>(std::lround(depth_mm / spacing_mm));
    return std::sqrt(curve[k - 1] * curve[k]);
}

}  // namespace

Calibration calibrate(const BeamModel& model) {
    constexpr double spacing_mm = 2.5;
    const DensityGrid water = water_cube(spacing_mm);
    const Grid& grid = water.grid;
    const std::vector<FluenceMap> maps = square_field(model, 100, 0);

    Calibration calibration = model.calibration;
    for (const Algorithm algorithm : {Algorithm::collapsed_cone, Algorithm::pencil_beam}) {
        ComputeOptions options;
        options.algorithm = algorithm;
        options.settings = quality_settings(Quality::high);
        const std::vector<double> curve = axis_curve(grid, compute_dose(water, maps, model, options));
        const auto top = static_cast<std::size_t>(std::max_element(curve.begin(), curve.end()) - curve.begin());
        if (top == 0 || top + 1 >= curve.size()) throw bad_input("the depth dose has no maximum in the phantom", model.name);
        // Vertex of the parabola through the three layers around the maximum.
        const double a = curve[top - 1], b = curve[top], c = curve[top + 1], shift = 0.5 * (a - c) / (a - 2 * b + c);
        const double maximum = b - 0.25 * (a - c) * shift;
        if (algorithm == Algorithm::collapsed_cone) {
            calibration.depth_of_maximum_cm = 0.1 * spacing_mm * (static_cast<double>(top) + 0.5 + shift);
            calibration.collapsed_cone_maximum = maximum;
            calibration.collapsed_cone_10cm = at_depth(curve, 100, spacing_mm);
        } else {
            calibration.pencil_beam_maximum = maximum;
            calibration.pencil_beam_10cm = at_depth(curve, 100, spacing_mm);
        }
    }
    return calibration;
}

std::vector<OutputFactor> output_factors(const BeamModel& model, const std::vector<double>& sides_mm, Algorithm algorithm) {
    constexpr double spacing_mm = 2.5, depth_mm = 100, reference_mm = 100;
    const DensityGrid water = water_cube(spacing_mm);
    ComputeOptions options;
    options.algorithm = algorithm;
    const auto field = [&](double side) {
        if (!(side >= 5 && side <= 1.4 * model.head.maximum_field_radius_mm))
            throw bad_input("the field of " + std::to_string(side) + " mm is not between 5 mm and the primary collimator", "output factors");
        const std::vector<FluenceMap> maps = square_field(model, side, depth_mm);
        const FluenceMap& map = maps.front();
        OutputFactor factor{side, 0, 0};
        factor.in_air = cpu::FluenceIntegral(map).average(0, 0, 2, 2);
        factor.in_water = at_depth(axis_curve(water.grid, compute_dose(water, maps, model, options)), depth_mm, spacing_mm);
        return factor;
    };
    const OutputFactor reference = field(reference_mm);
    std::vector<OutputFactor> factors;
    for (const double side : sides_mm) {
        OutputFactor factor = side == reference_mm ? reference : field(side);
        factor.in_air /= reference.in_air, factor.in_water /= reference.in_water;
        factors.push_back(factor);
    }
    return factors;
}

}  // namespace libdose
