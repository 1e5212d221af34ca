#include "cpu/pencil_beam/pencil_voxels.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/simd/multiversion.h"
#include "cpu/raytrace/ray_lanes.h"
#include "cpu/raytrace/ray_tracer.h"
#include "libdose/error.h"

namespace libdose::cpu {

namespace {

/// Where on the isocentre plane the points of a row lie.
LIBDOSE_VERSIONS
void project(const RowOfPoints& points, int size, float* u_mm, float* v_mm, float* distance_mm) {
    const float sad = points.source_axis_distance_mm;
    for (int i = 0; i < size; ++i) {
        const auto n = static_cast<float>(i);
        const float distance = sad - points.start[2] - n * points.step[2], scale = sad / distance;
        u_mm[i] = (points.start[0] + n * points.step[0]) * scale;
        v_mm[i] = (points.start[1] + n * points.step[1]) * scale;
        distance_mm[i] = distance;
    }
}

LIBDOSE_VERSIONS
void find_nodes(const PencilNodes nodes, int size, const float* distance_mm, const float* lateral,
                float* node) {
    const auto lowest_mm = static_cast<float>(nodes.lowest_mm), last = static_cast<float>(nodes.count - 1);
    for (int i = 0; i < size; ++i) {
        const float at =
            physics::pencil_node(distance_mm[i], lateral ? lateral[i] : 1.0f, lowest_mm, nodes.per_step);
        node[i] = at < last ? at : last;
    }
}

/// Dose to the medium from dose to water, as the collapsed cone has it in equilibrium.
LIBDOSE_VERSIONS
void find_factors(int size, const float* density, const float* kernel_density, const float* lateral,
                  float* factor) {
    for (int i = 0; i < size; ++i) {
        const float scale = lateral ? lateral[i] : 1.0f,
                    value = scale * scale * (kernel_density[i] / density[i]);
        factor[i] = density[i] > 0.0f ? value : 0.0f;
    }
}

/// RaySumsView::path on sums that lie anyhow.
LIBDOSE_VERSIONS
void read_rays(const physics::RayRaster& raster, int next_u, int next_v, int next_step, const float* sums,
               int size, const float* u_mm, const float* v_mm, const float* distance_mm,
               float* __restrict path) {
    const auto low_u = static_cast<float>(raster.low_u), low_v = static_cast<float>(raster.low_v),
               first = static_cast<float>(raster.first);
    const auto per_ray = static_cast<float>(1 / raster.spacing),
               per_step = static_cast<float>(1 / raster.step);
    const auto last_u = static_cast<float>(raster.size_u - 1), last_v = static_cast<float>(raster.size_v - 1),
               last_s = static_cast<float>(raster.steps - 1);
    const int top_u = raster.size_u - 2, top_v = raster.size_v - 2, top_s = raster.steps - 2;
    const auto held = [](float x, float last) LIBDOSE_INLINE_LAMBDA {
        x = x > 0.0f ? x : 0.0f;
        return x < last ? x : last;
    };
    for (int i = 0; i < size; ++i) {
        const float x = held((u_mm[i] - low_u) * per_ray, last_u),
                    y = held((v_mm[i] - low_v) * per_ray, last_v),
                    z = held((distance_mm[i] - first) * per_step, last_s);
        int iu = static_cast<int>(x), iv = static_cast<int>(y), is = static_cast<int>(z);
        iu = iu < top_u ? iu : top_u;
        iv = iv < top_v ? iv : top_v;
        is = is < top_s ? is : top_s;
        const float fu = x - static_cast<float>(iu), fv = y - static_cast<float>(iv),
                    fs = z - static_cast<float>(is);
        const int at = iv * next_v + iu * next_u + is * next_step;
        const auto along = [&](int ray) LIBDOSE_INLINE_LAMBDA {
            const float low = sums[ray], high = sums[ray + next_step];
            return low + fs * (high - low);
        };
        const float a = along(at), b = along(at + next_u), c = along(at + next_v),
                    d = along(at + next_v + next_u);
        const float low = a + fu * (b - a), high = c + fu * (d - c);
        path[i] = low + fv * (high - low);
    }
}

}  // namespace

PencilRow::PencilRow(int size) {
    for (std::vector<float>* values : {&u_mm, &v_mm, &distance_mm, &node, &depth_g_cm2, &factor, &high_z})
        values->resize(static_cast<std::size_t>(size));
}

void PencilDepthRays::trace(const DensityGrid& density, const physics::BeamFrame& frame,
                            const Rect& extent_mm, const physics::RaySpacing& spacing, bool high_z) {
    raster_ = ray_raster(density.grid, frame, extent_mm, spacing);
    // Places among the sums are 32-bit integers.
    if (raster_.count() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        throw internal_error("too many rays for the grid", "pencil beam");
    // In memory the index that changes most along x runs fastest: ray u, ray v or the step along a ray.
    const Vec3 along_x = frame.axes.row(0).transpose().cwiseAbs();
    const bool u_first = along_x[0] > along_x[1];
    const int firsts = u_first ? raster_.size_u : raster_.size_v,
              seconds = u_first ? raster_.size_v : raster_.size_u;
    const bool steps_first = along_x[2] > along_x.head<2>().maxCoeff();
    next_step_ = steps_first ? 1 : firsts;
    const int next_first = steps_first ? raster_.steps : 1, next_second = firsts * raster_.steps;
    next_u_ = u_first ? next_first : next_second;
    next_v_ = u_first ? next_second : next_first;
    total_.resize(raster_.count());
    high_z_.resize(high_z ? raster_.count() : 0);
    const RayTracer tracer(density, frame, raster_);
#pragma omp parallel
    {
        constexpr int together = RayTracer::together;
        constexpr physics::RaySums nothing[together]{};
        std::vector<physics::RaySums> sums(static_cast<std::size_t>(together) *
                                           static_cast<std::size_t>(raster_.steps));
#pragma omp for schedule(dynamic, 4)
        for (int second = 0; second < seconds; ++second)
            for (int first = 0; first < firsts; first += together) {
                const int count = std::min(together, firsts - first);
                int u[together], v[together];
                for (int l = 0; l < together; ++l) {
                    const int of_first = first + std::min(l, count - 1);
                    u[l] = u_first ? of_first : second;
                    v[l] = u_first ? second : of_first;
                }
                tracer.trace(u, v, nothing, sums.data(), together);
                const std::ptrdiff_t ray = static_cast<std::ptrdiff_t>(second) * next_second +
                                           static_cast<std::ptrdiff_t>(first) * next_first;
                const physics::RaySums* of_node = sums.data();
                for (int node = 0; node < raster_.steps; ++node, of_node += together)
                    for (int l = 0; l < count; ++l) {
                        const auto at = static_cast<std::size_t>(
                            ray + l * next_first + static_cast<std::ptrdiff_t>(node) * next_step_);
                        total_[at] = of_node[l].water + of_node[l].high_z;
                        if (high_z) high_z_[at] = of_node[l].high_z;
                    }
            }
    }
}

void PencilDepthRays::read(int size, const float* u_mm, const float* v_mm, const float* distance_mm,
                           float* path) const {
    read_rays(raster_, next_u_, next_v_, next_step_, total_.data(), size, u_mm, v_mm, distance_mm, path);
}

void PencilDepthRays::read_high_z(int size, const float* u_mm, const float* v_mm, const float* distance_mm,
                                  float* path) const {
    read_rays(raster_, next_u_, next_v_, next_step_, high_z_.data(), size, u_mm, v_mm, distance_mm, path);
}

PencilVoxels::PencilVoxels(const DensityGrid& density, const physics::BeamFrame& frame,
                           const PencilPlan& plan, const LateralScale& lateral, const BeamFilter* filter,
                           const TermaTable* table)
    : density_(density),
      frame_(frame),
      rows_of_grid_(frame, density.grid),
      lateral_(lateral),
      filter_(filter),
      table_(table),
      plan_(plan) {
    if (filter && !table)
        throw internal_error("a filtered beam needs the table of its spectrum", "pencil beam");
}

void PencilVoxels::place(int j, int k, PencilRow& row) const {
    const Grid& grid = density_.grid;
    const int size = grid.size[0];
    const std::size_t first = grid.index(0, j, k);
    const float* const lateral = lateral_.values.empty() ? nullptr : &lateral_.values[first];
    project(RowOfPoints(rows_of_grid_.at(j, k)), size, row.u_mm.data(), row.v_mm.data(),
            row.distance_mm.data());
    find_nodes(plan_.nodes, size, row.distance_mm.data(), lateral, row.node.data());
    find_factors(size, &density_.density[first], &density_.kernel_density[first], lateral, row.factor.data());
}

std::vector<std::uint8_t> PencilVoxels::used() const {
    // About one scale: every node between the nearest and the farthest voxel.
    if (lateral_.highest < lateral_.lowest * pencil_magnification_step)
        return std::vector<std::uint8_t>(plan_.nodes.count, 1);
    const Grid& grid = density_.grid;
    std::vector<std::uint8_t> used(plan_.nodes.count, 0);
#pragma omp parallel
    {
        std::vector<std::uint8_t> used_here(used.size(), 0);
        PencilRow row(grid.size[0]);
#pragma omp for schedule(static)
        for (int k = 0; k < grid.size[2]; ++k)
            for (int j = 0; j < grid.size[1]; ++j) {
                place(j, k, row);
                for (std::size_t i = 0; i < row.node.size(); ++i) {
                    if (!(row.factor[i] > 0.0f)) continue;
                    const auto n = std::min(static_cast<std::size_t>(row.node[i]), used.size() - 2);
                    used_here[n] = used_here[n + 1] = 1;
                }
            }
#pragma omp critical(libdose_pencil_used)
        for (std::size_t n = 0; n < used.size(); ++n) used[n] |= used_here[n];
    }
    return used;
}

void PencilVoxels::trace(const Rect& near) {
    rays_ = plan_pencil_rays(density_.grid, plan_, near);
    outer_rays_.trace(density_, frame_, rays_.outer, rays_.outer_spacing, filter_ != nullptr);
    inner_rays_.trace(density_, frame_, rays_.inner, rays_.inner_spacing, filter_ != nullptr);
}

void PencilVoxels::row(int j, int k, PencilRow& row) const {
    place(j, k, row);
    const Grid& grid = density_.grid;
    const int size = grid.size[0];
    // The voxels that project into the dense rays are neighbours.
    int begin = size, end = size;
    if (rays_.any_inner) {
        const auto [b, e] = rows_of_grid_.at(j, k).within(rays_.inner, size);
        begin = std::min(b, size);
        end = std::max(begin, e);
    }
    const auto read = [&](bool of_total, std::vector<float>& path) {
        const auto part = [&](const PencilDepthRays& rays, int from, int to) {
            (rays.*(of_total ? &PencilDepthRays::read : &PencilDepthRays::read_high_z))(
                to - from, row.u_mm.data() + from, row.v_mm.data() + from, row.distance_mm.data() + from,
                path.data() + from);
        };
        part(outer_rays_, 0, begin);
        part(inner_rays_, begin, end);
        part(outer_rays_, end, size);
    };
    read(true, row.depth_g_cm2);
    if (!filter_) return;
    // A spectrum that a filter changed: by the ratio of the TERMA at this depth.
    read(false, row.high_z);
    for (std::size_t i = 0; i < row.factor.size(); ++i) {
        if (!(row.factor[i] > 0.0f)) continue;
        const PathLength path{static_cast<double>(row.depth_g_cm2[i] - row.high_z[i]),
                              static_cast<double>(row.high_z[i])};
        row.factor[i] *= static_cast<float>(table_->filtered_part(
            path, filter_->path(static_cast<double>(row.u_mm[i]), static_cast<double>(row.v_mm[i]))));
    }
}

}  // namespace libdose::cpu
