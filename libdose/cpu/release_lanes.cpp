#include "cpu/release_lanes.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "physics/cone_transport.h"

namespace libdose::cpu {

namespace {

using Table = physics::TermaTableView;
using Pair = double __attribute__((vector_size(2 * sizeof(double))));
using Quad = float __attribute__((vector_size(4 * sizeof(float))));

template <class Vector, class Number>
LIBDOSE_INLINE Vector load(const Number* from) {
    Vector vector;
    std::memcpy(&vector, from, sizeof(Vector));
    return vector;
}

/// Where the voxels lie on the isocentre plane.
struct Places {
    double u[lanes], v[lanes], distance[lanes], scale[lanes], width_u[lanes], width_v[lanes];
};

/// physics::project_in_row, voxel_shadow
LIBDOSE_INLINE void project(const MapRelease& r, const ReleaseRow& row, int first, int last, Places& p) {
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
        // Lanes beyond the last voxel repeat it.
        const double i = first + l < last ? first + l : last;
        const double distance = r.sad - row.start[2] - i * row.step[2], scale = r.sad / distance;
        const double u = (row.start[0] + i * row.step[0]) * scale, v = (row.start[1] + i * row.step[1]) * scale;
        const double su = u * r.per_sad, sv = v * r.per_sad;
        p.u[l] = u, p.v[l] = v, p.distance[l] = distance, p.scale[l] = scale;
        p.width_u[l] = scale * std::sqrt(r.width_u[0] + su * (r.width_u[1] + su * r.width_u[2]));
        p.width_v[l] = scale * std::sqrt(r.width_v[0] + sv * (r.width_v[1] + sv * r.width_v[2]));
    }
}

/// Where the four edges of the three neighbouring intervals lie along an axis of the map: pixel, and the part of it.
struct Edges {
    int pixel[4][lanes];
    double part[4][lanes];
};

LIBDOSE_INLINE void find_edges(const double* at_mm, const double* width_mm, double lower_mm, double pixel_mm, int size, Edges& e) {
    const double per_pixel = 1 / pixel_mm;
    for (int a = 0; a < 4; ++a) {
        const double half_widths = 0.5 * (2 * a - 3);
#pragma omp simd
        for (int l = 0; l < lanes; ++l) {
            double x = (at_mm[l] - lower_mm + half_widths * width_mm[l]) * per_pixel;
            x = x < 0 ? 0 : x;
            x = x > size ? size : x;
            int pixel = static_cast<int>(x);
            pixel = pixel < size - 1 ? pixel : size - 1;
            e.pixel[a][l] = pixel, e.part[a][l] = x - pixel;
        }
    }
}

/// FluenceIntegralView::sharpened. With I at the crossings of four edges along u and along v, the sharpened sum is
/// Σ_b k_b (I_2b - I_1b) - s (I_32 - I_31) + s (I_02 - I_01), k = (s, -(1 + 6s), 1 + 6s, -s).
LIBDOSE_INLINE void average_fluence(const MapRelease& r, const Places& p, double* out) {
    Edges u, v;
    find_edges(p.u, p.width_u, r.fluence.lower_u_mm, r.fluence.pixel_mm, r.fluence.size_u, u);
    find_edges(p.v, p.width_v, r.fluence.lower_v_mm, r.fluence.pixel_mm, r.fluence.size_v, v);
    const double s = r.sharpening, inner = 1 + 6 * s;
    const double factor[4] = {s, -inner, inner, -s};
    double low[4][lanes], high[4][lanes];  // of the lines of sums beside each edge along v
    for (int b = 0; b < 4; ++b)
#pragma omp simd
        for (int l = 0; l < lanes; ++l) {
            high[b][l] = factor[b] * v.part[b][l];
            low[b][l] = factor[b] - high[b][l];
        }
    const std::ptrdiff_t line = r.fluence.size_u + 1;
    Pair edges[4][lanes];  // along u: sums at the pixel before an edge and behind it
    for (int l = 0; l < lanes; ++l) {
        const double* rows[4];
        for (int b = 0; b < 4; ++b) rows[b] = r.fluence.integral + v.pixel[b][l] * line;
#pragma GCC unroll 4
        for (int a = 0; a < 4; ++a) {
            const std::ptrdiff_t pixel = u.pixel[a][l], behind = pixel + line;
            Pair edge = low[1][l] * load<Pair>(rows[1] + pixel) + high[1][l] * load<Pair>(rows[1] + behind) + low[2][l] * load<Pair>(rows[2] + pixel) +
                        high[2][l] * load<Pair>(rows[2] + behind);
            if (a == 1 || a == 2)
                edge += low[0][l] * load<Pair>(rows[0] + pixel) + high[0][l] * load<Pair>(rows[0] + behind) + low[3][l] * load<Pair>(rows[3] + pixel) +
                        high[3][l] * load<Pair>(rows[3] + behind);
            edges[a][l] = edge;
        }
    }
    double sum[lanes];
    const double outer = s / inner;
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
        const auto between = [&](int a) LIBDOSE_INLINE_LAMBDA { return edges[a][l][0] + u.part[a][l] * (edges[a][l][1] - edges[a][l][0]); };
        sum[l] = between(2) - between(1) + outer * (between(0) - between(3));
    }
#pragma omp simd
    for (int l = 0; l < lanes; ++l) out[l] = sum[l] * (r.fluence.pixel_mm * r.fluence.pixel_mm) / (p.width_u[l] * p.width_v[l]);
}

