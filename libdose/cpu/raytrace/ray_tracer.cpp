#include "cpu/raytrace/ray_tracer.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "base/simd/multiversion.h"
#include "base/units.h"
#include "libdose/error.h"

namespace libdose::cpu {

namespace {

constexpr int rays_together = RayTracer::together;
using Floats = float __attribute__((vector_size(rays_together * sizeof(float))));
using Ints = int __attribute__((vector_size(rays_together * sizeof(int))));  // of comparisons: 0 or -1

/// Rays in units of voxels and of steps from node to node. From one node to the next a ray leaves at most one
/// voxel along each axis.
struct Rays {
    float at[3][rays_together], on[3][rays_together],
        per_on[3][rays_together];                 ///< place at node 0, and what a step adds; 1 / on
    float in[rays_together], out[rays_together];  ///< nodes between which a ray is in the grid
    float step_cm[rays_together];
    int begin, end;  ///< steps in which any of them is
};

// Vectors by reference: by value the compiler warns of another calling convention without AVX.
LIBDOSE_INLINE void load(const float* from, Floats& to) { std::memcpy(&to, from, sizeof(Floats)); }
LIBDOSE_INLINE bool any(const Ints& condition) {
    std::uint64_t bits[sizeof(Ints) / sizeof(std::uint64_t)];
    std::memcpy(bits, &condition, sizeof(Ints));
    std::uint64_t all = 0;
    for (const std::uint64_t some : bits) all |= some;
    return all != 0;
}

/// Along one axis, the face that a ray crosses in the step from `begin` to `end`: where, or `end`, and what
/// the voxel's index changes by.
struct Crossing {
    Floats at;
    Ints moved;
};

/// Part of a step in which rays are in the grid, in steps from node 0; empty (begin = end) where they are
/// not.
struct Stretch {
    Floats begin, end;
};

/// One axis of the grid and of rays through it.
struct Axis {
    Floats at, on, per_on;  ///< as in Rays
    int size, stride;       ///< voxels, and from one to the next in memory

    /// The face that rays cross, and the index along this axis, times the stride, of the voxel where they are
    /// before.
    LIBDOSE_INLINE void cross(const Stretch& in_grid, Crossing& face, Ints& index) const {
        const Floats from = at + in_grid.begin * on, to = at + in_grid.end * on;
        Ints first = __builtin_convertvector(from, Ints), second = __builtin_convertvector(to, Ints);
        const Ints last = first - first + (size - 1);  // rounding may leave them a trifle outside of the grid
        first = first < last ? first : last;
        second = second < last ? second : last;
        const Floats border = __builtin_convertvector(first > second ? first : second, Floats);
        Floats crossed = in_grid.begin + (border - from) * per_on;
        crossed = crossed > in_grid.begin ? crossed : in_grid.begin;
        crossed = crossed < in_grid.end ? crossed : in_grid.end;
        face = {first == second ? in_grid.end : crossed, (second - first) * stride};
        index = first * stride;
    }
};

/// Where rays cross the three faces, in ascending order.
LIBDOSE_INLINE void sort_crossings(const Crossing (&faces)[3], Floats (&sorted)[3]) {
    const Floats x = faces[0].at, y = faces[1].at, z = faces[2].at;
    const Floats low = x < y ? x : y, high = x < y ? y : x, other = low < z ? z : low;
    sorted[0] = low < z ? low : z;
    sorted[1] = high < other ? high : other;
    sorted[2] = high < other ? other : high;
}

LIBDOSE_INLINE void read(const float* volume, const Ints& voxel, Floats& values) {
    for (int l = 0; l < rays_together; ++l) values[l] = volume[voxel[l]];
}

/// Densities along rays, and their line integrals so far, g/cm².
struct PathSums {
    const float *water_part, *high_z_part;
    Floats water, high_z;

