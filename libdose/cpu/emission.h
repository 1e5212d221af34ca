// Released energy, sorted into the rows that a sweep asks for, and what it emits into the directions of the sweep.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/directions.h"
#include "cpu/sweep.h"
#include "engine/stages.h"
#include "libdose/grid.h"

namespace libdose::cpu {

/// The energy of all sources by rows of voxels: along x, rows ordered as [z][y], or (transposed) along y, ordered as [z][x].
class EmissionRows {
public:
    EmissionRows(const Grid& grid, const std::vector<ReleasedEnergy>& sources, const std::vector<EmissionTable>& tables, bool transposed);

    /// Neighbours in a row that one source releases in one cell of its table.
    struct Run {
        std::uint32_t source, cell, first;  ///< first: entry
        std::int32_t column, count;
    };
    const Run* begin(std::size_t row) const { return runs_.data() + row_begin_[row]; }
    const Run* end(std::size_t row) const { return runs_.data() + row_begin_[row + 1]; }
    const float* energy(std::uint32_t entry) const { return energy_.data() + entry; }
    const float* part_u(std::uint32_t entry) const { return u_.data() + entry; }
    const float* part_v(std::uint32_t entry) const { return v_.data() + entry; }
    const float* part_depth(std::uint32_t entry) const { return depth_.data() + entry; }

private:
    std::vector<float> energy_, u_, v_, depth_;
    std::vector<Run> runs_;
    std::vector<std::size_t> row_begin_;
};

/// Source of a sweep over directions `first` … `first + count` - 1 of the tables.
class Emission : public SweepSource {
public:
    Emission(const EmissionRows& rows, const std::vector<EmissionTable>& tables, std::size_t first, std::size_t count, std::size_t rates,
             const SweepLayout& layout)
        : rows_(rows), tables_(tables), first_(first), values_(count * rates), layout_(layout), weights_(8 * stride()) {}
    ColumnRange row(int plane, int row, float* const* out) override;

private:
    std::size_t stride() const { return static_cast<std::size_t>(layout_.columns + 2 * 16); }
    const EmissionRows& rows_;
    const std::vector<EmissionTable>& tables_;
    std::size_t first_, values_;
    SweepLayout layout_;
    std::vector<float> weights_;
};

}  // namespace libdose::cpu
