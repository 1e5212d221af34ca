// Pencil beam: fluence convolved with pencil kernels, weighted by depth.
#pragma once

#include <vector>

#include "cpu/terma.h"
#include "engine/stages.h"
#include "libdose/beam_model.h"
#include "libdose/density.h"

namespace libdose::cpu {

/// Dose per voxel, Gy per unit of the map's values × unit photon fluence. Kernels are scaled with the distance from the
/// source, depth is radiological along the ray, the dose is to the medium. With `lateral_scaling` the kernels also widen by the mean
/// density within 15 mm: in lung as 1/ρ. A filtered map needs the `table` of its spectrum.
std::vector<float> pencil_beam(const DensityGrid& density, const FluenceMap& map, const PencilKernel& kernel, bool lateral_scaling = true,
                               const TermaTable* table = nullptr);

}  // namespace libdose::cpu
