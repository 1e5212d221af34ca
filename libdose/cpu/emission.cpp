#include "cpu/emission.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cpu/versions.h"

namespace libdose::cpu {

namespace {

constexpr std::size_t faces = 6;
constexpr double table_step = 0.06, shared_step = 0.09;  // slope between rays of the tables

/// Least and largest slopes {low u, high u, low v, high v}.
struct Slopes {
    float low_u = 1e30f, high_u = -1e30f, low_v = 1e30f, high_v = -1e30f;
    void add(float u, float v) { low_u = std::min(low_u, u), high_u = std::max(high_u, u), low_v = std::min(low_v, v), high_v = std::max(high_v, v); }
    void add(const Slopes& other) { add(other.low_u, other.low_v), add(other.high_u, other.high_v); }
    bool any() const { return low_u <= high_u; }
};

EmissionTable table_of(const ConeKernel& kernel, const DirectionSet& directions, const physics::BeamFrame& frame, Slopes s, double largest_step) {
    if (!s.any()) s = {0, 0, 0, 0};
    return {kernel,
            directions,
            frame,
            static_cast<double>(s.low_u),
            static_cast<double>(s.high_u),
            static_cast<double>(s.low_v),
            static_cast<double>(s.high_v),
            largest_step};
}

/// Frame whose beam goes along an axis of the patient; slopes along the next two.
physics::BeamFrame face_frame(std::size_t face) {
    const auto axis = static_cast<int>(face / 2);
    physics::BeamFrame frame;
    frame.axes.col(0) = Vec3::Unit((axis + 1) % 3), frame.axes.col(1) = Vec3::Unit((axis + 2) % 3);
    frame.axes.col(2) = (face % 2 == 0 ? -1 : 1) * Vec3::Unit(axis);
    return frame;
}

/// Neighbours in a row of voxels: visit(j, k, first, last) for entries [first, last), in the order of all.
template <class Visit>
void each_run(const ReleasedEnergy& source, std::size_t begin, std::size_t end, Visit&& visit) {
    const auto columns = static_cast<std::size_t>(source.grid.size[0]), rows = static_cast<std::size_t>(source.grid.size[1]);
    for (std::size_t n = begin; n < end;) {
        const std::size_t row = source.voxel[n] / columns, row_end = (row + 1) * columns, first = n;
        while (n < end && source.voxel[n] < row_end) ++n;
        visit(static_cast<int>(row % rows), static_cast<int>(row / rows), first, n);
    }
}

}  // namespace

RayTables::RayTables(const ConeKernel& kernel, const DirectionSet& directions, const std::vector<ReleasedEnergy>& sources)
    : RayTables(kernel, directions, sources, sources.size() > faces ? Sharing::by_face : Sharing::by_source) {}

RayTables::RayTables(const ConeKernel& kernel, const DirectionSet& directions, const std::vector<ReleasedEnergy>& sources, Sharing sharing)
    : sharing_(sharing), sources_(sources) {
    std::vector<std::array<Slopes, faces>> slopes(sources.size());
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t s = 0; s < sources.size(); ++s)
        each_run(sources[s], 0, sources[s].size(), [&](int j, int k, std::size_t first, std::size_t last) {
            const SliceRays rays = slice_rays(s, k);
            const auto ray = [&](std::size_t n) {
                const int column = static_cast<int>(sources[s].voxel[n] % static_cast<std::size_t>(sources[s].grid.size[0]));
                return sharing == Sharing::by_face ? on_face(rays, column, j) : on_axis(rays, column, j);
            };
            // From one end of a run to the other slopes on a face only grow or only fall.
            const bool one_face = ray(first).face == ray(last - 1).face;
            for (std::size_t n = first; n < last; n += one_face ? std::max<std::size_t>(1, last - 1 - first) : 1) {
                const FaceRay at = ray(n);
                slopes[s][static_cast<std::size_t>(at.face)].add(at.u, at.v);
            }
        });
    if (sharing == Sharing::by_source) {
        for (std::size_t s = 0; s < sources.size(); ++s) tables_.push_back(table_of(kernel, directions, sources[s].frame, slopes[s][0], table_step));
    } else {
        for (std::size_t f = 0; f < faces; ++f) {
            Slopes all;
            for (const auto& of_source : slopes)
                if (of_source[f].any()) all.add(of_source[f]);
            // Emission is smooth over as much as a direction's cell: as fine a step in proportion for fewer directions would be wasted.
            tables_.push_back(table_of(kernel, directions, face_frame(f), all, shared_step * std::sqrt(192.0 / static_cast<double>(directions.size()))));
        }
    }
    first_node_.push_back(0);
    for (const EmissionTable& table : tables_) {
        first_node_.push_back(first_node_.back() + table.node_count());
        corners_.push_back(table.corners());
    }
}

