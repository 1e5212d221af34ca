// Voxels of a row among the rays of a bundle, sixteen at once. The equations are those of
// physics/projection.h and ray_bundle.h; tests/physics/test_release.cpp holds both against each other.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <vector>

#include "base/simd/multiversion.h"
#include "geometry/coordinates.h"
#include "raytrace/ray_bundle.h"

namespace libdose::cpu {

/// Point i lies at start + i·step, mm in the beam-limiting-device frame.
struct RowOfPoints {
    float start[3], step[3], source_axis_distance_mm;

    explicit RowOfPoints(const physics::ProjectedRow& row)
        : source_axis_distance_mm(static_cast<float>(row.source_axis_distance_mm())) {
        for (int a = 0; a < 3; ++a) {
            start[a] = static_cast<float>(row.start()[a]);
            step[a] = static_cast<float>(row.step()[a]);
        }
    }
};

/// physics::Projection, and the magnification of the isocentre plane.
struct PlacesOfLanes {
    float u[lanes], v[lanes], distance[lanes], scale[lanes];
};

/// physics::project_in_row of voxels first … last; lanes beyond the last repeat it.
LIBDOSE_INLINE void project(const RowOfPoints& row, int first, int last, PlacesOfLanes& p) {
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
        const auto i = static_cast<float>(first + l < last ? first + l : last);
        const float distance = row.source_axis_distance_mm - row.start[2] - i * row.step[2],
                    scale = row.source_axis_distance_mm / distance;
        p.u[l] = (row.start[0] + i * row.step[0]) * scale;
        p.v[l] = (row.start[1] + i * row.step[1]) * scale;
        p.distance[l] = distance;
        p.scale[l] = scale;
    }
}

/// physics::lower_node
LIBDOSE_INLINE void lower_of_two(float x, int size, int& low, float& part) {
    const auto last = static_cast<float>(size - 1);
    x = x > 0.0f ? x : 0.0f;
    x = x < last ? x : last;
    const int cell = static_cast<int>(x);
    low = cell < size - 2 ? cell : size - 2;
    part = x - static_cast<float>(low);
}

/// Where voxels lie between rays and their nodes: the lower ray, the place of its lower node among all sums,
/// and the shares of the upper ones.
struct BetweenRays {
    int ray[lanes], sum[lanes];
    float u[lanes], v[lanes], along[lanes];
};

/// Reads the values of voxels first … last of a row; lanes beyond the last are zero.
LIBDOSE_INLINE void read_lanes(const float* row, int first, int last, float* values) {
    if (last - first + 1 == lanes) {
        std::memcpy(values, row + first, lanes * sizeof(float));
        return;
    }
    for (int l = 0; l < lanes; ++l) values[l] = first + l <= last ? row[first + l] : 0.0f;
}

/// A bundle as lanes read it. Places among its sums are 32-bit integers (RayBundle has no more).
class LaneRays {
public:
    explicit LaneRays(const physics::RaySumsView& rays)
        : sums_(rays.sums),
          next_v_(rays.next_v()),
          next_node_(rays.next_node()),
          raster_(rays.raster),
          low_{static_cast<float>(raster_.low_u), static_cast<float>(raster_.low_v),
               static_cast<float>(raster_.first)},
          per_ray_(static_cast<float>(1 / raster_.spacing)),
          per_node_(static_cast<float>(1 / raster_.step)) {}

    LIBDOSE_INLINE void find(const PlacesOfLanes& p, BetweenRays& at) const {
        const int size_u = raster_.size_u, size_v = raster_.size_v, steps = raster_.steps,
                  next_node = static_cast<int>(next_node_);
#pragma omp simd
        for (int l = 0; l < lanes; ++l) {
            int u, v, node;
            lower_of_two((p.u[l] - low_[0]) * per_ray_, size_u, u, at.u[l]);
            lower_of_two((p.v[l] - low_[1]) * per_ray_, size_v, v, at.v[l]);
            lower_of_two((p.distance[l] - low_[2]) * per_node_, steps, node, at.along[l]);
            at.ray[l] = v * size_u + u;
            at.sum[l] = at.ray[l] + node * next_node;
        }
    }

    /// physics::RaySumsView::path
    LIBDOSE_INLINE void paths(const BetweenRays& at, float* water, float* high_z) const {
        static_assert(sizeof(physics::RaySums) == 2 * sizeof(float));
        using Quad =
            float __attribute__((vector_size(4 * sizeof(float))));  // both sums of a ray, and of the next
        const physics::RaySums* const beside[4] = {sums_, sums_ + next_v_, sums_ + next_node_,
                                                   sums_ + next_node_ + next_v_};
        float weight[4][lanes], found[lanes][4];
#pragma omp simd
        for (int l = 0; l < lanes; ++l) {
            const float v = at.v[l], s = at.along[l], vs = v * s;
            weight[0][l] = 1 - v - s + vs;
            weight[1][l] = v - vs;
            weight[2][l] = s - vs;
            weight[3][l] = vs;
        }
        for (int l = 0; l < lanes; ++l) {
            Quad corner[4];
            std::memcpy(&corner[0], beside[0] + at.sum[l], sizeof(Quad));
            std::memcpy(&corner[1], beside[1] + at.sum[l], sizeof(Quad));
            std::memcpy(&corner[2], beside[2] + at.sum[l], sizeof(Quad));
            std::memcpy(&corner[3], beside[3] + at.sum[l], sizeof(Quad));
            const Quad both = (weight[0][l] * corner[0] + weight[1][l] * corner[1]) +
                              (weight[2][l] * corner[2] + weight[3][l] * corner[3]);
            std::memcpy(found[l], &both, sizeof(Quad));
        }
#pragma omp simd
        for (int l = 0; l < lanes; ++l) {
            water[l] = found[l][0] + at.u[l] * (found[l][2] - found[l][0]);
            high_z[l] = found[l][1] + at.u[l] * (found[l][3] - found[l][1]);
        }
    }

    /// A value of a ray, of the next along u, and of those two next along v: side by side, for one look.
    using Neighbours = std::array<float, 4>;

    static std::vector<Neighbours> with_neighbours(const physics::RayRaster& raster,
                                                   const std::vector<float>& of_ray) {
        const auto size_u = static_cast<std::size_t>(raster.size_u),
                   size_v = static_cast<std::size_t>(raster.size_v);
        std::vector<Neighbours> all(of_ray.size());
        for (std::size_t v = 0; v + 1 < size_v; ++v)
            for (std::size_t u = 0; u + 1 < size_u; ++u) {
                const float *low = &of_ray[v * size_u + u], *high = low + size_u;
                all[v * size_u + u] = {low[0], low[1], high[0], high[1]};
            }
        return all;
    }

    /// Linear between the four rays beside the voxels.
    LIBDOSE_INLINE void between(const Neighbours* values, const BetweenRays& at, float* found) const {
        float beside[lanes][4];
        for (int l = 0; l < lanes; ++l) std::memcpy(beside[l], values[at.ray[l]].data(), sizeof(Neighbours));
#pragma omp simd
        for (int l = 0; l < lanes; ++l) {
            const float low = beside[l][0] + at.u[l] * (beside[l][1] - beside[l][0]),
                        high = beside[l][2] + at.u[l] * (beside[l][3] - beside[l][2]);
            found[l] = low + at.v[l] * (high - low);
        }
    }

private:
    const physics::RaySums* sums_;
    std::ptrdiff_t next_v_, next_node_;
    physics::RayRaster raster_;
    float low_[3], per_ray_, per_node_;
};

}  // namespace libdose::cpu
