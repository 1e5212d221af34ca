// Released energy, sorted into the rows that a sweep asks for, and what it emits into the directions of the sweep.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "cpu/directions.h"
#include "cpu/sweep.h"
#include "engine/stages.h"
#include "libdose/beam_model.h"
#include "libdose/grid.h"

namespace libdose::cpu {

/// What rays emit, by nodes of ray direction and depth. Each of a few sources has a table of its own; many share one for each face of a cube around the
/// patient, on which rays of neighbouring maps fall between the same nodes.
class RayTables {
public:
    enum class Sharing { by_source, by_face };
    RayTables(const ConeKernel& kernel, const DirectionSet& directions, const std::vector<ReleasedEnergy>& sources, Sharing sharing);
    /// By face where there are more sources than a cube has faces.
    RayTables(const ConeKernel& kernel, const DirectionSet& directions, const std::vector<ReleasedEnergy>& sources);

    std::size_t node_count() const { return first_node_.back(); }
    /// Cell, from the first node of all tables on, and the fractions within.
    struct Place {
        EmissionTable::Place in;
        std::uint32_t table;
    };
    Place place(std::size_t source, float slope_u, float slope_v, float depth_g_cm2) const {
        std::size_t table = source;
        if (sharing_ == Sharing::by_face) {
            const FaceRay ray = on_face(source, slope_u, slope_v);
            table = ray.face, slope_u = ray.u, slope_v = ray.v;
        }
        EmissionTable::Place in = tables_[table].place(slope_u, slope_v, depth_g_cm2);
        in.cell += static_cast<std::uint32_t>(first_node_[table]);
        return {in, static_cast<std::uint32_t>(table)};
    }
    /// How many nodes the corners of a cell of a table lie behind its own.
    const std::array<std::size_t, 8>& corners(std::size_t table) const { return corners_[table]; }
    /// Nodes with the values [direction][rate] of some directions and zeros up to `width` values.
    std::vector<float> slice(std::size_t first_direction, std::size_t count, std::size_t width) const;

private:
    struct FaceRay {
        std::uint32_t face;
        float u, v;
    };
    /// Where a ray of a source leaves the cube around its start: face 2 · axis (+ 1 where it goes down the axis), slopes along the next two axes.
    FaceRay on_face(std::size_t source, float slope_u, float slope_v) const {
        const std::array<float, 9>& a = axes_[source];
        std::array<float, 3> ray;
        for (std::size_t i = 0; i < 3; ++i) ray[i] = a[3 * i] * slope_u + a[3 * i + 1] * slope_v - a[3 * i + 2];
        std::uint32_t axis = std::abs(ray[1]) > std::abs(ray[0]) ? 1 : 0;
        if (std::abs(ray[2]) > std::abs(ray[axis])) axis = 2;
        const float scale = 1 / std::abs(ray[axis]);
        return {2 * axis + (ray[axis] < 0 ? 1u : 0u), ray[(axis + 1) % 3] * scale, ray[(axis + 2) % 3] * scale};
    }

    Sharing sharing_;
    std::vector<std::array<float, 9>> axes_;  ///< of the sources' frames, [patient's axis][beam's axis]
    std::vector<EmissionTable> tables_;
    std::vector<std::size_t> first_node_;  ///< of each table, and the end
    std::vector<std::array<std::size_t, 8>> corners_;
};

/// The energy of all sources by rows of voxels, shared out to the nodes of the tables: along x, rows ordered as [z][y], or (transposed) along y,
/// ordered as [z][x].
class EmissionRows {
public:
    EmissionRows(const Grid& grid, const std::vector<ReleasedEnergy>& sources, const RayTables& tables, bool transposed);

    static constexpr int block_size = 8;
    /// Eight neighbours in a row, from a multiple of eight on: the energy that they release at a node.
    struct Block {
        std::uint32_t node;
        std::int32_t column;
    };
    struct Energy {
        float of[block_size];
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
        return {slice.blocks.data() + begin, slice.energy.data() + begin, slice.row_begin[in_slice + 1] - begin};
    }

private:
    struct Slice {
        std::vector<Block> blocks;
        std::vector<Energy> energy;
        std::vector<std::size_t> row_begin;
    };
    std::size_t rows_of_slice_;
    std::vector<Slice> slices_;  ///< by z
    float largest_ = 0;
};

/// Source of a sweep over directions `first` … `first + count` - 1 of the tables.
class Emission : public SweepSource {
public:
    Emission(const EmissionRows& rows, const RayTables& tables, std::size_t first, std::size_t count, std::size_t rates, const SweepLayout& layout);
    ColumnRange row(int plane, int row, float* const* out) override;

private:
    const EmissionRows& rows_;
    SweepLayout layout_;
    std::size_t used_, per_node_;  ///< directions × rates, and padded to a multiple of four
    std::vector<float> values_;    ///< of all nodes, for these directions: small enough for the cache
    std::vector<float> unused_;    ///< row that takes the padding
    std::vector<float*> out_;
};

}  // namespace libdose::cpu
