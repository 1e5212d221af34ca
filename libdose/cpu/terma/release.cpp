// The energy that a map releases in the voxels of a grid.
#include "cpu/terma/release.h"

#include <omp.h>

#include <algorithm>
#include <cmath>

#include "cpu/raytrace/ray_bundle.h"
#include "cpu/terma/release_lanes.h"
#include "fluence/fluence_at_voxels.h"
#include "fluence/fluence_map.h"
#include "terma/released_energy.h"
#include "terma/terma_table.h"
namespace libdose::cpu {

namespace {

/// Voxels begin … end - 1 of a row along x.
struct PartOfRow {
    int j, k, begin, end;
};

/// False where no voxel of a slice can project into {low u, high u, low v, high v}.
bool slice_meets(const Grid& grid, const physics::BeamFrame& frame, int k,
                 const std::array<double, 4>& extent_mm) {
    const physics::Shadow shadow = physics::shadow_of(frame, grid.centre_mm(0, 0, k),
                                                      grid.centre_mm(grid.size[0] - 1, grid.size[1] - 1, k));
    return !shadow.whole || (shadow.low_u_mm <= extent_mm[1] && shadow.high_u_mm >= extent_mm[0] &&
                             shadow.low_v_mm <= extent_mm[3] && shadow.high_v_mm >= extent_mm[2]);
}

constexpr std::vector<float> ReleasedEnergy::*released_values[] = {&ReleasedEnergy::energy,
                                                                   &ReleasedEnergy::depth_g_cm2};

}  // namespace

ReleasedEnergy released_energy(const DensityGrid& density, const FluenceMap& map, const TermaTable& table,
                               double ray_spacing_mm, double blur_variance) {
    const Grid& grid = density.grid;
    const physics::BeamFrame& frame = map.frame;
    ReleasedEnergy released;
    released.grid = grid;
    released.frame = frame;
    const auto extent = released_extent_mm(grid, frame, support_mm(map));
    if (!extent) return released;
    const FluenceIntegral integral(map, sharpening_for(grid, frame, blur_variance));
    const RayBundle rays(density, frame, *extent, ray_spacing_mm, std::numeric_limits<double>::infinity(),
                         map.filter.get());
    const MapRelease release(grid, map, integral, rays, table);

    // By parts of the grid's slices. One thread needs but one part, which is the result.
    const int slices = grid.size[2],
              part_count = omp_get_max_threads() > 1 && !omp_in_parallel() ? slices : 1;
    std::vector<ReleasedEnergy> parts(static_cast<std::size_t>(part_count));
    const auto row_size = static_cast<std::size_t>(grid.size[0]);
    const physics::ProjectedRows projected(frame, grid);
#pragma omp parallel if (part_count > 1)
    {
        ReleasedEnergy of_row, here;
        of_row.voxel.resize(row_size);
        for (const auto values : released_values) (of_row.*values).resize(row_size);
        ReleasedLanes found;
        std::vector<PartOfRow> rows;
#pragma omp for schedule(dynamic, 1)
        for (int p = 0; p < part_count; ++p) {
            rows.clear();
            std::size_t most = 0;
            for (int k = p * slices / part_count; k < (p + 1) * slices / part_count; ++k) {
                if (!slice_meets(grid, frame, k, *extent)) continue;
                for (int j = 0; j < grid.size[1]; ++j) {
                    const auto [begin, end] = projected.at(j, k).within(*extent, grid.size[0]);
                    if (begin < end) {
                        rows.push_back({j, k, begin, end});
                        most += static_cast<std::size_t>(end - begin);
                    }
                }
            }
            // Memory that is not used in the end is not touched.
            here.voxel.clear();
            here.voxel.reserve(most);
            for (const auto values : released_values) {
                (here.*values).clear();
                (here.*values).reserve(most);
            }
            for (const auto [j, k, begin, end] : rows) {
                const std::size_t at = grid.index(0, j, k);
                const ReleaseRow row{RowOfPoints(projected.at(j, k)), &density.density[at],
                                     &density.water_part[at], &density.high_z_part[at]};
                std::size_t count = 0;
                for (int first = begin; first < end; first += lanes) {
                    const int last = std::min(first + lanes, end) - 1;
                    if (!release_lanes(release, row, first, last, found)) continue;
                    if (found.all) {
                        for (int l = 0; l < lanes; ++l)
                            of_row.voxel[count + static_cast<std::size_t>(l)] =
                                static_cast<std::uint32_t>(at) + static_cast<std::uint32_t>(first + l);
                        std::copy_n(found.energy, lanes, &of_row.energy[count]);
                        std::copy_n(found.depth, lanes, &of_row.depth_g_cm2[count]);
                        count += lanes;
                        continue;
                    }
                    for (int l = 0; first + l <= last; ++l) {
                        of_row.voxel[count] =
                            static_cast<std::uint32_t>(at + static_cast<std::size_t>(first + l));
                        of_row.energy[count] = found.energy[l];
                        of_row.depth_g_cm2[count] = found.depth[l];
                        count += found.energy[l] == 0 ? 0 : 1;  // the next one takes its place
                    }
                }
                const auto n = static_cast<std::ptrdiff_t>(count);
                here.voxel.insert(here.voxel.end(), of_row.voxel.begin(), of_row.voxel.begin() + n);
                for (const auto values : released_values)
                    (here.*values)
                        .insert((here.*values).end(), (of_row.*values).begin(), (of_row.*values).begin() + n);
            }
            here.grid = grid;
            here.frame = frame;
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
        for (const ReleasedEnergy& part : parts)
            all.insert(all.end(), (part.*values).begin(), (part.*values).end());
    };
    join(&ReleasedEnergy::voxel);
    for (const auto values : released_values) join(values);
    return released;
}

}  // namespace libdose::cpu
