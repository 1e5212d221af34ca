// Reading a fluence map: averages over rectangles from running sums, values of smooth maps, and the path that
// a filter adds.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "fluence/head_equations.h"
#include "terma/terma_equations.h"

namespace libdose::physics {

/// Sums over the pixels before a corner: values, and the curvature that sharpening takes off at the isocentre
/// plane.
struct FluenceSums {
    double value, curvature;
};

/// Running sums [v][u] of a map's pixels, one more than pixels along each axis.
struct FluenceIntegralView {
    int size_u = 0, size_v = 0;  ///< pixels
    double pixel_mm = 1, lower_u_mm = 0, lower_v_mm = 0;
    const FluenceSums* sums = nullptr;

    /// In pixels from the lower corner.
    LIBDOSE_HD FluenceSums sums_to(double x, double y) const {
        x = std::clamp(x, 0.0, static_cast<double>(size_u));
        y = std::clamp(y, 0.0, static_cast<double>(size_v));
        const int i = std::min(static_cast<int>(x), size_u - 1),
                  j = std::min(static_cast<int>(y), size_v - 1);
        const double fx = x - i, fy = y - j;
        const FluenceSums* p = sums + (static_cast<std::size_t>(j) * static_cast<std::size_t>(size_u + 1) +
                                       static_cast<std::size_t>(i));
        const FluenceSums* q = p + size_u + 1;
        const auto between = [&](double FluenceSums::*sum) {
            return (1 - fy) * ((1 - fx) * p[0].*sum + fx * p[1].*sum) +
                   fy * ((1 - fx) * q[0].*sum + fx * q[1].*sum);
        };
        return {between(&FluenceSums::value), between(&FluenceSums::curvature)};
    }
    /// Average over the rectangle centred on (u, v), parts outside the map as zero, sharpened: the blur to be
    /// taken off is of a width that the plane is magnified by, so that a second difference counts by its
    /// square.
    LIBDOSE_HD double average(double u_mm, double v_mm, double width_u_mm, double width_v_mm,
                              double magnification) const {
        const double x = (u_mm - lower_u_mm) / pixel_mm, y = (v_mm - lower_v_mm) / pixel_mm;
        const double wx = 0.5 * width_u_mm / pixel_mm, wy = 0.5 * width_v_mm / pixel_mm;
        const FluenceSums low_low = sums_to(x - wx, y - wy), high_low = sums_to(x + wx, y - wy),
                          low_high = sums_to(x - wx, y + wy), high_high = sums_to(x + wx, y + wy);
        const double value = high_high.value - low_high.value - high_low.value + low_low.value;
        const double curvature =
            high_high.curvature - low_high.curvature - high_low.curvature + low_low.curvature;
        return (value - magnification * magnification * curvature) / (4 * wx * wy);
    }
};

/// A smooth map on large pixels, bilinear between their centres, zero outside.
struct CoarseMapView {
    double pixel_mm = 4, lower_u_mm = 0, lower_v_mm = 0;
    int size_u = 0, size_v = 0;
    const float* values = nullptr;

    LIBDOSE_HD double at(double u_mm, double v_mm) const {
        int i, j;
        double along_u, along_v;
        lower_centre(u_mm - lower_u_mm, i, along_u);
        lower_centre(v_mm - lower_v_mm, j, along_v);
        return between(between(value(i, j), value(i, j + 1), along_v),
                       between(value(i + 1, j), value(i + 1, j + 1), along_v), along_u);
    }
    /// The pixel whose centre lies before a point, mm from the lower edge, and the part of the way to the
    /// next.
    LIBDOSE_HD void lower_centre(double from_edge_mm, int& low, double& part) const {
        const double x = from_edge_mm / pixel_mm - 0.5, floor = std::floor(x);
        low = static_cast<int>(floor);
        part = x - floor;
    }
    LIBDOSE_HD static double between(double low, double high, double part) {
        return low + part * (high - low);
    }
    LIBDOSE_HD double value(int a, int b) const {
        return a < 0 || b < 0 || a >= size_u || b >= size_v
                   ? 0.0
                   : static_cast<double>(
                         values[static_cast<std::size_t>(b) * static_cast<std::size_t>(size_u) +
                                static_cast<std::size_t>(a)]);
    }
};

/// A wedge, a tray and the lighter part of the flattening filter, as plain tables; no entries: not there.
struct FilterView {
    std::size_t softening_nodes = 0, wedge_nodes = 0;
    const double *softening_radius_mm = nullptr, *softening_g_cm2 = nullptr;
    const double *wedge_mm = nullptr, *wedge_water_g_cm2 = nullptr, *wedge_high_z_g_cm2 = nullptr;
    double wedge_cos = 1, wedge_sin = 0, tray_water_g_cm2 = 0;

