// Dose at points that fill a region evenly, each with the volume that it stands for.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "libdose/grid.h"

namespace libdose {

struct DoseSamples {
    /// Dose (upper half) and volume in cm3 (lower half), both as the bits of a float that is not negative:
    /// sorting the numbers sorts the doses.
    std::vector<std::uint64_t> inside;
    double outside_cm3 = 0;  ///< volume outside the dose grid
    double minimum_gy = std::numeric_limits<double>::infinity();
    double maximum_gy = 0;

    void add(double gy, double cm3);
};

/// Samples of one layer of a region about `spacing_mm` apart. `layer`: covered fraction 0 ... 1 of pixels,
/// one voxel along z. Each pixel, or an equal part of it, has one sample at a quasi-random place, so that no
/// row of samples lies at one dose in a gradient along an axis. In a pixel that is partly covered the samples
/// keep to the side where its neighbours are covered. `number` starts the sequence. The extremes are those of
/// the samples and of the dose voxels' centres in pixels that are wholly covered.
DoseSamples sample_layer(const Volume<float>& dose_gy, const Volume<float>& layer, double spacing_mm,
                         std::uint64_t number);

}  // namespace libdose
