// TERMA: a thread per voxel of the box that a map's beam may reach.
#pragma once

#include <cstdint>

#include "collapsed_cone/emission_raster.h"
#include "cuda/raytrace/kernels.h"
#include "cuda/terma/beam_rows.h"
#include "fluence/fluence_views.h"

namespace libdose::cuda {

/// Voxels first … first + size - 1 of a grid along x, y, z.
struct VoxelRange {
    int first[3], size[3];

    LIBDOSE_HD std::size_t count() const {
        return static_cast<std::size_t>(size[0]) * static_cast<std::size_t>(size[1]) *
               static_cast<std::size_t>(size[2]);
    }
    /// Finds the number of a voxel of the grid within the range, stored [z][y][x], or crossed [z][x][y];
    /// false outside.
    LIBDOSE_HD bool place(int i, int j, int k, bool crossed, std::size_t& number) const {
        i -= first[0];
        j -= first[1];
        k -= first[2];
        if (i < 0 || j < 0 || k < 0 || i >= size[0] || j >= size[1] || k >= size[2]) return false;
        const int row = crossed ? i : j, column = crossed ? j : i, rows = crossed ? size[0] : size[1],
                  columns = crossed ? size[1] : size[0];
        number =
            (static_cast<std::size_t>(k) * static_cast<std::size_t>(rows) + static_cast<std::size_t>(row)) *
                static_cast<std::size_t>(columns) +
            static_cast<std::size_t>(column);
        return true;
    }
};

/// Energy released in the voxels of a range, and where each lies in the table of its map's emission.
struct Released {
    VoxelRange range;
    float *energy, *u, *v, *depth;  ///< Gy g/cm³; fractions within the cell
    std::uint32_t* cell;
};

struct ReleaseEnergy {
    static constexpr Index3 block{32, 4, 1};  ///< x, y, z of the range
    physics::VoxelBox box;
    BeamRows rows;
    PlaneExtent extent;
    double axis_u[3], axis_v[3], axis_w[3];  ///< beam-limiting-device axes in the frame of the grid
    physics::FluenceIntegralView fluence;
    double noise;
    RaySumsView rays;
    bool filtered, tilt, hardening;
    physics::FilterView filter;
    physics::TermaTableView table;
    const float *density, *water_part, *high_z_part;
    physics::EmissionRaster emission;
    Released released;

    LIBDOSE_HD void operator()(const Index3& at) const {
        const int i = released.range.first[0] + at.x, j = released.range.first[1] + at.y,
                  k = released.range.first[2] + at.z;
        std::size_t number = 0;
        released.range.place(i, j, k, false, number);
        const std::size_t voxel = box.index(i, j, k);
        released.energy[number] = 0.0f;
        if (!(density[voxel] > 0.0f)) return;
        const physics::Projection p = rows.project(i, j, k);
        if (!extent.holds(p)) return;
        const double sad = rows.source_axis_distance_mm;
        const physics::ShadowWidth width = physics::voxel_shadow(axis_u, axis_v, axis_w, box.spacing, p, sad);
        const double magnification = sad / p.distance_mm;
        double in_air = fluence.average(p.u_mm, p.v_mm, width.u_mm, width.v_mm, magnification);
        if (!(std::abs(in_air) > noise)) return;
        physics::BasisPath path = rays.path(p.u_mm, p.v_mm, p.distance_mm);
        if (filtered) {
            const physics::BasisPath before = filter.path(p.u_mm, p.v_mm);
            in_air *= table.unfiltered(before);
            path.water += before.water;
            path.high_z += before.high_z;
        }
        const physics::BasisTerma terma = table.terma(path);
        released.energy[number] =
            static_cast<float>(in_air * magnification * magnification *
                               (static_cast<double>(water_part[voxel]) * terma.water +
                                static_cast<double>(high_z_part[voxel]) * terma.high_z));
        const physics::EmissionPlace place = emission.place(
            tilt ? static_cast<float>(p.u_mm / sad) : 0.0f, tilt ? static_cast<float>(p.v_mm / sad) : 0.0f,
            hardening ? static_cast<float>(path.water + path.high_z) : 0.0f);
        released.u[number] = place.u;
        released.v[number] = place.v;
        released.depth[number] = place.depth;
        released.cell[number] = place.cell;
    }
};

/// Copy of volumes stored [z][y][x] as [z][x][y].
template <class Value>
struct CrossVolume {
    static constexpr Index3 block{32, 4, 1};  ///< x, y, z
    int size_x, size_y;
    const Value* from;
    Value* to;

    LIBDOSE_HD void operator()(const Index3& at) const {
        const std::size_t slice = static_cast<std::size_t>(at.z) * static_cast<std::size_t>(size_x) *
                                  static_cast<std::size_t>(size_y);
        to[slice + static_cast<std::size_t>(at.x) * static_cast<std::size_t>(size_y) +
           static_cast<std::size_t>(at.y)] =
            from[slice + static_cast<std::size_t>(at.y) * static_cast<std::size_t>(size_x) +
                 static_cast<std::size_t>(at.x)];
    }
};

}  // namespace libdose::cuda
