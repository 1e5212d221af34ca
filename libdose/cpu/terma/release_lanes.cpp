#include "cpu/terma/release_lanes.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "collapsed_cone/cone_transport.h"

namespace libdose::cpu {

namespace {

using Table = physics::TermaTableView;

/// physics::voxel_shadow
LIBDOSE_INLINE void find_widths(const MapRelease& r, const PlacesOfLanes& p, float* width_u, float* width_v) {
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
        const float su = p.u[l] * r.per_sad, sv = p.v[l] * r.per_sad;
        width_u[l] = p.scale[l] * std::sqrt(r.width_u[0] + su * (r.width_u[1] + su * r.width_u[2]));
        width_v[l] = p.scale[l] * std::sqrt(r.width_v[0] + sv * (r.width_v[1] + sv * r.width_v[2]));
    }
}

/// Where the two edges of the voxels' intervals lie along an axis of the map: pixel, and the part of it.
struct Edges {
    int pixel[2][lanes];
    float part[2][lanes];
};

LIBDOSE_INLINE void find_edges(const float* at_mm, const float* width_mm, double lower_mm, double pixel_mm,
                               int size, Edges& e) {
    const auto per_pixel = static_cast<float>(1 / pixel_mm), lower = static_cast<float>(lower_mm),
               last = static_cast<float>(size);
    for (int a = 0; a < 2; ++a) {
        const float half_widths = a == 0 ? -0.5f : 0.5f;
#pragma omp simd
        for (int l = 0; l < lanes; ++l) {
            float x = (at_mm[l] - lower + half_widths * width_mm[l]) * per_pixel;
            x = x > 0.0f ? x : 0.0f;
            x = x < last ? x : last;
            int pixel = static_cast<int>(x);
            pixel = pixel < size - 1 ? pixel : size - 1;
            e.pixel[a][l] = pixel;
            e.part[a][l] = x - static_cast<float>(pixel);
        }
    }
}

/// FluenceIntegralView::average
LIBDOSE_INLINE void average_fluence(const MapRelease& r, const PlacesOfLanes& p, float* out) {
    static_assert(sizeof(physics::FluenceSums) == 2 * sizeof(double));
    using Corner =
        double __attribute__((vector_size(4 * sizeof(double))));  // both sums before a pixel, and behind it
    float width_u[lanes], width_v[lanes];
    find_widths(r, p, width_u, width_v);
    Edges u, v;
    find_edges(p.u, width_u, r.fluence.lower_u_mm, r.fluence.pixel_mm, r.fluence.size_u, u);
    find_edges(p.v, width_v, r.fluence.lower_v_mm, r.fluence.pixel_mm, r.fluence.size_v, v);
    double factor[4]
                 [lanes];  // of the rows beside the lower edge along v, and the upper one: their difference
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
        factor[0][l] = static_cast<double>(v.part[0][l]) - 1;
        factor[1][l] = -static_cast<double>(v.part[0][l]);
        factor[2][l] = 1 - static_cast<double>(v.part[1][l]);
        factor[3][l] = static_cast<double>(v.part[1][l]);
    }
    const int line = r.fluence.size_u + 1;
    int corners[4][lanes];  // of the numbers in the sums, lower edge along v first
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
        const int low = v.pixel[0][l] * line, high = v.pixel[1][l] * line;
        corners[0][l] = 2 * (low + u.pixel[0][l]);
        corners[1][l] = 2 * (low + u.pixel[1][l]);
        corners[2][l] = 2 * (high + u.pixel[0][l]);
        corners[3][l] = 2 * (high + u.pixel[1][l]);
    }
    const double *const sums = &r.fluence.sums->value, *const next_row = sums + 2 * line;
    // From here on there is but the height of a box to be subtracted: single precision will do.
    using Edge = float __attribute__((vector_size(4 * sizeof(float))));
    float edges[2][lanes][4];
    for (int l = 0; l < lanes; ++l) {
#pragma GCC unroll 2
        for (int a = 0; a < 2; ++a) {
            Corner corner[4];
            std::memcpy(&corner[0], sums + corners[a][l], sizeof(Corner));
            std::memcpy(&corner[1], next_row + corners[a][l], sizeof(Corner));
            std::memcpy(&corner[2], sums + corners[2 + a][l], sizeof(Corner));
            std::memcpy(&corner[3], next_row + corners[2 + a][l], sizeof(Corner));
            const Corner between = (factor[0][l] * corner[0] + factor[1][l] * corner[1]) +
                                   (factor[2][l] * corner[2] + factor[3][l] * corner[3]);
            const Edge edge = __builtin_convertvector(between, Edge);
            std::memcpy(edges[a][l], &edge, sizeof(Edge));
        }
    }
    const auto pixel_area = static_cast<float>(r.fluence.pixel_mm * r.fluence.pixel_mm);
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
        const auto at_edge = [&](int a, int sum) LIBDOSE_INLINE_LAMBDA {
            return edges[a][l][sum] + u.part[a][l] * (edges[a][l][sum + 2] - edges[a][l][sum]);
        };
        const float value = at_edge(1, 0) - at_edge(0, 0), curvature = at_edge(1, 1) - at_edge(0, 1);
        out[l] = (value - p.scale[l] * p.scale[l] * curvature) * pixel_area / (width_u[l] * width_v[l]);
    }
}

