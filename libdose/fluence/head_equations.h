// Equations of the treatment head, per point of the isocentre plane.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/host_device.h"
#include "base/interpolation.h"

namespace libdose::physics {

/// Overlap of [a0, a1] with [b0, b1], 0 when they do not meet.
LIBDOSE_HD inline double overlap(double a0, double a1, double b0, double b1) {
    return std::max(0.0, std::min(a1, b1) - std::max(a0, b0));
}

/// A ray that passes the rounded end of a leaf s mm (isocentre plane) inside of its tangent crosses a chord
/// of 2 sqrt(2 R s d / SAD) of it (R: radius of the end, much larger than s; d: distance from the source), so
/// that exp(-decay sqrt(s)) comes through. 1/sqrt(mm).
inline double tip_decay(double attenuation_per_mm, double tip_radius_mm, double source_leaf_mm,
                        double source_axis_mm) {
    return 2 * attenuation_per_mm * std::sqrt(2 * tip_radius_mm * source_leaf_mm / source_axis_mm);
}

/// Integral of exp(-decay sqrt(s)) from 0 to s; 2 / decay² to infinity. An infinite decay is a sharp end: 0.
LIBDOSE_HD inline double tip_integral(double s, double decay) {
    if (!(s > 0) || std::isinf(decay)) return 0;
    const double x = decay * std::sqrt(s);
    if (x < 1e-4) return s * (1 - 2.0 / 3.0 * x);
    return 2 * (1 - (1 + x) * std::exp(-x)) / (decay * decay);
}

/// Integral up to x of what passes a pair of leaves whose ends have their tangents at leaf_low and leaf_high,
/// without the transmission of the full leaf: 1 between the tangents, the tips' share beyond. From leaf_low
/// on: negative before it.
LIBDOSE_HD inline double open_integral_to(double x, double leaf_low, double leaf_high, double decay) {
    if (x < leaf_low) return -tip_integral(leaf_low - x, decay);
    if (x > leaf_high) return leaf_high - leaf_low + tip_integral(x - leaf_high, decay);
    return x - leaf_low;
}

/// The same over [low, high].
LIBDOSE_HD inline double open_integral(double low, double high, double leaf_low, double leaf_high,
                                       double decay) {
    return open_integral_to(high, leaf_low, leaf_high, decay) -
           open_integral_to(low, leaf_low, leaf_high, decay);
}

/// The same at one point.
LIBDOSE_HD inline double open_at(double at, double leaf_low, double leaf_high, double decay) {
    const double s = at < leaf_low ? leaf_low - at : at > leaf_high ? at - leaf_high : 0;
    return s > 0 ? (std::isinf(decay) ? 0.0 : std::exp(-decay * std::sqrt(s))) : 1;
}

/// Transmission of a jaw pair times a leaf pair, averaged over the cell [low, high] along the direction in
/// which both move: exact for edges anywhere in the cell. `tip_decay` infinite: sharp leaf ends. open_to_low,
/// open_to_high: open_integral_to of the cell's ends, which neighbours share.
LIBDOSE_HD inline double jaw_leaf_transmission(double low, double high, double jaw_low, double jaw_high,
                                               double jaw_transmission, double leaf_low, double leaf_high,
                                               double leaf_transmission, double tip_decay, double open_to_low,
                                               double open_to_high) {
    const double width = high - low, open = open_to_high - open_to_low;
    const double from = std::max(low, jaw_low), to = std::min(high, jaw_high);
    const double jaw = to > from ? (to - from) / width : 0, leaf = open / width;
    const double both = jaw == 0   ? 0
                        : jaw == 1 ? leaf
                                   : open_integral(from, to, leaf_low, leaf_high, tip_decay) / width;
    const double tj = jaw_transmission, tl = leaf_transmission;
    return tj * tl + tl * (1 - tj) * jaw + tj * (1 - tl) * leaf + (1 - tj) * (1 - tl) * both;
}
LIBDOSE_HD inline double jaw_leaf_transmission(double low, double high, double jaw_low, double jaw_high,
                                               double jaw_transmission, double leaf_low, double leaf_high,
                                               double leaf_transmission,
                                               double tip_decay = std::numeric_limits<double>::infinity()) {
    return jaw_leaf_transmission(low, high, jaw_low, jaw_high, jaw_transmission, leaf_low, leaf_high,
                                 leaf_transmission, tip_decay,
                                 open_integral_to(low, leaf_low, leaf_high, tip_decay),
                                 open_integral_to(high, leaf_low, leaf_high, tip_decay));
}

/// Two neighbours overlap in tongue and groove with half their height each: where a and b come through the
/// leaves beside, the root of their product comes through there.
LIBDOSE_HD inline double tongue_and_groove(double a, double b) { return std::sqrt(a * b); }

/// Standard deviation (mm, isocentre plane) of a focal spot of this FWHM projected through the collimator's
/// plane.
inline double projected_spot_sigma_mm(double fwhm_mm, double source_collimator_mm, double source_axis_mm) {
    constexpr double fwhm_per_sigma = 2.3548200450309493;
    return fwhm_mm / fwhm_per_sigma * (source_axis_mm - source_collimator_mm) / source_collimator_mm;
}

/// How a disc behind the focal spot is seen from the isocentre plane past edges at one distance from the
/// focal spot. A ray from s of the disc to x crosses the edges' plane where a focal ray to scale·x +
/// stretch·s would, so what comes through is the aperture (as projected on the isocentre plane) blurred by
/// stretch·sigma, read at scale·x.
struct ExtrafocalView {
    double scale = 1, stretch = 0;
};
inline ExtrafocalView extrafocal_view(double disc_mm, double edge_mm, double axis_mm) {
    const double magnification = axis_mm / edge_mm;
    return {magnification * (edge_mm - disc_mm) / (axis_mm - disc_mm),
            magnification * (axis_mm - edge_mm) / (axis_mm - disc_mm)};
}

/// Dose of contaminating electrons at a depth, 1 at the surface: an exponential that ends at their range.
LIBDOSE_HD inline double electron_depth_curve(double depth_g_cm2, double attenuation_cm2_g,
                                              double range_g_cm2) {
    if (depth_g_cm2 >= range_g_cm2) return 0;
    const double end = std::exp(-attenuation_cm2_g * range_g_cm2);
    return (std::exp(-attenuation_cm2_g * std::max(0.0, depth_g_cm2)) - end) / (1 - end);
}

/// Their dose to the medium, as photons do in equilibrium, at a distance that the isocentre plane is
/// magnified from. Gy per unit of `amplitude`: blurred_aperture as seen at the isocentre plane;
/// kernel_density_ratio: of the medium's kernel density to its density.
LIBDOSE_HD inline double electron_dose(double amplitude_gy_cm2, double blurred_aperture, double magnification,
                                       double depth_g_cm2, double attenuation_cm2_g, double range_g_cm2,
                                       double kernel_density_ratio) {
    return amplitude_gy_cm2 * blurred_aperture * magnification * magnification *
           electron_depth_curve(depth_g_cm2, attenuation_cm2_g, range_g_cm2) * kernel_density_ratio;
}

/// Part of the monitor's signal that comes back from a pair of jaws: falls linearly from closed (1) to the
/// largest opening (0). Lam et al, Med. Phys. 25 (1998) 334 and Duzenli et al, Med. Phys. 20 (1993) 363
/// measured it near linear.
inline double closed_part(double opening_mm) {
    constexpr double largest_mm = 400;
    return 1 - std::clamp(opening_mm, 0.0, largest_mm) / largest_mm;
}

/// Side of the square that scatters as a rectangle does (Sterling, Perry, Katz, Br. J. Radiol. 37 (1964)
/// 544); 0 when it is closed.
inline double equivalent_square(double a, double b) { return a > 0 && b > 0 ? 2 * a * b / (a + b) : 0; }

}  // namespace libdose::physics
