#include "cpu/electrons.h"

#include <algorithm>
#include <cmath>

#include "cpu/terma.h"
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

void add_electrons(std::vector<float>& dose, const DensityGrid& density, const FluenceMap& map, const ElectronContamination& electrons) {
    const Grid& grid = density.grid;
    const auto reached = electron_extent_mm(grid, map, electrons);
    if (!reached) return;
    const std::array<double, 4>& extent = *reached;
    const CoarseMap& source = map.electrons;
    const physics::BeamFrame& frame = map.frame;
    const RayBundle rays(density, frame, extent, electron_ray_spacing_mm(grid));
    const std::vector<float> reach = rays.reach_mm(electrons.range_g_cm2);
#pragma omp parallel for schedule(dynamic, 1)
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j) {
            const physics::ProjectedRow row(frame, grid.centre_mm(0, j, k), grid.spacing_mm[0] * Vec3::UnitX());
            const auto [begin, end] = row.within(extent, grid.size[0]);
            for (int i = begin; i < end; ++i) {
                const std::size_t voxel = grid.index(i, j, k);
                if (!(density.density[voxel] > 0)) continue;
                const auto p = row.at(i);
                if (rays.beyond(reach, p.u_mm, p.v_mm, p.distance_mm)) continue;
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

}  // namespace libdose::cpu
