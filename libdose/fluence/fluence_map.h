// Photon fluence on the isocentre plane, and what filters it before the patient.
#pragma once

#include <memory>
#include <vector>

#include "fluence/fluence_views.h"
#include "geometry/coordinates.h"
#include "terma/terma_equations.h"

namespace libdose {

/// Absorbers that change the spectrum before the patient: a wedge (more path) and the thinner flattening
/// filter off the axis (less path).
struct BeamFilter {
    std::vector<double> softening_radius_mm, softening_g_cm2;  ///< water taken off, by radius; empty: none
    std::vector<double> wedge_mm, wedge_water_g_cm2,
        wedge_high_z_g_cm2;               ///< by position along the wedge; empty: no wedge
    double wedge_cos = 1, wedge_sin = 0;  ///< orientation of the wedge in the beam-limiting-device frame
    double tray_water_g_cm2 = 0;

    /// Path added to the patient's, g/cm² of the basis materials, at a point of the isocentre plane.
    physics::BasisPath path(double u_mm, double v_mm) const { return view().path(u_mm, v_mm); }
    physics::FilterView view() const;
};

/// A smooth map on large pixels, bilinear between their centres, zero outside.
struct CoarseMap {
    double pixel_mm = 4;
    int size_u = 0, size_v = 0;
    double lower_u_mm = 0, lower_v_mm = 0;
    std::vector<float> values;
    double at(double u_mm, double v_mm) const { return view().at(u_mm, v_mm); }
    physics::CoarseMapView view() const {
        return {pixel_mm, lower_u_mm, lower_v_mm, size_u, size_v, values.data()};
    }
};

/// Photon fluence in the isocentre plane (beam-limiting-device frame), area-averaged per pixel and times MU,
/// as a small water-equivalent detector in air reads it (behind wedges); 1 per MU is the open field on the
/// axis without extrafocal source. Pixel (0,0) has its lower corner at (lower_u_mm, lower_v_mm); u fastest.
struct FluenceMap {
    physics::BeamFrame frame;
    double pixel_mm = 1;
    int size_u = 0, size_v = 0;
    double lower_u_mm = 0, lower_v_mm = 0;
    std::vector<float> values;
    std::shared_ptr<const BeamFilter> filter;  ///< null: the spectrum of the axis everywhere
    CoarseMap electrons;  ///< MU × aperture blurred for contaminating electrons; empty: none

    float& at(int u, int v) {
        return values[static_cast<std::size_t>(v) * static_cast<std::size_t>(size_u) +
                      static_cast<std::size_t>(u)];
    }
    float at(int u, int v) const {
        return values[static_cast<std::size_t>(v) * static_cast<std::size_t>(size_u) +
                      static_cast<std::size_t>(u)];
    }
};

/// Means over squares of n by n pixels from the lower corner on, [v][u]; what a square has beyond the map is
/// zero.
std::vector<float> means_over_pixels(const FluenceMap& map, int n);

}  // namespace libdose
