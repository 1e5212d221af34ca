// A few directions of the collapsed-cone transport through the whole grid (docs/theory/collapsed-cone.md). It
// knows neither kernels nor beams: any source, any rates.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "collapsed_cone/sweep_plan.h"

namespace libdose::cpu {

/// A volume by rows, with room on either side of each (shared with the row beside it): a sweep reads and
/// writes whole blocks of lines.
class SweepRows {
public:
    static constexpr int margin = sweep_row_margin;

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
        if (!other.empty())
            *this = empty() ? other : ColumnRange{std::min(begin, other.begin), std::max(end, other.end)};
    }
};

/// The density that scales the kernel, g/cm³, in a layout.
struct SweepMedium {
    SweepRows kernel_density;         ///< zero in the margins
    std::vector<float> row_maximum;   ///< by SweepLayout::row_index, as the next
    std::vector<ColumnRange> filled;  ///< outside of these columns is nothing: lines pass unchanged

    /// From rows of `columns` voxels.
    SweepMedium(const std::vector<float>& volume, int columns);
};

/// Energy that is released into the directions of one sweep.
class SweepSource {
public:
    virtual ~SweepSource() = default;
    /// Writes the energy released per volume in a row of voxels, out[direction · rates + rate][column], and
    /// returns the columns that were written, all of them; in the others nothing is released. Up to eight
    /// columns beyond the last may be written with zeros.
    virtual ColumnRange row(int plane, int row, float* const* out) = 0;
};

/// Energy deposited per volume and per unit of kernel density. Rows that were not touched are not valid.
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
    std::vector<Lines> limits;  ///< [direction][rate][line row]: lines that carry energy
};

/// Transports the sources of every rate along up to sweep_width directions that march along one axis in one
/// sense. A sweep of a single direction leaves in `deposit` what that direction lost. `rates`: a_k, cm²/g.
/// `negligible`: energy of a line, per volume, below which it is no longer followed. `deposit` is
/// overwritten. Returns the energy (per volume, summed over voxels) that left the grid or was no longer
/// followed.
double sweep(const std::vector<SweepPlan>& plans, LatticeMode mode, const SweepMedium& medium,
             const std::vector<double>& rates, SweepSource& source, float negligible, SweepDeposit& deposit,
             SweepWorkspace& workspace);

}  // namespace libdose::cpu
