#include "raytrace/ray_raster.h"

#include <algorithm>
#include <cmath>

namespace libdose {

physics::RayRaster ray_raster(const Grid& grid, const physics::BeamFrame& frame, const Rect& extent,
                              const physics::RaySpacing& spacing, double max_depth_g_cm2) {
    const physics::Shadow shadow = physics::shadow_of(frame, grid.lower_edge_mm(), grid.upper_edge_mm());
    physics::RayRaster raster;
    raster.max_depth_g_cm2 = max_depth_g_cm2;
    raster.low_u = extent.low_u_mm;
    raster.low_v = extent.low_v_mm;
    raster.spacing = spacing.rays_mm;
    raster.size_u =
        std::max(2, static_cast<int>(std::ceil((extent.high_u_mm - extent.low_u_mm) / raster.spacing)) + 1);
    raster.size_v =
        std::max(2, static_cast<int>(std::ceil((extent.high_v_mm - extent.low_v_mm) / raster.spacing)) + 1);
    // In a step a ray leaves at most one voxel along each axis (RayTracer).
    const double voxel = grid.spacing_mm.minCoeff(), sad = frame.source_axis_distance_mm;
    const auto farthest = [&](double low, int size) {
        return std::max(std::abs(low), std::abs(low + (size - 1) * raster.spacing)) / sad;
    };
    const double longest_way =
        std::hypot(1.0, farthest(raster.low_u, raster.size_u), farthest(raster.low_v, raster.size_v));
    raster.step = std::min(std::clamp(spacing.nodes_mm, 0.5 * voxel, voxel), 0.999 * voxel / longest_way);
    raster.first = std::max(shadow.nearest_mm, raster.step);
    raster.steps =
        std::max(2, static_cast<int>(std::ceil((shadow.farthest_mm - raster.first) / raster.step)) + 2);
    return raster;
}

}  // namespace libdose
