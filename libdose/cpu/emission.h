// Released energy, sorted into the rows that a sweep asks for, and what it emits into the directions of the sweep.
#pragma once

#include <array>
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

    static constexpr int block_size = 8;
    /// Eight neighbours in a row, from a multiple of eight on, as far as one source releases in them in one cell of its table.
    struct Block {
        std::uint32_t source, cell;
        std::int32_t column;
    };
    struct Values {
        float energy[block_size], u[block_size], v[block_size], depth[block_size];  ///< the last three: fractions in the cell
    };
    /// Blocks of a row by ascending column.
    struct Row {
        const Block* blocks;
        const Values* values;
        std::size_t count;
    };
    Row row(std::size_t index) const {
        const Slice& slice = slices_[index / rows_of_slice_];
        const std::size_t in_slice = index % rows_of_slice_, begin = slice.row_begin[in_slice];
        return {slice.blocks.data() + begin, slice.values.data() + begin, slice.row_begin[in_slice + 1] - begin};
    }

private:
    struct Slice {
        std::vector<Block> blocks;
        std::vector<Values> values;
        std::vector<std::size_t> row_begin;
    };
    std::size_t rows_of_slice_;
    std::vector<Slice> slices_;  ///< by z
};

/// Source of a sweep over directions `first` … `first + count` - 1 of the tables.
class Emission : public SweepSource {
public:
    Emission(const EmissionRows& rows, const std::vector<EmissionTable>& tables, std::size_t first, std::size_t count, std::size_t rates,
             const SweepLayout& layout);
    ColumnRange row(int plane, int row, float* const* out) override;

private:
    struct Nodes {
        std::size_t begin;
        std::array<std::size_t, 8> corners;  ///< both in values_
    };
    const EmissionRows& rows_;
    SweepLayout layout_;
    std::size_t used_, per_node_;  ///< directions × rates, and padded to a multiple of four
    std::vector<Nodes> nodes_;
    std::vector<float> values_;  ///< of all sources, for these directions: small enough for the cache
    std::vector<float> unused_;  ///< row that takes the padding
    std::vector<float*> out_;
    std::vector<const float*> cells_;
    std::vector<const std::array<std::size_t, 8>*> corners_;
};

}  // namespace libdose::cpu
