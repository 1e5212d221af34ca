#include "cuda/collapsed_cone/stage.h"

#include <algorithm>
#include <limits>

#include "base/part_of_progress.h"
#include "base/stage_clock.h"
#include "cuda/collapsed_cone/sweep_group.h"
#include "cuda/runtime/memory_text.h"
#include "cuda/terma/stage.h"
#include "libdose/error.h"

namespace libdose::cuda {

namespace {

/// Planes that a line is followed through by one launch, with its energies in registers.
constexpr int steps_at_once = 8;
/// Deposits of directions that are swept together are read again at once: as many directions as keep them in
/// a cache of this size.
constexpr std::size_t deposit_cache_bytes = std::size_t{32} << 20;
constexpr std::size_t most_directions_at_once = 64;
/// Part of the free memory that sources may take before they are transported.
constexpr double source_part = 0.5;

/// The kernel with as many rates as the transport is compiled for: what is added carries nothing.
ConeKernel filled_up(const ConeKernel& kernel) {
    const std::size_t rates = kernel.rates_cm2_g.size();
    const auto found = std::find_if(std::begin(rate_counts), std::end(rate_counts),
                                    [&](int n) { return static_cast<std::size_t>(n) >= rates; });
    if (found == std::end(rate_counts)) throw bad_input("the kernel has more than 8 rates", "beam model");
    const auto count = static_cast<std::size_t>(*found);
    ConeKernel filled = kernel;
    filled.rates_cm2_g.resize(count, 0.0);
    filled.coefficients.clear();
    for (std::size_t n = 0; n < kernel.coefficients.size(); ++n) {
        filled.coefficients.push_back(kernel.coefficients[n]);
        if ((n + 1) % rates == 0) filled.coefficients.insert(filled.coefficients.end(), count - rates, 0.0);
    }
    return filled;
}

/// Planes, rows and columns of a layout that the boxes of all maps span.
struct SourceSpan {
    int first_plane = 0, last_plane = -1;
    SourceWindow window{};
};

SourceSpan span_of(const std::vector<ReleasedMap>& maps, const PlaneLayout& layout) {
    const int plane_axis = layout.axis, row_axis = layout.axis == 2 ? 1 : 2,
              column_axis = layout.axis == 0 ? 1 : 0;
    int low[3], high[3];
    for (int a = 0; a < 3; ++a) {
        low[a] = std::numeric_limits<int>::max();
        high[a] = -1;
        for (const ReleasedMap& map : maps) {
            low[a] = std::min(low[a], map.range.first[a]);
            high[a] = std::max(high[a], map.range.first[a] + map.range.size[a] - 1);
        }
    }
    return {low[plane_axis],
            high[plane_axis],
            {low[row_axis], high[row_axis] - low[row_axis] + 1, low[column_axis],
             high[column_axis] - low[column_axis] + 1}};
}

/// Buffers of the directions that are swept together.
struct SweepBuffers {
    std::size_t energy = 0, deposit = 0, source = 0;  ///< numbers
    std::size_t bytes() const { return (energy + deposit + source) * sizeof(float); }

    SweepBuffers(const PlaneLayout& layout, const SourceWindow& window, std::size_t directions,
                 std::size_t rates, int line_rows, int line_columns) {
        const auto product = [](auto... n) { return (static_cast<std::size_t>(n) * ...); };
        const int steps = std::min(steps_at_once, layout.planes);
        energy = product(directions, rates, line_rows, line_columns);
        deposit = product(steps, directions, layout.rows + lines_beyond, layout.columns + lines_beyond);
        source = product(steps, directions, rates, window.rows, window.columns);
    }
};

class Superposition {
public:
    Superposition(DeviceGrid& grid, const ConeKernel& kernel, const SweepOrder& order, bool rounded)
        : grid_(grid),
          kernel_(kernel),
          order_(order),
          rounded_(rounded),
          total_(grid.pool, grid.grid.grid.voxel_count()),
          total_crossed_(grid.pool, grid.grid.grid.voxel_count()) {
        total_.clear();
        total_crossed_.clear();
    }

