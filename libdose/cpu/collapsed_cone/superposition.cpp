#include "cpu/collapsed_cone/superposition.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "base/parallel_failure.h"
#include "cpu/collapsed_cone/emission.h"
#include "libdose/error.h"

namespace libdose::cpu {

namespace {

/// Copy of a [z][y][x] volume stored as [z][x][y].
std::vector<float> transposed(const Grid& grid, const std::vector<float>& volume) {
    std::vector<float> out(volume.size());
    const int nx = grid.size[0], ny = grid.size[1];
    constexpr int tile = 16;
#pragma omp parallel for schedule(static)
    for (int k = 0; k < grid.size[2]; ++k) {
        const float* from = volume.data() + grid.index(0, 0, k);
        float* to = out.data() + grid.index(0, 0, k);
        for (int j0 = 0; j0 < ny; j0 += tile)
            for (int i0 = 0; i0 < nx; i0 += tile)
                for (int i = i0; i < std::min(nx, i0 + tile); ++i)
                    for (int j = j0; j < std::min(ny, j0 + tile); ++j)
                        to[static_cast<std::ptrdiff_t>(i) * ny + j] =
                            from[static_cast<std::ptrdiff_t>(j) * nx + i];
    }
    return out;
}

/// Sweeps [first, last).
struct SweepRange {
    std::size_t first, last;
    bool empty() const { return first == last; }
};

/// Directions in the order in which they are swept, cut into sweeps.
struct Sweeps {
    DirectionSet directions;
    std::vector<SweepPlan> plans;
    std::vector<std::size_t> begin;  ///< first direction of each sweep, and the number of directions

    Sweeps(const Grid& grid, const DirectionSet& set) {
        std::vector<SweepPlan> of_set;
        for (std::size_t d = 0; d < set.size(); ++d) of_set.push_back(plan_sweep(grid, set[d].direction, d));
        // The last ones march along x, on transposed copies.
        for (const int axis : {2, 1, 0})
            for (const bool ascending : {true, false}) {
                std::size_t in_sweep = sweep_width;
                for (std::size_t d = 0; d < set.size(); ++d) {
                    if (of_set[d].axis != axis || of_set[d].ascending != ascending) continue;
                    if (in_sweep == sweep_width) {
                        begin.push_back(plans.size());
                        in_sweep = 0;
                    }
                    directions.push_back(set[d]);
                    plans.push_back(of_set[d]);
                    ++in_sweep;
                }
            }
        begin.push_back(plans.size());
    }
    std::size_t count() const { return begin.size() - 1; }
    /// Those that march along z or y in volumes as they are, or those along x in transposed ones.
    SweepRange in_order(bool of_transposed) const {
        SweepRange range{0, count()};
        while (!range.empty() && transposed(range.first) != of_transposed) ++range.first;
        while (!range.empty() && transposed(range.last - 1) != of_transposed) --range.last;
        return range;
    }
    bool transposed(std::size_t sweep) const { return plans[begin[sweep]].transposed; }
    const SweepLayout& layout(std::size_t sweep) const { return plans[begin[sweep]].layout; }
    std::vector<SweepPlan> of(std::size_t sweep) const {
        return {plans.begin() + static_cast<std::ptrdiff_t>(begin[sweep]),
                plans.begin() + static_cast<std::ptrdiff_t>(begin[sweep + 1])};
    }
};

/// Sum of the deposits of all sweeps, in the order of the sweeps for any number of threads: each slab of rows
/// takes the next sweep's as soon as it has the one before.
class OrderedSum {
public:
    OrderedSum(std::size_t voxels, int columns)
        : columns_(static_cast<std::size_t>(columns)),
          rows_(voxels / columns_),
          values_(voxels, 0.0f),
          next_((rows_ + slab - 1) / slab) {}
    void begin_at(std::size_t number) {
        for (auto& next : next_) next = number;
    }
    /// Null: nothing to add, but the number has had its turn.
    void add(std::size_t number, const SweepDeposit* deposit) {
        for (std::size_t n = 0; n < next_.size(); ++n) {
            for (std::size_t now = next_[n]; now != number; now = next_[n]) next_[n].wait(now);
            if (deposit)
                for (std::size_t row = n * slab; row < std::min(rows_, (n + 1) * slab); ++row) {
                    if (!deposit->touched[row]) continue;
                    const float* const from = deposit->rows.row(row);
                    float* const to = values_.data() + row * columns_;
                    for (std::size_t c = 0; c < columns_; ++c) to[c] += from[c];
                }
            next_[n] = number + 1;
            next_[n].notify_all();
        }
    }
    /// Leaves none behind.
    std::vector<float> take() { return std::move(values_); }

private:
    static constexpr std::size_t slab = 512;  // rows
    std::size_t columns_, rows_;
    std::vector<float> values_;
    std::vector<std::atomic<std::size_t>> next_;
};

/// Part of the largest energy released in a voxel that a line may lose at its end. Every direction and rate
/// of every line together lose a voxel less than (directions × rates) of it.
constexpr float negligible_part = 1e-7f;

/// The sweeps of one transport, several at once, each by one thread.
class SweepRun {
public:
    SweepRun(const Sweeps& sweeps, const RayTables& tables, const EmissionRows& rows,
             const std::vector<double>& rates_cm2_g, LatticeMode mode,
             const std::function<void(double)>& progress)
        : sweeps_(sweeps),
          tables_(tables),
          rows_(rows),
          rates_cm2_g_(rates_cm2_g),
          mode_(mode),
          progress_(progress),
          escaped_(sweeps.count(), 0.0) {}

