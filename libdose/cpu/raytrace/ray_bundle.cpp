#include "cpu/raytrace/ray_bundle.h"

#include <algorithm>
#include <cmath>

#include "base/units.h"
#include "cpu/raytrace/ray_tracer.h"
#include "geometry/ray_trace.h"
#include "libdose/error.h"

namespace libdose::cpu {

namespace {}  // namespace

PathLength exact_path(const DensityGrid& density, const Vec3& source_mm, const Vec3& point_mm) {
    const Vec3 way = point_mm - source_mm;
    const double length_mm = way.norm();
    PathLength path;
    physics::march(density.grid, source_mm, way / length_mm, 0.0, length_mm,
                   [&](std::size_t voxel, double in, double out) {
                       path.water += static_cast<double>(density.water_part[voxel]) * (out - in) * cm_per_mm;
                       path.high_z +=
                           static_cast<double>(density.high_z_part[voxel]) * (out - in) * cm_per_mm;
                   });
    return path;
}

RayBundle::RayBundle(const DensityGrid& density, const physics::BeamFrame& frame, const Rect& extent,
                     const physics::RaySpacing& spacing, double max_depth_g_cm2, const BeamFilter* filter)
    : raster_(ray_raster(density.grid, frame, extent, spacing, max_depth_g_cm2)) {
    if (raster_.count() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        throw bad_input("the rays through the dose grid have more than 2^31 nodes", "ray trace",
                        "Choose a larger grid spacing or a lower quality");
    sums_ = std::make_unique_for_overwrite<physics::RaySums[]>(raster_.count());
    const RayTracer tracer(density, frame, raster_);
    constexpr int together = RayTracer::together;
    const int rays = raster_.size_u * raster_.size_v;
    const std::ptrdiff_t next_node = view().next_node();
#pragma omp parallel
    {
        std::vector<physics::RaySums> last;  // where fewer are left, the last ray several times
#pragma omp for schedule(dynamic, 8)
        for (int first = 0; first < rays; first += together) {
            const int count = std::min(together, rays - first);
            int u[together], v[together];
            physics::RaySums before[together]{};
            for (int l = 0; l < together; ++l) {
                const int ray = first + std::min(l, count - 1);
                u[l] = ray % raster_.size_u;
                v[l] = ray / raster_.size_u;
                if (!filter) continue;
                const PathLength path = filter->path(raster_.low_u + u[l] * raster_.spacing,
                                                     raster_.low_v + v[l] * raster_.spacing);
                before[l] = {static_cast<float>(path.water), static_cast<float>(path.high_z)};
            }
            if (count == together) {
                tracer.trace(u, v, before, &sums_[static_cast<std::size_t>(first)], next_node);
                continue;
            }
            last.resize(static_cast<std::size_t>(together) * static_cast<std::size_t>(raster_.steps));
            tracer.trace(u, v, before, last.data(), together);
            for (int node = 0; node < raster_.steps; ++node)
                std::copy_n(last.data() + static_cast<std::ptrdiff_t>(node) * together, count,
                            sums_.get() + first + node * next_node);
        }
    }
}

std::vector<float> RayBundle::distance_at_depth_mm(double g_cm2) const {
    std::vector<float> reach;
    for (int v = 0; v < raster_.size_v; ++v)
        for (int u = 0; u < raster_.size_u; ++u) reach.push_back(view().distance_at_depth_mm(u, v, g_cm2));
    return reach;
}

PathLength RayBundle::path(double u_mm, double v_mm, double distance_mm) const {
    return view().path(u_mm, v_mm, distance_mm);
}

}  // namespace libdose::cpu
