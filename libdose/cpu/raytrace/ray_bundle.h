// Ray trace through a density grid, on the CPU.
#pragma once

#include <limits>
#include <memory>
#include <vector>

#include "fluence/fluence_map.h"
#include "geometry/rect.h"
#include "libdose/density.h"
#include "raytrace/ray_raster.h"

namespace libdose::cpu {

/// Exact path from the source to a point: the oracle of RayBundle.
PathLength exact_path(const DensityGrid& density, const Vec3& source_mm, const Vec3& point_mm);

/// Divergent rays on a raster of the isocentre plane, marched once through the grid; running sums at equal
/// steps along the axis are interpolated linearly between rays and steps.
class RayBundle {
public:
    /// As ray_raster(). Paths begin with what the filter adds, if there is one. Throws bad_input for rays of
    /// more than 2^31 nodes together.
    RayBundle(const DensityGrid& density, const physics::BeamFrame& frame, const Rect& extent_mm,
              const physics::RaySpacing& spacing,
              double max_depth_g_cm2 = std::numeric_limits<double>::infinity(),
              const BeamFilter* filter = nullptr);
    PathLength path(double u_mm, double v_mm, double distance_mm) const;
    /// By ray: the distance along the axis from which on its path is at least `g_cm2`, or 1e30.
    std::vector<float> distance_at_depth_mm(double g_cm2) const;
    physics::RaySumsView view() const { return {raster_, sums_.get()}; }

private:
    physics::RayRaster raster_;
    std::unique_ptr<physics::RaySums[]> sums_;  // not a vector, which would write zeros first
};

}  // namespace libdose::cpu
