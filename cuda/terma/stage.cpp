#include "cuda/terma/stage.h"

#include <algorithm>

#include "base/parallel_failure.h"
#include "fluence/fluence_at_voxels.h"
#include "geometry/ray_trace.h"

namespace libdose::cuda {

namespace {

/// Enough for many cores, and little memory.
constexpr std::size_t prepared_at_once = 32;

template <class Value>
void cross_volume(DevicePool& pool, const VoxelRange& range, DeviceArray<Value>& volume) {
    DeviceArray<Value> crossed(pool, volume.size());
    pool.executor().run(CrossVolume<Value>{range.size[0], range.size[1], volume.data(), crossed.data()},
                        {range.size[0], range.size[1], range.size[2]});
    volume = std::move(crossed);
}

}  // namespace

void ReleasedMap::cross(DevicePool& pool) {
    for (DeviceArray<float>* volume : {&energy, &u, &v, &depth}) cross_volume(pool, range, *volume);
    cross_volume(pool, range, cell);
}

std::size_t ReleasedMap::bytes() const {
    return range.count() * (4 * sizeof(float) + sizeof(std::uint32_t)) + table.size() * sizeof(float);
}

std::vector<std::optional<PreparedMap>> prepare(const Grid& grid, const std::vector<FluenceMap>& maps,
                                                std::size_t begin, const ConeKernel& kernel,
                                                const DirectionSet& directions,
                                                const TransportSettings& settings) {
    const auto prepared = [&](const FluenceMap& map) -> std::optional<PreparedMap> {
        const auto extent = released_extent_mm(grid, map.frame, nonzero_bounds(map));
        if (!extent) return {};
        const VoxelRange range = voxels_within(grid, map.frame, *extent);
        if (range.count() == 0) return {};
        // The table spans the slopes of the whole beam, so that nothing has to be read back.
        const double per_mm = settings.tilt ? 1 / map.frame.source_axis_distance_mm : 0;
        EmissionTable emission(kernel, directions, map.frame, per_mm * extent->low_u_mm,
                               per_mm * extent->high_u_mm, per_mm * extent->low_v_mm,
                               per_mm * extent->high_v_mm);
        FluenceIntegral integral(
            map, sharpening_for(grid, map.frame,
                                settings.sharpening ? lattice_blur_variance(settings.lattice) : 0.0));
        return PreparedMap{map, std::move(integral), *extent, range, std::move(emission)};
    };
    std::vector<std::optional<PreparedMap>> all(std::min(prepared_at_once, maps.size() - begin));
    ParallelFailure failure;
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t n = 0; n < all.size(); ++n)
        failure.guard([&] {
            if (auto one = prepared(maps[begin + n])) all[n].emplace(std::move(*one));
        });
    failure.rethrow();
    return all;
}

ReleasedMap release(DeviceGrid& grid, const DeviceTermaTable& table, const PreparedMap& prepared,
                    const TransportSettings& settings, FluenceOnDevice& fluence) {
    const Grid& voxels = grid.grid.grid;
    const FluenceMap& map = prepared.map;
    const physics::BeamFrame& frame = map.frame;
    const EmissionTable& emission = prepared.emission;
    DevicePool& pool = grid.pool;
    ReleasedMap result;
    result.range = prepared.range;
    const std::size_t count = result.range.count();
    result.table = DeviceArray<float>(pool, emission.values());
    result.depths = DeviceArray<float>(pool, emission.depths());
    result.table_size_u = static_cast<int>(emission.raster().size_u);
    result.table_depths = static_cast<int>(emission.depths().size());
    for (DeviceArray<float>* volume : {&result.energy, &result.u, &result.v, &result.depth})
        *volume = DeviceArray<float>(pool, count);
    result.cell = DeviceArray<std::uint32_t>(pool, count);

    fluence = {DeviceArray<physics::FluenceSums>(pool, prepared.integral.sums()),
               DeviceFilter(pool, map.filter.get())};
    const DeviceRays rays = trace_rays(pool, grid.grid, grid.density, frame, prepared.extent_mm,
                                       settings.ray_spacing_voxels * voxels.spacing_mm.minCoeff());
    ReleaseEnergy run{};
    run.box = physics::voxel_box(voxels);
    run.rows = beam_rows(voxels, frame);
    run.extent = plane_extent(prepared.extent_mm);
    std::copy_n(frame.axes.col(0).data(), 3, run.axis_u);
    std::copy_n(frame.axes.col(1).data(), 3, run.axis_v);
    std::copy_n(frame.axes.col(2).data(), 3, run.axis_w);
    run.fluence = prepared.integral.view();
    run.fluence.sums = fluence.sums.data();
    run.noise = prepared.integral.noise();
    run.rays = rays.view();
    run.filtered = fluence.filter.any();
    run.filter = fluence.filter.view();
    run.tilt = settings.tilt;
    run.hardening = settings.hardening;
    run.table = table.view();
    run.density = grid.density.density.data();
    run.water_part = grid.density.water_part.data();
    run.high_z_part = grid.density.high_z_part.data();
    run.emission = emission.raster();
    run.emission.depths = result.depths.data();
    run.released = result.released();
    pool.executor().run(run, {result.range.size[0], result.range.size[1], result.range.size[2]});
    return result;
}

}  // namespace libdose::cuda
