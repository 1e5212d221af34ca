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

/// False where no voxel of a slice can project into a rectangle.
bool slice_meets(const Grid& grid, const physics::BeamFrame& frame, int k, const Rect& extent) {
    const physics::Shadow shadow = physics::shadow_of(frame, grid.centre_mm(0, 0, k),
                                                      grid.centre_mm(grid.size[0] - 1, grid.size[1] - 1, k));
    const Rect common = shadow.bounds.common(extent);
    return !shadow.whole || (common.low_u_mm <= common.high_u_mm && common.low_v_mm <= common.high_v_mm);
}

constexpr std::vector<float> ReleasedEnergy::*released_values[] = {&ReleasedEnergy::energy,
                                                                   &ReleasedEnergy::depth_g_cm2};

/// Rows of slices [first, last) whose voxels project into `extent`.
std::vector<PartOfRow> rows_within(const Grid& grid, const physics::BeamFrame& frame,
                                   const physics::ProjectedRows& projected, int first, int last,
                                   const Rect& extent) {
    std::vector<PartOfRow> rows;
    for (int k = first; k < last; ++k) {
        if (!slice_meets(grid, frame, k, extent)) continue;
        for (int j = 0; j < grid.size[1]; ++j) {
            const auto [begin, end] = projected.at(j, k).within(extent, grid.size[0]);
            if (begin < end) rows.push_back({j, k, begin, end});
        }
    }
    return rows;
}

/// Forgets what is held and makes room for the voxels of all rows. Memory that is not used in the end is not
/// touched.
void reserve_for(const std::vector<PartOfRow>& rows, ReleasedEnergy& released) {
    std::size_t most = 0;
    for (const PartOfRow& row : rows) most += static_cast<std::size_t>(row.end - row.begin);
    released.voxel.clear();
    released.voxel.reserve(most);
    for (const auto values : released_values) {
        (released.*values).clear();
        (released.*values).reserve(most);
    }
}

/// The voxels of one row that release energy, found sixteen at a time.
class RowRelease {
public:
    explicit RowRelease(std::size_t row_size) {
        values_.voxel.resize(row_size);
        for (const auto values : released_values) (values_.*values).resize(row_size);
    }

    /// Voxels begin … end - 1 of the row whose voxel 0 has the index `at`.
    void find(const MapRelease& release, const ReleaseRow& row, std::size_t at, int begin, int end) {
        count_ = 0;
        for (int first = begin; first < end; first += lanes) {
            const int last = std::min(first + lanes, end) - 1;
            if (!release_lanes(release, row, first, last, found_)) continue;
            if (found_.all)
                take_all(at, first);
            else
                take_some(at, first, last);
        }
    }
    void append_to(ReleasedEnergy& released) const {
        const auto n = static_cast<std::ptrdiff_t>(count_);
        released.voxel.insert(released.voxel.end(), values_.voxel.begin(), values_.voxel.begin() + n);
        for (const auto values : released_values)
            (released.*values)
                .insert((released.*values).end(), (values_.*values).begin(), (values_.*values).begin() + n);
    }

private:
    void take_all(std::size_t at, int first) {
        for (int l = 0; l < lanes; ++l)
            values_.voxel[count_ + static_cast<std::size_t>(l)] =
                static_cast<std::uint32_t>(at) + static_cast<std::uint32_t>(first + l);
        std::copy_n(found_.energy, lanes, &values_.energy[count_]);
        std::copy_n(found_.depth, lanes, &values_.depth_g_cm2[count_]);
        count_ += lanes;
    }
    void take_some(std::size_t at, int first, int last) {
        for (int l = 0; first + l <= last; ++l) {
            values_.voxel[count_] = static_cast<std::uint32_t>(at + static_cast<std::size_t>(first + l));
            values_.energy[count_] = found_.energy[l];
            values_.depth_g_cm2[count_] = found_.depth[l];
            count_ += found_.energy[l] == 0 ? 0 : 1;  // the next one takes its place
        }
    }

    ReleasedEnergy values_;  ///< of the row, the first count_ are valid
    std::size_t count_ = 0;
    ReleasedLanes found_;
};

/// Appends the parts, in their order, to `released`.
void join(const std::vector<ReleasedEnergy>& parts, ReleasedEnergy& released) {
    std::size_t size = 0;
    for (const ReleasedEnergy& part : parts) size += part.size();
    const auto join_values = [&](auto values) {
        auto& all = released.*values;
        all.reserve(size);
        for (const ReleasedEnergy& part : parts)
            all.insert(all.end(), (part.*values).begin(), (part.*values).end());
    };
    join_values(&ReleasedEnergy::voxel);
    for (const auto values : released_values) join_values(values);
}

}  // namespace

ReleasedEnergy released_energy(const DensityGrid& density, const FluenceMap& map, const TermaTable& table,
                               double ray_spacing_mm, double blur_variance) {
    const Grid& grid = density.grid;
    const physics::BeamFrame& frame = map.frame;
    ReleasedEnergy released;
    released.grid = grid;
    released.frame = frame;
    const auto extent = released_extent_mm(grid, frame, nonzero_bounds(map));
    if (!extent) return released;
    const FluenceIntegral integral(map, sharpening_for(grid, frame, blur_variance));
    const RayBundle rays(density, frame, *extent, ray_spacing_mm, std::numeric_limits<double>::infinity(),
                         map.filter.get());
    const MapRelease release(grid, map, integral, rays, table);

    // By parts of the grid's slices. One thread needs but one part, which is the result.
    const int slices = grid.size[2],
              part_count = omp_get_max_threads() > 1 && !omp_in_parallel() ? slices : 1;
    std::vector<ReleasedEnergy> parts(static_cast<std::size_t>(part_count));
    const physics::ProjectedRows projected(frame, grid);
#pragma omp parallel if (part_count > 1)
    {
        RowRelease of_row(static_cast<std::size_t>(grid.size[0]));
        ReleasedEnergy here;
        here.grid = grid;
        here.frame = frame;
#pragma omp for schedule(dynamic, 1)
        for (int p = 0; p < part_count; ++p) {
            const std::vector<PartOfRow> rows = rows_within(grid, frame, projected, p * slices / part_count,
                                                            (p + 1) * slices / part_count, *extent);
            reserve_for(rows, here);
            for (const auto [j, k, begin, end] : rows) {
                const std::size_t at = grid.index(0, j, k);
                const ReleaseRow row{RowOfPoints(projected.at(j, k)), &density.density[at],
                                     &density.water_part[at], &density.high_z_part[at]};
                of_row.find(release, row, at, begin, end);
                of_row.append_to(here);
            }
            if (part_count == 1)
                parts.front() = std::move(here);
            else
                parts[static_cast<std::size_t>(p)] = here;
        }
    }
    if (part_count == 1) return std::move(parts.front());
    join(parts, released);
    return released;
}

}  // namespace libdose::cpu
