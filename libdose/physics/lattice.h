// The sheared lattice of a direction: where its lines meet the voxels of a plane (docs/methods/collapsed-cone.md).
#pragma once

#include <cmath>

#include "physics/host_device.h"

namespace libdose::physics {

/// Lines of one direction in one plane. Line (r, j) lies between the voxels (r - 1, j - 1) and (r, j).
struct LatticePlace {
    int move_row, move_column;  ///< whole voxels that the lines have moved since the first plane
    float weight[4];            ///< of voxels (r - 1, j - 1), (r - 1, j), (r, j - 1), (r, j)
};

/// Plane number n of a direction that begins at a fraction of a voxel (`first`) and moves by `shift` voxels a plane.
LIBDOSE_HD inline LatticePlace lattice_place(double first_row, double shift_row, double first_column, double shift_column, int n, bool rounded) {
    const double at_row = first_row + shift_row * n, at_column = first_column + shift_column * n;
    const double move_row = std::floor(at_row), move_column = std::floor(at_column);
    double high_r = at_row - move_row, high_c = at_column - move_column;
    if (rounded) high_r = std::floor(high_r + 0.5), high_c = std::floor(high_c + 0.5);
    return {static_cast<int>(move_row),
            static_cast<int>(move_column),
            {static_cast<float>((1 - high_r) * (1 - high_c)), static_cast<float>((1 - high_r) * high_c), static_cast<float>(high_r * (1 - high_c)),
             static_cast<float>(high_r * high_c)}};
}

}  // namespace libdose::physics
