// Ray trace: a thread marches one ray through the grid, its running sums in registers.
#pragma once

#include "cuda/runtime/index.h"
#include "raytrace/ray_bundle.h"

namespace libdose::cuda {

using physics::RaySumsView;

/// Neighbouring threads write neighbouring rays.
struct TraceRays {
    static constexpr Index3 block{32, 4, 1};  ///< x: u, y: v
    physics::RayRaster raster;
    physics::VoxelBox box;
    double source_mm[3];
    double corner[3], step_u[3],
        step_v[3];  ///< way of a ray per mm along the axis: corner + u·step_u + v·step_v
    const float *water_part, *high_z_part;
    physics::RaySums* sums;

    LIBDOSE_HD void operator()(const Index3& at) const {
        double direction[3];
        for (int a = 0; a < 3; ++a) direction[a] = corner[a] + at.x * step_u[a] + at.y * step_v[a];
        const RaySumsView view{raster, sums};
        physics::trace_ray(
            raster, box, source_mm, direction, water_part, high_z_part,
            [&](int node, const physics::RaySums& at_node) { sums[view.at(at.x, at.y, node)] = at_node; });
    }
};

/// Distance from the source at which rays have come to a depth.
struct DistancesAtDepth {
    static constexpr Index3 block{32, 4, 1};  ///< x: u, y: v
    RaySumsView rays;
    double g_cm2;
    float* distance_mm;  ///< [v][u]

    LIBDOSE_HD void operator()(const Index3& at) const {
        distance_mm[static_cast<std::size_t>(at.y) * static_cast<std::size_t>(rays.raster.size_u) +
                    static_cast<std::size_t>(at.x)] = rays.distance_at_depth_mm(at.x, at.y, g_cm2);
    }
};

}  // namespace libdose::cuda
