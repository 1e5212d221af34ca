#include "cpu/terma/terma.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "cpu/raytrace/ray_tracer.h"
#include "libdose/error.h"
#include "geometry/ray_trace.h"

namespace libdose::cpu {

namespace {
using physics::cm_per_mm;
using Table = physics::TermaTableView;
}  // namespace

PathLength exact_path(const DensityGrid& density, const Vec3& source_mm, const Vec3& point_mm) {
    const Vec3 way = point_mm - source_mm;
    const double length_mm = way.norm();
    PathLength path;
    physics::march(density.grid, source_mm, way / length_mm, 0.0, length_mm, [&](std::size_t voxel, double in, double out) {
        path.water += static_cast<double>(density.water_part[voxel]) * (out - in) * cm_per_mm;
        path.high_z += static_cast<double>(density.high_z_part[voxel]) * (out - in) * cm_per_mm;
    });
    return path;
}

physics::RayRaster ray_raster(const Grid& grid, const physics::BeamFrame& frame, const std::array<double, 4>& extent, const physics::RaySpacing& spacing,
                              double followed_g_cm2) {
    const physics::Shadow shadow = physics::shadow_of(frame, grid.lower_edge_mm(), grid.upper_edge_mm());
    physics::RayRaster raster;
    raster.followed_g_cm2 = followed_g_cm2;
    raster.low_u = extent[0], raster.low_v = extent[2], raster.spacing = spacing.rays_mm;
    raster.size_u = std::max(2, static_cast<int>(std::ceil((extent[1] - extent[0]) / raster.spacing)) + 1);
    raster.size_v = std::max(2, static_cast<int>(std::ceil((extent[3] - extent[2]) / raster.spacing)) + 1);
    // In a step a ray leaves at most one voxel along each axis (RayTracer).
    const double voxel = grid.spacing_mm.minCoeff(), sad = frame.source_axis_distance_mm;
    const auto farthest = [&](double low, int size) { return std::max(std::abs(low), std::abs(low + (size - 1) * raster.spacing)) / sad; };
    const double longest_way = std::hypot(1.0, farthest(raster.low_u, raster.size_u), farthest(raster.low_v, raster.size_v));
    raster.step = std::min(std::clamp(spacing.nodes_mm, 0.5 * voxel, voxel), 0.999 * voxel / longest_way);
    raster.first = std::max(shadow.nearest_mm, raster.step);
    raster.steps = std::max(2, static_cast<int>(std::ceil((shadow.farthest_mm - raster.first) / raster.step)) + 2);
    return raster;
}

Sharpening sharpening_for(const Grid& grid, const physics::BeamFrame& frame, double blur_variance) {
    const auto width = [&](int axis) { return frame.axes.col(axis).cwiseProduct(grid.spacing_mm).norm(); };
    const double u = width(0), v = width(1);
    // As far apart as the shadows of voxels in the middle of the grid.
    const double away = frame.project(0.5 * (grid.lower_edge_mm() + grid.upper_edge_mm())).distance_mm, sad = frame.source_axis_distance_mm;
    const double magnification = away > 0 ? std::clamp(sad / away, 0.5, 2.0) : 1;
    return {blur_variance * u * u, blur_variance * v * v, magnification * u, magnification * v};
}

std::optional<std::array<double, 4>> released_extent_mm(const Grid& grid, const physics::BeamFrame& frame, std::array<double, 4> support) {
    if (support[1] <= support[0]) return {};
    // Voxels that only touch the support look up rays up to a voxel beyond it; the extent of the grid limits it.
    const double margin = grid.spacing_mm.maxCoeff() * 2.0;
    const physics::Shadow shadow = physics::shadow_of(frame, grid.lower_edge_mm(), grid.upper_edge_mm());
    std::array<double, 4> extent{support[0] - margin, support[1] + margin, support[2] - margin, support[3] + margin};
    if (shadow.whole)
        extent = {std::max(extent[0], shadow.low_u_mm), std::min(extent[1], shadow.high_u_mm), std::max(extent[2], shadow.low_v_mm),
                  std::min(extent[3], shadow.high_v_mm)};
    if (extent[1] <= extent[0] || extent[3] <= extent[2]) return {};
    return extent;
}

RayBundle::RayBundle(const DensityGrid& density, const physics::BeamFrame& frame, const std::array<double, 4>& extent, const physics::RaySpacing& spacing,
                     double followed_g_cm2, const BeamFilter* filter)
    : raster_(ray_raster(density.grid, frame, extent, spacing, followed_g_cm2)) {
    if (raster_.count() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        throw bad_input("the rays through the dose grid have more than 2^31 nodes", "ray trace", "Choose a larger grid spacing or a lower quality");
    sums_ = std::make_unique_for_overwrite<physics::RaySums[]>(raster_.count());
    const RayTracer tracer(density, frame, raster_);
    constexpr int together = RayTracer::together;
    const int rays = raster_.size_u * raster_.size_v;
    const std::ptrdiff_t next_node = view().next_node();
#pragma omp parallel
    {
        std::vector<physics::RaySums> last;  // where fewer are left, the last ray several times
#pragma omp for schedule(dynamic, 8)
        for (int first = 0; first < rays; first += together) {
            const int count = std::min(together, rays - first);
            int u[together], v[together];
            physics::RaySums before[together]{};
            for (int l = 0; l < together; ++l) {
                const int ray = first + std::min(l, count - 1);
                u[l] = ray % raster_.size_u, v[l] = ray / raster_.size_u;
                if (!filter) continue;
                const PathLength path = filter->path(raster_.low_u + u[l] * raster_.spacing, raster_.low_v + v[l] * raster_.spacing);
                before[l] = {static_cast<float>(path.water), static_cast<float>(path.high_z)};
            }
            if (count == together) {
                tracer.trace(u, v, before, &sums_[static_cast<std::size_t>(first)], next_node);
                continue;
            }
            last.resize(static_cast<std::size_t>(together) * static_cast<std::size_t>(raster_.steps));
            tracer.trace(u, v, before, last.data(), together);
            for (int node = 0; node < raster_.steps; ++node)
                std::copy_n(last.data() + static_cast<std::ptrdiff_t>(node) * together, count, sums_.get() + first + node * next_node);
        }
    }
}

std::vector<float> RayBundle::reach_mm(double g_cm2) const {
    std::vector<float> reach;
    for (int v = 0; v < raster_.size_v; ++v)
        for (int u = 0; u < raster_.size_u; ++u) reach.push_back(view().reach_mm(u, v, g_cm2));
    return reach;
}

PathLength RayBundle::path(double u_mm, double v_mm, double distance_mm) const { return view().path(u_mm, v_mm, distance_mm); }

TermaTable::TermaTable(const Spectrum& spectrum) : spectrum_(spectrum) {
    for (int h = 0; h < Table::high_z_nodes; ++h)
        for (int w = 0; w < Table::water_nodes; ++w) {
            const physics::BasisTerma terma =
                physics::basis_terma(spectrum, Table::water_min + w * Table::water_step, Table::high_z_min + h * Table::high_z_step);
            log_water_.push_back(std::log(terma.water));
            log_high_z_.push_back(std::log(terma.high_z));
        }
    const physics::BasisTerma behind_nothing = physics::basis_terma(spectrum, 0, 0);
    for (std::size_t n = 0; n < log_water_.size(); ++n) {
        relative_logs_.push_back(static_cast<float>(log_water_[n] - std::log(behind_nothing.water)));
        relative_logs_.push_back(static_cast<float>(log_high_z_[n] - std::log(behind_nothing.high_z)));
    }
}

double unfiltered(const TermaTable& table, const PathLength& filter) { return table.view().unfiltered(filter); }

}  // namespace libdose::cpu
