#include "cpu/electrons.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "cpu/terma.h"
#include "cpu/versions.h"
#include "physics/head.h"

namespace libdose::cpu {

std::optional<std::array<double, 4>> electron_extent_mm(const Grid& grid, const FluenceMap& map, const ElectronContamination& electrons) {
    const CoarseMap& source = map.electrons;
    if (source.values.empty() || !(electrons.amplitude_gy_cm2 > 0)) return {};
    const physics::Shadow shadow = physics::shadow_of(map.frame, grid.lower_edge_mm(), grid.upper_edge_mm());
    std::array<double, 4> extent{source.lower_u_mm, source.lower_u_mm + source.size_u * source.pixel_mm, source.lower_v_mm,
                                 source.lower_v_mm + source.size_v * source.pixel_mm};
    if (shadow.whole)
        extent = {std::max(extent[0], shadow.low_u_mm), std::min(extent[1], shadow.high_u_mm), std::max(extent[2], shadow.low_v_mm),
                  std::min(extent[3], shadow.high_v_mm)};
    if (extent[1] <= extent[0] || extent[3] <= extent[2]) return {};
    return extent;
}

double electron_ray_spacing_mm(const Grid& grid) { return 2 * grid.spacing_mm.minCoeff(); }

double electron_rays_followed_g_cm2(const ElectronContamination& electrons) { return 2 * electrons.range_g_cm2; }

namespace {

/// Where the electrons end: by cells of four rays the farthest of their distances from the source, along the axis.
struct Ends {
    physics::RayRaster raster;
    std::vector<float> distance_mm;

    Ends(const RayBundle& rays, double range_g_cm2) : raster(rays.view().raster) {
        const std::vector<float> reach = rays.reach_mm(range_g_cm2);
        const auto width = static_cast<std::size_t>(raster.size_u);
        for (std::size_t v = 0; v + 1 < static_cast<std::size_t>(raster.size_v); ++v)
            for (std::size_t u = 0; u + 1 < width; ++u) {
                const float* at = &reach[v * width + u];
                distance_mm.push_back(std::max(std::max(at[0], at[1]), std::max(at[width], at[width + 1])));
            }
    }
};

/// Bits of those of the voxels first, first + 1 … (sixteen) of a row, start + i·step in the beam-limiting-device frame, that lie before the ends.
LIBDOSE_VERSIONS
std::uint32_t before_ends(const Ends& ends, const Vec3& start, const Vec3& step, double source_axis_distance_mm, int first, int last) {
    const double sad = source_axis_distance_mm, su = start[0], sv = start[1], sw = start[2], du = step[0], dv = step[1], dw = step[2];
    const physics::RayRaster raster = ends.raster;
    int cell[lanes];
    float distance[lanes];
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
        const double i = first + l < last ? first + l : last;
        const double along = sad - sw - i * dw, scale = sad / along;
        double x = ((su + i * du) * scale - raster.low_u) / raster.spacing, y = ((sv + i * dv) * scale - raster.low_v) / raster.spacing;
        x = x < 0 ? 0 : x, y = y < 0 ? 0 : y;
        x = x > raster.size_u - 2 ? raster.size_u - 2 : x, y = y > raster.size_v - 2 ? raster.size_v - 2 : y;
        cell[l] = static_cast<int>(y) * (raster.size_u - 1) + static_cast<int>(x);
        distance[l] = static_cast<float>(along);
    }
    std::uint32_t bits = 0;
    for (int l = 0; l < lanes; ++l) bits |= (distance[l] < ends.distance_mm[static_cast<std::size_t>(cell[l])] ? 1u : 0u) << l;
    return bits;
}

}  // namespace

void add_electrons(std::vector<float>& dose, const DensityGrid& density, const FluenceMap& map, const ElectronContamination& electrons) {
    const Grid& grid = density.grid;
    const auto reached = electron_extent_mm(grid, map, electrons);
    if (!reached) return;
    const std::array<double, 4>& extent = *reached;
    const CoarseMap& source = map.electrons;
    const physics::BeamFrame& frame = map.frame;
    const RayBundle rays(density, frame, extent, electron_ray_spacing_mm(grid), electron_rays_followed_g_cm2(electrons));
    const Ends ends(rays, electrons.range_g_cm2);
    const Vec3 step = frame.axes.row(0) * grid.spacing_mm[0];
#pragma omp parallel for schedule(dynamic, 1)
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j) {
            const physics::ProjectedRow row(frame, grid.centre_mm(0, j, k), grid.spacing_mm[0] * Vec3::UnitX());
            const Vec3 start = frame.axes.transpose() * (grid.centre_mm(0, j, k) - frame.isocentre_mm);
            const auto [begin, end] = row.within(extent, grid.size[0]);
            for (int first = begin; first < end; first += lanes) {
                const int last = std::min(first + lanes, end) - 1;
                for (std::uint32_t bits = before_ends(ends, start, step, frame.source_axis_distance_mm, first, last); bits != 0; bits &= bits - 1) {
                    const int i = first + std::countr_zero(bits);
                    if (i > last) break;
                    const std::size_t voxel = grid.index(i, j, k);
                    if (!(density.density[voxel] > 0)) continue;
                    const auto p = row.at(i);
                    const PathLength path = rays.path(p.u_mm, p.v_mm, p.distance_mm);
                    const double depth = path.water + path.high_z;
                    if (depth >= electrons.range_g_cm2) continue;
                    const double magnification = frame.source_axis_distance_mm / p.distance_mm;
                    dose[voxel] += static_cast<float>(physics::electron_dose(electrons.amplitude_gy_cm2, source.at(p.u_mm, p.v_mm), magnification, depth,
                                                                             electrons.attenuation_cm2_g, electrons.range_g_cm2,
                                                                             static_cast<double>(density.kernel_density[voxel] / density.density[voxel])));
                }
            }
        }
}

}  // namespace libdose::cpu
