#include "cuda/stages/release.h"

#include <algorithm>

#include "physics/ray_trace.h"

namespace libdose::cuda {

namespace {

template <class Value>
void cross_volume(DevicePool& pool, const VoxelRange& range, DeviceArray<Value>& volume) {
    DeviceArray<Value> crossed(pool, volume.size());
    pool.executor().run(CrossVolume<Value>{range.size[0], range.size[1], volume.data(), crossed.data()}, {range.size[0], range.size[1], range.size[2]});
    volume = std::move(crossed);
}

}  // namespace

void ReleasedMap::cross(DevicePool& pool) {
    for (DeviceArray<float>* volume : {&energy, &u, &v, &depth}) cross_volume(pool, range, *volume);
    cross_volume(pool, range, cell);
}

std::size_t ReleasedMap::bytes() const { return range.count() * (4 * sizeof(float) + sizeof(std::uint32_t)) + table.size() * sizeof(float); }

std::optional<ReleasedMap> release(DeviceGrid& grid, const DeviceTermaTable& table, const FluenceMap& map, const ConeKernel& kernel,
                                   const cpu::DirectionSet& directions, const TransportSettings& settings, FluenceOnDevice& fluence) {
    const Grid& voxels = grid.grid.grid;
    const physics::BeamFrame& frame = map.frame;
    const cpu::FluenceIntegral integral(map);
    const auto extent = cpu::released_extent_mm(voxels, frame, integral.support_mm());
    if (!extent) return {};
    ReleasedMap result;
    result.range = voxels_within(voxels, frame, *extent);
    const std::size_t count = result.range.count();
    if (count == 0) return {};
    DevicePool& pool = grid.pool;

    // The table spans the slopes of the whole beam, so that nothing has to be read back.
    const double sad = frame.source_axis_distance_mm;
    const std::array<double, 4> slopes =
        settings.tilt ? std::array<double, 4>{(*extent)[0] / sad, (*extent)[1] / sad, (*extent)[2] / sad, (*extent)[3] / sad} : std::array<double, 4>{};
    const cpu::EmissionTable emission(kernel, directions, frame, slopes[0], slopes[1], slopes[2], slopes[3]);
    result.table = DeviceArray<float>(pool, emission.values());
    result.depths = DeviceArray<float>(pool, emission.depths());
    result.table_size_u = static_cast<int>(emission.raster().size_u), result.table_depths = static_cast<int>(emission.depths().size());
    for (DeviceArray<float>* volume : {&result.energy, &result.u, &result.v, &result.depth}) *volume = DeviceArray<float>(pool, count);
    result.cell = DeviceArray<std::uint32_t>(pool, count);

    fluence = {DeviceArray<double>(pool, integral.sums()), DeviceFilter(pool, map.filter.get())};
    const DeviceRays rays = trace_rays(pool, grid.grid, grid.density, frame, *extent, settings.ray_spacing_voxels * voxels.spacing_mm.minCoeff());
    ReleaseEnergy run{};
    run.box = physics::voxel_box(voxels);
    run.rows = beam_rows(voxels, frame);
    run.extent = plane_extent(*extent);
    std::copy_n(frame.axes.col(0).data(), 3, run.axis_u);
    std::copy_n(frame.axes.col(1).data(), 3, run.axis_v);
    std::copy_n(frame.axes.col(2).data(), 3, run.axis_w);
    run.fluence = integral.view();
    run.fluence.integral = fluence.sums.data();
    // As cpu::released_energy: the lattice's blur is taken off, and rounding noise of the sums is no fluence.
    run.sharpening = settings.sharpening ? 0.5 * cpu::lattice_blur_variance(settings.lattice) : 0.0;
    run.noise = cpu::fluence_noise(map);
    run.rays = rays.view();
    run.filtered = fluence.filter.any(), run.filter = fluence.filter.view();
    run.tilt = settings.tilt, run.hardening = settings.hardening;
    run.table = table.view();
    run.density = grid.density.density.data(), run.water_part = grid.density.water_part.data(), run.high_z_part = grid.density.high_z_part.data();
    run.emission = emission.raster();
    run.emission.depths = result.depths.data();
    run.released = result.released();
    pool.executor().run(run, {result.range.size[0], result.range.size[1], result.range.size[2]});
    return result;
}

}  // namespace libdose::cuda
