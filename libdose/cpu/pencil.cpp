#include "cpu/pencil.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "cpu/pencil_images.h"
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
    if (support[1] <= support[0]) return dose;

    // What the grid needs of the isocentre plane, and the range of magnifications.
    const physics::Shadow shadow = physics::shadow_of(frame, grid.lower_edge_mm(), grid.upper_edge_mm());
    const double nearest = shadow.nearest_mm, farthest = shadow.farthest_mm;
    if (!shadow.whole || nearest < 100) throw bad_input("the dose grid reaches within 10 cm of the source", "pencil beam", "Check the isocentre of the plan");
    const std::array<double, 4> need{shadow.low_u_mm, shadow.high_u_mm, shadow.low_v_mm, shadow.high_v_mm};

    // Convolutions at a few magnifications; the kernel is narrower on the isocentre plane the farther the voxel is.
    // Node of a voxel: the distance at which water would spread the kernel over as much of the isocentre plane.
    const double lowest = nearest * lateral.lowest;
    const auto per_step = static_cast<float>(1 / std::log(PencilImages::magnification_step));
    const auto node_of = [&](double distance_mm, double scale) { return physics::pencil_node(distance_mm, scale, lowest, per_step); };
    std::vector<std::uint8_t> used(static_cast<std::size_t>(node_of(farthest, lateral.highest)) + 2, 0);
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
                    node[voxel] = std::min(node_of(row.at(i).distance_mm, lateral.at(voxel)), static_cast<float>(used.size() - 1));
                    const auto n = std::min(static_cast<std::size_t>(node[voxel]), used.size() - 2);
                    used_here[n] = used_here[n + 1] = 1;
                }
            }
#pragma omp critical(libdose_pencil_used)
        for (std::size_t n = 0; n < used.size(); ++n) used[n] |= used_here[n];
    }
    const double near_pixel_mm = std::max(1.0, std::floor((grid.spacing_mm.minCoeff() >= 2.0 ? 2.0 : 1.0) / map.pixel_mm)) * map.pixel_mm;
    const PencilImages images(map, kernel, support, need, near_pixel_mm, lowest / frame.source_axis_distance_mm, used);

    // Rays as dense as the voxels around the field; where only scatter comes, a quarter of that.
    const double spacing = grid.spacing_mm.minCoeff(), margin = grid.spacing_mm.maxCoeff();
    const std::array<double, 4> near = images.near_mm();
    const std::array<double, 4> inner{std::max(near[0], need[0] - margin), std::min(near[1], need[1] + margin), std::max(near[2], need[2] - margin),
                                      std::min(near[3], need[3] + margin)};
    const bool any_inner = inner[0] < inner[1] && inner[2] < inner[3];
    const RayBundle outer_rays(density, frame, {need[0] - margin, need[1] + margin, need[2] - margin, need[3] + margin}, 4 * spacing);
    const RayBundle inner_rays(density, frame, any_inner ? inner : std::array<double, 4>{0, spacing, 0, spacing}, spacing);
    const std::size_t components = kernel.components.size() / (kernel.radius_cm.size() - 1);
    const DepthNodes nodes(kernel);
#pragma omp parallel for schedule(dynamic, 1)
    for (int k = 0; k < grid.size[2]; ++k) {
        float values[PencilImages::components];
        for (int j = 0; j < grid.size[1]; ++j) {
            const physics::ProjectedRow row(frame, grid.centre_mm(0, j, k), grid.spacing_mm[0] * Vec3::UnitX());
            for (int i = 0; i < grid.size[0]; ++i) {
                const std::size_t voxel = grid.index(i, j, k);
                if (!(density.density[voxel] > 0.0f)) continue;
                const auto p = row.at(i);
                if (!images.at(p.u_mm, p.v_mm, static_cast<double>(node[voxel]), values)) continue;
                const bool in = any_inner && p.u_mm > inner[0] && p.u_mm < inner[1] && p.v_mm > inner[2] && p.v_mm < inner[3];
                const PathLength path = (in ? inner_rays : outer_rays).path(p.u_mm, p.v_mm, p.distance_mm);
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
