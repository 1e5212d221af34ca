#include "cpu/collapsed_cone/emission.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/simd/multiversion.h"

namespace libdose::cpu {

namespace {

constexpr int simd_width = EmissionRows::simd_width;
using Lanes = float __attribute__((vector_size(simd_width * sizeof(float))));

/// Not returned by value: without AVX the compiler warns of another calling convention.
LIBDOSE_INLINE void load(const float* from, Lanes& lanes) { std::memcpy(&lanes, from, sizeof(Lanes)); }

/// Energy in a block of a row of voxels, all of it in one cell of a table.
struct CellEnergy {
    std::uint32_t block, cell;
    float energy[simd_width], u[simd_width], v[simd_width],
        depth[simd_width];  ///< the last three: fractions in the cell
};

/// Energy that a block releases at each corner of its cell: shared out by physics::emission_weight.
LIBDOSE_VERSIONS
void release_at_corners(const CellEnergy& from, EmissionRows::Energy* at_corner) {
    Lanes energy, u, v, depth;
    load(from.energy, energy);
    load(from.u, u);
    load(from.v, v);
    load(from.depth, depth);
#pragma GCC unroll 8
    for (std::size_t c = 0; c < 8; ++c) {
        Lanes released;
        physics::emission_weight(c, u, v, depth, released);
        released *= energy;
        std::memcpy(at_corner[c].of, &released, sizeof(Lanes));
    }
}

bool all_zero(const EmissionRows::Energy& energy) {
    std::array<std::uint64_t, sizeof(energy) / sizeof(std::uint64_t)> bits;
    std::memcpy(bits.data(), energy.of, sizeof(energy));
    std::uint64_t any = 0;
    for (const std::uint64_t pair : bits) any |= pair;
    return (any & 0x7fffffff7fffffff) == 0;  // of either sign
}

/// Energy of a row of voxels, added up at nodes.
class RowSums {
public:
    RowSums(std::size_t columns, std::size_t nodes)
        : nodes_(nodes),
          blocks_((columns + simd_width - 1) / simd_width),
          energy_(blocks_ * nodes),
          touched_(blocks_ * nodes, 0),
          list_(blocks_) {}

    void add(const CellEnergy& from, const std::array<std::size_t, 8>& corners) {
        std::array<EmissionRows::Energy, 8> released;
        release_at_corners(from, released.data());
        for (std::size_t c = 0; c < 8; ++c) {
            if (all_zero(released[c])) continue;
            const std::size_t node = from.cell + corners[c], at = from.block * nodes_ + node;
            if (!touched_[at]) {
                touched_[at] = 1;
                list_[from.block].push_back(static_cast<std::uint32_t>(node));
            }
            Lanes sum, more;
            load(energy_[at].of, sum);
            load(released[c].of, more);
            sum += more;
            std::memcpy(energy_[at].of, &sum, sizeof(Lanes));
        }
    }
    /// Appends the sums by ascending column and leaves none behind.
    void take(std::vector<EmissionRows::Block>& blocks, std::vector<EmissionRows::Energy>& energy) {
        for (std::size_t b = 0; b < blocks_; ++b) {
            for (const std::uint32_t node : list_[b]) {
                const std::size_t at = b * nodes_ + node;
                blocks.push_back({node, static_cast<std::int32_t>(b * simd_width)});
                energy.push_back(energy_[at]);
                energy_[at] = {};
                touched_[at] = 0;
            }
            list_[b].clear();
        }
    }

private:
    std::size_t nodes_, blocks_;
    std::vector<EmissionRows::Energy> energy_;  ///< [block][node]
    std::vector<std::uint8_t> touched_;
    std::vector<std::vector<std::uint32_t>> list_;  ///< nodes of a block, in the order in which they were met
};

/// Neighbours in a row of voxels that belong to one source: places `begin` on.
struct Run {
    std::size_t row, begin, end;
};

}  // namespace

/// The voxels of all sources in one slice, sorted by rows: buffers of one thread.
class EmissionRows::SliceSources {
public:
    SliceSources(std::size_t columns, std::size_t rows)
        : columns_(columns), row_end_(rows + 1), of_voxel_(columns) {}

