// A few directions of the collapsed-cone transport through the whole grid (docs/theory/collapsed-cone.md). It knows neither
// kernels nor beams: any source, any rates.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "libdose/grid.h"
#include "collapsed_cone/lattice.h"

namespace libdose::cpu {

/// How the lines of a direction meet the voxels of a plane.
enum class LatticeMode {
    interpolated,  ///< straight lines; sources and deposits are shared with the neighbouring voxels
    rounded        ///< every line passes through the nearest voxel: some aliasing
};

/// How much a lattice widens a distribution across the direction of travel beyond what averaging over the voxel does, as a
/// variance in voxels²: the source's own voxel 1/12, and where lines share with neighbours the variance of their parts (source and
/// deposit). A rounded line gives back to the voxel from which it took, so only the source's voxel counts.
constexpr double lattice_blur_variance(LatticeMode mode) { return 1.0 / 12 + (mode == LatticeMode::interpolated ? physics::lattice_parts_variance : 0.0); }

/// Voxels as the sweep walks them: planes along the dominant axis, rows, columns with stride 1.
struct SweepLayout {
    int planes = 0, rows = 0, columns = 0;
    std::ptrdiff_t plane_stride = 0, row_stride = 0;

    std::ptrdiff_t offset(int plane, int row) const { return plane * plane_stride + row * row_stride; }
    /// Number of a row in memory.
    std::size_t row_index(int plane, int row) const { return static_cast<std::size_t>(offset(plane, row) / columns); }
};

struct SweepDirection {
    double shift_row = 0, shift_column = 0;  ///< voxels per plane, -1 … 1
    double first_row = 0, first_column = 0;  ///< fraction of a voxel by which the lines are shifted in the first plane, 0 … 1
    double step_cm = 0;                      ///< path length from plane to plane
};

/// Layout of a direction on a grid: which axis it marches along. `transposed`: the columns run along y in a volume stored as
/// [z][x][y]; otherwise in the natural [z][y][x].
struct SweepPlan {
    SweepLayout layout;
    SweepDirection direction;
    int axis = 2;           ///< 0 x, 1 y, 2 z
    bool ascending = true;  ///< planes 0 … n - 1, or back
    bool transposed = false;
};
/// `number` of the direction in its set: gives every direction its own phase of the lattice, so that what the lattice does to
/// sharp edges averages out.
SweepPlan plan_sweep(const Grid& grid, const Vec3& direction, std::size_t number);

/// A volume by rows, with room on either side of each (shared with the row beside it): a sweep reads and writes whole blocks of lines.
class SweepRows {
public:
    static constexpr int margin = 16;

    void resize(std::size_t rows, int columns) {
        pitch_ = static_cast<std::size_t>(columns + margin);
        values_.resize(rows * pitch_ + margin);
    }
    /// By SweepLayout::row_index.
    float* row(std::size_t index) { return values_.data() + margin + index * pitch_; }
    const float* row(std::size_t index) const { return values_.data() + margin + index * pitch_; }

private:
    std::size_t pitch_ = 0;
    std::vector<float> values_;
};

struct ColumnRange {
    int begin = 0, end = 0;
    bool empty() const { return begin >= end; }
    void add(const ColumnRange& other) {
        if (!other.empty()) *this = empty() ? other : ColumnRange{std::min(begin, other.begin), std::max(end, other.end)};
    }
};

/// The density that scales the kernel, g/cm³, in a layout.
struct SweepMedium {
    SweepRows eta;                    ///< zero in the margins
    std::vector<float> row_maximum;   ///< by SweepLayout::row_index, as the next
    std::vector<ColumnRange> filled;  ///< outside of these columns is nothing: lines pass unchanged

    /// From rows of `columns` voxels.
    SweepMedium(const std::vector<float>& volume, int columns);
};

/// What the directions of one sweep release.
class SweepSource {
public:
    virtual ~SweepSource() = default;
    /// Writes the energy released per volume in a row of voxels, out[direction · rates + rate][column], and returns the columns that were
    /// written, all of them; in the others nothing is released. Up to eight columns beyond the last may be written with zeros.
    virtual ColumnRange row(int plane, int row, float* const* out) = 0;
};

/// Energy deposited per volume and per unit of eta. Rows that were not touched are not valid.
struct SweepDeposit {
    SweepRows rows;
    std::vector<std::uint8_t> touched;  ///< by SweepLayout::row_index
};

/// Buffers of one thread; grows as needed.
struct SweepWorkspace {
    struct Lines {
        int begin, end;
        bool empty() const { return begin >= end; }
    };
    std::vector<float> energy, rows;
    std::vector<Lines> limits;  ///< of the lines of a rate and row that carry energy
};

/// Directions that a sweep takes together: they share the walk over the planes, and what they read of the medium.
constexpr std::size_t sweep_width = 4;

/// Transports the sources of every rate along up to sweep_width directions that march along one axis in one sense. A sweep of a single
/// direction leaves in `deposit` what that direction lost.
/// rates:       a_k, cm²/g.
/// negligible:  energy of a line, per volume, below which it is no longer followed.
/// deposit:     overwritten.
/// Returns the energy (per volume, summed over voxels) that left the grid or was no longer followed.
double sweep(const std::vector<SweepPlan>& plans, LatticeMode mode, const SweepMedium& medium, const std::vector<double>& rates, SweepSource& source,
             float negligible, SweepDeposit& deposit, SweepWorkspace& workspace);

}  // namespace libdose::cpu
