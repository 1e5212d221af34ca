#include "cpu/pencil_voxels.h"

#include <algorithm>
#include <cmath>

#include "libdose/error.h"

namespace libdose::cpu {

namespace {
constexpr double depth_step_g_cm2 = 0.1;
}

PencilVoxels::PencilVoxels(const DensityGrid& density, const physics::BeamFrame& frame, const PencilPlan& plan, const PencilKernel& kernel,
                           const LateralScale& lateral, const BeamFilter* filter, const TermaTable* table)
    : density_(density),
      frame_(frame),
      kernel_(kernel),
      lateral_(lateral),
      filter_(filter),
      table_(table),
      plan_(plan),
      used_(plan.nodes.count, 0),
      node_(density.grid.voxel_count()) {
    if (filter && !table) throw internal_error("a filtered beam needs the table of its spectrum", "pencil beam");
    const Grid& grid = density.grid;
#pragma omp parallel
    {
        std::vector<std::uint8_t> used_here(used_.size(), 0);
#pragma omp for schedule(static)
        for (int k = 0; k < grid.size[2]; ++k)
            for (int j = 0; j < grid.size[1]; ++j) {
                const physics::ProjectedRow row(frame, grid.centre_mm(0, j, k), grid.spacing_mm[0] * Vec3::UnitX());
                for (int i = 0; i < grid.size[0]; ++i) {
                    const std::size_t voxel = grid.index(i, j, k);
                    if (!(density.density[voxel] > 0.0f)) continue;
                    node_[voxel] = plan.nodes.at(row.at(i).distance_mm, lateral.at(voxel));
                    const auto n = std::min(static_cast<std::size_t>(node_[voxel]), used_.size() - 2);
                    used_here[n] = used_here[n + 1] = 1;
                }
            }
#pragma omp critical(libdose_pencil_used)
        for (std::size_t n = 0; n < used_.size(); ++n) used_[n] |= used_here[n];
    }
    for (std::size_t step = 0; static_cast<double>(step) * depth_step_g_cm2 <= kernel.depth_g_cm2.back(); ++step)
        node_before_.push_back(physics::pencil_depth(kernel, static_cast<double>(step) * depth_step_g_cm2).node);
}

void PencilVoxels::trace(const std::array<double, 4>& near) {
    rays_ = plan_pencil_rays(density_.grid, plan_, near);
    outer_rays_.emplace(density_, frame_, rays_.outer_mm, rays_.outer_spacing_mm);
    inner_rays_.emplace(density_, frame_, rays_.inner_mm, rays_.inner_spacing_mm);
}

PencilVoxels::Place PencilVoxels::place(std::size_t voxel, const physics::BeamFrame::Projection& p) const {
    const PathLength path = (rays_.inner(p.u_mm, p.v_mm) ? *inner_rays_ : *outer_rays_).path(p.u_mm, p.v_mm, p.distance_mm);
    const double depth = path.water + path.high_z;
    const double step = std::clamp(depth / depth_step_g_cm2, 0.0, static_cast<double>(node_before_.size() - 1));
    const double scale = lateral_.at(voxel);
    Place place;
    place.depth = physics::pencil_depth(kernel_, depth, node_before_[static_cast<std::size_t>(step)]);
    place.depth_g_cm2 = depth;
    // Dose to the medium from dose to water, as the collapsed cone has it in equilibrium.
    place.factor = scale * scale * static_cast<double>(density_.kernel_density[voxel] / density_.density[voxel]);
    // A spectrum that a filter changed: by the ratio of the TERMA at this depth.
    if (filter_) place.factor *= table_->filtered_part(path, filter_->path(p.u_mm, p.v_mm));
    return place;
}

}  // namespace libdose::cpu
