// A coarser copy of the medium for what varies slowly, and the way back (docs/theory/collapsed-cone.md).
#pragma once

#include "libdose/density.h"

namespace libdose {

/// The medium on voxels `factor` times as large: mean densities, so that every mass is kept.
DensityGrid coarsened(const DensityGrid& density, int factor);

/// Adds the dose of a coarser grid of the same medium at the centres of the voxels: linear between the coarse
/// voxels that hold any matter.
void add_interpolated(std::vector<float>& dose, const DensityGrid& density,
                      const std::vector<float>& coarse_dose, const DensityGrid& coarse);

}  // namespace libdose
