// Divergent rays on a raster of the isocentre plane with running sums at equal steps along the beam's axis,
// and what is read between them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "base/host_device.h"
#include "base/units.h"
#include "geometry/voxel_walk.h"
#include "raytrace/basis_path.h"

namespace libdose::physics {

/// Line integrals of the two basis materials, g/cm².
struct RaySums {
    float water, high_z;
};

/// The lower of the two nodes beside x, and the share of the upper one.
LIBDOSE_HD inline void lower_node(double x, int size, int& low, double& part) {
    x = std::clamp(x, 0.0, size - 1.0);
    low = std::min(static_cast<int>(x), size - 2);
    part = x - low;
}

/// How far apart rays lie on the isocentre plane, and nodes along them, mm.
struct RaySpacing {
    double rays_mm, nodes_mm;
    RaySpacing(double both_mm) : RaySpacing(both_mm, both_mm) {}
    RaySpacing(double of_rays_mm, double of_nodes_mm) : rays_mm(of_rays_mm), nodes_mm(of_nodes_mm) {}
};

/// Rays through (low_u + i·spacing, low_v + j·spacing), mm on the isocentre plane; nodes at first + s·step mm
/// from the source along the axis.
struct RayRaster {
    double low_u = 0, low_v = 0, spacing = 1, first = 0, step = 1;
    int size_u = 2, size_v = 2, steps = 2;
    double max_depth_g_cm2 = std::numeric_limits<double>::infinity();  ///< a ray may end where its path comes
                                                                       ///< to this: its sums grow no more

    LIBDOSE_HD std::size_t count() const {
        return static_cast<std::size_t>(size_u) * static_cast<std::size_t>(size_v) *
               static_cast<std::size_t>(steps);
    }
};

/// Sums along one ray at all its nodes: write(node, sums). `direction` is what one mm along the axis moves
/// the ray by, mm.
template <class Write>
LIBDOSE_HD void trace_ray(const RayRaster& raster, const VoxelBox& box, const double* source_mm,
                          const double* direction, const float* water_part, const float* high_z_part,
                          Write&& write) {
    const double x = direction[0], y = direction[1], z = direction[2];
    const double cm = std::sqrt(x * x + y * y + z * z) * cm_per_mm;
    double water = 0, high_z = 0;
    int node = 0;
    march(box, source_mm, direction, 0.0, 1e30, [&](std::size_t voxel, double in, double out) {
        const double w = static_cast<double>(water_part[voxel]) * cm,
                     h = static_cast<double>(high_z_part[voxel]) * cm;
        for (; node < raster.steps && raster.first + node * raster.step <= out; ++node) {
            const double inside = std::max(0.0, raster.first + node * raster.step - in);
            write(node,
                  RaySums{static_cast<float>(water + w * inside), static_cast<float>(high_z + h * inside)});
        }
        water += w * (out - in);
        high_z += h * (out - in);
        return water + high_z < raster.max_depth_g_cm2;
    });
    for (; node < raster.steps; ++node)
        write(node, RaySums{static_cast<float>(water), static_cast<float>(high_z)});
}

/// The sums of all rays, [node][v][u].
struct RaySumsView {
    RayRaster raster;
    const RaySums* sums = nullptr;

    LIBDOSE_HD std::ptrdiff_t next_v() const { return raster.size_u; }
    LIBDOSE_HD std::ptrdiff_t next_node() const {
        return static_cast<std::ptrdiff_t>(raster.size_u) * raster.size_v;
    }
    LIBDOSE_HD std::ptrdiff_t at(int u, int v, int node) const {
        return u + v * next_v() + node * next_node();
    }

    /// Linear between four rays and two steps of each.
    LIBDOSE_HD BasisPath path(double u_mm, double v_mm, double distance_mm) const {
        int iu, iv, is;
        double fu, fv, fs;
        lower_node((u_mm - raster.low_u) / raster.spacing, raster.size_u, iu, fu);
        lower_node((v_mm - raster.low_v) / raster.spacing, raster.size_v, iv, fv);
        lower_node((distance_mm - raster.first) / raster.step, raster.steps, is, fs);
        const RaySums* ray = sums + at(iu, iv, is);
        const auto u = static_cast<float>(fu), v = static_cast<float>(fv), s = static_cast<float>(fs);
        float water = 0, high_z = 0;
        const auto along = [&](const RaySums* low, float weight) {
            const RaySums* high = low + next_node();
            water += weight * (low->water + s * (high->water - low->water));
            high_z += weight * (low->high_z + s * (high->high_z - low->high_z));
        };
        along(ray, (1 - u) * (1 - v));
        along(ray + 1, u * (1 - v));
        along(ray + next_v(), (1 - u) * v);
        along(ray + next_v() + 1, u * v);
        return {static_cast<double>(water), static_cast<double>(high_z)};
    }
    /// Distance along the axis from which on the path of a ray is at least `g_cm2`, or 1e30.
    LIBDOSE_HD float distance_at_depth_mm(int u, int v, double g_cm2) const {
        // Sums only grow: the first node is found by halves.
        int begin = 0, end = raster.steps;
        while (begin < end) {
            const int node = (begin + end) / 2;
            const RaySums& sum = sums[at(u, v, node)];
            if (static_cast<double>(sum.water + sum.high_z) >= g_cm2)
                end = node;
            else
                begin = node + 1;
        }
        return begin < raster.steps
                   ? static_cast<float>(raster.first + static_cast<double>(begin) * raster.step)
                   : 1e30f;
    }
    /// Whether all four rays around a point have passed their distances in `distance_mm_of_rays` [v][u].
    LIBDOSE_HD bool beyond(const float* distance_mm_of_rays, double u_mm, double v_mm,
                           double distance_mm) const {
        int iu, iv;
        double part;
        lower_node((u_mm - raster.low_u) / raster.spacing, raster.size_u, iu, part);
        lower_node((v_mm - raster.low_v) / raster.spacing, raster.size_v, iv, part);
        const float* at_rays = distance_mm_of_rays +
                               static_cast<std::size_t>(iv) * static_cast<std::size_t>(raster.size_u) +
                               static_cast<std::size_t>(iu);
        return distance_mm >=
               static_cast<double>(std::max(std::max(at_rays[0], at_rays[1]),
                                            std::max(at_rays[raster.size_u], at_rays[raster.size_u + 1])));
    }
};

}  // namespace libdose::physics
