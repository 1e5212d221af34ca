// How far pencil kernels widen or narrow sideways (docs/theory/pencil-beam.md).
#pragma once

#include <vector>

#include "libdose/density.h"

namespace libdose {

/// Density by which the kernels of a voxel are scaled: the mean around it, over what is not vacuum. Empty: 1
/// everywhere.
struct LateralScale {
    std::vector<float> values;
    double lowest = 1, highest = 1;
    double at(std::size_t voxel) const { return values.empty() ? 1.0 : static_cast<double>(values[voxel]); }
};

/// Mean within 15 mm along each axis, from 0.15 (thinner is air, where the kernels would outgrow their
/// rasters) to 3.
LateralScale lateral_scale(const DensityGrid& density);

}  // namespace libdose