/// Where the voxels lie between rays and their nodes.
struct BetweenRays {
    int ray[lanes], node[lanes];
    float u[lanes], v[lanes], along[lanes];
};

/// Asks for the sums beside the voxels as well: they come from far while the fluence is averaged.
LIBDOSE_INLINE void find_rays(const MapRelease& r, const Places& p, BetweenRays& at) {
    const physics::RayRaster& raster = r.rays.raster;
    const double per_ray = 1 / raster.spacing, per_node = 1 / raster.step;
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
        const auto lower = [](double x, int size, int& low, float& part) LIBDOSE_INLINE_LAMBDA {
            x = x < 0 ? 0 : x;
            x = x > size - 1 ? size - 1 : x;
            const int cell = static_cast<int>(x);
            low = cell < size - 2 ? cell : size - 2;
            part = static_cast<float>(x - low);
        };
        int iu, iv;
        lower((p.u[l] - raster.low_u) * per_ray, raster.size_u, iu, at.u[l]);
        lower((p.v[l] - raster.low_v) * per_ray, raster.size_v, iv, at.v[l]);
        lower((p.distance[l] - raster.first) * per_node, raster.steps, at.node[l], at.along[l]);
        at.ray[l] = iv * raster.size_u + iu;
    }
    const std::ptrdiff_t next_v = r.rays.next_v(), next_node = r.rays.next_node();
    for (int l = 0; l < lanes; ++l) {
        const physics::RaySums* sums = r.rays.sums + at.ray[l] + at.node[l] * next_node;
        for (const std::ptrdiff_t beside : {std::ptrdiff_t{0}, next_v, next_node, next_node + next_v}) __builtin_prefetch(sums + beside);
    }
}

