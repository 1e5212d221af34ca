// Where the rays of contaminating electrons lie, on any backend.
#pragma once

#include <optional>

#include "fluence/fluence_map.h"
#include "geometry/rect.h"
#include "libdose/beam_model.h"
#include "libdose/grid.h"

namespace libdose {

/// Where on the isocentre plane electrons may reach the grid; none where there are none.
std::optional<Rect> electron_extent_mm(const Grid& grid, const FluenceMap& map,
                                       const ElectronContamination& electrons);
/// Between rays at the isocentre plane: the dose of electrons is smooth.
double electron_ray_spacing_mm(const Grid& grid);
/// How far they are followed: beyond the range, so that what is read between one that has not reached the
/// range and one far beyond it is not changed by much.
double electron_rays_max_depth_g_cm2(const ElectronContamination& electrons);

}  // namespace libdose