    /// Adds what the maps' energy deposits. Their volumes are crossed on the way.
    void add(std::vector<ReleasedMap>& maps, const std::function<void(double)>& progress) {
        if (maps.empty()) return;
        std::size_t done = 0;
        bool crossed = false;
        DeviceArray<EmittingMap> emitting = emitting_maps(maps);
        for (const SweepGroup& group : order_.groups) {
            if (group.crossed() && !crossed) {
                for (ReleasedMap& map : maps) map.cross(grid_.pool);
                emitting = emitting_maps(maps);
                crossed = true;
            }
            const SourceSpan span = span_of(maps, group.layout);
            const std::size_t at_once = directions_at_once(group, span.window);
            for (std::size_t first = 0; first < group.count; first += at_once) {
                const std::size_t count = std::min(at_once, group.count - first);
                const int map_count = static_cast<int>(maps.size());
                switch (kernel_.rates_cm2_g.size()) {
                    case 2:
                        sweep<2>(group, group.first + first, count, span, emitting.data(), map_count);
                        break;
                    case 3:
                        sweep<3>(group, group.first + first, count, span, emitting.data(), map_count);
                        break;
                    case 4:
                        sweep<4>(group, group.first + first, count, span, emitting.data(), map_count);
                        break;
                    case 5:
                        sweep<5>(group, group.first + first, count, span, emitting.data(), map_count);
                        break;
                    default:
                        sweep<8>(group, group.first + first, count, span, emitting.data(), map_count);
                }
                done += count;
                if (progress) {
                    grid_.pool.executor().synchronize();
                    progress(static_cast<double>(done) / static_cast<double>(order_.plans.size()));
                }
            }
        }
    }

    std::vector<float> dose() {
        const Grid& grid = grid_.grid.grid;
        DeviceArray<float> dose(grid_.pool, grid.voxel_count());
        grid_.pool.executor().run(
            FinishDose{grid.size[0], grid.size[1], total_.data(), total_crossed_.data(),
                       grid_.density.kernel_density.data(), grid_.density.density.data(), dose.data()},
            threads_over(grid));
        return dose.values();
    }

private:
    DeviceArray<EmittingMap> emitting_maps(std::vector<ReleasedMap>& maps) const {
        std::vector<EmittingMap> list;
        for (ReleasedMap& map : maps) list.push_back(map.emitting());
        return DeviceArray<EmittingMap>(grid_.pool, list);
    }

    /// As many as the cache and the memory hold; at least one.
    std::size_t directions_at_once(const SweepGroup& group, const SourceWindow& window) const {
        const PlaneLayout& layout = group.layout;
        const std::size_t rates = kernel_.rates_cm2_g.size();
        // Lines move at most a voxel a plane.
        const SweepBuffers one(layout, window, 1, rates, layout.rows + lines_beyond + layout.planes,
                               layout.columns + lines_beyond + layout.planes);
        const std::size_t available = grid_.pool.available_bytes();
        if (one.bytes() > available)
            throw bad_input("one direction of the transport needs " + in_mebibytes(one.bytes()) +
                                " of device memory, " + in_mebibytes(available) + " are free",
                            grid_.pool.executor().description(),
                            "Choose a larger grid spacing, a smaller margin or --backend cpu");
        const std::size_t in_cache = deposit_cache_bytes / (one.deposit * sizeof(float)),
                          in_memory = available * 3 / 4 / one.bytes();
        return std::max<std::size_t>(1,
                                     std::min({in_cache, in_memory, most_directions_at_once, group.count}));
    }