/// RaySumsView::path
LIBDOSE_INLINE void find_paths(const MapRelease& r, const BetweenRays& between, float* water, float* high_z) {
    static_assert(sizeof(physics::RaySums) == 2 * sizeof(float));
    float sums[4][lanes];
    const std::ptrdiff_t next_v = r.rays.next_v(), next_node = r.rays.next_node();
    for (int l = 0; l < lanes; ++l) {
        // Both sums of a ray, and of the next.
        const physics::RaySums* at = r.rays.sums + between.ray[l] + between.node[l] * next_node;
        const float v = between.v[l], s = between.along[l], vs = v * s;
        const Quad quad = (1 - v - s + vs) * load<Quad>(at) + (v - vs) * load<Quad>(at + next_v) + (s - vs) * load<Quad>(at + next_node) +
                          vs * load<Quad>(at + next_node + next_v);
        for (int n = 0; n < 4; ++n) sums[n][l] = quad[n];
    }
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
        water[l] = sums[0][l] + between.u[l] * (sums[2][l] - sums[0][l]);
        high_z[l] = sums[1][l] + between.u[l] * (sums[3][l] - sums[1][l]);
    }
}

/// TermaTableView::log_water_terma and the same of the other material, relative to no path. Returns whether all lie within the table.
LIBDOSE_INLINE bool find_logs(const float* logs, const float* water, const float* high_z, float* log_water, float* log_high_z) {
    int cell[lanes];
    float x[lanes], y[lanes];
    int outside = 0;
#pragma omp simd reduction(| : outside)
    for (int l = 0; l < lanes; ++l) {
        float i = (water[l] - static_cast<float>(Table::water_min)) * static_cast<float>(1 / Table::water_step);
        float j = (high_z[l] - static_cast<float>(Table::high_z_min)) * static_cast<float>(1 / Table::high_z_step);
        const bool in = i >= 0 && i < Table::water_nodes - 1 && j >= 0 && j < Table::high_z_nodes - 1;
        outside |= in ? 0 : 1;
        i = in ? i : 0.0f, j = in ? j : 0.0f;
        const int ci = static_cast<int>(i), cj = static_cast<int>(j);
        x[l] = i - static_cast<float>(ci), y[l] = j - static_cast<float>(cj);
        cell[l] = cj * Table::water_nodes + ci;
    }
    float found[4][lanes];
    for (int l = 0; l < lanes; ++l) {
        const float* at = logs + 2 * cell[l];
        const Quad quad = (1 - y[l]) * load<Quad>(at) + y[l] * load<Quad>(at + 2 * Table::water_nodes);
        for (int n = 0; n < 4; ++n) found[n][l] = quad[n];
    }
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
        log_water[l] = (1 - x[l]) * found[0][l] + x[l] * found[2][l];
        log_high_z[l] = (1 - x[l]) * found[1][l] + x[l] * found[3][l];
    }
    return outside == 0;
}

}  // namespace

