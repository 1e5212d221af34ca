// Dose-volume histograms from partial-voxel coverage.
#pragma once

#include <string>
#include <vector>

#include "libdose/grid.h"
#include "libdose/structure.h"

namespace libdose {

/// Cumulative histogram of a structure, and figures taken from it.
struct DoseVolumeHistogram {
    std::string structure;
    double bin_width_gy = 0.01;
    std::vector<double> cumulative_cm3;  ///< volume that receives at least i x bin_width
    double volume_cm3 = 0;               ///< volume of the structure
    double volume_outside_cm3 = 0;       ///< part of it outside the dose grid (dose unknown, not in the histogram)
    double minimum_gy = 0, maximum_gy = 0, mean_gy = 0;

    double dose_at_volume_percent(double percent) const;  ///< D95 = dose_at_volume_percent(95), Gy
    double volume_percent_at_dose(double dose_gy) const;  ///< V20 = volume_percent_at_dose(20)
};

DoseVolumeHistogram dose_volume_histogram(const Volume<float>& dose_gy, const Structure& structure, double bin_width_gy = 0.01);

}  // namespace libdose
