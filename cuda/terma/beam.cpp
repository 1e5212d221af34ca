#include "cuda/terma/beam.h"

#include <algorithm>
#include <cmath>

#include "geometry/ray_trace.h"

namespace libdose::cuda {

namespace {

void copy(const Vec3& from, double* to) { std::copy_n(from.data(), 3, to); }

}  // namespace

BeamRows beam_rows(const Grid& grid, const physics::BeamFrame& frame) {
    const auto in_beam = [&](const Vec3& way) { return Vec3(frame.axes.transpose() * way); };
    BeamRows rows{};
    copy(in_beam(grid.origin_mm - frame.isocentre_mm), rows.start);
    copy(in_beam(grid.spacing_mm[0] * Vec3::UnitX()), rows.step_x);
    copy(in_beam(grid.spacing_mm[1] * Vec3::UnitY()), rows.step_y);
    copy(in_beam(grid.spacing_mm[2] * Vec3::UnitZ()), rows.step_z);
    rows.source_axis_distance_mm = frame.source_axis_distance_mm;
    return rows;
}

VoxelRange voxels_within(const Grid& grid, const physics::BeamFrame& frame, const Rect& extent) {
    // The beam between the nearest and the farthest corner of the grid is the hull of eight points.
    const physics::Shadow shadow = physics::shadow_of(frame, grid.lower_edge_mm(), grid.upper_edge_mm());
    VoxelRange range{};
    if (!(shadow.farthest_mm > shadow.nearest_mm)) return range;
    Vec3 low = Vec3::Constant(1e30), high = -low;
    for (int corner = 0; corner < 8; ++corner) {
        const Vec3 at =
            grid.continuous_index(frame.point_mm(extent.corner_u_mm(corner), extent.corner_v_mm(corner),
                                                 corner & 4 ? shadow.farthest_mm : shadow.nearest_mm));
        low = low.cwiseMin(at);
        high = high.cwiseMax(at);
    }
    constexpr double slack = 1e-6;  // voxels: rounding
    for (int a = 0; a < 3; ++a) {
        const int size = grid.size[static_cast<std::size_t>(a)];
        const double first = std::max(0.0, std::ceil(low[a] - slack)),
                     last = std::min(size - 1.0, std::floor(high[a] + slack));
        if (!(last >= first)) return {};
        range.first[a] = static_cast<int>(first);
        range.size[a] = static_cast<int>(last - first) + 1;
    }
    return range;
}

DeviceDensity::DeviceDensity(DevicePool& pool, const DensityGrid& grid)
    : density(pool, grid.density),
      water_part(pool, grid.water_part),
      high_z_part(pool, grid.high_z_part),
      kernel_density(pool, grid.kernel_density) {}

DeviceRays trace_rays(DevicePool& pool, const DensityGrid& grid, const DeviceDensity& density,
                      const physics::BeamFrame& frame, const Rect& extent_mm,
                      const physics::RaySpacing& spacing, double max_depth_g_cm2) {
    DeviceRays rays;
    rays.raster = ray_raster(grid.grid, frame, extent_mm, spacing, max_depth_g_cm2);
    rays.sums = DeviceArray<physics::RaySums>(pool, rays.raster.count());
    TraceRays kernel{};
    kernel.raster = rays.raster;
    kernel.box = physics::voxel_box(grid.grid);
    const Vec3 source = frame.source_mm(),
               corner = frame.point_mm(rays.raster.low_u, rays.raster.low_v, 1.0) - source;
    copy(source, kernel.source_mm);
    copy(corner, kernel.corner);
    const double step = rays.raster.spacing / frame.source_axis_distance_mm;
    copy(step * frame.axes.col(0), kernel.step_u);
    copy(step * frame.axes.col(1), kernel.step_v);
    kernel.water_part = density.water_part.data();
    kernel.high_z_part = density.high_z_part.data();
    kernel.sums = rays.sums.data();
    pool.executor().run(kernel, {rays.raster.size_u, rays.raster.size_v, 1});
    return rays;
}

DeviceTermaTable::DeviceTermaTable(DevicePool& pool, const TermaTable& table)
    : spectrum_(table.spectrum()),
      energy_(pool, spectrum_.energy_mev),
      fluence_(pool, spectrum_.fluence),
      mu_water_(pool, spectrum_.mu_water_cm2_g),
      mu_high_z_(pool, spectrum_.mu_high_z_cm2_g),
      log_water_(pool, table.log_water()),
      log_high_z_(pool, table.log_high_z()) {}

physics::TermaTableView DeviceTermaTable::view() const {
    return {{energy_.size(), energy_.data(), fluence_.data(), mu_water_.data(), mu_high_z_.data()},
            log_water_.data(),
            log_high_z_.data()};
}

bool DeviceTermaTable::is_of(const Spectrum& other) const {
    return spectrum_.energy_mev == other.energy_mev && spectrum_.fluence == other.fluence &&
           spectrum_.mu_water_cm2_g == other.mu_water_cm2_g &&
           spectrum_.mu_high_z_cm2_g == other.mu_high_z_cm2_g;
}

DeviceFilter::DeviceFilter(DevicePool& pool, const BeamFilter* filter) : any_(filter != nullptr) {
    if (!filter) return;
    softening_radius_ = DeviceArray<double>(pool, filter->softening_radius_mm);
    softening_ = DeviceArray<double>(pool, filter->softening_g_cm2);
    wedge_ = DeviceArray<double>(pool, filter->wedge_mm);
    wedge_water_ = DeviceArray<double>(pool, filter->wedge_water_g_cm2);
    wedge_high_z_ = DeviceArray<double>(pool, filter->wedge_high_z_g_cm2);
    view_ = filter->view();
    view_.softening_radius_mm = softening_radius_.data();
    view_.softening_g_cm2 = softening_.data();
    view_.wedge_mm = wedge_.data();
    view_.wedge_water_g_cm2 = wedge_water_.data();
    view_.wedge_high_z_g_cm2 = wedge_high_z_.data();
}

}  // namespace libdose::cuda
