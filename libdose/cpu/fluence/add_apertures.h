// Transmission of jaws, leaves and blocks, summed over the moments of an irradiation, on the CPU.
#pragma once

#include <vector>

#include "fluence/aperture.h"
#include "fluence/fluence_map.h"

namespace libdose::cpu {

/// Adds weight × transmission of every aperture. Devices that move along u share one exact product with the x
/// jaw, devices that move along v with the y jaw; the two families cross at right angles, so their product is
/// exact per strip.
void add_apertures(FluenceMap& map, const DevicesOnRaster& devices,
                   const std::vector<WeightedAperture>& apertures);

}  // namespace libdose::cpu
