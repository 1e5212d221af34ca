// Exact passage of a straight line through a regular grid (Amanatides and Woo 1987, Eurographics).
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "libdose/grid.h"

namespace libdose::physics {

/// Calls visit(voxel index, t_in, t_out) for every voxel that origin + t·direction crosses for t in [t_begin, t_end], in
/// order of t. Lengths in the unit of `direction`: with a unit vector in mm, t is mm.
template <class Visitor>
void march(const Grid& grid, const Vec3& origin_mm, const Vec3& direction, double t_begin, double t_end, Visitor&& visit) {
    const Vec3 low = grid.lower_edge_mm(), high = grid.upper_edge_mm();
    for (int axis = 0; axis < 3; ++axis) {
        if (direction[axis] == 0.0) {
            if (origin_mm[axis] < low[axis] || origin_mm[axis] >= high[axis]) return;
            continue;
        }
        const double a = (low[axis] - origin_mm[axis]) / direction[axis], b = (high[axis] - origin_mm[axis]) / direction[axis];
        t_begin = std::max(t_begin, std::min(a, b));
        t_end = std::min(t_end, std::max(a, b));
    }
    if (!(t_begin < t_end)) return;
    std::array<int, 3> voxel{}, step{};
    std::array<double, 3> next{}, delta{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const int a = static_cast<int>(axis);
        const double position = (origin_mm[a] + t_begin * direction[a] - low[a]) / grid.spacing_mm[a];
        int index = static_cast<int>(std::floor(position));
        // On a face the voxel is the one that the line enters.
        if (direction[a] < 0 && position == index) --index;
        voxel[axis] = std::min(std::max(index, 0), grid.size[axis] - 1);
        if (direction[a] > 0) {
            step[axis] = 1;
            next[axis] = (low[a] + (voxel[axis] + 1) * grid.spacing_mm[a] - origin_mm[a]) / direction[a];
            delta[axis] = grid.spacing_mm[a] / direction[a];
        } else if (direction[a] < 0) {
            step[axis] = -1;
            next[axis] = (low[a] + voxel[axis] * grid.spacing_mm[a] - origin_mm[a]) / direction[a];
            delta[axis] = -grid.spacing_mm[a] / direction[a];
        } else {
            next[axis] = std::numeric_limits<double>::infinity();
        }
    }
    double t = t_begin;
    while (t < t_end) {
        const std::size_t axis = next[0] <= next[1] ? (next[0] <= next[2] ? 0 : 2) : (next[1] <= next[2] ? 1 : 2);
        const double t_out = std::min(next[axis], t_end);
        if (t_out > t) visit(grid.index(voxel[0], voxel[1], voxel[2]), t, t_out);
        t = std::max(t, t_out);
        voxel[axis] += step[axis];
        if (voxel[axis] < 0 || voxel[axis] >= grid.size[axis]) return;
        next[axis] += delta[axis];
    }
}

}  // namespace libdose::physics
