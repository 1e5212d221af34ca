// Contaminating electrons on a device.
#pragma once

#include <vector>

#include "cuda/collapsed_cone/stage.h"

namespace libdose::cuda {

/// As PatientOnBackend::add_electrons.
void add_electrons(DeviceGrid& grid, std::vector<float>& dose, const std::vector<FluenceMap>& maps,
                   const ElectronContamination& electrons);

}  // namespace libdose::cuda
