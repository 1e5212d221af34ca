#include "cpu/pencil.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

#include "cpu/pencil_images.h"
#include "cpu/pencil_plan.h"
#include "cpu/terma.h"
#include "libdose/error.h"
#include "physics/pencil.h"

namespace libdose::cpu {

namespace {

/// Finds the node before a depth by a table of even steps.
class DepthNodes {
public:
    explicit DepthNodes(const PencilKernel& kernel) : kernel_(kernel) {
        for (std::size_t step = 0; static_cast<double>(step) * step_g_cm2 <= kernel.depth_g_cm2.back(); ++step)
            before_.push_back(physics::pencil_depth(kernel, static_cast<double>(step) * step_g_cm2).node);
    }
    physics::PencilDepth at(double depth_g_cm2) const {
        const double step = std::clamp(depth_g_cm2 / step_g_cm2, 0.0, static_cast<double>(before_.size() - 1));
        return physics::pencil_depth(kernel_, depth_g_cm2, before_[static_cast<std::size_t>(step)]);
    }

private:
    static constexpr double step_g_cm2 = 0.1;
    const PencilKernel& kernel_;
    std::vector<std::size_t> before_;
};

}  // namespace

std::vector<float> pencil_beam(const DensityGrid& density, const FluenceMap& map, const PencilKernel& kernel, const LateralScale& lateral,
                               const TermaTable* table) {
    if (map.filter && !table) throw internal_error("a filtered beam needs the table of its spectrum", "pencil beam");
    const Grid& grid = density.grid;
    const physics::BeamFrame& frame = map.frame;
    std::vector<float> dose(grid.voxel_count(), 0.0f);
    const std::array<double, 4> support = FluenceIntegral(map).support_mm();
    const std::optional<PencilPlan> plan = plan_pencil_beam(grid, map, support, lateral);
    if (!plan) return dose;

    // Convolutions at the few magnifications that voxels ask for.
    std::vector<std::uint8_t> used(plan->nodes.count, 0);
    std::vector<float> node(grid.voxel_count());
#pragma omp parallel
    {
        std::vector<std::uint8_t> used_here(used.size(), 0);
#pragma omp for schedule(static)
        for (int k = 0; k < grid.size[2]; ++k)
            for (int j = 0; j < grid.size[1]; ++j) {
                const physics::ProjectedRow row(frame, grid.centre_mm(0, j, k), grid.spacing_mm[0] * Vec3::UnitX());
                for (int i = 0; i < grid.size[0]; ++i) {
                    const std::size_t voxel = grid.index(i, j, k);
                    if (!(density.density[voxel] > 0.0f)) continue;
                    node[voxel] = plan->nodes.at(row.at(i).distance_mm, lateral.at(voxel));
                    const auto n = std::min(static_cast<std::size_t>(node[voxel]), used.size() - 2);
                    used_here[n] = used_here[n + 1] = 1;
                }
            }
#pragma omp critical(libdose_pencil_used)
        for (std::size_t n = 0; n < used.size(); ++n) used[n] |= used_here[n];
    }
    PencilImagePlan image_plan = plan_pencil_images(map, *plan, grid.spacing_mm);
    image_plan.use(used);
    const PencilImages images(map, kernel, support, image_plan);
    const PencilRays rays = plan_pencil_rays(grid, *plan, image_plan.near_mm());
    const RayBundle outer_rays(density, frame, rays.outer_mm, rays.outer_spacing_mm), inner_rays(density, frame, rays.inner_mm, rays.inner_spacing_mm);
    const std::size_t components = kernel.components.size() / (kernel.radius_cm.size() - 1);
    const DepthNodes nodes(kernel);
#pragma omp parallel for schedule(dynamic, 1)
    for (int k = 0; k < grid.size[2]; ++k) {
        float values[pencil_components];
        for (int j = 0; j < grid.size[1]; ++j) {
            const physics::ProjectedRow row(frame, grid.centre_mm(0, j, k), grid.spacing_mm[0] * Vec3::UnitX());
            for (int i = 0; i < grid.size[0]; ++i) {
                const std::size_t voxel = grid.index(i, j, k);
                if (!(density.density[voxel] > 0.0f)) continue;
                const auto p = row.at(i);
                if (!images.at(p.u_mm, p.v_mm, static_cast<double>(node[voxel]), values)) continue;
                const PathLength path = (rays.inner(p.u_mm, p.v_mm) ? inner_rays : outer_rays).path(p.u_mm, p.v_mm, p.distance_mm);
                const physics::PencilDepth depth = nodes.at(path.water + path.high_z);
                double sum = 0;
                for (std::size_t c = 0; c < components; ++c) sum += physics::pencil_weight(kernel, depth, c) * static_cast<double>(values[c]);
                // A spectrum that a filter changed: by the ratio of the TERMA at this depth.
                if (map.filter) sum *= table->filtered_part(path, map.filter->path(p.u_mm, p.v_mm));
                // Dose to the medium from dose to water, as the collapsed cone has it in equilibrium.
                const double scale = lateral.at(voxel);
                dose[voxel] =
                    static_cast<float>(std::max(0.0, sum) * scale * scale * static_cast<double>(density.kernel_density[voxel] / density.density[voxel]));
            }
        }
    }
    return dose;
}

}  // namespace libdose::cpu
