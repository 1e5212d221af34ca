#include "cpu/pencil.h"

#include <algorithm>
#include <optional>

#include "cpu/pencil_images.h"
#include "cpu/pencil_plan.h"
#include "cpu/pencil_voxels.h"

namespace libdose::cpu {

std::vector<float> pencil_beam(const DensityGrid& density, const FluenceMap& map, const PencilKernel& kernel, const LateralScale& lateral,
                               const TermaTable* table, double near_pixel_mm) {
    const Grid& grid = density.grid;
    std::vector<float> dose(grid.voxel_count(), 0.0f);
    const std::array<double, 4> support = FluenceIntegral(map).support_mm();
    const std::optional<PencilPlan> plan = plan_pencil_beam(grid, map.frame, support, lateral);
    if (!plan) return dose;
    PencilVoxels voxels(density, map.frame, *plan, kernel, lateral, map.filter.get(), table);
    PencilImagePlan image_plan = plan_pencil_images(map, *plan, grid.spacing_mm, near_pixel_mm);
    image_plan.use(voxels.used());
    const PencilImages images(map, kernel, support, image_plan);
    voxels.trace(image_plan.near_mm());
    const std::size_t components = kernel.components.size() / (kernel.radius_cm.size() - 1);
#pragma omp parallel for schedule(dynamic, 1)
    for (int k = 0; k < grid.size[2]; ++k) {
        float values[pencil_components];
        for (int j = 0; j < grid.size[1]; ++j) {
            const physics::ProjectedRow row(map.frame, grid.centre_mm(0, j, k), grid.spacing_mm[0] * Vec3::UnitX());
            for (int i = 0; i < grid.size[0]; ++i) {
                const std::size_t voxel = grid.index(i, j, k);
                if (!(density.density[voxel] > 0.0f)) continue;
                const auto p = row.at(i);
                if (!images.at(p.u_mm, p.v_mm, voxels.node(voxel), values)) continue;
                const PencilVoxels::Place place = voxels.place(voxel, p);
                double sum = 0;
                for (std::size_t c = 0; c < components; ++c) sum += physics::pencil_weight(kernel, place.depth, c) * static_cast<double>(values[c]);
                dose[voxel] = static_cast<float>(std::max(0.0, sum) * place.factor);
            }
        }
    }
    return dose;
}

}  // namespace libdose::cpu
