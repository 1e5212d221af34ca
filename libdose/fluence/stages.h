// What the stages of the pipeline hand to each other. A backend (engine/backend.h) makes one of the other.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "libdose/density.h"
#include "libdose/grid.h"
#include "geometry/coordinates.h"
#include "fluence/fluence_views.h"
#include "terma/terma_equations.h"

namespace libdose {

/// What changes the spectrum before the patient: a wedge (more path) and the lighter part of the flattening filter off the axis (less).
struct BeamFilter {
    std::vector<double> softening_radius_mm, softening_g_cm2;             ///< water taken off, by radius; empty: none
    std::vector<double> wedge_mm, wedge_water_g_cm2, wedge_high_z_g_cm2;  ///< by position along the wedge; empty: no wedge
    double wedge_cos = 1, wedge_sin = 0;                                  ///< of its orientation in the beam-limiting-device frame
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
    physics::CoarseMapView view() const { return {pixel_mm, lower_u_mm, lower_v_mm, size_u, size_v, values.data()}; }
};

/// Photon fluence in the isocentre plane (beam-limiting-device frame), area-averaged per pixel and times MU, as a small water-equivalent
/// detector in air reads it (behind wedges); 1 per MU is the open field on the axis without extrafocal source. Pixel (0,0) has its lower corner at (lower_u_mm,
/// lower_v_mm); u fastest.
struct FluenceMap {
    physics::BeamFrame frame;
    double pixel_mm = 1;
    int size_u = 0, size_v = 0;
    double lower_u_mm = 0, lower_v_mm = 0;
    std::vector<float> values;
    std::shared_ptr<const BeamFilter> filter;  ///< null: the spectrum of the axis everywhere
    CoarseMap electrons;                       ///< MU × aperture blurred for contaminating electrons; empty: none

    float& at(int u, int v) { return values[static_cast<std::size_t>(v) * static_cast<std::size_t>(size_u) + static_cast<std::size_t>(u)]; }
    float at(int u, int v) const { return values[static_cast<std::size_t>(v) * static_cast<std::size_t>(size_u) + static_cast<std::size_t>(u)]; }
};

/// Energy that one fluence map releases, voxel by voxel (only where it is not zero), ascending voxel index.
struct ReleasedEnergy {
    Grid grid;
    physics::BeamFrame frame;
    bool tilt = true;  ///< whether kernels point along the ray from the source; otherwise all along the beam's axis
    std::vector<std::uint32_t> voxel;
    std::vector<float> energy;       ///< TERMA × density, Gy g/cm³
    std::vector<float> depth_g_cm2;  ///< water-equivalent depth (hardening of the kernel)
    std::size_t size() const { return voxel.size(); }
    std::size_t bytes() const { return size() * 12; }

    /// The ray that kernels point along, LPS, mm: for voxels of a row start + i·step.
    struct Rays {
        Vec3 start, step;
    };
    Rays rays(int j, int k) const {
        if (!tilt) return {-frame.axes.col(2), Vec3::Zero()};
        return {grid.centre_mm(0, j, k) - frame.source_mm(), grid.spacing_mm[0] * Vec3::UnitX()};
    }
    /// Of the entries [begin, end) those of one row of voxels after the other: visit(j, k, first, last) for entries [first, last).
    template <class Visit>
    void each_row(std::size_t begin, std::size_t end, Visit&& visit) const {
        const auto columns = static_cast<std::size_t>(grid.size[0]), rows = static_cast<std::size_t>(grid.size[1]);
        for (std::size_t n = begin; n < end;) {
            const std::size_t row = voxel[n] / columns, row_end = (row + 1) * columns, first = n;
            while (n < end && voxel[n] < row_end) ++n;
            visit(static_cast<int>(row % rows), static_cast<int>(row / rows), first, n);
        }
    }
};

}  // namespace libdose
