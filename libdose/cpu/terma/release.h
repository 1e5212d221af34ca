// Energy that a fluence map releases in every voxel, on the CPU.
#pragma once

#include "cpu/raytrace/ray_bundle.h"
#include "fluence/fluence_at_voxels.h"
#include "fluence/fluence_map.h"
#include "libdose/density.h"
#include "terma/released_energy.h"
#include "terma/terma_table.h"

namespace libdose::cpu {

/// Energy released per voxel by a fluence map (its values times the unit fluence at the isocentre distance).
/// `blur_variance` (voxels²): the fluence is sharpened across the beam by as much as the transport will blur
/// it (lattice_blur_variance); beside a sharp field edge the energy of a voxel may then be slightly negative.
/// 0 leaves the voxel averages as they are.
ReleasedEnergy released_energy(const DensityGrid& density, const FluenceMap& map, const TermaTable& table,
                               double ray_spacing_mm, double blur_variance);

}  // namespace libdose::cpu