namespace {
constexpr std::size_t places_together = 64;  // as much as find_places() takes at most
}

RayTables::SliceRays RayTables::slice_rays(std::size_t source, int k) const {
    const ReleasedEnergy& from = sources_[source];
    const ReleasedEnergy::Rays row = from.rays(0, k), next = from.rays(1, k);
    Vec3 parts[3] = {row.start, row.step, next.start - row.start};
    SliceRays rays;
    float* const to[3] = {rays.start, rays.per_column, rays.per_row};
    for (int n = 0; n < 3; ++n) {
        if (sharing_ == Sharing::by_source) parts[n] = (from.frame.axes.transpose() * parts[n]).cwiseProduct(Vec3(1, 1, -1)).eval();
        for (int a = 0; a < 3; ++a) to[n][a] = static_cast<float>(parts[n][a]);
    }
    return rays;
}

LIBDOSE_VERSIONS
void RayTables::find_faces(const SliceRays& of_slice, int count, const int* column, const int* row, int* __restrict face, float* __restrict u,
                           float* __restrict v) {
    const SliceRays rays = of_slice;
#pragma omp simd
    for (int n = 0; n < count; ++n) {
        const FaceRay ray = on_face(rays, column[n], row[n]);
        face[n] = ray.face, u[n] = ray.u, v[n] = ray.v;
    }
}

LIBDOSE_VERSIONS
void RayTables::find_slopes(const SliceRays& of_slice, int count, const int* column, const int* row, float* __restrict u, float* __restrict v) {
    const SliceRays rays = of_slice;
#pragma omp simd
    for (int n = 0; n < count; ++n) {
        const FaceRay ray = on_axis(rays, column[n], row[n]);
        u[n] = ray.u, v[n] = ray.v;
    }
}

LIBDOSE_VERSIONS
void RayTables::find_places(const physics::EmissionRaster& raster, std::uint32_t first_node, int count, const float* slope_u, const float* slope_v,
                            const float* depth, std::uint32_t* __restrict cell, float* __restrict u, float* __restrict v, float* __restrict in_depth) {
    const physics::EmissionRaster r = raster;
    int set[places_together];
    float shallower[places_together], deeper[places_together];
    for (int n = 0; n < count; ++n) set[n] = 0, shallower[n] = r.depths[0], deeper[n] = r.depths[1];
    for (int next = 1; next + 1 < r.depth_count; ++next)
#pragma omp simd
        for (int n = 0; n < count; ++n) r.descend(next, depth[n], set[n], shallower[n], deeper[n]);
#pragma omp simd
    for (int n = 0; n < count; ++n) {
        const physics::EmissionPlace place = r.place(slope_u[n], slope_v[n], depth[n], set[n], shallower[n], deeper[n]);
        cell[n] = first_node + place.cell, u[n] = place.u, v[n] = place.v, in_depth[n] = place.depth;
    }
}

void RayTables::place(std::size_t source, int k, std::size_t count, const int* column, const int* row, const float* depth_g_cm2, Places& places,
                      std::size_t to) const {
    const SliceRays rays = slice_rays(source, k);
    int face[places_together];
    float u[places_together], v[places_together];
    for (std::size_t n = 0; n < count; n += places_together) {
        const std::size_t size = std::min(places_together, count - n), at = to + n;
        const auto part = [&](std::size_t table, std::size_t first, std::size_t last) {
            find_places(tables_[table].raster(), static_cast<std::uint32_t>(first_node_[table]), static_cast<int>(last - first), u + first, v + first,
                        depth_g_cm2 + n + first, &places.cell[at + first], &places.u[at + first], &places.v[at + first], &places.depth[at + first]);
        };
        if (sharing_ == Sharing::by_source) {
            find_slopes(rays, static_cast<int>(size), column + n, row + n, u, v);
            part(source, 0, size);
            continue;
        }
        find_faces(rays, static_cast<int>(size), column + n, row + n, face, u, v);
        for (std::size_t first = 0, last; first < size; first = last) {
            for (last = first + 1; last < size && face[last] == face[first];) ++last;
            part(static_cast<std::size_t>(face[first]), first, last);
        }
    }
}

