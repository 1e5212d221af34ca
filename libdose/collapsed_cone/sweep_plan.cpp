#include "collapsed_cone/sweep_plan.h"

#include <cmath>

#include "base/units.h"

namespace libdose {

SweepPlan plan_sweep(const Grid& grid, const Vec3& direction, std::size_t number) {
    // Voxels per unit length along each axis: the largest is marched, so that a line moves at most one voxel
    // aside.
    const Vec3 speed = direction.cwiseAbs().cwiseQuotient(grid.spacing_mm);
    int axis = 2;
    if (speed[1] > speed[axis]) axis = 1;
    if (speed[0] > speed[axis]) axis = 0;
    const int nx = grid.size[0], ny = grid.size[1], nz = grid.size[2];
    const std::ptrdiff_t slice = static_cast<std::ptrdiff_t>(nx) * ny;
    SweepPlan plan;
    plan.axis = axis;
    int row_axis = 1, column_axis = 0;
    if (axis == 2) {
        plan.layout = {nz, ny, nx, slice, nx};
    } else if (axis == 1) {
        plan.layout = {ny, nz, nx, nx, slice};
        row_axis = 2;
    } else {
        plan.layout = {nx, nz, ny, ny, slice};
        row_axis = 2;
        column_axis = 1;
        plan.transposed = true;
    }
    const double per_plane = std::abs(direction[axis]) / grid.spacing_mm[axis];
    plan.ascending = direction[axis] > 0;
    plan.direction.shift_row = direction[row_axis] / grid.spacing_mm[row_axis] / per_plane;
    plan.direction.shift_column = direction[column_axis] / grid.spacing_mm[column_axis] / per_plane;
    // Halton's sequence: evenly spread phases. (Phases that grow by the same from direction to direction do
    // not do: slopes of neighbours differ by the same too, and somewhere in the grid the two cancel, so that
    // many directions blur an edge alike.)
    const auto phase = [&](std::size_t base) {
        double sum = 0, part = 1;
        for (std::size_t rest = number + 1; rest > 0; rest /= base) {
            part /= static_cast<double>(base);
            sum += part * static_cast<double>(rest % base);
        }
        return sum;
    };
    plan.direction.first_row = phase(2);
    plan.direction.first_column = phase(3);
    plan.direction.step_cm = cm_per_mm * direction.norm() / per_plane;
    return plan;
}

}  // namespace libdose