    /// Reads slice k of every source and finds the voxels in the tables.
    void read(const std::vector<ReleasedEnergy>& sources, const RayTables& tables, std::size_t k) {
        energy_.clear();
        column_.clear();
        row_.clear();
        runs_.clear();
        for (std::size_t s = 0; s < sources.size(); ++s) read(sources[s], tables, s, k);
        sort_runs();
    }

    /// Adds the energy of row r at the nodes of the tables; returns the largest that a voxel of it releases,
    /// whichever its sign.
    float add_row(std::size_t r, const RayTables& tables, RowSums& sums) {
        std::fill(of_voxel_.begin(), of_voxel_.end(), 0.0f);
        for (std::size_t n = r == 0 ? 0 : row_end_[r - 1]; n < row_end_[r]; ++n)
            for (std::size_t i = by_row_[n].begin; i < by_row_[n].end;) {
                const CellEnergy in_cell = take_cell(i, by_row_[n].end);
                sums.add(in_cell, tables.corners(in_cell.cell));
            }
        float largest = 0;
        for (const float of_one : of_voxel_) largest = std::max(largest, std::abs(of_one));
        return largest;
    }

private:
    void read(const ReleasedEnergy& source, const RayTables& tables, std::size_t number, std::size_t k) {
        const std::size_t rows = row_end_.size() - 1, slice_begin = k * rows * columns_,
                          slice_end = slice_begin + rows * columns_;
        const auto& voxel = source.voxel;
        const auto first = std::lower_bound(voxel.begin(), voxel.end(), slice_begin),
                   last = std::lower_bound(first, voxel.end(), slice_end);
        const auto begin = static_cast<std::size_t>(first - voxel.begin()),
                   end = static_cast<std::size_t>(last - voxel.begin()), at = energy_.size();
        energy_.insert(energy_.end(), source.energy.begin() + (first - voxel.begin()),
                       source.energy.begin() + (last - voxel.begin()));
        column_.resize(energy_.size());
        row_.resize(energy_.size());
        places_.resize(energy_.size());
        source.each_row(begin, end, [&](int j, int, std::size_t run_begin, std::size_t run_end) {
            const std::size_t row_begin = slice_begin + static_cast<std::size_t>(j) * columns_;
            runs_.push_back({static_cast<std::size_t>(j), at + run_begin - begin, at + run_end - begin});
            for (std::size_t n = run_begin, i = runs_.back().begin; n < run_end; ++n, ++i) {
                column_[i] = static_cast<int>(voxel[n] - row_begin);
                row_[i] = j;
            }
        });
        tables.place(number, static_cast<int>(k), end - begin, column_.data() + at, row_.data() + at,
                     source.depth_g_cm2.data() + begin, places_, at);
    }

    /// By rows; within a row the sources keep their order.
    void sort_runs() {
        std::fill(row_end_.begin(), row_end_.end(), 0);
        for (const Run& run : runs_) ++row_end_[run.row + 1];
        for (std::size_t r = 0; r + 1 < row_end_.size(); ++r) row_end_[r + 1] += row_end_[r];
        by_row_.resize(runs_.size());
        for (const Run& run : runs_) by_row_[row_end_[run.row]++] = run;
    }

    /// Neighbours from voxel i on that lie in one block and one cell; moves i behind them, to `end` at most.
    CellEnergy take_cell(std::size_t& i, std::size_t end) {
        CellEnergy in_cell{
            static_cast<std::uint32_t>(column_[i] / simd_width), places_.cell[i], {}, {}, {}, {}};
        for (; i < end && places_.cell[i] == in_cell.cell &&
               static_cast<std::uint32_t>(column_[i] / simd_width) == in_cell.block;
             ++i) {
            const auto lane = static_cast<std::size_t>(column_[i] % simd_width);
            in_cell.energy[lane] = energy_[i];
            in_cell.u[lane] = places_.u[i];
            in_cell.v[lane] = places_.v[i];
            in_cell.depth[lane] = places_.depth[i];
            of_voxel_[static_cast<std::size_t>(column_[i])] += energy_[i];
        }
        return in_cell;
    }

