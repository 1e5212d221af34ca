// Rays of a beam through a grid, several at once: an oracle is physics::trace_ray, one ray voxel by voxel.
#pragma once

#include <cstddef>

#include "geometry/coordinates.h"
#include "libdose/density.h"
#include "raytrace/ray_bundle.h"

namespace libdose::cpu {

class RayTracer {
public:
    static constexpr int together = 8;  ///< rays

    /// `density` must outlive it. Throws bad_input for a grid of more than 2^31 voxels,
    /// internal_error where a step of the raster is not shorter than a voxel along every axis (ray_raster()
    /// makes none).
    RayTracer(const DensityGrid& density, const physics::BeamFrame& frame, const physics::RayRaster& raster);

    /// Line integrals of rays u[i], v[i] of the raster, i = 0 … together - 1, at all its nodes, g/cm²: node n
    /// of ray i is written to sums[n·next_node + i]. `before`: what each ray has passed before the grid.
    void trace(const int* u, const int* v, const physics::RaySums* before, physics::RaySums* sums,
               std::ptrdiff_t next_node) const;

private:
    const float *water_part_, *high_z_part_;
    physics::RayRaster raster_;
    Vec3 source_mm_, lower_edge_mm_, spacing_mm_;
    Vec3 corner_, step_u_, step_v_;  ///< way of a ray per mm along the axis: corner + u·step_u + v·step_v
    int size_[3], stride_[3];
};

}  // namespace libdose::cpu