    template <int rates>
    void sweep(const SweepGroup& group, std::size_t first, std::size_t count, const SourceSpan& span,
               const EmittingMap* maps, int map_count) {
        DevicePool& pool = grid_.pool;
        const PlaneLayout& layout = group.layout;
        const LineLayout lines(layout, order_.plans.data() + first, count, rounded_);
        const SweepBuffers sizes(layout, span.window, count, rates, lines.line_rows, lines.line_columns);
        // Those of the directions before are free once these are on their way, so that the copies need not
        // wait for that sweep.
        places_ = DeviceArray<LinePlace>(pool, lines.places);
        step_cm_ = DeviceArray<float>(pool, lines.step_cm);
        DeviceArray<float> energy(pool, sizes.energy), deposit(pool, sizes.deposit),
            source(pool, sizes.source);
        energy.clear();

        SweepPart part{layout,
                       0,
                       0,
                       static_cast<int>(first),
                       static_cast<int>(count),
                       static_cast<int>(order_.plans.size()),
                       span.window};
        SweepLines<rates> follow{};
        follow.step_cm = step_cm_.data();
        for (int k = 0; k < rates; ++k)
            follow.rate[k] = static_cast<float>(kernel_.rates_cm2_g[static_cast<std::size_t>(k)]);
        follow.kernel_density =
            group.crossed() ? grid_.kernel_density_crossed.data() : grid_.density.kernel_density.data();
        follow.source = source.data();
        follow.energy = energy.data();
        follow.deposit = deposit.data();
        follow.line_rows = lines.line_rows;
        follow.line_columns = lines.line_columns;
        bool anything = false;
        for (int step = 0; step < layout.planes; step += steps_at_once) {
            part.first_step = step;
            part.steps = std::min(steps_at_once, layout.planes - step);
            const int a = layout.plane(step), b = layout.plane(step + part.steps - 1);
            const bool emits = std::min(a, b) <= span.last_plane && std::max(a, b) >= span.first_plane;
            anything = anything || emits;
            if (!anything) continue;  // nothing travels yet
            const int directions = part.directions, groups = EmitPlanes<rates>::groups(directions);
            if (emits)
                pool.executor().run(EmitPlanes<rates>{part, maps, map_count, source.data()},
                                    {span.window.columns, span.window.rows, part.steps * groups});
            const Index3 moved = lines.moved(step, step + part.steps - 1);
            follow.part = part;
            follow.with_source = emits;
            follow.places = places_.data() + static_cast<std::size_t>(step) * count;
            pool.executor().run(follow, {layout.columns + lines_beyond + moved.x,
                                         layout.rows + lines_beyond + moved.y, directions});
            pool.executor().run(GatherDeposit{part, follow.places, deposit.data(),
                                              group.crossed() ? total_crossed_.data() : total_.data()},
                                {layout.columns, layout.rows, part.steps});
        }
    }

    DeviceGrid& grid_;
    const ConeKernel& kernel_;
    const SweepOrder& order_;
    bool rounded_;
    DeviceArray<float> total_, total_crossed_;  ///< deposits per unit of kernel density
    DeviceArray<LinePlace> places_;             ///< places of the directions that were swept last
    DeviceArray<float> step_cm_;
};

}  // namespace

DeviceGrid::DeviceGrid(DevicePool& device, const DensityGrid& densities)
    : grid(densities), pool(device), density(device, densities) {
    const Grid& g = densities.grid;
    kernel_density_crossed = DeviceArray<float>(pool, g.voxel_count());
    pool.executor().run(CrossVolume<float>{g.size[0], g.size[1], density.kernel_density.data(),
                                           kernel_density_crossed.data()},
                        threads_over(g));
}

std::vector<float> transport(DeviceGrid& grid, const DeviceTermaTable& table,
                             const std::vector<FluenceMap>& maps, const ConeKernel& kernel,
                             const DirectionSet& directions, const TransportSettings& settings,
                             const StageObserver& observer) {
    const ConeKernel filled = filled_up(kernel);
    const SweepOrder order(grid.grid.grid, directions);
    Superposition superposition(grid, filled, order, settings.lattice == LatticeMode::rounded);
    const double budget_bytes = source_part * static_cast<double>(grid.pool.available_bytes());
    FluenceOnDevice fluence;
    std::vector<ReleasedMap> batch;
    std::size_t batch_bytes = 0;
    StageClock clock(observer.seconds);
    double done = 0;
    std::vector<std::optional<PreparedMap>> prepared;
    for (std::size_t m = 0, first = 0; m < maps.size(); ++m) {
        if (m == first + prepared.size())
            prepared = prepare(grid.grid.grid, maps, first = m, filled, order.directions, settings);
        if (const auto& map = prepared[m - first]) {
            batch.push_back(release(grid, table, *map, settings, fluence));
            batch_bytes += batch.back().bytes();
        }
        // The next map may take as much again as the mean of those before.
        const double expected = static_cast<double>(batch_bytes) *
                                (1 + 1 / static_cast<double>(std::max<std::size_t>(1, batch.size())));
        if (m + 1 < maps.size() && expected < budget_bytes) continue;
        grid.pool.executor().synchronize();
        clock.add("ray trace and TERMA");
        const double traced = static_cast<double>(m + 1) / static_cast<double>(maps.size());
        superposition.add(batch, part_of_progress(observer.progress, done, traced));
        batch.clear();
        batch_bytes = 0;
        done = traced;
        grid.pool.executor().synchronize();
        clock.add("superposition");
    }
    std::vector<float> dose = superposition.dose();
    clock.add("superposition");
    return dose;
}

}  // namespace libdose::cuda
