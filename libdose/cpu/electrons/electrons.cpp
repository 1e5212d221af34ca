#include "cpu/electrons/electrons.h"

#include <algorithm>
#include <cmath>

#include "base/simd/multiversion.h"
#include "collapsed_cone/cone_transport.h"
#include "cpu/raytrace/ray_bundle.h"
#include "cpu/raytrace/ray_lanes.h"
#include "electrons/electron_rays.h"
#include "fluence/fluence_map.h"
#include "fluence/head_equations.h"

namespace libdose::cpu {

namespace {

/// Electron source and rays of one map, shared by all voxels that its electrons reach.
struct ElectronLanes {
    LaneRays rays;
    std::vector<float> ends_mm;  ///< by the lower one of four rays: the farthest of the distances from the
                                 ///< source at which they end, along the axis
    std::vector<float> source;   ///< the blurred aperture, with a pixel of zeros around it
    float lower_u_mm, lower_v_mm, per_pixel;
    int size_u, size_v;  ///< pixels of the source, without the zeros
    float amplitude, attenuation, range, end, per_rest;

    ElectronLanes(const RayBundle& bundle, const CoarseMap& map, const ElectronContamination& electrons)
        : rays(bundle.view()) {
        const physics::RayRaster& raster = bundle.view().raster;
        ends_mm = bundle.distance_at_depth_mm(electrons.range_g_cm2);
        const auto width = static_cast<std::size_t>(raster.size_u);
        for (std::size_t v = 0; v + 1 < static_cast<std::size_t>(raster.size_v); ++v)
            for (std::size_t u = 0; u + 1 < width; ++u) {
                float* const at = &ends_mm[v * width + u];
                *at = std::max(std::max(at[0], at[1]), std::max(at[width], at[width + 1]));
            }
        size_u = map.size_u;
        size_v = map.size_v;
        source.assign((static_cast<std::size_t>(size_u) + 2) * (static_cast<std::size_t>(size_v) + 2), 0.0f);
        for (int v = 0; v < size_v; ++v)
            std::copy_n(map.values.data() + static_cast<std::ptrdiff_t>(v) * size_u, size_u,
                        source.data() + static_cast<std::ptrdiff_t>(v + 1) * (size_u + 2) + 1);
        lower_u_mm = static_cast<float>(map.lower_u_mm - 0.5 * map.pixel_mm);
        lower_v_mm = static_cast<float>(map.lower_v_mm - 0.5 * map.pixel_mm);
        per_pixel = static_cast<float>(1 / map.pixel_mm);
        amplitude = static_cast<float>(electrons.amplitude_gy_cm2);
        attenuation = static_cast<float>(electrons.attenuation_cm2_g);
        range = static_cast<float>(electrons.range_g_cm2);
        const double left = std::exp(-electrons.attenuation_cm2_g * electrons.range_g_cm2);
        end = static_cast<float>(left);
        per_rest = static_cast<float>(1 / (1 - left));
    }

    /// physics::CoarseMapView::at
    LIBDOSE_INLINE void read_source(const PlacesOfLanes& p, float* found) const {
        const int line = size_u + 2;
#pragma omp simd
        for (int l = 0; l < lanes; ++l) {
            int u, v;
            float part_u, part_v;
            lower_of_two((p.u[l] - lower_u_mm) * per_pixel, size_u + 2, u, part_u);
            lower_of_two((p.v[l] - lower_v_mm) * per_pixel, size_v + 2, v, part_v);
            const float* const at = source.data() + v * line + u;
            const float below = at[0] + part_u * (at[1] - at[0]),
                        above = at[line] + part_u * (at[line + 1] - at[line]);
            found[l] = below + part_v * (above - below);
        }
    }
};

/// Adds physics::electron_dose to voxels first … last (at most sixteen) of a row.
LIBDOSE_VERSIONS
void add_to_lanes(const ElectronLanes& e, const RowOfPoints& row, int first, int last, const float* density,
                  const float* kernel_density, float* dose) {
    float medium[lanes], ratio[lanes];
    read_lanes(density, first, last, medium);
    int any = 0;
#pragma omp simd reduction(| : any)
    for (int l = 0; l < lanes; ++l) any |= medium[l] > 0 ? 1 : 0;
    if (!any) return;
    PlacesOfLanes p;
    project(row, first, last, p);
    BetweenRays between;
    e.rays.find(p, between);
    int reached = 0;
#pragma omp simd reduction(| : reached)
    for (int l = 0; l < lanes; ++l)
        reached |=
            medium[l] > 0 && p.distance[l] < e.ends_mm[static_cast<std::size_t>(between.ray[l])] ? 1 : 0;
    if (!reached) return;
    float water[lanes], high_z[lanes], source[lanes], added[lanes];
    e.rays.paths(between, water, high_z);
    e.read_source(p, source);
    read_lanes(kernel_density, first, last, ratio);
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
        const float depth = water[l] + high_z[l];
        const bool in = medium[l] > 0 && depth < e.range;
        // physics::electron_depth_curve
        const float curve =
            (physics::exp_minus(e.attenuation * (depth > 0.0f ? depth : 0.0f)) - e.end) * e.per_rest;
        added[l] = in ? e.amplitude * source[l] * p.scale[l] * p.scale[l] * curve * ratio[l] /
                            (in ? medium[l] : 1.0f)
                      : 0.0f;
    }
    for (int l = 0; first + l <= last; ++l) dose[first + l] += added[l];
}

}  // namespace

void add_electrons(std::vector<float>& dose, const DensityGrid& density, const FluenceMap& map,
                   const ElectronContamination& electrons) {
    const Grid& grid = density.grid;
    const auto reached = electron_extent_mm(grid, map, electrons);
    if (!reached) return;
    const Rect& extent = *reached;
    const physics::BeamFrame& frame = map.frame;
    const RayBundle rays(density, frame, extent, electron_ray_spacing_mm(grid),
                         electron_rays_max_depth_g_cm2(electrons));
    const ElectronLanes shared(rays, map.electrons, electrons);
    const physics::ProjectedRows rows_of_grid(frame, grid);
#pragma omp parallel for schedule(dynamic, 1)
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j) {
            const physics::ProjectedRow projected = rows_of_grid.at(j, k);
            const RowOfPoints row(projected);
            const auto [begin, end] = projected.within(extent, grid.size[0]);
            const std::size_t at = grid.index(0, j, k);
            for (int first = begin; first < end; first += lanes)
                add_to_lanes(shared, row, first, std::min(first + lanes, end) - 1, &density.density[at],
                             &density.kernel_density[at], &dose[at]);
        }
}

}  // namespace libdose::cpu
