// Pencil beam on a device.
#pragma once

#include <vector>

#include "cuda/collapsed_cone/stage.h"
#include "pencil_beam/lateral_scale.h"

namespace libdose::cuda {

/// As PatientOnBackend::pencil_beam, `near_pixel_mm` of its settings. `lateral`: on the host;
/// `lateral_values`: the same on the device, null: 1 everywhere.
std::vector<float> pencil_beam(DeviceGrid& grid, const DeviceTermaTable& table, const FluenceMap& map,
                               const PencilKernel& kernel, const LateralScale& lateral,
                               const float* lateral_values, double near_pixel_mm);

}  // namespace libdose::cuda
