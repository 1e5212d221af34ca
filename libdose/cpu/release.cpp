// The energy that a map releases in the voxels of a grid.
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "cpu/release_lanes.h"
#include "cpu/terma.h"

namespace libdose::cpu {

namespace {

constexpr std::vector<float> ReleasedEnergy::*released_values[] = {&ReleasedEnergy::energy, &ReleasedEnergy::depth_g_cm2};

}  // namespace

double fluence_noise(const FluenceMap& map) { return 1e-9 * static_cast<double>(*std::max_element(map.values.begin(), map.values.end())); }

ReleasedEnergy released_energy(const DensityGrid& density, const FluenceMap& map, const TermaTable& table, double ray_spacing_mm, double blur_variance) {
    const Grid& grid = density.grid;
    const physics::BeamFrame& frame = map.frame;
    const FluenceIntegral integral(map);
    ReleasedEnergy released;
    released.grid = grid, released.frame = frame;
    const auto extent = released_extent_mm(grid, frame, integral.support_mm());
    if (!extent) return released;
    const RayBundle rays(density, frame, *extent, ray_spacing_mm);
    const MapRelease release = map_release(grid, map, integral, rays, table, blur_variance);

    // By parts of the grid's slices. One thread needs but one part, which is the result.
    const int slices = grid.size[2], part_count = omp_get_max_threads() > 1 && !omp_in_parallel() ? slices : 1;
    std::vector<ReleasedEnergy> parts(static_cast<std::size_t>(part_count));
    const auto row_size = static_cast<std::size_t>(grid.size[0]);
    const Vec3 step = frame.axes.row(0) * grid.spacing_mm[0];
#pragma omp parallel if (part_count > 1)
    {
        ReleasedEnergy of_row, here;
        of_row.voxel.resize(row_size);
        for (const auto values : released_values) (of_row.*values).resize(row_size);
        ReleasedLanes found;
#pragma omp for schedule(dynamic, 1)
        for (int p = 0; p < part_count; ++p) {
            const auto each_row = [&](auto&& visit) {
                for (int k = p * slices / part_count; k < (p + 1) * slices / part_count; ++k)
                    for (int j = 0; j < grid.size[1]; ++j) {
                        const auto [begin, end] =
                            physics::ProjectedRow(frame, grid.centre_mm(0, j, k), grid.spacing_mm[0] * Vec3::UnitX()).within(*extent, grid.size[0]);
                        if (begin < end) visit(j, k, begin, end);
                    }
            };
            // Memory that is not used in the end is not touched.
            std::size_t most = 0;
            each_row([&](int, int, int begin, int end) { most += static_cast<std::size_t>(end - begin); });
            here.voxel.clear(), here.voxel.reserve(most);
            for (const auto values : released_values) (here.*values).clear(), (here.*values).reserve(most);
            each_row([&](int j, int k, int begin, int end) {
                const Vec3 start = frame.axes.transpose() * (grid.centre_mm(0, j, k) - frame.isocentre_mm);
                const std::size_t at = grid.index(0, j, k);
                const ReleaseRow row{
                    {start[0], start[1], start[2]}, {step[0], step[1], step[2]}, &density.density[at], &density.water_part[at], &density.high_z_part[at]};
                std::size_t count = 0;
                for (int first = begin; first < end; first += lanes) {
                    const int last = std::min(first + lanes, end) - 1;
                    if (!release_lanes(release, row, first, last, found)) continue;
                    for (int l = 0; first + l <= last; ++l) {
                        of_row.voxel[count] = static_cast<std::uint32_t>(at + static_cast<std::size_t>(first + l));
                        of_row.energy[count] = found.energy[l], of_row.depth_g_cm2[count] = found.depth[l];
                        count += found.energy[l] == 0 ? 0 : 1;  // the next one takes its place
                    }
                }
                const auto n = static_cast<std::ptrdiff_t>(count);
                here.voxel.insert(here.voxel.end(), of_row.voxel.begin(), of_row.voxel.begin() + n);
                for (const auto values : released_values) (here.*values).insert((here.*values).end(), (of_row.*values).begin(), (of_row.*values).begin() + n);
            });
            here.grid = grid, here.frame = frame;
            if (part_count == 1)
                parts.front() = std::move(here);
            else
                parts[static_cast<std::size_t>(p)] = here;
        }
    }
    if (part_count == 1) return std::move(parts.front());
    const auto join = [&](auto values) {
        auto& all = released.*values;
        std::size_t size = 0;
        for (const ReleasedEnergy& part : parts) size += part.size();
        all.reserve(size);
        for (const ReleasedEnergy& part : parts) all.insert(all.end(), (part.*values).begin(), (part.*values).end());
    };
    join(&ReleasedEnergy::voxel);
    for (const auto values : released_values) join(values);
    return released;
}

}  // namespace libdose::cpu
