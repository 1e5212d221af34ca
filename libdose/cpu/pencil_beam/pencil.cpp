#include "cpu/pencil_beam/pencil.h"

#include <algorithm>
#include <optional>

#include "base/simd/multiversion.h"
#include "cpu/pencil_beam/pencil_images.h"
#include "cpu/pencil_beam/pencil_voxels.h"
#include "cpu/pencil_beam/pencil_weights.h"
#include "fluence/fluence_integral.h"
#include "pencil_beam/pencil_plan.h"

namespace libdose::cpu {

namespace {

/// Doses of the voxels [begin, end) of a row, on the near or the far images.
LIBDOSE_VERSIONS
void sum_components(const PencilImages& images, bool near, const PencilImages::Places& places,
                    const PencilDepthWeights& weights, const PencilRow& row, int begin, int end,
                    float* dose) {
    const float *const depth = row.depth_g_cm2.data(), *const factor = row.factor.data();
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        if (!(factor[i] > 0.0f)) continue;
        PencilLanes values;
        images.read(near, places, i, values);
        weights.weigh(weights.place(depth[i]), values);
        dose[i] = std::max(sum_of(values), 0.0f) * factor[i];  // in this order a NaN stays one
    }
}

}  // namespace

std::vector<float> pencil_beam(const DensityGrid& density, const FluenceMap& map, const PencilKernel& kernel,
                               const LateralScale& lateral, const TermaTable* table, double near_pixel_mm) {
    const Grid& grid = density.grid;
    std::vector<float> dose(grid.voxel_count(), 0.0f);
    const Rect bounds = nonzero_bounds(map);
    const std::optional<PencilPlan> plan = plan_pencil_beam(grid, map.frame, bounds, lateral);
    if (!plan) return dose;
    PencilVoxels voxels(density, map.frame, *plan, lateral, map.filter.get(), table);
    PencilImagePlan image_plan = plan_pencil_images(map, *plan, grid.spacing_mm, near_pixel_mm);
    image_plan.use(voxels.used());
    const PencilImages images(map, kernel, bounds, image_plan);
    const PencilDepthWeights weights(kernel);
    voxels.trace(image_plan.near_bounds());
    const physics::ProjectedRows rows(map.frame, grid);
#pragma omp parallel
    {
        const int size = grid.size[0];
        PencilRow row(size);
        PencilImages::Places places(size);
#pragma omp for schedule(dynamic, 1)
        for (int k = 0; k < grid.size[2]; ++k)
            for (int j = 0; j < grid.size[1]; ++j) {
                voxels.row(j, k, row);
                const auto parts = images.parts(rows.at(j, k), size);
                const auto add = [&](bool near, int begin, int end) {
                    if (begin >= end) return;
                    images.find(near, row.u_mm.data(), row.v_mm.data(), row.node.data(), begin, end, places);
                    sum_components(images, near, places, weights, row, begin, end,
                                   &dose[grid.index(0, j, k)]);
                };
                add(false, parts.far_begin, parts.near_begin);
                add(true, parts.near_begin, parts.near_end);
                add(false, parts.near_end, parts.far_end);
            }
    }
    return dose;
}

}  // namespace libdose::cpu
