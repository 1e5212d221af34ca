// Electrons that leave the head: dose near the surface.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "fluence/stages.h"
#include "libdose/beam_model.h"
#include "libdose/density.h"

namespace libdose::cpu {

/// Where on the isocentre plane electrons may reach the grid: {low u, high u, low v, high v}, mm; none where there are none.
std::optional<std::array<double, 4>> electron_extent_mm(const Grid& grid, const FluenceMap& map, const ElectronContamination& electrons);
/// Between rays at the isocentre plane: the dose of electrons is smooth.
double electron_ray_spacing_mm(const Grid& grid);
/// How far they are followed: beyond the range, so that what is read between one that has not reached the range and one far beyond it is not changed by much.
double electron_rays_followed_g_cm2(const ElectronContamination& electrons);

/// Adds the dose of a map's contaminating electrons (Gy per unit of the map's values × unit photon fluence). docs/theory/head.md.
void add_electrons(std::vector<float>& dose, const DensityGrid& density, const FluenceMap& map, const ElectronContamination& electrons);

}  // namespace libdose::cpu
