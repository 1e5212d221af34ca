#include "cpu/emission.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "cpu/versions.h"

namespace libdose::cpu {

EmissionRows::EmissionRows(const Grid& grid, const std::vector<ReleasedEnergy>& sources, const std::vector<EmissionTable>& tables, bool transposed)
    : rows_of_slice_(static_cast<std::size_t>(grid.size[transposed ? 0 : 1])), slices_(static_cast<std::size_t>(grid.size[2])) {
    const auto nx = static_cast<std::size_t>(grid.size[0]), ny = static_cast<std::size_t>(grid.size[1]);
#pragma omp parallel
    {
        std::vector<std::vector<Block>> blocks(rows_of_slice_);
        std::vector<std::vector<Values>> values(rows_of_slice_);
        std::vector<std::size_t> order;
#pragma omp for schedule(dynamic, 1)
        for (std::size_t k = 0; k < slices_.size(); ++k) {
            for (std::size_t r = 0; r < rows_of_slice_; ++r) blocks[r].clear(), values[r].clear();
            for (std::size_t s = 0; s < sources.size(); ++s) {
                const ReleasedEnergy& source = sources[s];
                const auto bound = [&](std::size_t slice) {
                    return static_cast<std::size_t>(std::lower_bound(source.voxel.begin(), source.voxel.end(), slice * nx * ny) - source.voxel.begin());
                };
                for (std::size_t n = bound(k), end = bound(k + 1); n < end; ++n) {
                    const std::size_t in_slice = source.voxel[n] - k * nx * ny, j = in_slice / nx, i = in_slice - j * nx;
                    const std::size_t row = transposed ? i : j;
                    const auto column = static_cast<std::int32_t>(transposed ? j : i), lane = column % block_size;
                    const EmissionTable::Place place = tables[s].place(source.slope_u[n], source.slope_v[n], source.depth_g_cm2[n]);
                    // Blocks of a cell and its neighbours lie one after the other, so the last one fits mostly.
                    std::vector<Block>& of_row = blocks[row];
                    if (of_row.empty() || of_row.back().source != s || of_row.back().cell != place.cell || of_row.back().column != column - lane) {
                        of_row.push_back({static_cast<std::uint32_t>(s), place.cell, column - lane});
                        values[row].push_back(Values{});
                    }
                    Values& to = values[row].back();
                    to.energy[lane] = source.energy[n], to.u[lane] = place.u, to.v[lane] = place.v, to.depth[lane] = place.depth;
                }
            }
            Slice& slice = slices_[k];
            slice.row_begin.assign(1, 0);
            for (std::size_t r = 0; r < rows_of_slice_; ++r) slice.row_begin.push_back(slice.row_begin.back() + blocks[r].size());
            slice.blocks.reserve(slice.row_begin.back()), slice.values.reserve(slice.row_begin.back());
            for (std::size_t r = 0; r < rows_of_slice_; ++r) {
                order.resize(blocks[r].size());
                std::iota(order.begin(), order.end(), std::size_t{0});
                std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return blocks[r][a].column < blocks[r][b].column; });
                for (const std::size_t n : order) slice.blocks.push_back(blocks[r][n]), slice.values.push_back(values[r][n]);
            }
        }
    }
}

