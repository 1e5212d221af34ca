#include "cuda/electrons/stage.h"

#include "electrons/electron_rays.h"
#include "fluence/fluence_map.h"
#include "geometry/ray_trace.h"

namespace libdose::cuda {

void add_electrons(DeviceGrid& grid, std::vector<float>& dose, const std::vector<FluenceMap>& maps,
                   const ElectronContamination& electrons) {
    const Grid& voxels = grid.grid.grid;
    DevicePool& pool = grid.pool;
    DeviceArray<float> on_device;
    for (const FluenceMap& map : maps) {
        const auto extent = electron_extent_mm(voxels, map, electrons);
        if (!extent) continue;
        if (on_device.size() == 0) on_device = DeviceArray<float>(pool, dose);
        const DeviceRays rays =
            trace_rays(pool, grid.grid, grid.density, map.frame, *extent, electron_ray_spacing_mm(voxels),
                       electron_rays_max_depth_g_cm2(electrons));
        DeviceArray<float> reach(pool, static_cast<std::size_t>(rays.raster.size_u) *
                                           static_cast<std::size_t>(rays.raster.size_v));
        pool.executor().run(DistancesAtDepth{rays.view(), electrons.range_g_cm2, reach.data()},
                            {rays.raster.size_u, rays.raster.size_v, 1});
        const DeviceArray<float> source(pool, map.electrons.values);
        AddElectrons run{};
        run.box = physics::voxel_box(voxels);
        run.rows = beam_rows(voxels, map.frame);
        run.extent = plane_extent(*extent);
        run.rays = rays.view();
        run.end_mm = reach.data();
        run.source = map.electrons.view();
        run.source.values = source.data();
        run.amplitude_gy_cm2 = electrons.amplitude_gy_cm2;
        run.attenuation_cm2_g = electrons.attenuation_cm2_g;
        run.range_g_cm2 = electrons.range_g_cm2;
        run.density = grid.density.density.data();
        run.kernel_density = grid.density.kernel_density.data();
        run.dose = on_device.data();
        pool.executor().run(run, threads_over(voxels));
    }
    if (on_device.size() > 0) dose = on_device.values();
}

}  // namespace libdose::cuda