    std::size_t columns_;
    // Voxels, one source after the other.
    RayTables::Places places_;
    std::vector<float> energy_;
    std::vector<int> column_, row_;
    std::vector<Run> runs_, by_row_;
    std::vector<std::size_t> row_end_;  ///< in by_row_, once sorted
    std::vector<float> of_voxel_;       ///< energy of all sources in each voxel of a row
};

EmissionRows::EmissionRows(const Grid& grid, const std::vector<ReleasedEnergy>& sources,
                           const RayTables& tables)
    : columns_(static_cast<std::size_t>(grid.size[0])),
      rows_of_slice_(static_cast<std::size_t>(grid.size[1])),
      nodes_(tables.node_count()),
      slices_(static_cast<std::size_t>(grid.size[2])) {
#pragma omp parallel
    {
        RowSums sums(columns_, nodes_);
        SliceSources in_slice(columns_, rows_of_slice_);
        std::vector<Block> blocks;
        std::vector<Energy> at_nodes;
        float largest = 0;
#pragma omp for schedule(dynamic, 1)
        for (std::size_t k = 0; k < slices_.size(); ++k) {
            in_slice.read(sources, tables, k);
            Slice& slice = slices_[k];
            slice.row_begin.assign(1, 0);
            blocks.clear();
            at_nodes.clear();
            for (std::size_t r = 0; r < rows_of_slice_; ++r) {
                largest = std::max(largest, in_slice.add_row(r, tables, sums));
                sums.take(blocks, at_nodes);
                slice.row_begin.push_back(blocks.size());
            }
            slice.blocks = blocks;
            slice.energy = at_nodes;
        }
#pragma omp critical(libdose_emission_largest)
        largest_ = std::max(largest_, largest);
    }
}

/// Turns one slice, tile by tile of eight rows and eight columns: buffers of one thread.
class EmissionRows::SliceTurn {
public:
    SliceTurn(std::size_t columns, std::size_t rows, std::size_t nodes)
        : columns_(columns), rows_(rows), slot_(nodes, 0), next_(rows) {}

    /// The slice by rows along y.
    Slice turned(const Slice& from) {
        Slice to;
        to.row_begin.assign(1, 0);
        std::copy(from.row_begin.begin(), from.row_begin.end() - 1, next_.begin());
        for (std::size_t first_column = 0; first_column < columns_; first_column += size) {
            for (std::size_t i = 0; i < size; ++i) {
                blocks_[i].clear();
                energy_[i].clear();
            }
            for (std::size_t first_row = 0; first_row < rows_; first_row += size) {
                read_tile(from, first_row, first_column);
                turn_tile(first_row);
            }
            append_rows(std::min(size, columns_ - first_column), to);
        }
        return to;
    }

private:
    static constexpr std::size_t size = simd_width;
    struct Tile {
        float of[size][size];  ///< [row][column]
    };

    /// Collects the blocks of up to eight rows from a column on, by nodes.
    void read_tile(const Slice& from, std::size_t first_row, std::size_t first_column) {
        for (std::size_t r = first_row; r < std::min(rows_, first_row + size); ++r)
            for (std::size_t& b = next_[r];
                 b < from.row_begin[r + 1] && static_cast<std::size_t>(from.blocks[b].column) == first_column;
                 ++b)
                std::copy_n(from.energy[b].of, size, tile_of(from.blocks[b].node).of[r % size]);
    }
    Tile& tile_of(std::uint32_t node) {
        if (slot_[node] == 0) {
            met_.push_back(node);
            tile_.push_back({});
            slot_[node] = static_cast<std::uint32_t>(tile_.size());
        }
        return tile_[slot_[node] - 1];
    }
    /// Appends the columns of the tile to the rows that they become, and leaves no tile behind.
    void turn_tile(std::size_t first_row) {
        for (std::size_t n = 0; n < met_.size(); ++n) {
            slot_[met_[n]] = 0;
            for (std::size_t i = 0; i < size; ++i) {
                Energy turned;
                for (std::size_t r = 0; r < size; ++r) turned.of[r] = tile_[n].of[r][i];
                if (all_zero(turned)) continue;
                blocks_[i].push_back({met_[n], static_cast<std::int32_t>(first_row)});
                energy_[i].push_back(turned);
            }
        }
        met_.clear();
        tile_.clear();
    }
    void append_rows(std::size_t count, Slice& to) const {
        for (std::size_t i = 0; i < count; ++i) {
            to.blocks.insert(to.blocks.end(), blocks_[i].begin(), blocks_[i].end());
            to.energy.insert(to.energy.end(), energy_[i].begin(), energy_[i].end());
            to.row_begin.push_back(to.blocks.size());
        }
    }

