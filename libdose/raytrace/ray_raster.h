// Where the rays of a ray trace lie, on any backend.
#pragma once

#include <limits>

#include "geometry/coordinates.h"
#include "geometry/projection.h"
#include "geometry/rect.h"
#include "libdose/grid.h"
#include "raytrace/ray_bundle.h"

namespace libdose {

/// Line integrals of the two basis materials along a ray, g/cm².
using PathLength = physics::BasisPath;

/// Rays over a rectangle of the isocentre plane, with nodes through the whole grid: no
/// nearer than half a voxel and no farther than one.
physics::RayRaster ray_raster(const Grid& grid, const physics::BeamFrame& frame, const Rect& extent_mm,
                              const physics::RaySpacing& spacing,
                              double max_depth_g_cm2 = std::numeric_limits<double>::infinity());

}  // namespace libdose
