#include "patient/water_phantom.h"

#include <cmath>

#include "patient/density.h"

namespace libdose {

DensityGrid water_cube(double spacing_mm) {
    constexpr double side_mm = 400;
    const int voxels = static_cast<int>(side_mm / spacing_mm);
    Grid grid;
    grid.size = {voxels, voxels, voxels};
    grid.spacing_mm = Vec3::Constant(spacing_mm);
    grid.origin_mm =
        Vec3(-0.5 * side_mm + 0.5 * spacing_mm, -0.5 * side_mm + 0.5 * spacing_mm, 0.5 * spacing_mm);
    return uniform_density(grid, MaterialProperties{});
}

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

double at_depth(const std::vector<double>& curve, double depth_mm, double spacing_mm) {
    const auto k = static_cast<std::size_t>(std::lround(depth_mm / spacing_mm));
    return std::sqrt(curve[k - 1] * curve[k]);
}

}  // namespace libdose
