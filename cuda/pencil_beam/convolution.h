// Fluence convolved with many kernels at once, by Fourier transforms on the device.
#pragma once

#include <vector>

#include "cuda/runtime/device_buffer.h"
#include "fluence/fluence_map.h"
#include "geometry/rect.h"
#include "pencil_beam/pencil_plan.h"

namespace libdose::cuda {

/// Images [kernel][v][u][component] on `raster` of the map's fluence convolved with kernels of one size.
/// `nonzero_bounds`: where the fluence is; `kernel_radius_mm`: beyond it they are zero. `components`: of the
/// kernels, in use.
DeviceArray<float> convolve(DevicePool& pool, const FluenceMap& map, const physics::PlaneRaster& raster,
                            const Rect& nonzero_bounds, double kernel_radius_mm,
                            const std::vector<PencilImagePlan::Pixels>& kernels, std::size_t components);

}  // namespace libdose::cuda