std::vector<float> RayTables::slice(std::size_t first_direction, std::size_t count, std::size_t width) const {
    std::vector<float> values;
    for (const EmissionTable& table : tables_) table.slice(first_direction, count, width, values);
    return values;
}

namespace {

constexpr int block_size = EmissionRows::block_size;
using Lanes = float __attribute__((vector_size(block_size * sizeof(float))));

/// Not returned by value: without AVX the compiler warns of another calling convention.
LIBDOSE_INLINE void load(const float* from, Lanes& lanes) { std::memcpy(&lanes, from, sizeof(Lanes)); }

/// Energy in a block of a row of voxels, all of it in one cell of a table.
struct CellEnergy {
    std::uint32_t block, cell;
    float energy[block_size], u[block_size], v[block_size], depth[block_size];  ///< the last three: fractions in the cell
};

/// What a block releases at the corners of its cell.
LIBDOSE_VERSIONS
void release_at_corners(const CellEnergy& from, EmissionRows::Energy* at_corner) {
    Lanes energy, u, v, depth;
    load(from.energy, energy), load(from.u, u), load(from.v, v), load(from.depth, depth);
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
        : nodes_(nodes), blocks_((columns + block_size - 1) / block_size), energy_(blocks_ * nodes), touched_(blocks_ * nodes, 0), list_(blocks_) {}

    void add(const CellEnergy& from, const std::array<std::size_t, 8>& corners) {
        std::array<EmissionRows::Energy, 8> released;
        release_at_corners(from, released.data());
        for (std::size_t c = 0; c < 8; ++c) {
            if (all_zero(released[c])) continue;
            const std::size_t node = from.cell + corners[c], at = from.block * nodes_ + node;
            if (!touched_[at]) touched_[at] = 1, list_[from.block].push_back(static_cast<std::uint32_t>(node));
            Lanes sum, more;
            load(energy_[at].of, sum), load(released[c].of, more);
            sum += more;
            std::memcpy(energy_[at].of, &sum, sizeof(Lanes));
        }
    }
    /// Appends the sums by ascending column and leaves none behind.
    void take(std::vector<EmissionRows::Block>& blocks, std::vector<EmissionRows::Energy>& energy) {
        for (std::size_t b = 0; b < blocks_; ++b) {
            for (const std::uint32_t node : list_[b]) {
                const std::size_t at = b * nodes_ + node;
                blocks.push_back({node, static_cast<std::int32_t>(b * block_size)});
                energy.push_back(energy_[at]);
                energy_[at] = {}, touched_[at] = 0;
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

EmissionRows::EmissionRows(const Grid& grid, const std::vector<ReleasedEnergy>& sources, const RayTables& tables)
    : columns_(static_cast<std::size_t>(grid.size[0])),
      rows_of_slice_(static_cast<std::size_t>(grid.size[1])),
      nodes_(tables.node_count()),
      slices_(static_cast<std::size_t>(grid.size[2])) {
#pragma omp parallel
    {
        RowSums sums(columns_, nodes_);
        // Of all voxels of a slice, one source after the other.
        RayTables::Places places;
        std::vector<float> energy;
        std::vector<int> column, row;
        std::vector<Run> runs, by_row;
        std::vector<std::size_t> row_end(rows_of_slice_ + 1);
        std::vector<Block> blocks;
        std::vector<Energy> at_nodes;
        std::vector<float> of_voxel(columns_);
        float largest = 0;
#pragma omp for schedule(dynamic, 1)
        for (std::size_t k = 0; k < slices_.size(); ++k) {
            const std::size_t slice_begin = k * rows_of_slice_ * columns_, slice_end = slice_begin + rows_of_slice_ * columns_;
            energy.clear(), column.clear(), row.clear(), runs.clear();
            for (std::size_t s = 0; s < sources.size(); ++s) {
                const auto& voxel = sources[s].voxel;
                const auto first = std::lower_bound(voxel.begin(), voxel.end(), slice_begin), last = std::lower_bound(first, voxel.end(), slice_end);
                const auto begin = static_cast<std::size_t>(first - voxel.begin()), end = static_cast<std::size_t>(last - voxel.begin()), at = energy.size();
                energy.insert(energy.end(), sources[s].energy.begin() + (first - voxel.begin()), sources[s].energy.begin() + (last - voxel.begin()));
                column.resize(energy.size()), row.resize(energy.size()), places.resize(energy.size());
                each_run(sources[s], begin, end, [&](int j, int, std::size_t run_begin, std::size_t run_end) {
                    const std::size_t row_begin = slice_begin + static_cast<std::size_t>(j) * columns_;
                    runs.push_back({static_cast<std::size_t>(j), at + run_begin - begin, at + run_end - begin});
                    for (std::size_t n = run_begin, i = runs.back().begin; n < run_end; ++n, ++i)
                        column[i] = static_cast<int>(voxel[n] - row_begin), row[i] = j;
                });
                tables.place(s, static_cast<int>(k), end - begin, column.data() + at, row.data() + at, sources[s].depth_g_cm2.data() + begin, places, at);
            }
            // Sorted by rows; within a row the sources keep their order.
            std::fill(row_end.begin(), row_end.end(), 0);
            for (const Run& run : runs) ++row_end[run.row + 1];
            for (std::size_t r = 0; r < rows_of_slice_; ++r) row_end[r + 1] += row_end[r];
            by_row.resize(runs.size());
            for (const Run& run : runs) by_row[row_end[run.row]++] = run;
            Slice& slice = slices_[k];
            slice.row_begin.assign(1, 0);
            blocks.clear(), at_nodes.clear();
            for (std::size_t r = 0, n = 0; r < rows_of_slice_; ++r) {
                std::fill(of_voxel.begin(), of_voxel.end(), 0.0f);
                for (; n < row_end[r]; ++n)
                    for (std::size_t i = by_row[n].begin; i < by_row[n].end;) {
                        CellEnergy in_cell{static_cast<std::uint32_t>(column[i] / block_size), places.cell[i], {}, {}, {}, {}};
                        for (; i < by_row[n].end && places.cell[i] == in_cell.cell && static_cast<std::uint32_t>(column[i] / block_size) == in_cell.block;
                             ++i) {
                            const auto lane = static_cast<std::size_t>(column[i] % block_size);
                            in_cell.energy[lane] = energy[i], in_cell.u[lane] = places.u[i], in_cell.v[lane] = places.v[i];
                            in_cell.depth[lane] = places.depth[i];
                            of_voxel[static_cast<std::size_t>(column[i])] += energy[i];
                        }
                        sums.add(in_cell, tables.corners(in_cell.cell));
                    }
                for (const float of_one : of_voxel) largest = std::max(largest, std::abs(of_one));
                sums.take(blocks, at_nodes);
                slice.row_begin.push_back(blocks.size());
            }
            slice.blocks = blocks, slice.energy = at_nodes;
        }
#pragma omp critical(libdose_emission_largest)
        largest_ = std::max(largest_, largest);
    }
}

void EmissionRows::turn() {
    constexpr std::size_t size = block_size;
    const std::size_t tiles = (rows_of_slice_ + size - 1) / size;
#pragma omp parallel
    {
        struct Tile {
            float of[size][size];  ///< [row][column]
        };
        std::vector<Tile> tile;                           ///< by nodes in the order in which they were met
        std::vector<std::uint32_t> met, slot(nodes_, 0);  ///< their numbers; 1 + the place of a node among them
        std::vector<std::size_t> next(rows_of_slice_);    ///< block of a row
        std::array<std::vector<Block>, size> blocks;      ///< of the rows to come, as far as they come from one column of blocks
        std::array<std::vector<Energy>, size> energy;
#pragma omp for schedule(dynamic, 1)
        for (std::size_t k = 0; k < slices_.size(); ++k) {
            const Slice& from = slices_[k];
            Slice to;
            to.row_begin.assign(1, 0);
            std::copy(from.row_begin.begin(), from.row_begin.end() - 1, next.begin());
            for (std::size_t first_column = 0; first_column < columns_; first_column += size) {
                for (std::size_t i = 0; i < size; ++i) blocks[i].clear(), energy[i].clear();
                for (std::size_t t = 0; t < tiles; ++t) {
                    for (std::size_t r = t * size; r < std::min(rows_of_slice_, (t + 1) * size); ++r)
                        for (std::size_t& b = next[r]; b < from.row_begin[r + 1] && static_cast<std::size_t>(from.blocks[b].column) == first_column; ++b) {
                            const std::uint32_t node = from.blocks[b].node;
                            if (slot[node] == 0) met.push_back(node), tile.push_back({}), slot[node] = static_cast<std::uint32_t>(tile.size());
                            std::copy_n(from.energy[b].of, size, tile[slot[node] - 1].of[r % size]);
                        }
                    for (std::size_t n = 0; n < met.size(); ++n) {
                        slot[met[n]] = 0;
                        for (std::size_t i = 0; i < size; ++i) {
                            Energy turned;
                            for (std::size_t r = 0; r < size; ++r) turned.of[r] = tile[n].of[r][i];
                            if (all_zero(turned)) continue;
                            blocks[i].push_back({met[n], static_cast<std::int32_t>(t * size)}), energy[i].push_back(turned);
                        }
                    }
                    met.clear(), tile.clear();
                }
                for (std::size_t i = 0; i < std::min(size, columns_ - first_column); ++i) {
                    to.blocks.insert(to.blocks.end(), blocks[i].begin(), blocks[i].end());
                    to.energy.insert(to.energy.end(), energy[i].begin(), energy[i].end());
                    to.row_begin.push_back(to.blocks.size());
                }
            }
            slices_[k] = std::move(to);
        }
    }
    std::swap(rows_of_slice_, columns_);
}

namespace {

constexpr std::size_t ahead = 160;

/// Sum of blocks of one column for `values` rows of values (directions × rates): energy at a node times the values of the node.
template <std::size_t values>
LIBDOSE_INLINE void write_block(std::size_t count, const EmissionRows::Block* blocks, const EmissionRows::Energy* energy, const float* nodes,
                                std::size_t per_node, float* const* out) {
    const int column = blocks[0].column;
    float sum[values][block_size] = {};
    for (std::size_t b = 0; b < count; ++b) {
        __builtin_prefetch(energy + b + ahead), __builtin_prefetch(blocks + b + ahead);
        const float* const released = energy[b].of;
        const float* const node = nodes + blocks[b].node * per_node;
        for (std::size_t i = 0; i < values; ++i)
#pragma omp simd
            for (int lane = 0; lane < block_size; ++lane) sum[i][lane] = physics::fused(released[lane], node[i], sum[i][lane]);
    }
    for (std::size_t i = 0; i < values; ++i) std::copy_n(sum[i], block_size, out[i] + column);
}

/// Every column from the first block to the last; `used` of the rows are not padding.
LIBDOSE_VERSIONS
void write_row(const EmissionRows::Row& source, const float* nodes, std::size_t per_node, std::size_t used, float* const* out) {
    int written = source.blocks[0].column;  // all columns before, from the first block's on
    for (std::size_t begin = 0, end; begin < source.count; begin = end) {
        const int column = source.blocks[begin].column;
        if (written < column)
            for (std::size_t i = 0; i < used; ++i) std::fill(out[i] + written, out[i] + column, 0.0f);
        written = column + block_size;
        for (end = begin + 1; end < source.count && source.blocks[end].column == column;) ++end;
        const EmissionRows::Block* const blocks = source.blocks + begin;
        const EmissionRows::Energy* const energy = source.energy + begin;
        std::size_t first = 0;
        for (; first + 12 <= per_node; first += 12) write_block<12>(end - begin, blocks, energy, nodes + first, per_node, out + first);
        for (; first < per_node; first += 4) write_block<4>(end - begin, blocks, energy, nodes + first, per_node, out + first);
    }
}

}  // namespace

Emission::Emission(const EmissionRows& rows, const RayTables& tables, std::size_t first, std::size_t count, std::size_t rates, const SweepLayout& layout)
    : rows_(rows),
      layout_(layout),
      used_(count * rates),
      per_node_((used_ + 3) / 4 * 4),
      values_(tables.slice(first, count, per_node_)),
      unused_(static_cast<std::size_t>(layout.columns + block_size), 0.0f),
      out_(per_node_, unused_.data()) {}

ColumnRange Emission::row(int plane, int row, float* const* out) {
    const EmissionRows::Row source = rows_.row(layout_.row_index(plane, row));
    if (source.count == 0) return {};
    std::copy_n(out, used_, out_.begin());
    write_row(source, values_.data(), per_node_, used_, out_.data());
    return {source.blocks[0].column, std::min(layout_.columns, source.blocks[source.count - 1].column + block_size)};
}

}  // namespace libdose::cpu
