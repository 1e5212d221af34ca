#include "cpu/emission.h"

#include <algorithm>
#include <limits>

#include "cpu/versions.h"
#include "libdose/error.h"

namespace libdose::cpu {

EmissionRows::EmissionRows(const Grid& grid, const std::vector<ReleasedEnergy>& sources, const std::vector<EmissionTable>& tables, bool transposed) {
    const auto nx = static_cast<std::size_t>(grid.size[0]), ny = static_cast<std::size_t>(grid.size[1]), nz = static_cast<std::size_t>(grid.size[2]);
    const std::size_t rows_of_slice = transposed ? nx : ny, rows = rows_of_slice * nz;
    std::size_t entries = 0;
    for (const ReleasedEnergy& source : sources) entries += source.size();
    if (entries > std::numeric_limits<std::uint32_t>::max() - 64)
        throw bad_input("the beams release energy in more than 2^32 voxels", "collapsed cone", "Choose a larger grid spacing");
    // A run may be read in whole blocks.
    for (auto* values : {&energy_, &u_, &v_, &depth_}) values->resize(entries + lanes);

    // Entries of a slice of voxels: they ascend with the voxel in every source.
    const auto slice_of = [&](const ReleasedEnergy& source, std::size_t k) {
        const auto bound = [&](std::size_t slice) {
            return static_cast<std::size_t>(std::lower_bound(source.voxel.begin(), source.voxel.end(), slice * nx * ny) - source.voxel.begin());
        };
        return std::pair{bound(k), bound(k + 1)};
    };
    struct At {
        std::size_t row, column;
    };
    const auto at = [&](std::size_t voxel, std::size_t k) {
        const std::size_t in_slice = voxel - k * nx * ny, j = in_slice / nx, i = in_slice - j * nx;
        return transposed ? At{k * nx + i, j} : At{k * ny + j, i};
    };
    std::vector<std::size_t> entry_begin(rows + 1, 0);
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t k = 0; k < nz; ++k)
        for (const ReleasedEnergy& source : sources) {
            const auto [begin, end] = slice_of(source, k);
            for (std::size_t n = begin; n < end; ++n) ++entry_begin[at(source.voxel[n], k).row + 1];
        }
    for (std::size_t row = 0; row < rows; ++row) entry_begin[row + 1] += entry_begin[row];

    std::vector<std::vector<Run>> runs_of_slice(nz);
    std::vector<std::size_t> run_count(rows, 0);
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t k = 0; k < nz; ++k) {
        const std::size_t first_row = k * rows_of_slice;
        std::vector<std::size_t> cursor(entry_begin.begin() + static_cast<std::ptrdiff_t>(first_row),
                                        entry_begin.begin() + static_cast<std::ptrdiff_t>(first_row + rows_of_slice));
        std::vector<std::vector<Run>> runs(rows_of_slice);
        for (std::size_t s = 0; s < sources.size(); ++s) {
            const ReleasedEnergy& source = sources[s];
            const auto [begin, end] = slice_of(source, k);
            for (std::size_t n = begin; n < end; ++n) {
                const At to = at(source.voxel[n], k);
                const EmissionTable::Place place = tables[s].place(source.slope_u[n], source.slope_v[n], source.depth_g_cm2[n]);
                const std::size_t entry = cursor[to.row - first_row]++;
                energy_[entry] = source.energy[n], u_[entry] = place.u, v_[entry] = place.v, depth_[entry] = place.depth;
                std::vector<Run>& row = runs[to.row - first_row];
                if (!row.empty() && row.back().source == s && row.back().cell == place.cell &&
                    row.back().column + row.back().count == static_cast<std::int32_t>(to.column))
                    ++row.back().count;
                else
                    row.push_back({static_cast<std::uint32_t>(s), place.cell, static_cast<std::uint32_t>(entry), static_cast<std::int32_t>(to.column), 1});
            }
        }
        for (std::size_t r = 0; r < rows_of_slice; ++r) {
            run_count[first_row + r] = runs[r].size();
            runs_of_slice[k].insert(runs_of_slice[k].end(), runs[r].begin(), runs[r].end());
        }
    }
    row_begin_.assign(rows + 1, 0);
    for (std::size_t row = 0; row < rows; ++row) row_begin_[row + 1] = row_begin_[row] + run_count[row];
    runs_.reserve(row_begin_.back());
    for (std::vector<Run>& runs : runs_of_slice) {
        runs_.insert(runs_.end(), runs.begin(), runs.end());
        runs = {};
    }
}

namespace {

/// Adds a run to rows of values (directions × rates): energy times the eight weights, times the nodes of the cell.
LIBDOSE_VERSIONS
void add_run(int count, const float* __restrict energy, const float* __restrict u, const float* __restrict v, const float* __restrict depth,
             const std::array<const float*, 8>& nodes, std::size_t values, int column, float* __restrict weights, std::size_t stride, float* const* out) {
    const int blocks = (count + lanes - 1) / lanes * lanes;
    for (int first = 0; first < blocks; first += lanes)
#pragma omp simd
        for (int i = first; i < first + lanes; ++i) {
            const float released = i < count ? energy[i] : 0.0f;
            const float deep = released * depth[i], shallow = released - deep;
            float* w = weights + i;
            const float su = shallow * u[i], du = deep * u[i], s0 = shallow - su, d0 = deep - du;
            w[stride] = su - su * v[i], w[3 * stride] = su * v[i], w[0] = s0 - s0 * v[i], w[2 * stride] = s0 * v[i];
            w[5 * stride] = du - du * v[i], w[7 * stride] = du * v[i], w[4 * stride] = d0 - d0 * v[i], w[6 * stride] = d0 * v[i];
        }
    for (int first = 0; first < blocks; first += lanes)
        for (std::size_t value = 0; value < values; ++value) {
            const float n0 = nodes[0][value], n1 = nodes[1][value], n2 = nodes[2][value], n3 = nodes[3][value];
            const float n4 = nodes[4][value], n5 = nodes[5][value], n6 = nodes[6][value], n7 = nodes[7][value];
            const float* __restrict w = weights + first;
            float* __restrict sum = out[value] + column + first;
#pragma omp simd
            for (int i = 0; i < lanes; ++i)
                sum[i] += ((w[i] * n0 + w[i + stride] * n1) + (w[i + 2 * stride] * n2 + w[i + 3 * stride] * n3)) +
                          ((w[i + 4 * stride] * n4 + w[i + 5 * stride] * n5) + (w[i + 6 * stride] * n6 + w[i + 7 * stride] * n7));
        }
}

}  // namespace

ColumnRange Emission::row(int plane, int row, float* const* out) {
    const std::size_t index = layout_.row_index(plane, row);
    ColumnRange range{layout_.columns, 0};
    for (auto* run = rows_.begin(index); run != rows_.end(index); ++run) {
        range = {std::min(range.begin, run->column), std::max(range.end, run->column + run->count)};
        add_run(run->count, rows_.energy(run->first), rows_.part_u(run->first), rows_.part_v(run->first), rows_.part_depth(run->first),
                tables_[run->source].nodes(run->cell, first_), values_, run->column, weights_.data(), stride(), out);
    }
    return range.empty() ? ColumnRange{} : range;
}

}  // namespace libdose::cpu
