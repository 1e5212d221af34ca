#include "cpu/collapsed_cone/ray_tables.h"

#include <algorithm>
#include <cmath>

#include "base/simd/multiversion.h"

namespace libdose::cpu {

namespace {

constexpr std::size_t faces = 6;
constexpr double table_step = 0.06, shared_step = 0.09;  // slope between rays of the tables
constexpr std::size_t batch = 64;                        // as many as find_places() takes at most

/// Least and largest slopes {low u, high u, low v, high v}.
struct Slopes {
    float low_u = 1e30f, high_u = -1e30f, low_v = 1e30f, high_v = -1e30f;
    void add(float u, float v) {
        low_u = std::min(low_u, u);
        high_u = std::max(high_u, u);
        low_v = std::min(low_v, v);
        high_v = std::max(high_v, v);
    }
    void add(const Slopes& other) {
        add(other.low_u, other.low_v);
        add(other.high_u, other.high_v);
    }
    bool any() const { return low_u <= high_u; }
};

EmissionTable table_of(const ConeKernel& kernel, const DirectionSet& directions,
                       const physics::BeamFrame& frame, Slopes s, double largest_step) {
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
    frame.axes.col(0) = Vec3::Unit((axis + 1) % 3);
    frame.axes.col(1) = Vec3::Unit((axis + 2) % 3);
    frame.axes.col(2) = (face % 2 == 0 ? -1 : 1) * Vec3::Unit(axis);
    return frame;
}

}  // namespace

RayTables::RayTables(const ConeKernel& kernel, const DirectionSet& directions,
                     const std::vector<ReleasedEnergy>& sources)
    : RayTables(kernel, directions, sources, sources.size() > faces ? Sharing::by_face : Sharing::by_source) {
}

RayTables::RayTables(const ConeKernel& kernel, const DirectionSet& directions,
                     const std::vector<ReleasedEnergy>& sources, Sharing sharing)
    : sharing_(sharing), sources_(sources) {
    std::vector<std::array<Slopes, faces>> slopes(sources.size());
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t s = 0; s < sources.size(); ++s)
        sources[s].each_row(0, sources[s].size(), [&](int j, int k, std::size_t first, std::size_t last) {
            const SliceRays rays = slice_rays(s, k);
            const auto ray = [&](std::size_t n) {
                const int column =
                    static_cast<int>(sources[s].voxel[n] % static_cast<std::size_t>(sources[s].grid.size[0]));
                return sharing == Sharing::by_face ? on_face(rays, column, j) : on_axis(rays, column, j);
            };
            // From one end of a row to the other slopes on a face only grow or only fall.
            const bool one_face = ray(first).face == ray(last - 1).face;
            for (std::size_t n = first; n < last;
                 n += one_face ? std::max<std::size_t>(1, last - 1 - first) : 1) {
                const FaceRay at = ray(n);
                slopes[s][static_cast<std::size_t>(at.face)].add(at.u, at.v);
            }
        });
    if (sharing == Sharing::by_source) {
        for (std::size_t s = 0; s < sources.size(); ++s)
            tables_.push_back(table_of(kernel, directions, sources[s].frame, slopes[s][0], table_step));
    } else {
        for (std::size_t f = 0; f < faces; ++f) {
            Slopes all;
            for (const auto& of_source : slopes)
                if (of_source[f].any()) all.add(of_source[f]);
            // Emission is smooth over as much as a direction's cell: as fine a step in proportion for fewer
            // directions would be wasted.
            tables_.push_back(
                table_of(kernel, directions, face_frame(f), all,
                         shared_step * std::sqrt(192.0 / static_cast<double>(directions.size()))));
        }
    }
    first_node_.push_back(0);
    for (const EmissionTable& table : tables_) {
        first_node_.push_back(first_node_.back() + table.node_count());
        corners_.push_back(table.corners());
    }
}

RayTables::SliceRays RayTables::slice_rays(std::size_t source, int k) const {
    const ReleasedEnergy& from = sources_[source];
    const ReleasedEnergy::Rays row = from.rays(0, k), next = from.rays(1, k);
    Vec3 parts[3] = {row.start, row.step, next.start - row.start};
    SliceRays rays;
    float* const to[3] = {rays.start, rays.per_column, rays.per_row};
    for (int n = 0; n < 3; ++n) {
        if (sharing_ == Sharing::by_source)
            parts[n] = (from.frame.axes.transpose() * parts[n]).cwiseProduct(Vec3(1, 1, -1)).eval();
        for (int a = 0; a < 3; ++a) to[n][a] = static_cast<float>(parts[n][a]);
    }
    return rays;
}

LIBDOSE_VERSIONS
void RayTables::find_faces(const SliceRays& of_slice, int count, const int* column, const int* row,
                           int* __restrict face, float* __restrict u, float* __restrict v) {
    const SliceRays rays = of_slice;
#pragma omp simd
    for (int n = 0; n < count; ++n) {
        const FaceRay ray = on_face(rays, column[n], row[n]);
        face[n] = ray.face;
        u[n] = ray.u;
        v[n] = ray.v;
    }
}

LIBDOSE_VERSIONS
void RayTables::find_slopes(const SliceRays& of_slice, int count, const int* column, const int* row,
                            float* __restrict u, float* __restrict v) {
    const SliceRays rays = of_slice;
#pragma omp simd
    for (int n = 0; n < count; ++n) {
        const FaceRay ray = on_axis(rays, column[n], row[n]);
        u[n] = ray.u;
        v[n] = ray.v;
    }
}

LIBDOSE_VERSIONS
void RayTables::find_places(const physics::EmissionRaster& raster, std::uint32_t first_node, int count,
                            const float* slope_u, const float* slope_v, const float* depth,
                            std::uint32_t* __restrict cell, float* __restrict u, float* __restrict v,
                            float* __restrict in_depth) {
    const physics::EmissionRaster r = raster;
    int set[batch];
    float shallower[batch], deeper[batch];
    for (int n = 0; n < count; ++n) {
        set[n] = 0;
        shallower[n] = r.depths[0];
        deeper[n] = r.depths[1];
    }
    for (int next = 1; next + 1 < r.depth_count; ++next)
#pragma omp simd
        for (int n = 0; n < count; ++n) r.descend(next, depth[n], set[n], shallower[n], deeper[n]);
#pragma omp simd
    for (int n = 0; n < count; ++n) {
        const physics::EmissionPlace place =
            r.place(slope_u[n], slope_v[n], depth[n], set[n], shallower[n], deeper[n]);
        cell[n] = first_node + place.cell;
        u[n] = place.u;
        v[n] = place.v;
        in_depth[n] = place.depth;
    }
}

void RayTables::place(std::size_t source, int k, std::size_t count, const int* column, const int* row,
                      const float* depth_g_cm2, Places& places, std::size_t to) const {
    const SliceRays rays = slice_rays(source, k);
    int face[batch];
    float u[batch], v[batch];
    for (std::size_t n = 0; n < count; n += batch) {
        const std::size_t size = std::min(batch, count - n), at = to + n;
        const auto part = [&](std::size_t table, std::size_t first, std::size_t last) {
            find_places(tables_[table].raster(), static_cast<std::uint32_t>(first_node_[table]),
                        static_cast<int>(last - first), u + first, v + first, depth_g_cm2 + n + first,
                        &places.cell[at + first], &places.u[at + first], &places.v[at + first],
                        &places.depth[at + first]);
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

}  // namespace libdose::cpu