    /// Energy that the sweeps of a range deposit, per volume and per unit of kernel density; [z][y][x], or
    /// transposed as the medium is. Not valid after a failure.
    std::vector<float> deposits(const SweepRange& range, const SweepMedium& medium, std::size_t voxels) {
        OrderedSum sum(voxels, sweeps_.layout(range.first).columns);
        sum.begin_at(range.first);
#pragma omp parallel
        {
            SweepWorkspace workspace;
            SweepDeposit deposit;
#pragma omp for schedule(monotonic : dynamic, 1) nowait
            for (std::size_t n = range.first; n < range.last; ++n) {
                bool ready = false;
                failure_.guard([&] { ready = sweep_one(n, medium, deposit, workspace); });
                sum.add(n, ready ? &deposit : nullptr);
                if (progress_ && !failure_.failed()) report();
            }
        }
        return sum.take();
    }
    bool failed() const { return failure_.failed(); }
    void rethrow() const { failure_.rethrow(); }
    double escaped() const {
        double sum = 0;
        for (const double part : escaped_) sum += part;
        return sum;
    }

private:
    /// False where another sweep has failed: nothing is done.
    bool sweep_one(std::size_t n, const SweepMedium& medium, SweepDeposit& deposit,
                   SweepWorkspace& workspace) {
        if (failure_.failed()) return false;
        const std::vector<SweepPlan> plans = sweeps_.of(n);
        Emission emission(rows_, tables_, sweeps_.begin[n], plans.size(), rates_cm2_g_.size(),
                          plans.front().layout);
        escaped_[n] = sweep(plans, mode_, medium, rates_cm2_g_, emission, negligible_part * rows_.largest(),
                            deposit, workspace);
        return true;
    }
    /// Counts a sweep in the same critical section in which it is reported, so that what is reported never
    /// goes back.
    void report() {
#pragma omp critical(libdose_superposition_progress)
        failure_.guard([&] {
            ++done_;
            if (!failure_.failed())
                progress_(static_cast<double>(done_) / static_cast<double>(sweeps_.count()));
        });
    }

    const Sweeps& sweeps_;
    const RayTables& tables_;
    const EmissionRows& rows_;
    const std::vector<double>& rates_cm2_g_;
    LatticeMode mode_;
    const std::function<void(double)>& progress_;
    std::vector<double> escaped_;  ///< by sweep
    ParallelFailure failure_;
    std::size_t done_ = 0;
};

/// Adds a volume stored as [z][x][y] to one stored as [z][y][x].
void add_transposed(const Grid& grid, const std::vector<float>& volume, std::vector<float>& total) {
    Grid turned = grid;
    std::swap(turned.size[0], turned.size[1]);
    const std::vector<float> back = transposed(turned, volume);
#pragma omp parallel for simd schedule(static)
    for (std::size_t v = 0; v < total.size(); ++v) total[v] += back[v];
}

/// Turns deposits per unit of kernel density into dose, in place; returns the energy that was deposited.
/// Summed by slices, so that it is the same for any number of threads.
double dose_of_deposits(const DensityGrid& density, std::vector<float>& total) {
    const std::size_t slices = static_cast<std::size_t>(density.grid.size[2]), slice = total.size() / slices;
    std::vector<double> deposited(slices, 0.0);
#pragma omp parallel for schedule(static)
    for (std::size_t k = 0; k < slices; ++k)
        for (std::size_t v = k * slice; v < (k + 1) * slice; ++v) {
            const float energy = total[v] * density.kernel_density[v];
            deposited[k] += static_cast<double>(energy);
            total[v] = density.density[v] > 0.0f ? energy / density.density[v] : 0.0f;
        }
    double sum = 0;
    for (const double part : deposited) sum += part;
    return sum;
}

}  // namespace

SuperpositionResult superpose(const DensityGrid& density, const ConeKernel& kernel,
                              const std::vector<ReleasedEnergy>& sources, const DirectionSet& directions,
                              LatticeMode mode, const std::function<void(double)>& progress) {
    const Grid& grid = density.grid;
    const std::size_t voxels = grid.voxel_count();
    if (voxels > std::numeric_limits<std::uint32_t>::max())
        throw bad_input("the dose grid has more than 2^32 voxels", "collapsed cone",
                        "Choose a larger grid spacing");
    if (kernel.rates_cm2_g.size() > 8) throw bad_input("the kernel has more than 8 rates", "beam model");

    const Sweeps sweeps(grid, directions);
    SuperpositionResult result;
    for (const ReleasedEnergy& source : sources)
        for (const float energy : source.energy) result.released += static_cast<double>(energy);
    const RayTables tables(kernel, sweeps.directions, sources);
    EmissionRows rows(grid, sources, tables);
    SweepRun run(sweeps, tables, rows, kernel.rates_cm2_g, mode, progress);
    const std::vector<float>& kernel_density = density.kernel_density;
    std::vector<float> total;
    if (const SweepRange range = sweeps.in_order(false); !range.empty())
        total = run.deposits(range, SweepMedium(kernel_density, sweeps.layout(range.first).columns), voxels);
    total.resize(voxels, 0.0f);
    if (const SweepRange range = sweeps.in_order(true); !range.empty() && !run.failed()) {
        const SweepMedium medium(transposed(grid, kernel_density), sweeps.layout(range.first).columns);
        rows.turn();
        add_transposed(grid, run.deposits(range, medium, voxels), total);
    }
    run.rethrow();
    result.escaped = run.escaped();
    result.deposited = dose_of_deposits(density, total);
    result.dose_gy = std::move(total);
    return result;
}

}  // namespace libdose::cpu
