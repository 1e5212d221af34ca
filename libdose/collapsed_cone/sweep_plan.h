// How the lines of a direction run through the grid: what is decided before a transport, on any backend
// (docs/methods/collapsed-cone.md).
#pragma once

#include <cstddef>

#include "collapsed_cone/lattice.h"
#include "libdose/grid.h"

namespace libdose {

/// How the lines of a direction meet the voxels of a plane.
enum class LatticeMode {
    interpolated,  ///< straight lines; sources and deposits are shared with the neighbouring voxels
    rounded        ///< every line passes through the nearest voxel: some aliasing
};

/// How much a lattice widens a distribution across the direction of travel beyond what averaging over the
/// voxel does, as a variance in voxels²: the source's own voxel 1/12, and where lines share with neighbours
/// the variance of their parts (source and deposit). A rounded line gives back to the voxel from which it
/// took, so only the source's voxel counts.
constexpr double lattice_blur_variance(LatticeMode mode) {
    return 1.0 / 12 + (mode == LatticeMode::interpolated ? physics::lattice_parts_variance : 0.0);
}

/// Voxels as the sweep walks them: planes along the dominant axis, rows, columns with stride 1.
struct SweepLayout {
    int planes = 0, rows = 0, columns = 0;
    std::ptrdiff_t plane_stride = 0, row_stride = 0;

    std::ptrdiff_t offset(int plane, int row) const { return plane * plane_stride + row * row_stride; }
    /// Number of a row in memory.
    std::size_t row_index(int plane, int row) const {
        return static_cast<std::size_t>(offset(plane, row) / columns);
    }
};

struct SweepDirection {
    double shift_row = 0, shift_column = 0;  ///< voxels per plane, -1 … 1
    double first_row = 0,
           first_column =
               0;        ///< fraction of a voxel by which the lines are shifted in the first plane, 0 … 1
    double step_cm = 0;  ///< path length from plane to plane
};

/// Layout of a direction on a grid: which axis it marches along. `transposed`: the columns run along y in a
/// volume stored as [z][x][y]; otherwise in the natural [z][y][x].
struct SweepPlan {
    SweepLayout layout;
    SweepDirection direction;
    int axis = 2;           ///< 0 x, 1 y, 2 z
    bool ascending = true;  ///< planes 0 … n - 1, or back
    bool transposed = false;
};
/// `number` of the direction in its set: gives every direction its own phase of the lattice, so that what the
/// lattice does to sharp edges averages out.
SweepPlan plan_sweep(const Grid& grid, const Vec3& direction, std::size_t number);

/// Directions that a sweep takes together: they share the walk over the planes, and what they read of the
/// medium.
constexpr std::size_t sweep_width = 4;

/// Voxels beside each row of a volume that sweeps read and write whole blocks of (cpu::SweepRows).
constexpr int sweep_row_margin = 16;

}  // namespace libdose
