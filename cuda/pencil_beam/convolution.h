// Fluence convolved with many kernels at once, by Fourier transforms on the device.
#pragma once

#include <vector>

#include "cuda/runtime/device_buffer.h"
#include "fluence/fluence_map.h"
#include "pencil_beam/pencil_plan.h"

namespace libdose::cuda {

/// Images [kernel][v][u][component] on `raster` of the map's fluence convolved with kernels of one size.
/// `support_mm`: where the fluence is; `reach_mm`: how far the kernels reach. `components`: of the kernels,
/// in use.
DeviceArray<float> convolve(DevicePool& pool, const FluenceMap& map, const physics::PlaneRaster& raster,
                            const std::array<double, 4>& support_mm, double reach_mm,
                            const std::vector<PencilImagePlan::Pixels>& kernels, std::size_t components);

}  // namespace libdose::cuda
