// Where the rays of contaminating electrons lie, on any backend.
#pragma once

#include <array>
#include <optional>

#include "fluence/fluence_map.h"
#include "libdose/beam_model.h"
#include "libdose/grid.h"

namespace libdose {

/// Where on the isocentre plane electrons may reach the grid: {low u, high u, low v, high v}, mm; none where
/// there are none.
std::optional<std::array<double, 4>> electron_extent_mm(const Grid& grid, const FluenceMap& map,
                                                        const ElectronContamination& electrons);
/// Between rays at the isocentre plane: the dose of electrons is smooth.
double electron_ray_spacing_mm(const Grid& grid);
/// How far they are followed: beyond the range, so that what is read between one that has not reached the
/// range and one far beyond it is not changed by much.
double electron_rays_followed_g_cm2(const ElectronContamination& electrons);

}  // namespace libdose
