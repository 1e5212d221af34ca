// Tables of the emission into the directions by ray direction and depth, and the places of voxels in them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "collapsed_cone/directions.h"
#include "libdose/beam_model.h"
#include "terma/released_energy.h"

namespace libdose::cpu {

/// Emission at nodes of ray direction and depth. Each of a few sources has a table of its own; many
/// share one for each face of a cube around the patient, on which rays of neighbouring maps fall between the
/// same nodes.
class RayTables {
public:
    enum class Sharing { by_source, by_face };
    /// The sources must outlive it.
    RayTables(const ConeKernel& kernel, const DirectionSet& directions,
              const std::vector<ReleasedEnergy>& sources, Sharing sharing);
    /// By face where there are more sources than a cube has faces.
    RayTables(const ConeKernel& kernel, const DirectionSet& directions,
              const std::vector<ReleasedEnergy>& sources);

    std::size_t node_count() const { return first_node_.back(); }
    /// Where points of a source lie: cells, from the first node of all tables on, and the fractions within.
    struct Places {
        std::vector<std::uint32_t> cell;
        std::vector<float> u, v, depth;
        void resize(std::size_t size) {
            cell.resize(size);
            u.resize(size);
            v.resize(size);
            depth.resize(size);
        }
    };
    /// Voxels column[n], row[n] of slice k, `count` of them, written from place `to` on.
    void place(std::size_t source, int k, std::size_t count, const int* column, const int* row,
               const float* depth_g_cm2, Places& places, std::size_t to) const;
    /// How many nodes the corners of a cell lie behind its own.
    const std::array<std::size_t, 8>& corners(std::uint32_t cell) const {
        std::size_t table = 0;
        while (cell >= first_node_[table + 1]) ++table;
        return corners_[table];
    }
    /// Nodes with the values [direction][rate] of some directions and zeros up to `width` values.
    std::vector<float> slice(std::size_t first_direction, std::size_t count, std::size_t width) const;

private:
    /// Rays of the voxels of a slice, start + column · per_column + row · per_row: along the patient's axes,
    /// or (by_source) the beam's u, v and way.
    struct SliceRays {
        float start[3], per_column[3], per_row[3];
        float part(int axis, int column, int row) const {
            return start[axis] + static_cast<float>(column) * per_column[axis] +
                   static_cast<float>(row) * per_row[axis];
        }
    };
    SliceRays slice_rays(std::size_t source, int k) const;

    // Without branches, so that loops vectorise.

    /// Face of a cube through which a ray leaves it, 2 · axis (+ 1 where it goes down the axis), and its
    /// slopes along the next two axes.
    struct FaceRay {
        int face;
        float u, v;
    };
    static FaceRay on_face(const SliceRays& rays, int column, int row) {
        const float x = rays.part(0, column, row), y = rays.part(1, column, row),
                    z = rays.part(2, column, row);
        const float size_x = x < 0 ? -x : x, size_y = y < 0 ? -y : y, size_z = z < 0 ? -z : z;
        const bool over_y = size_y > size_x;
        const float size_xy = over_y ? size_y : size_x;
        const bool over_z = size_z > size_xy;
        const float along = over_z   ? z
                            : over_y ? y
                                     : x,
                    next = over_z   ? x
                           : over_y ? z
                                    : y,
                    last = over_z   ? y
                           : over_y ? x
                                    : z;
        const float scale = 1 / (over_z ? size_z : size_xy);
        return {(over_z ? 4 : over_y ? 2 : 0) + (along < 0 ? 1 : 0), next * scale, last * scale};
    }
    static FaceRay on_axis(const SliceRays& rays, int column, int row) {
        const float scale = 1 / rays.part(2, column, row);
        return {0, rays.part(0, column, row) * scale, rays.part(1, column, row) * scale};
    }
    static void find_faces(const SliceRays& rays, int count, const int* column, const int* row, int* face,
                           float* u, float* v);
    static void find_slopes(const SliceRays& rays, int count, const int* column, const int* row, float* u,
                            float* v);
    static void find_places(const physics::EmissionRaster& raster, std::uint32_t first_node, int count,
                            const float* slope_u, const float* slope_v, const float* depth,
                            std::uint32_t* cell, float* u, float* v, float* in_depth);

    Sharing sharing_;
    const std::vector<ReleasedEnergy>& sources_;
    std::vector<EmissionTable> tables_;
    std::vector<std::size_t> first_node_;  ///< first node of each table, and the number of all nodes
    std::vector<std::array<std::size_t, 8>> corners_;
};

}  // namespace libdose::cpu