namespace {

constexpr int block_size = EmissionRows::block_size;
using Lanes = float __attribute__((vector_size(block_size * sizeof(float))));

/// Adds blocks of one column to `values` rows of values (directions × rates): energy times the eight weights, times the nodes of the cell
/// of each block.
template <std::size_t values>
LIBDOSE_INLINE void add_to_rows(std::size_t count, const EmissionRows::Values* blocks, const float* const* cells,
                                const std::array<std::size_t, 8>* const* corners, std::size_t first, int column, float* const* out) {
    Lanes sum[values];
    for (std::size_t i = 0; i < values; ++i) std::memcpy(&sum[i], out[first + i] + column, sizeof(Lanes));
    for (std::size_t b = 0; b < count; ++b) {
        Lanes energy, u, v, depth;
        std::memcpy(&energy, blocks[b].energy, sizeof(Lanes));
        std::memcpy(&u, blocks[b].u, sizeof(Lanes));
        std::memcpy(&v, blocks[b].v, sizeof(Lanes));
        std::memcpy(&depth, blocks[b].depth, sizeof(Lanes));
        // Order of EmissionTable::corners: u, v, depth.
        const Lanes deep = energy * depth, shallow = energy - deep;
        const Lanes su = shallow * u, s0 = shallow - su, du = deep * u, d0 = deep - du;
        const Lanes w2 = s0 * v, w3 = su * v, w6 = d0 * v, w7 = du * v;
        const Lanes w0 = s0 - w2, w1 = su - w3, w4 = d0 - w6, w5 = du - w7;
        const float* cell = cells[b] + first;
        const std::array<std::size_t, 8>& corner = *corners[b];
        const float *n0 = cell + corner[0], *n1 = cell + corner[1], *n2 = cell + corner[2], *n3 = cell + corner[3];
        const float *n4 = cell + corner[4], *n5 = cell + corner[5], *n6 = cell + corner[6], *n7 = cell + corner[7];
        for (std::size_t i = 0; i < values; ++i) {
            sum[i] += w0 * n0[i];
            sum[i] += w1 * n1[i];
            sum[i] += w2 * n2[i];
            sum[i] += w3 * n3[i];
            sum[i] += w4 * n4[i];
            sum[i] += w5 * n5[i];
            sum[i] += w6 * n6[i];
            sum[i] += w7 * n7[i];
        }
    }
    for (std::size_t i = 0; i < values; ++i) std::memcpy(out[first + i] + column, &sum[i], sizeof(Lanes));
}

LIBDOSE_VERSIONS
void add_blocks(std::size_t count, const EmissionRows::Values* blocks, const float* const* cells, const std::array<std::size_t, 8>* const* corners,
                std::size_t values, int column, float* const* out) {
    std::size_t first = 0;
    for (; first + 12 <= values; first += 12) add_to_rows<12>(count, blocks, cells, corners, first, column, out);
    for (; first < values; first += 4) add_to_rows<4>(count, blocks, cells, corners, first, column, out);
}

}  // namespace

Emission::Emission(const EmissionRows& rows, const std::vector<EmissionTable>& tables, std::size_t first, std::size_t count, std::size_t rates,
                   const SweepLayout& layout)
    : rows_(rows),
      layout_(layout),
      used_(count * rates),
      per_node_((used_ + 3) / 4 * 4),
      unused_(static_cast<std::size_t>(layout.columns + block_size), 0.0f),
      out_(per_node_, unused_.data()) {
    for (const EmissionTable& table : tables) {
        Nodes nodes{values_.size(), table.corners()};
        for (std::size_t& corner : nodes.corners) corner *= per_node_;
        nodes_.push_back(nodes);
        table.slice(first, count, per_node_, values_);
    }
}

ColumnRange Emission::row(int plane, int row, float* const* out) {
    const EmissionRows::Row source = rows_.row(layout_.row_index(plane, row));
    if (source.count == 0) return {};
    std::copy_n(out, used_, out_.begin());
    for (std::size_t begin = 0, end; begin < source.count; begin = end) {
        const std::int32_t column = source.blocks[begin].column;
        cells_.clear(), corners_.clear();
        for (end = begin; end < source.count && source.blocks[end].column == column; ++end) {
            const Nodes& nodes = nodes_[source.blocks[end].source];
            cells_.push_back(values_.data() + nodes.begin + source.blocks[end].cell * per_node_);
            corners_.push_back(&nodes.corners);
        }
        add_blocks(end - begin, source.values + begin, cells_.data(), corners_.data(), per_node_, column, out_.data());
    }
    return {source.blocks[0].column, std::min(layout_.columns, source.blocks[source.count - 1].column + block_size)};
}

}  // namespace libdose::cpu
