// Electrons that leave the head: dose near the surface.
#pragma once

#include <vector>

#include "fluence/fluence_map.h"
#include "libdose/beam_model.h"
#include "libdose/density.h"

namespace libdose::cpu {

/// Adds the dose of a map's contaminating electrons (Gy per unit of the map's values × unit photon fluence).
/// docs/theory/head.md.
void add_electrons(std::vector<float>& dose, const DensityGrid& density, const FluenceMap& map,
                   const ElectronContamination& electrons);

}  // namespace libdose::cpu