LIBDOSE_VERSIONS
bool release_lanes(const MapRelease& r, const ReleaseRow& row, int first, int last, ReleasedLanes& out) {
    float density[lanes] = {}, water_part[lanes] = {}, high_z_part[lanes] = {};
    bool any = false;
    for (int l = 0; first + l <= last; ++l) {
        density[l] = row.density[first + l], water_part[l] = row.water_part[first + l], high_z_part[l] = row.high_z_part[first + l];
        any = any || density[l] > 0;
    }
    if (!any) return false;
    Places p;
    project(r, row, first, last, p);
    BetweenRays between;
    find_rays(r, p, between);
    double in_air[lanes];
    average_fluence(r, p, in_air);
    float fluence[lanes];
    int lit = 0;
#pragma omp simd reduction(| : lit)
    for (int l = 0; l < lanes; ++l) {
        const bool here = density[l] > 0 && std::abs(in_air[l]) > r.noise;
        lit |= here ? 1 : 0;
        fluence[l] = here ? static_cast<float>(in_air[l] * p.scale[l] * p.scale[l]) : 0.0f;
    }
    if (!lit) return false;

    float water[lanes], high_z[lanes], log_water[lanes], log_high_z[lanes], log_filter[lanes] = {};
    find_paths(r, between, water, high_z);
    bool tabulated = true;
    float filter_water[lanes], filter_high_z[lanes] = {};
    if (r.filtered) {
        float radius[lanes], along[lanes], unused[lanes];
#pragma omp simd
        for (int l = 0; l < lanes; ++l) {
            radius[l] = static_cast<float>(std::sqrt(p.u[l] * p.u[l] + p.v[l] * p.v[l]));
            along[l] = r.wedge_cos * static_cast<float>(p.v[l]) - r.wedge_sin * static_cast<float>(p.u[l]);
            filter_water[l] = r.tray_water;
        }
        r.softening.add(-1, radius, filter_water);
        r.wedge_water.add(1, along, filter_water);
        r.wedge_high_z.add(1, along, filter_high_z);
        tabulated = find_logs(r.logs, filter_water, filter_high_z, log_filter, unused);
#pragma omp simd
        for (int l = 0; l < lanes; ++l) water[l] += filter_water[l], high_z[l] += filter_high_z[l];
    }
    tabulated = find_logs(r.logs, water, high_z, log_water, log_high_z) && tabulated;
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
        const float of_water = water_part[l] * r.water * physics::exp_minus(log_filter[l] - log_water[l]);
        const float of_high_z = high_z_part[l] * r.high_z * physics::exp_minus(log_filter[l] - log_high_z[l]);
        out.energy[l] = fluence[l] * (of_water + of_high_z);
        out.depth[l] = water[l] + high_z[l];
    }
    if (tabulated) return true;
    // Beyond the table the sum itself; rare.
    for (int l = 0; l < lanes; ++l) {
        if (fluence[l] == 0) continue;
        const physics::BasisTerma terma = (*r.table)({static_cast<double>(water[l]), static_cast<double>(high_z[l])});
        const double open = r.filtered ? unfiltered(*r.table, {static_cast<double>(filter_water[l]), static_cast<double>(filter_high_z[l])}) : 1;
        out.energy[l] = static_cast<float>(static_cast<double>(fluence[l]) * open *
                                           (static_cast<double>(water_part[l]) * terma.water + static_cast<double>(high_z_part[l]) * terma.high_z));
    }
    return true;
}

MapRelease map_release(const Grid& grid, const FluenceMap& map, const FluenceIntegral& integral, const RayBundle& rays, const TermaTable& table,
                       double blur_variance) {
    MapRelease r{};
    r.sad = map.frame.source_axis_distance_mm, r.per_sad = 1 / r.sad;
    // (axis + slope · beam axis) · spacing, squared and added up over the grid's axes.
    const Vec3 towards = map.frame.axes.col(2).cwiseProduct(grid.spacing_mm);
    for (int a = 0; a < 2; ++a) {
        const Vec3 across = map.frame.axes.col(a).cwiseProduct(grid.spacing_mm);
        double* const width = a == 0 ? r.width_u : r.width_v;
        width[0] = across.squaredNorm(), width[1] = 2 * across.dot(towards), width[2] = towards.squaredNorm();
    }
    r.fluence = integral.view();
    // Second difference that takes a variance of blur_variance (voxels²) off along u and v.
    r.sharpening = 0.5 * blur_variance;
    r.noise = fluence_noise(map);
    r.rays = rays.view();
    r.logs = table.relative_logs().data();
    const physics::BasisTerma behind_nothing = table({});
    r.water = static_cast<float>(behind_nothing.water), r.high_z = static_cast<float>(behind_nothing.high_z);
    r.table = &table;
    if (map.filter) {
        const BeamFilter& filter = *map.filter;
        r.filtered = true;
        r.softening = {filter.softening_radius_mm, filter.softening_g_cm2};
        r.wedge_water = {filter.wedge_mm, filter.wedge_water_g_cm2}, r.wedge_high_z = {filter.wedge_mm, filter.wedge_high_z_g_cm2};
        r.wedge_cos = static_cast<float>(filter.wedge_cos), r.wedge_sin = static_cast<float>(filter.wedge_sin);
        r.tray_water = static_cast<float>(filter.tray_water_g_cm2);
    }
    return r;
}

}  // namespace libdose::cpu
