// One direction of the collapsed-cone transport through the whole grid (docs/methods/collapsed-cone.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "libdose/grid.h"

namespace libdose::cpu {

/// How the lines of a direction meet the voxels of a plane.
enum class LatticeMode {
    interpolated,  ///< straight lines; sources and deposits are shared bilinearly between the neighbouring voxels
    rounded        ///< every line passes through the nearest voxel: half the work, some aliasing
};

/// How much a lattice widens a distribution across the direction of travel beyond what averaging over the voxel does, as a
/// variance in voxels²: the source's own voxel 1/12, and where lines share bilinearly f(1 - f), 1/6 on average, twice (source and
/// deposit). A rounded line gives back to the voxel from which it took, so only the source's voxel counts.
constexpr double lattice_blur_variance(LatticeMode mode) { return 1.0 / 12 + (mode == LatticeMode::interpolated ? 2.0 / 6 : 0.0); }

/// Voxels as the sweep walks them: planes along the dominant axis, rows, columns with stride 1.
struct SweepLayout {
    int planes = 0, rows = 0, columns = 0;
    std::ptrdiff_t plane_stride = 0, row_stride = 0;
};

struct SweepDirection {
    bool ascending = true;                   ///< planes 0 … n - 1, or back
    double shift_row = 0, shift_column = 0;  ///< voxels per plane, -1 … 1
    double first_row = 0, first_column = 0;  ///< fraction of a voxel by which the lines are shifted in the first plane, 0 … 1
    double step_cm = 0;                      ///< path length from plane to plane
};

/// Layout of a direction on a grid: which axis it marches along. `transposed`: the columns run along y in a volume stored as
/// [z][x][y]; otherwise in the natural [z][y][x].
struct SweepPlan {
    SweepLayout layout;
    SweepDirection direction;
    bool transposed = false;
};
/// `number` of the direction in its set: gives every direction its own phase of the lattice, so that what the lattice does to
/// sharp edges averages out.
SweepPlan plan_sweep(const Grid& grid, const Vec3& direction, std::size_t number);

/// Buffers of one thread; grows as needed.
struct SweepWorkspace {
    std::vector<float> energy, rows, deposit_row;
    std::vector<std::uint8_t> live;
};

/// Transports the sources of every rate along one direction.
/// eta:      density that scales the kernel, g/cm³, in the layout; eta_max is its largest value.
/// rates:    a_k, cm²/g.
/// sources:  per rate, energy released per volume into this direction; not read in rows that are not active.
/// active:   [plane·rows + row] rows that hold sources.
/// deposit:  added to: energy deposited per volume and per unit of eta.
/// Returns the energy (same unit, summed over voxels) that left the grid.
double sweep(const SweepPlan& plan, LatticeMode mode, const float* eta, float eta_max, const std::vector<double>& rates,
             const std::vector<const float*>& sources, const std::uint8_t* active, float* deposit, SweepWorkspace& workspace);

}  // namespace libdose::cpu
