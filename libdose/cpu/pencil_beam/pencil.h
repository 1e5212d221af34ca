// Pencil beam: fluence convolved with pencil kernels, weighted by depth.
#pragma once

#include <vector>

#include "fluence/fluence_map.h"
#include "libdose/beam_model.h"
#include "libdose/density.h"
#include "pencil_beam/lateral_scale.h"
#include "terma/terma_table.h"

namespace libdose::cpu {

/// Dose per voxel, Gy per unit of the map's values × unit photon fluence. Kernels are scaled with the
/// distance from the source, depth is radiological along the ray, the dose is to the medium. With a `lateral`
/// scale the kernels also widen: in lung as 1/ρ. A filtered map needs the `table` of its spectrum.
/// `near_pixel_mm`: raster of the convolution around the field, 1 or 2; 0: 2 where the voxels are as large.
/// Fluence that changes from one beamlet to the next needs 1.
std::vector<float> pencil_beam(const DensityGrid& density, const FluenceMap& map, const PencilKernel& kernel,
                               const LateralScale& lateral = {}, const TermaTable* table = nullptr,
                               double near_pixel_mm = 0);

}  // namespace libdose::cpu