/// TermaTableView::log_water_terma and the same of the other material, relative to no path. Returns whether
/// all lie within the table.
LIBDOSE_INLINE bool find_logs(const float* logs, const float* water, const float* high_z, float* log_water,
                              float* log_high_z) {
    int cell[lanes];
    float x[lanes], y[lanes];
    int outside = 0;
#pragma omp simd reduction(| : outside)
    for (int l = 0; l < lanes; ++l) {
        float i =
            (water[l] - static_cast<float>(Table::water_min)) * static_cast<float>(1 / Table::water_step);
        float j =
            (high_z[l] - static_cast<float>(Table::high_z_min)) * static_cast<float>(1 / Table::high_z_step);
        const bool in = i >= 0 && i < Table::water_nodes - 1 && j >= 0 && j < Table::high_z_nodes - 1;
        outside |= in ? 0 : 1;
        i = in ? i : 0.0f;
        j = in ? j : 0.0f;
        const int ci = static_cast<int>(i), cj = static_cast<int>(j);
        x[l] = i - static_cast<float>(ci);
        y[l] = j - static_cast<float>(cj);
        cell[l] = cj * Table::water_nodes + ci;
    }
    using Quad =
        float __attribute__((vector_size(4 * sizeof(float))));  // both logarithms of a node, and of the next
    float found[lanes][4];
    for (int l = 0; l < lanes; ++l) {
        const float* at = logs + 2 * cell[l];
        Quad low, high;
        std::memcpy(&low, at, sizeof(Quad));
        std::memcpy(&high, at + 2 * Table::water_nodes, sizeof(Quad));
        const Quad both = low + y[l] * (high - low);
        std::memcpy(found[l], &both, sizeof(Quad));
    }
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
        log_water[l] = found[l][0] + x[l] * (found[l][2] - found[l][0]);
        log_high_z[l] = found[l][1] + x[l] * (found[l][3] - found[l][1]);
    }
    return outside == 0;
}

}  // namespace