    std::size_t columns_, rows_;
    std::vector<Tile> tile_;                        ///< by nodes in the order in which they were met
    std::vector<std::uint32_t> met_;                ///< these nodes
    std::vector<std::uint32_t> slot_;               ///< by node: 1 + its place among those met, or 0
    std::vector<std::size_t> next_;                 ///< block of each row that is read next
    std::array<std::vector<Block>, size> blocks_;   ///< of the eight rows that the columns become
    std::array<std::vector<Energy>, size> energy_;  ///< likewise
};

void EmissionRows::turn() {
#pragma omp parallel
    {
        SliceTurn turn(columns_, rows_of_slice_, nodes_);
#pragma omp for schedule(dynamic, 1)
        for (std::size_t k = 0; k < slices_.size(); ++k) slices_[k] = turn.turned(slices_[k]);
    }
    std::swap(rows_of_slice_, columns_);
}

namespace {

constexpr std::size_t ahead =
    160;  // blocks, 6 KiB: what is asked for while these are added up (docs/validation/performance.md)

/// Sum of blocks of one column for `values` rows of values (directions × rates): energy at a node times the
/// values of the node.
template <std::size_t values>
LIBDOSE_INLINE void write_block(std::size_t count, const EmissionRows::Block* blocks,
                                const EmissionRows::Energy* energy, const float* nodes, std::size_t per_node,
                                float* const* out) {
    const int column = blocks[0].column;
    float sum[values][simd_width] = {};
    for (std::size_t b = 0; b < count; ++b) {
        __builtin_prefetch(energy + b + ahead);
        __builtin_prefetch(blocks + b + ahead);
        const float* const released = energy[b].of;
        const float* const node = nodes + blocks[b].node * per_node;
        for (std::size_t i = 0; i < values; ++i)
#pragma omp simd
            for (int lane = 0; lane < simd_width; ++lane)
                sum[i][lane] = physics::fused(released[lane], node[i], sum[i][lane]);
    }
    for (std::size_t i = 0; i < values; ++i) std::copy_n(sum[i], simd_width, out[i] + column);
}

/// Every column from the first block to the last; `used` of the rows are not padding.
LIBDOSE_VERSIONS
void write_row(const EmissionRows::Row& source, const float* nodes, std::size_t per_node, std::size_t used,
               float* const* out) {
    int written = source.blocks[0].column;  // all columns before, from the first block's on
    for (std::size_t begin = 0, end; begin < source.count; begin = end) {
        const int column = source.blocks[begin].column;
        if (written < column)
            for (std::size_t i = 0; i < used; ++i) std::fill(out[i] + written, out[i] + column, 0.0f);
        written = column + simd_width;
        for (end = begin + 1; end < source.count && source.blocks[end].column == column;) ++end;
        const EmissionRows::Block* const blocks = source.blocks + begin;
        const EmissionRows::Energy* const energy = source.energy + begin;
        std::size_t first = 0;
        for (; first + 12 <= per_node; first += 12)
            write_block<12>(end - begin, blocks, energy, nodes + first, per_node, out + first);
        for (; first < per_node; first += 4)
            write_block<4>(end - begin, blocks, energy, nodes + first, per_node, out + first);
    }
}

}  // namespace

Emission::Emission(const EmissionRows& rows, const RayTables& tables, std::size_t first, std::size_t count,
                   std::size_t rates, const SweepLayout& layout)
    : rows_(rows),
      layout_(layout),
      used_(count * rates),
      per_node_((used_ + 3) / 4 * 4),
      values_(tables.slice(first, count, per_node_)),
      unused_(static_cast<std::size_t>(layout.columns + simd_width), 0.0f),
      out_(per_node_, unused_.data()) {}

ColumnRange Emission::row(int plane, int row, float* const* out) {
    const EmissionRows::Row source = rows_.row(layout_.row_index(plane, row));
    if (source.count == 0) return {};
    std::copy_n(out, used_, out_.begin());
    write_row(source, values_.data(), per_node_, used_, out_.data());
    return {source.blocks[0].column,
            std::min(layout_.columns, source.blocks[source.count - 1].column + simd_width)};
}

}  // namespace libdose::cpu