    /// Adds one step: from `voxel` on, through at most four voxels. `cm`: length of a whole step.
    LIBDOSE_INLINE void add(const Stretch& in_grid, const Crossing (&faces)[3], const Ints& voxel,
                            const Floats& cm) {
        Floats crossed[3], from = in_grid.begin;
        sort_crossings(faces, crossed);
        Ints here = voxel;
        for (int part = 0; part < 4; ++part) {
            const Floats to = part < 3 ? crossed[part] : in_grid.end, length = (to - from) * cm;
            Floats of_water, of_high_z;
            read(water_part, here, of_water);
            read(high_z_part, here, of_high_z);
            water += length * of_water;
            high_z += length * of_high_z;
            if (part == 3 || !any(to < in_grid.end)) break;
            here = voxel;
            for (const Crossing& face : faces) here += (face.at <= to) & face.moved;
            from = to;
        }
    }
};

/// water[0], high_z[0], water[1] …
LIBDOSE_INLINE void store(const Floats& water, const Floats& high_z, physics::RaySums* to) {
    static_assert(sizeof(physics::RaySums[rays_together]) == 2 * sizeof(Floats));
    const Floats low = __builtin_shufflevector(water, high_z, 0, 8, 1, 9, 2, 10, 3, 11),
                 high = __builtin_shufflevector(water, high_z, 4, 12, 5, 13, 6, 14, 7, 15);
    std::memcpy(to, &low, sizeof(Floats));
    std::memcpy(to + rays_together / 2, &high, sizeof(Floats));
}

/// Writes the sums at nodes begin + 1 …; returns the last one, behind which they grow no more.
LIBDOSE_VERSIONS
int add_steps(const Rays& rays, const int* size, const int* stride, float followed, const float* water_part,
              const float* high_z_part, const float* before_water, const float* before_high_z,
              physics::RaySums* sums, std::ptrdiff_t next_node) {
    PathSums path{water_part, high_z_part, {}, {}};
    Floats in, out, step_cm;
    load(before_water, path.water);
    load(before_high_z, path.high_z);
    load(rays.in, in);
    load(rays.out, out);
    load(rays.step_cm, step_cm);
    Axis axes[3];
    for (int a = 0; a < 3; ++a) {
        load(rays.at[a], axes[a].at);
        load(rays.on[a], axes[a].on);
        load(rays.per_on[a], axes[a].per_on);
        axes[a].size = size[a];
        axes[a].stride = stride[a];
    }
    int n = rays.begin;
    for (; n < rays.end; ++n) {
        const Ints followed_still = path.water + path.high_z < followed;
        if (!any(followed_still)) break;
        const Floats node = in - in + static_cast<float>(n), after = node + 1.0f;
        Stretch in_grid{node > in ? node : in, after < out ? after : out};
        in_grid.begin = in_grid.begin < out ? in_grid.begin : out;
        in_grid.end = in_grid.end > in ? in_grid.end : in;
        Crossing faces[3];
        Ints voxel{}, index;
        for (int a = 0; a < 3; ++a) {
            axes[a].cross(in_grid, faces[a], index);
            voxel += index;
        }
        path.add(in_grid, faces, voxel, followed_still ? step_cm : 0.0f * step_cm);
        store(path.water, path.high_z, sums + std::max(n + 1, 0) * next_node);
    }
    return std::max(n, 0);
}

}  // namespace

RayTracer::RayTracer(const DensityGrid& density, const physics::BeamFrame& frame,
                     const physics::RayRaster& raster)
    : water_part_(density.water_part.data()),
      high_z_part_(density.high_z_part.data()),
      raster_(raster),
      source_mm_(frame.source_mm()),
      lower_edge_mm_(density.grid.lower_edge_mm()),
      spacing_mm_(density.grid.spacing_mm) {
    if (density.grid.voxel_count() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        throw bad_input("the dose grid has more than 2^31 voxels", "ray trace",
                        "Choose a larger grid spacing");
    for (int a = 0, stride = 1; a < 3; ++a) {
        size_[a] = density.grid.size[static_cast<std::size_t>(a)];
        stride_[a] = stride;
        stride *= size_[a];
    }
    const auto way = [&](double u, double v) -> Vec3 { return frame.point_mm(u, v, 1.0) - source_mm_; };
    corner_ = way(raster.low_u, raster.low_v);
    step_u_ = way(raster.low_u + raster.spacing, raster.low_v) - corner_;
    step_v_ = way(raster.low_u, raster.low_v + raster.spacing) - corner_;
    // A step crosses at most one face along each axis. Ways are linear in u and v, so that the corners have
    // the longest.
    for (const int u : {0, raster.size_u - 1})
        for (const int v : {0, raster.size_v - 1})
            if (!((raster.step * (corner_ + u * step_u_ + v * step_v_))
                      .cwiseQuotient(spacing_mm_)
                      .cwiseAbs()
                      .maxCoeff() < 1))
                throw internal_error("a step of the rays is longer than a voxel", "ray trace");
}

void RayTracer::trace(const int* u, const int* v, const physics::RaySums* before, physics::RaySums* sums,
                      std::ptrdiff_t next_node) const {
    Rays rays{};
    rays.begin = raster_.steps;
    rays.end = 0;
    for (int l = 0; l < together; ++l) {
        const Vec3 direction = corner_ + u[l] * step_u_ + v[l] * step_v_;
        const Vec3 at = (source_mm_ + raster_.first * direction - lower_edge_mm_).cwiseQuotient(spacing_mm_),
                   on = raster_.step * direction.cwiseQuotient(spacing_mm_);
        double in = -raster_.first / raster_.step, out = raster_.steps - 1;
        for (int a = 0; a < 3; ++a) {
            if (on[a] == 0) {
                if (at[a] < 0 || at[a] >= size_[a]) out = in;
                continue;
            }
            const double low = -at[a] / on[a], high = (size_[a] - at[a]) / on[a];
            in = std::max(in, std::min(low, high));
            out = std::min(out, std::max(low, high));
        }
        if (!(in < out)) continue;  // it does not meet the grid: no length in voxel 0
        for (int a = 0; a < 3; ++a) {
            rays.at[a][l] = static_cast<float>(at[a]);
            rays.on[a][l] = static_cast<float>(on[a]);
            rays.per_on[a][l] = on[a] == 0 ? 0.0f : static_cast<float>(1 / on[a]);
        }
        rays.in[l] = static_cast<float>(in);
        rays.out[l] = static_cast<float>(out);
        rays.step_cm[l] = static_cast<float>(raster_.step * direction.norm() * cm_per_mm);
        rays.begin = std::min(rays.begin, static_cast<int>(std::floor(in)));
        rays.end = std::max(rays.end, static_cast<int>(std::ceil(out)));
    }
    rays.begin = std::min(rays.begin, rays.end);
    constexpr std::size_t bytes = together * sizeof(physics::RaySums);
    for (int node = 0; node <= std::max(rays.begin, 0); ++node)
        std::memcpy(sums + node * next_node, before, bytes);
    float water[together], high_z[together];
    for (int l = 0; l < together; ++l) {
        water[l] = before[l].water;
        high_z[l] = before[l].high_z;
    }
    const int last = add_steps(rays, size_, stride_, static_cast<float>(raster_.max_depth_g_cm2), water_part_,
                               high_z_part_, water, high_z, sums, next_node);
    for (int node = last + 1; node < raster_.steps; ++node)
        std::memcpy(sums + node * next_node, sums + last * next_node, bytes);
}

}  // namespace libdose::cpu
