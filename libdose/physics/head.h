// Equations of the treatment head, per point of the isocentre plane.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace libdose::physics {

/// Overlap of [a0, a1] with [b0, b1], 0 when they do not meet.
inline double overlap(double a0, double a1, double b0, double b1) { return std::max(0.0, std::min(a1, b1) - std::max(a0, b0)); }

/// Transmission of a jaw pair times a leaf pair, averaged over the cell [low, high] along the direction in which both move:
/// exact for edges anywhere in the cell.
inline double jaw_leaf_transmission(double low, double high, double jaw_low, double jaw_high, double jaw_transmission, double leaf_low, double leaf_high,
                                    double leaf_transmission) {
    const double width = high - low;
    const double jaw = overlap(low, high, jaw_low, jaw_high) / width;
    const double leaf = overlap(low, high, leaf_low, leaf_high) / width;
    const double both = overlap(low, high, std::max(jaw_low, leaf_low), std::min(jaw_high, leaf_high)) / width;
    const double tj = jaw_transmission, tl = leaf_transmission;
    return tj * tl + tl * (1 - tj) * jaw + tj * (1 - tl) * leaf + (1 - tj) * (1 - tl) * both;
}

/// Standard deviation (mm, isocentre plane) of a focal spot of this FWHM projected through the collimator's plane.
inline double projected_spot_sigma_mm(double fwhm_mm, double source_collimator_mm, double source_axis_mm) {
    constexpr double fwhm_per_sigma = 2.3548200450309493;
    return fwhm_mm / fwhm_per_sigma * (source_axis_mm - source_collimator_mm) / source_collimator_mm;
}

/// Linear interpolation in an ascending table, the end values beyond it.
inline double table_value(const std::vector<double>& x, const std::vector<double>& y, double at) {
    if (at <= x.front()) return y.front();
    if (at >= x.back()) return y.back();
    const auto upper = static_cast<std::size_t>(std::upper_bound(x.begin(), x.end(), at) - x.begin());
    const double part = (at - x[upper - 1]) / (x[upper] - x[upper - 1]);
    return y[upper - 1] + part * (y[upper] - y[upper - 1]);
}

}  // namespace libdose::physics
