// Where a fluence map releases energy, and how its fluence is read there; the same for every backend.
#pragma once

#include <optional>

#include "fluence/fluence_integral.h"
#include "geometry/coordinates.h"
#include "geometry/rect.h"
#include "libdose/grid.h"

namespace libdose {

/// Where on the isocentre plane voxels may release energy of a map with these bounds; none where its beam
/// does not meet the grid.
std::optional<Rect> released_extent_mm(const Grid& grid, const physics::BeamFrame& frame,
                                       const Rect& nonzero_bounds);

/// How the fluence of voxels is to be sharpened for a transport that will blur it by `blur_variance`
/// (voxels²) along each axis of the grid.
Sharpening sharpening_for(const Grid& grid, const physics::BeamFrame& frame, double blur_variance);

}  // namespace libdose