    /// Path added to the patient's, g/cm² of the basis materials, at a point of the isocentre plane.
    LIBDOSE_HD BasisPath path(double u_mm, double v_mm) const {
        BasisPath sum{tray_water_g_cm2, 0};
        if (softening_nodes > 0)
            sum.water -=
                table_value(softening_nodes, softening_radius_mm, softening_g_cm2, std::hypot(u_mm, v_mm));
        if (wedge_nodes > 0) {
            const double along =
                -wedge_sin * u_mm + wedge_cos * v_mm;  // the wedge's y axis, turned by its orientation
            sum.water += table_value(wedge_nodes, wedge_mm, wedge_water_g_cm2, along);
            sum.high_z += table_value(wedge_nodes, wedge_mm, wedge_high_z_g_cm2, along);
        }
        return sum;
    }
};

/// Value of a pixel: both sources through the head; focal, extrafocal: without it. A sum below zero is none.
/// `transmission` is called where there is something to let through.
template <class Transmission>
LIBDOSE_HD inline float head_pixel(float focal, double profile, double extrafocal,
                                   const Transmission& transmission) {
    const double value = static_cast<double>(focal) * profile + extrafocal;
    return value <= 0 ? 0.0f : static_cast<float>(transmission() * value);
}

/// Transmission and profile of the head at a point of the isocentre plane, without the devices that open the
/// field.
struct OpenHeadView {
    std::size_t profile_nodes = 0;
    const double *profile_radius_mm = nullptr, *profile_value = nullptr;
    double maximum_radius_mm = 0,
           rim_mm = 1;  ///< primary collimator; its rim is so soft that its area on pixels is right
    double tray_factor = 1;
    bool absorbs = false;       ///< a wedge or a tray does
    FilterView absorber, open;  ///< all that changes the spectrum, and without what absorbs
    TermaTableView table;

    /// Open-field profile: of the focal source alone.
    LIBDOSE_HD double profile(double u_mm, double v_mm) const {
        return table_value(profile_nodes, profile_radius_mm, profile_value,
                           std::sqrt(u_mm * u_mm + v_mm * v_mm));
    }
    /// Transmission of primary collimator, wedge and trays, for both sources. The map holds the reading of a
    /// detector in air: lower behind a wedge or tray, but not by the softening, which is in the profile.
    LIBDOSE_HD double transmission(double u_mm, double v_mm) const {
        const double rim =
            std::clamp((maximum_radius_mm - std::sqrt(u_mm * u_mm + v_mm * v_mm)) / rim_mm + 0.5, 0.0, 1.0);
        if (rim == 0 || !absorbs) return tray_factor * rim;
        return tray_factor * rim * table.unfiltered(open.path(u_mm, v_mm)) /
               table.unfiltered(absorber.path(u_mm, v_mm));
    }
    LIBDOSE_HD float pixel(double u_mm, double v_mm, float focal, double extrafocal) const {
        return head_pixel(focal, profile(u_mm, v_mm), extrafocal, [&] { return transmission(u_mm, v_mm); });
    }
};

}  // namespace libdose::physics
