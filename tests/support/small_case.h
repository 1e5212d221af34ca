// Small phantoms and beams for the tests of the CPU stages.
#pragma once

#include <array>

#include "fluence/fluence_map.h"
#include "libdose/beam_model.h"
#include "patient/density.h"
#include "terma/released_energy.h"

namespace libdose::test {

/// Cube of water, `n` voxels of `spacing` mm a side, centred on x = y = 0, surface at z = 0.
inline DensityGrid water_cube(int n, double spacing) {
    Grid grid;
    grid.size = {n, n, n};
    grid.spacing_mm = Vec3::Constant(spacing);
    grid.origin_mm = Vec3(-0.5 * (n - 1) * spacing, -0.5 * (n - 1) * spacing, 0.5 * spacing);
    return uniform_density(grid, MaterialProperties{});
}

inline void set_density(DensityGrid& density, std::size_t voxel, float value) {
    density.density[voxel] = density.water_part[voxel] = density.kernel_density[voxel] = value;
    density.high_z_part[voxel] = 0;
}

/// Open square field on the isocentre plane; the beam comes along `direction` with the isocentre at
/// `isocentre`.
inline FluenceMap square_field(double side_mm, const Vec3& direction = Vec3(0, 0, 1),
                               const Vec3& isocentre = Vec3::Zero()) {
    FluenceMap map;
    const Vec3 z = -direction.normalized();
    const Vec3 helper = std::abs(z[1]) < 0.9 ? Vec3(0, 1, 0) : Vec3(1, 0, 0);
    const Vec3 x = helper.cross(z).normalized();
    map.frame.axes << x, z.cross(x), z;
    map.frame.isocentre_mm = isocentre;
    map.pixel_mm = 0.5;
    map.lower_u_mm = map.lower_v_mm = -0.5 * side_mm;
    map.size_u = map.size_v = static_cast<int>(side_mm / map.pixel_mm);
    map.values.assign(static_cast<std::size_t>(map.size_u) * static_cast<std::size_t>(map.size_v), 1.0f);
    return map;
}

/// A kernel of two rates and 36 cones that is forward peaked; two depth sets that differ.
inline ConeKernel simple_kernel() {
    ConeKernel kernel;
    kernel.rates_cm2_g = {2.0, 0.05};
    for (int m = 0; m <= 36; ++m) kernel.theta_edges_deg.push_back(5.0 * m);
    kernel.depth_g_cm2 = {0, 20};
    double total = 0;
    std::vector<double> one;
    for (int m = 0; m < 36; ++m) {
        const double middle = (5.0 * m + 2.5) * 3.14159265358979 / 180, solid = std::sin(middle);
        one.push_back(solid * std::exp(-2 * middle));
        one.push_back(0.6 * solid * (1.2 + std::cos(middle)) * 0.5);
        total += one[one.size() - 2] + one.back();
    }
    for (double& c : one) c /= total;
    kernel.coefficients = one;
    // The harder set has more in the fast rate.
    double fast = 0;
    for (std::size_t i = 0; i < one.size(); i += 2) fast += one[i];
    for (std::size_t i = 0; i < one.size(); i += 2) {
        kernel.coefficients.push_back(one[i] * 1.2);
        kernel.coefficients.push_back(one[i + 1] * (1 - 1.2 * fast) / (1 - fast));
    }
    return kernel;
}

inline Spectrum simple_spectrum() {
    return {{0.5, 2, 5}, {0.3, 0.5, 0.2}, {0.0969, 0.0494, 0.0303}, {0.0837, 0.0435, 0.0332}};
}

/// Slopes of the ray to an entry, (u, v) / source-axis distance.
inline std::array<float, 2> ray_slopes(const ReleasedEnergy& source, std::size_t entry) {
    const auto nx = static_cast<std::size_t>(source.grid.size[0]),
               ny = static_cast<std::size_t>(source.grid.size[1]), voxel = std::size_t{source.voxel[entry]};
    const auto p = source.frame.project(source.grid.centre_mm(static_cast<int>(voxel % nx),
                                                              static_cast<int>(voxel / nx % ny),
                                                              static_cast<int>(voxel / (nx * ny))));
    const double sad = source.frame.source_axis_distance_mm;
    return {static_cast<float>(p.u_mm / sad), static_cast<float>(p.v_mm / sad)};
}

}  // namespace libdose::test
