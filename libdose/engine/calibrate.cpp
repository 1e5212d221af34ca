#include "libdose/calibrate.h"

#include <algorithm>
#include <cmath>

#include "cpu/fluence.h"
#include "engine/compute.h"
#include "libdose/error.h"
#include "model/density.h"

namespace libdose {

namespace {

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

}  // namespace

Calibration calibrate(const BeamModel& model) {
    constexpr double spacing_mm = 2.5, side_mm = 400;
    constexpr int voxels = static_cast<int>(side_mm / spacing_mm);
    // Depth runs along +z from z = 0: couch 0, gantry 0 of a patient whose anterior is -z would do as well, so the frame is set
    // by hand: source at z = -1000 mm, isocentre on the surface.
    Grid grid;
    grid.size = {voxels, voxels, voxels};
    grid.spacing_mm = Vec3::Constant(spacing_mm);
    grid.origin_mm = Vec3(-0.5 * side_mm + 0.5 * spacing_mm, -0.5 * side_mm + 0.5 * spacing_mm, 0.5 * spacing_mm);
    const DensityGrid water = uniform_density(grid, MaterialProperties{});

    Beam beam;
    beam.name = "10x10 cm";
    beam.meterset_mu = 1;
    ControlPoint point;
    point.jaw_x = point.jaw_y = JawOpening{-50, 50};
    beam.control_points = {point, point};
    beam.control_points.back().cumulative_weight = 1;
    std::vector<FluenceMap> maps = cpu::beam_fluence(beam, PatientPosition::hfs, model.head, {});
    maps.front().frame.axes << Vec3(1, 0, 0), Vec3(0, 1, 0), Vec3(0, 0, -1);

    Calibration calibration = model.calibration;
    const auto at_10cm = [&](const std::vector<double>& curve) {
        const auto k = static_cast<std::size_t>(100 / spacing_mm);  // the layer border at 10 cm depth
        return std::sqrt(curve[k - 1] * curve[k]);
    };
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
            calibration.collapsed_cone_10cm = at_10cm(curve);
        } else {
            calibration.pencil_beam_maximum = maximum;
            calibration.pencil_beam_10cm = at_10cm(curve);
        }
    }
    return calibration;
}

}  // namespace libdose
