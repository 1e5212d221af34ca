// Pencil beam: fluence convolved with pencil kernels, weighted by depth.
#pragma once

#include <vector>

#include "engine/stages.h"
#include "libdose/beam_model.h"
#include "libdose/density.h"

namespace libdose::cpu {

/// Dose per voxel, Gy per unit of the map's values × unit photon fluence. Kernels are scaled with the distance from the
/// source, depth is radiological (electron density along the ray), the dose is to the medium (electrons per gram).
std::vector<float> pencil_beam(const DensityGrid& density, const FluenceMap& map, const PencilKernel& kernel);

}  // namespace libdose::cpu
