// Dose-volume histograms from partial-voxel coverage.
#pragma once

#include <string>
#include <vector>

#include "libdose/grid.h"
#include "libdose/structure.h"
#include "libdose/structure_expression.h"

namespace libdose {

/// How finely a histogram is made. Zero: chosen by the library.
struct DvhOptions {
    double bin_width_gy = 0;  ///< of the cumulative curve; 0: 0.01 Gy, or less where the maximum is below 1
                              ///< Gy. No other figure depends on it
    double sampling_mm = 0;   ///< about the distance of dose samples; 0: by the structure's volume, half a
                              ///< million samples or more
    int threads = 0;          ///< 0: all cores. The result does not depend on it
};

/// Dose samples of a structure, its cumulative histogram, and figures taken from the samples.
struct DoseVolumeHistogram {
    std::string structure;
    double bin_width_gy = 0.01;
    std::vector<double> cumulative_cm3;  ///< volume that receives at least i x bin_width
    double volume_cm3 = 0;               ///< volume of the structure
    double volume_outside_cm3 = 0;  ///< part of it outside the dose grid (dose unknown, not in the histogram)
    double minimum_gy = 0, maximum_gy = 0, mean_gy = 0;
    int structure_number = 0;              ///< ROI number; 0 for a combination of structures or a coverage
    double sampling_mm = 0;                ///< about the distance of the samples
    std::vector<float> sample_gy;          ///< dose of every sample, largest first
    std::vector<double> volume_above_cm3;  ///< volume of this and all samples before it

    /// Dose that the hottest part of this volume receives at least, Gy: D95 = dose_at_volume_percent(95),
    /// D0.1cc = dose_at_volume_cm3(0.1). 0 where part of that volume lies outside the dose grid. Throws
    /// bad_input for a volume below 0 or above that of the structure.
    double dose_at_volume_percent(double percent) const;
    double dose_at_volume_cm3(double volume_cm3) const;
    /// Volume that receives at least this dose: V20 = volume_percent_at_dose(20). Throws bad_input for a
    /// negative dose.
    double volume_percent_at_dose(double dose_gy) const;
    double volume_cm3_at_dose(double dose_gy) const;
};

/// Histogram of a structure or of a combination of structures on a dose of the same frame. Throws bad_input
/// for a structure without volume or entirely outside the dose grid, a dose that is negative or not finite,
/// and options out of range.
DoseVolumeHistogram dose_volume_histogram(const Volume<float>& dose_gy, const StructureExpression& region,
                                          const DvhOptions& options = {});
DoseVolumeHistogram dose_volume_histogram(const Volume<float>& dose_gy, const Structure& structure,
                                          const DvhOptions& options = {});
/// The same with this width of the bins, which must be positive.
DoseVolumeHistogram dose_volume_histogram(const Volume<float>& dose_gy, const Structure& structure,
                                          double bin_width_gy);

/// Histogram of a mask: fraction 0 ... 1 of each voxel, on any grid of the dose's frame. Throws bad_input for
/// other values, and as above.
DoseVolumeHistogram dose_volume_histogram(const Volume<float>& dose_gy, const Volume<float>& coverage,
                                          const std::string& name, const DvhOptions& options = {});

}  // namespace libdose
