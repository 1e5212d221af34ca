#include "cpu/pencil_voxels.h"

#include <algorithm>
#include <cmath>

#include "cpu/pencil_images.h"
#include "libdose/error.h"

namespace libdose::cpu {

namespace {
constexpr double depth_step_g_cm2 = 0.1;
}

PencilVoxels::PencilVoxels(const DensityGrid& density, const physics::BeamFrame& frame, const PencilKernel& kernel, const LateralScale& lateral,
                           const BeamFilter* filter, const TermaTable* table)
    : density_(density), frame_(frame), kernel_(kernel), lateral_(lateral), filter_(filter), table_(table), node_(density.grid.voxel_count()) {
    if (filter && !table) throw internal_error("a filtered beam needs the table of its spectrum", "pencil beam");
    const Grid& grid = density.grid;
    const physics::Shadow shadow = physics::shadow_of(frame, grid.lower_edge_mm(), grid.upper_edge_mm());
    if (!shadow.whole || shadow.nearest_mm < 100)
        throw bad_input("the dose grid reaches within 10 cm of the source", "pencil beam", "Check the isocentre of the plan");
    need_ = {shadow.low_u_mm, shadow.high_u_mm, shadow.low_v_mm, shadow.high_v_mm};

    // The kernel is narrower on the isocentre plane the farther the voxel is.
    lowest_mm_ = shadow.nearest_mm * lateral.lowest;
    const auto per_step = static_cast<float>(1 / std::log(PencilImages::magnification_step));
    const auto node_of = [&](double distance_mm, double scale) {
        return std::max(0.0f, std::log(static_cast<float>(distance_mm * scale / lowest_mm_)) * per_step);
    };
    used_.assign(static_cast<std::size_t>(node_of(shadow.farthest_mm, lateral.highest)) + 2, 0);
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
                    node_[voxel] = std::min(node_of(row.at(i).distance_mm, lateral.at(voxel)), static_cast<float>(used_.size() - 1));
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

double PencilVoxels::near_pixel_mm(double map_pixel_mm) const {
    return std::max(1.0, std::floor((density_.grid.spacing_mm.minCoeff() >= 2.0 ? 2.0 : 1.0) / map_pixel_mm)) * map_pixel_mm;
}

void PencilVoxels::trace(const std::array<double, 4>& near) {
    const double spacing = density_.grid.spacing_mm.minCoeff(), margin = density_.grid.spacing_mm.maxCoeff();
    inner_ = {std::max(near[0], need_[0] - margin), std::min(near[1], need_[1] + margin), std::max(near[2], need_[2] - margin),
              std::min(near[3], need_[3] + margin)};
    any_inner_ = inner_[0] < inner_[1] && inner_[2] < inner_[3];
    outer_rays_.emplace(density_, frame_, std::array<double, 4>{need_[0] - margin, need_[1] + margin, need_[2] - margin, need_[3] + margin}, 4 * spacing);
    inner_rays_.emplace(density_, frame_, any_inner_ ? inner_ : std::array<double, 4>{0, spacing, 0, spacing}, spacing);
}

PencilVoxels::Place PencilVoxels::place(std::size_t voxel, const physics::BeamFrame::Projection& p) const {
    const bool in = any_inner_ && p.u_mm > inner_[0] && p.u_mm < inner_[1] && p.v_mm > inner_[2] && p.v_mm < inner_[3];
    const PathLength path = (in ? *inner_rays_ : *outer_rays_).path(p.u_mm, p.v_mm, p.distance_mm);
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
