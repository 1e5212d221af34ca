// Passage of a straight line through a Grid: physics/voxel_walk.h for host objects.
#pragma once

#include <utility>

#include "geometry/voxel_walk.h"
#include "libdose/grid.h"

namespace libdose::physics {

inline VoxelBox voxel_box(const Grid& grid) {
    const Vec3 low = grid.lower_edge_mm(), high = grid.upper_edge_mm();
    VoxelBox box;
    for (int a = 0; a < 3; ++a) {
        box.size[a] = grid.size[static_cast<std::size_t>(a)];
        box.low[a] = low[a];
        box.high[a] = high[a];
        box.spacing[a] = grid.spacing_mm[a];
    }
    return box;
}

template <class Visitor>
void march(const Grid& grid, const Vec3& origin_mm, const Vec3& direction, double t_begin, double t_end,
           Visitor&& visit) {
    march(voxel_box(grid), origin_mm.data(), direction.data(), t_begin, t_end, std::forward<Visitor>(visit));
}

}  // namespace libdose::physics
