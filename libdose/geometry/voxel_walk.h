// Exact passage of a straight line through a regular grid (Amanatides and Woo 1987, Eurographics).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>

#include "base/host_device.h"

namespace libdose::physics {

/// A regular grid by its edges, mm.
struct VoxelBox {
    int size[3] = {};
    double low[3] = {}, high[3] = {}, spacing[3] = {};
    LIBDOSE_HD std::size_t index(int i, int j, int k) const {
        return (static_cast<std::size_t>(k) * static_cast<std::size_t>(size[1]) +
                static_cast<std::size_t>(j)) *
                   static_cast<std::size_t>(size[0]) +
               static_cast<std::size_t>(i);
    }
};

/// Calls visit(voxel index, t_in, t_out) for every voxel that origin + t·direction crosses for t in [t_begin,
/// t_end], in order of t. Lengths in the unit of `direction`: with a unit vector in mm, t is mm. A visit that
/// returns false is the last.
template <class Visitor>
LIBDOSE_HD void march(const VoxelBox& box, const double* origin_mm, const double* direction, double t_begin,
                      double t_end, Visitor&& visit) {
    for (int axis = 0; axis < 3; ++axis) {
        if (direction[axis] == 0.0) {
            if (origin_mm[axis] < box.low[axis] || origin_mm[axis] >= box.high[axis]) return;
            continue;
        }
        const double a = (box.low[axis] - origin_mm[axis]) / direction[axis],
                     b = (box.high[axis] - origin_mm[axis]) / direction[axis];
        t_begin = std::max(t_begin, std::min(a, b));
        t_end = std::min(t_end, std::max(a, b));
    }
    if (!(t_begin < t_end)) return;
    int voxel[3], step[3] = {};
    double next[3], delta[3] = {};
    for (int a = 0; a < 3; ++a) {
        const double position = (origin_mm[a] + t_begin * direction[a] - box.low[a]) / box.spacing[a];
        int index = static_cast<int>(std::floor(position));
        // On a face the voxel is the one that the line enters.
        if (direction[a] < 0 && position == index) --index;
        voxel[a] = std::min(std::max(index, 0), box.size[a] - 1);
        if (direction[a] > 0) {
            step[a] = 1;
            next[a] = (box.low[a] + (voxel[a] + 1) * box.spacing[a] - origin_mm[a]) / direction[a];
            delta[a] = box.spacing[a] / direction[a];
        } else if (direction[a] < 0) {
            step[a] = -1;
            next[a] = (box.low[a] + voxel[a] * box.spacing[a] - origin_mm[a]) / direction[a];
            delta[a] = -box.spacing[a] / direction[a];
        } else {
            next[a] = std::numeric_limits<double>::infinity();
        }
    }
    double t = t_begin;
    while (t < t_end) {
        const int axis = next[0] <= next[1] ? (next[0] <= next[2] ? 0 : 2) : (next[1] <= next[2] ? 1 : 2);
        const double t_out = std::min(next[axis], t_end);
        if (t_out > t) {
            const std::size_t here = box.index(voxel[0], voxel[1], voxel[2]);
            if constexpr (std::is_same_v<decltype(visit(here, t, t_out)), bool>) {
                if (!visit(here, t, t_out)) return;
            } else {
                visit(here, t, t_out);
            }
        }
        t = std::max(t, t_out);
        voxel[axis] += step[axis];
        if (voxel[axis] < 0 || voxel[axis] >= box.size[axis]) return;
        next[axis] += delta[axis];
    }
}

}  // namespace libdose::physics
