#include "cpu/collapsed_cone/superposition.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <limits>

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

/// Directions in the order in which they are swept, cut into sweeps.
struct Sweeps {
    DirectionSet directions;
    std::vector<SweepPlan> plans;
    std::vector<std::size_t> begin;  ///< of each sweep, and the end

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
    bool transposed(std::size_t sweep) const { return plans[begin[sweep]].transposed; }
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

}  // namespace

SuperpositionResult superpose(const DensityGrid& density, const ConeKernel& kernel,
                              const std::vector<ReleasedEnergy>& sources, const DirectionSet& directions,
                              LatticeMode mode, const std::function<void(double)>& progress) {
    const Grid& grid = density.grid;
    const std::size_t voxels = grid.voxel_count(), rates = kernel.rates_cm2_g.size();
    if (voxels > std::numeric_limits<std::uint32_t>::max())
        throw bad_input("the dose grid has more than 2^32 voxels", "collapsed cone",
                        "Choose a larger grid spacing");
    if (rates > 8) throw bad_input("the kernel has more than 8 rates", "beam model");

    const Sweeps sweeps(grid, directions);
    SuperpositionResult result;
    for (const ReleasedEnergy& source : sources)
        for (const float energy : source.energy) result.released += static_cast<double>(energy);
    const RayTables tables(kernel, sweeps.directions, sources);

    const std::vector<float>& eta = density.kernel_density;
    std::vector<double> escaped(sweeps.count(), 0.0);
    std::exception_ptr failure;
    std::atomic<bool> failed{false};
    std::size_t done = 0;
    const auto fail = [&] {
#pragma omp critical(libdose_superposition_failure)
        if (!failed) {
            failure = std::current_exception();
            failed = true;
        }
    };
    std::vector<float> total;
    EmissionRows rows(grid, sources, tables);
    for (const bool crossed : {false, true}) {
        std::size_t first = 0, last = sweeps.count();
        while (first < last && sweeps.transposed(first) != crossed) ++first;
        while (last > first && sweeps.transposed(last - 1) != crossed) --last;
        if (first == last || failed) continue;
        const SweepLayout layout = sweeps.plans[sweeps.begin[first]].layout;
        const SweepMedium medium =
            crossed ? SweepMedium(transposed(grid, eta), layout.columns) : SweepMedium(eta, layout.columns);
        if (crossed) rows.turn();
        OrderedSum sum(voxels, layout.columns);
        sum.begin_at(first);
#pragma omp parallel
        {
            SweepWorkspace workspace;
            SweepDeposit deposit;
#pragma omp for schedule(monotonic : dynamic, 1) nowait
            for (std::size_t n = first; n < last; ++n) {
                bool ready = false;
                try {
                    if (!failed) {
                        const std::vector<SweepPlan> plans = sweeps.of(n);
                        Emission emission(rows, tables, sweeps.begin[n], plans.size(), rates,
                                          plans.front().layout);
                        escaped[n] = sweep(plans, mode, medium, kernel.rates_cm2_g, emission,
                                           negligible_part * rows.largest(), deposit, workspace);
                        ready = true;
                    }
                } catch (...) {
                    fail();
                }
                sum.add(n, ready ? &deposit : nullptr);
                if (progress && !failed) {
#pragma omp critical(libdose_superposition_progress)
                    try {
                        // Counted in here, so that what is reported never goes back.
                        if (++done; !failed)
                            progress(static_cast<double>(done) / static_cast<double>(sweeps.count()));
                    } catch (...) {
                        fail();
                    }
                }
            }
        }
        if (crossed) {
            Grid turned = grid;
            std::swap(turned.size[0], turned.size[1]);
            const std::vector<float> back = transposed(turned, sum.take());
            total.resize(voxels, 0.0f);
#pragma omp parallel for simd schedule(static)
            for (std::size_t v = 0; v < voxels; ++v) total[v] += back[v];
        } else {
            total = sum.take();
        }
    }
    if (failure) std::rethrow_exception(failure);

    for (const double part : escaped) result.escaped += part;
    // In place; sums by slices, so that they are the same for any number of threads.
    total.resize(voxels, 0.0f);
    const std::size_t slices = static_cast<std::size_t>(grid.size[2]), slice = voxels / slices;
    std::vector<double> deposited(slices, 0.0);
#pragma omp parallel for schedule(static)
    for (std::size_t k = 0; k < slices; ++k)
        for (std::size_t v = k * slice; v < (k + 1) * slice; ++v) {
            const float energy = total[v] * eta[v];
            deposited[k] += static_cast<double>(energy);
            total[v] = density.density[v] > 0.0f ? energy / density.density[v] : 0.0f;
        }
    for (const double part : deposited) result.deposited += part;
    result.dose_gy = std::move(total);
    return result;
}

}  // namespace libdose::cpu
