// Released energy, sorted into the rows that a sweep asks for, and its emission into the directions of the
// sweep.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/collapsed_cone/ray_tables.h"
#include "cpu/collapsed_cone/sweep.h"
#include "libdose/beam_model.h"
#include "libdose/grid.h"
#include "terma/released_energy.h"

namespace libdose::cpu {

/// The energy of all sources by rows of voxels, shared out to the nodes of the tables: along x, rows ordered
/// as [z][y], or, turned, along y, ordered as [z][x].
class EmissionRows {
public:
    /// Sources on `grid`.
    EmissionRows(const Grid& grid, const std::vector<ReleasedEnergy>& sources, const RayTables& tables);
    /// From rows along x to rows along y, slice by slice.
    void turn();

    static constexpr int simd_width = 8;
    /// Eight neighbours in a row, from a multiple of eight on: the energy that they release at a node.
    struct Block {
        std::uint32_t node;
        std::int32_t column;
    };
    struct Energy {
        float of[simd_width];
    };
    /// Blocks of a row by ascending column.
    struct Row {
        const Block* blocks;
        const Energy* energy;
        std::size_t count;
    };
    /// Largest energy that all sources together release in a voxel.
    float largest() const { return largest_; }
    Row row(std::size_t index) const {
        const Slice& slice = slices_[index / rows_of_slice_];
        const std::size_t in_slice = index % rows_of_slice_, begin = slice.row_begin[in_slice];
        return {slice.blocks.data() + begin, slice.energy.data() + begin,
                slice.row_begin[in_slice + 1] - begin};
    }

private:
    struct Slice {
        std::vector<Block> blocks;
        std::vector<Energy> energy;
        std::vector<std::size_t> row_begin;
    };
    class SliceSources;
    class SliceTurn;
    std::size_t columns_, rows_of_slice_, nodes_;
    std::vector<Slice> slices_;  ///< by z
    float largest_ = 0;
};

/// Source of a sweep over directions `first` … `first + count` - 1 of the tables.
class Emission : public SweepSource {
public:
    Emission(const EmissionRows& rows, const RayTables& tables, std::size_t first, std::size_t count,
             std::size_t rates, const SweepLayout& layout);
    ColumnRange row(int plane, int row, float* const* out) override;

private:
    const EmissionRows& rows_;
    SweepLayout layout_;
    std::size_t used_, per_node_;  ///< directions × rates, and padded to a multiple of four
    std::vector<float> values_;  ///< emission at all nodes into these directions: small enough for the cache
    std::vector<float> unused_;  ///< row that takes the padding
    std::vector<float*> out_;
};

}  // namespace libdose::cpu
