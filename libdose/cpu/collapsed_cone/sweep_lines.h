// One row of the lines of a direction in one plane of a sweep: through the voxels that it meets
// (docs/theory/collapsed-cone.md).
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "cpu/collapsed_cone/sweep.h"

namespace libdose::cpu {

// Line (r, j) of a plane lies in voxel (r, j) and meets neighbours of it (physics::LatticePlace); lines run
// from -1 to the number of rows and columns. A line keeps its place in the buffers for the whole sweep (its
// identity): what moves from plane to plane is the window of the lines that meet the grid. Rows of voxels
// have zeros on either side, so that lines just outside pass unchanged and blocks of lines need no remainder.
inline constexpr int simd_width =
    8;  // where a source or the lines that carry energy end within one, the rest is calculated for nothing
inline constexpr int pad_before = 2 * simd_width, pad_after = 2 * simd_width;
// Columns beside those of the sources that blend_rows reads in rows of voxels. The lines of a source reach a
// column farther on either side, then to whole vectors of their identity: simd_width columns before it, as
// many behind. blend_rows reads a column farther yet, again in whole blocks, which begin with the one before.
inline constexpr int read_before = simd_width + 1, read_behind = 2 * simd_width - 1;
// Other reads and writes of rows stay within simd_width + 1 columns of the grid.
static_assert(SweepRows::margin >= read_before && SweepRows::margin >= read_behind);
static_assert(pad_before >= read_before && pad_after >= read_behind);
using Lines = SweepWorkspace::Lines;  // whole blocks of their identity
constexpr int down_to_simd_width(int x) { return x / simd_width * simd_width; }
constexpr int up_to_simd_width(int x) { return (x + simd_width - 1) / simd_width * simd_width; }

/// A direction of a sweep, in the plane where it is.
struct DirectionState {
    float step_cm = 0;
    int row_base = 0, column_base = 0;  ///< identity = index in the plane + base, now
    physics::LatticePlace row{}, column{};
    std::array<float, 4> meets{};  ///< parts of the lower row's two voxels, and of the other row's
    float* energy = nullptr;       ///< [rate][row identity][line identity]
    Lines* limits = nullptr;       ///< [rate][row identity]
    const float* sources[3] = {};  ///< [rate] of the rows of voxels r - 1, r, r + 1
    float* deposit = nullptr;      ///< by line of one row, -16 … columns + 24
    int begin = 0, end = 0;        ///< lines of that row
};

/// Kernel rates, buffers and thresholds that all directions of a sweep use.
struct Sweeper {
    int rates, columns;
    std::size_t line_rows, line_width;  ///< size of the buffers
    const float* rate = nullptr;
    float negligible = 0;
    bool trimming = false;  ///< whether lines that carry next to nothing are looked for in this plane
    double lost = 0;
    // The rest for lines -16 … columns + 24.
    float *line_density = nullptr,
          *row_density =
              nullptr;         ///< density along the lines, and in the row blended from three rows of voxels
    float* inverse = nullptr;  ///< 1 / row_density
    std::array<float*, 3> row_shares{};  ///< physics::exchange_shares of the rows of voxels r - 1, r, r + 1
    float *row_sources = nullptr,
          *line_sources =
              nullptr;  ///< [rate]: sources in the row blended from three rows of voxels, and of its lines
    std::ptrdiff_t pitch = 0;  ///< from a rate's row of sources to the next one's
};

/// Sets row_shares for lines with a source in these columns.
void share_rows(Sweeper& s, const std::array<const float*, 3>& kernel_density_rows, ColumnRange source);

/// Energy of n lines.
double sum_of(const float* energy, int n);

/// Takes the lines of row r through the plane and writes their deposit to d.deposit. Columns without a source
/// and without a medium (outside of `passed`) leave their lines unchanged. Returns whether any line
/// deposited. (Rows written here are read again one place further on; a processor stalls on values that it
/// has just stored, so other work lies between.)
bool sweep_line_row(Sweeper& s, DirectionState& d, int r,
                    const std::array<const float*, 3>& kernel_density_rows, float highest_density,
                    ColumnRange source, ColumnRange passed);

/// Adds the deposit of a row of lines to the voxels, by the weights with which density was read.
void share_line_row(const DirectionState& d, const std::array<float*, 3>& deposit_rows);

}  // namespace libdose::cpu
