#include "cuda/pencil_beam/stage.h"

#include <algorithm>

#include "base/parallel_failure.h"
#include "cuda/pencil_beam/convolution.h"
#include "fluence/fluence_integral.h"
#include "geometry/ray_trace.h"
#include "pencil_beam/pencil_plan.h"

namespace libdose::cuda {

namespace {

/// Images of the near or the far part of the kernel.
struct DeviceImages {
    DeviceArray<float> images;
    DeviceArray<int> image_of_node;
    physics::PlaneRaster raster;
    PencilImagesView view() const { return {raster, image_of_node.data(), images.data()}; }
};

DeviceImages images_of(DevicePool& pool, const FluenceMap& map, const PencilKernel& kernel,
                       const PencilPlan& beam, const PencilImagePlan& plan, bool near) {
    const std::vector<std::uint8_t>& used = near ? plan.near_used : plan.far_used;
    DeviceImages result;
    result.raster = near ? plan.near : plan.far;
    std::vector<int> image_of_node(used.size(), 0);
    std::vector<std::size_t> nodes;
    for (std::size_t n = 0; n < used.size(); ++n)
        if (used[n]) {
            image_of_node[n] = static_cast<int>(nodes.size());
            nodes.push_back(n);
        }
    result.image_of_node = DeviceArray<int>(pool, image_of_node);
    std::vector<PencilImagePlan::Pixels> kernels(nodes.size());
    ParallelFailure failure;
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t n = 0; n < nodes.size(); ++n)
        failure.guard([&] { kernels[n] = plan.pixels(kernel, near, nodes[n]); });
    failure.rethrow();
    result.images = convolve(pool, map, result.raster, beam.nonzero_bounds,
                             near ? pencil_split_end_mm : far_kernel_radius_mm, kernels,
                             kernel.components.size() / (kernel.radius_cm.size() - 1));
    return result;
}

}  // namespace

std::vector<float> pencil_beam(DeviceGrid& grid, const DeviceTermaTable& table, const FluenceMap& map,
                               const PencilKernel& kernel, const LateralScale& lateral,
                               const float* lateral_values, double near_pixel_mm) {
    const Grid& voxels = grid.grid.grid;
    DevicePool& pool = grid.pool;
    const std::optional<PencilPlan> plan = plan_pencil_beam(voxels, map.frame, nonzero_bounds(map), lateral);
    if (!plan) return std::vector<float>(voxels.voxel_count(), 0.0f);

    DeviceArray<float> node(pool, voxels.voxel_count()), dose(pool, voxels.voxel_count());
    DeviceArray<std::uint8_t> used(pool, plan->nodes.count);
    used.clear();
    FindPencilNodes find{};
    find.box = physics::voxel_box(voxels);
    find.rows = beam_rows(voxels, map.frame);
    find.lowest_mm = plan->nodes.lowest_mm;
    find.per_step = plan->nodes.per_step;
    find.count = static_cast<int>(plan->nodes.count);
    find.density = grid.density.density.data();
    find.lateral_scale = lateral_values;
    find.node = node.data();
    find.used = used.data();
    pool.executor().run(find, threads_over(voxels));

    PencilImagePlan image_plan = plan_pencil_images(map, *plan, voxels.spacing_mm, near_pixel_mm);
    image_plan.use(used.values());
    const DeviceImages near = images_of(pool, map, kernel, *plan, image_plan, true),
                       far = images_of(pool, map, kernel, *plan, image_plan, false);
    const PencilRays rays = plan_pencil_rays(voxels, *plan, image_plan.near_bounds());
    const DeviceRays outer =
                         trace_rays(pool, grid.grid, grid.density, map.frame, rays.outer, rays.outer_spacing),
                     inner =
                         trace_rays(pool, grid.grid, grid.density, map.frame, rays.inner, rays.inner_spacing);
    const DeviceArray<double> depths(pool, kernel.depth_g_cm2), weights(pool, kernel.weights);
    const DeviceFilter filter(pool, map.filter.get());
    PencilDose run{};
    run.box = find.box;
    run.rows = find.rows;
    run.node = node.data();
    run.node_count = find.count;
    run.far_step = static_cast<int>(PencilImagePlan::far_step);
    run.near = near.view();
    run.far = far.view();
    run.any_inner = rays.any_inner;
    run.inner = plane_extent(rays.inner);
    run.inner_rays = inner.view();
    run.outer_rays = outer.view();
    run.weights = physics::weights_of(kernel);
    run.weights.depth_g_cm2 = depths.data();
    run.weights.weights = weights.data();
    run.components = static_cast<int>(kernel.components.size() / (kernel.radius_cm.size() - 1));
    run.filtered = filter.any();
    run.filter = filter.view();
    run.table = table.view();
    run.density = grid.density.density.data();
    run.kernel_density = grid.density.kernel_density.data();
    run.lateral_scale = lateral_values;
    run.dose = dose.data();
    pool.executor().run(run, threads_over(voxels));
    return dose.values();
}

}  // namespace libdose::cuda