LIBDOSE_VERSIONS
bool release_lanes(const MapRelease& r, const ReleaseRow& row, int first, int last, ReleasedLanes& out) {
    float density[lanes];
    read_lanes(row.density, first, last, density);
    int any = 0;
#pragma omp simd reduction(| : any)
    for (int l = 0; l < lanes; ++l) any |= density[l] > 0 ? 1 : 0;
    if (!any) return false;
    PlacesOfLanes p;
    project(row.points, first, last, p);
    BetweenRays between;
    r.rays.find(p, between);
    float in_air[lanes], fluence[lanes];
    average_fluence(r, p, in_air);
    int lit = 0;
#pragma omp simd reduction(| : lit)
    for (int l = 0; l < lanes; ++l) {
        const float on_voxel = in_air[l] * p.scale[l] * p.scale[l],
                    in_medium = density[l] > 0.0f ? on_voxel : 0.0f;
        fluence[l] = std::abs(in_air[l]) > r.noise ? in_medium : 0.0f;
        lit |= fluence[l] != 0.0f ? 1 : 0;
    }
    if (!lit) return false;

    float water_part[lanes], high_z_part[lanes];
    read_lanes(row.water_part, first, last, water_part);
    read_lanes(row.high_z_part, first, last, high_z_part);
    float water[lanes], high_z[lanes], log_water[lanes], log_high_z[lanes], log_filter[lanes] = {};
    r.rays.paths(between, water, high_z);
    if (!r.log_filter.empty()) r.rays.between(r.log_filter.data(), between, log_filter);
    const bool tabulated = find_logs(r.logs, water, high_z, log_water, log_high_z);
    int none = 0;
#pragma omp simd reduction(| : none)
    for (int l = 0; l < lanes; ++l) {
        const float of_water = water_part[l] * r.water * physics::exp_minus(-log_filter[l] - log_water[l]);
        const float of_high_z =
            high_z_part[l] * r.high_z * physics::exp_minus(-log_filter[l] - log_high_z[l]);
        out.energy[l] = fluence[l] * (of_water + of_high_z);
        out.depth[l] = water[l] + high_z[l];
        none |= out.energy[l] == 0 ? 1 : 0;
    }
    out.all = tabulated && last - first + 1 == lanes && none == 0;
    if (tabulated) return true;
    // Beyond the table the sum itself; rare.
    for (int l = 0; l < lanes; ++l) {
        if (fluence[l] == 0) continue;
        const physics::BasisTerma terma =
            (*r.table)({static_cast<double>(water[l]), static_cast<double>(high_z[l])});
        out.energy[l] = static_cast<float>(static_cast<double>(fluence[l]) *
                                           std::exp(static_cast<double>(log_filter[l])) *
                                           (static_cast<double>(water_part[l]) * terma.water +
                                            static_cast<double>(high_z_part[l]) * terma.high_z));
    }
    return true;
}

MapRelease::MapRelease(const Grid& grid, const FluenceMap& map, const FluenceIntegral& integral,
                       const RayBundle& ray_bundle, const TermaTable& terma)
    : fluence(integral.view()),
      noise(static_cast<float>(integral.noise())),
      rays(ray_bundle.view()),
      logs(terma.relative_logs().data()),
      table(&terma) {
    per_sad = static_cast<float>(1 / map.frame.source_axis_distance_mm);
    // (axis + slope · beam axis) · spacing, squared and added up over the grid's axes.
    const Vec3 towards = map.frame.axes.col(2).cwiseProduct(grid.spacing_mm);
    for (int a = 0; a < 2; ++a) {
        const Vec3 across = map.frame.axes.col(a).cwiseProduct(grid.spacing_mm);
        float* const width = a == 0 ? width_u : width_v;
        width[0] = static_cast<float>(across.squaredNorm());
        width[1] = static_cast<float>(2 * across.dot(towards));
        width[2] = static_cast<float>(towards.squaredNorm());
    }
    const physics::BasisTerma behind_nothing = terma({});
    water = static_cast<float>(behind_nothing.water);
    high_z = static_cast<float>(behind_nothing.high_z);
    if (!map.filter) return;
    const physics::RayRaster& raster = ray_bundle.view().raster;
    const physics::TermaTableView table_view = terma.view();
    const double unattenuated = table_view.log_water_terma({});
    std::vector<float> of_ray;
    for (int v = 0; v < raster.size_v; ++v)
        for (int u = 0; u < raster.size_u; ++u) {
            const PathLength filter =
                map.filter->path(raster.low_u + u * raster.spacing, raster.low_v + v * raster.spacing);
            of_ray.push_back(static_cast<float>(unattenuated - table_view.log_water_terma(filter)));
        }
    log_filter = LaneRays::with_neighbours(raster, of_ray);
}

}  // namespace libdose::cpu
