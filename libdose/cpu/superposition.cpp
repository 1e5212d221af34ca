#include "cpu/superposition.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <limits>

#include "libdose/error.h"

namespace libdose::cpu {

namespace {

/// Copy of a [z][y][x] volume stored as [z][x][y].
std::vector<float> transposed(const Grid& grid, const std::vector<float>& volume) {
    std::vector<float> out(volume.size());
    const auto nx = static_cast<std::size_t>(grid.size[0]), ny = static_cast<std::size_t>(grid.size[1]);
    for (std::size_t k = 0; k < static_cast<std::size_t>(grid.size[2]); ++k)
        for (std::size_t j = 0; j < ny; ++j)
            for (std::size_t i = 0; i < nx; ++i) out[(k * nx + i) * ny + j] = volume[(k * ny + j) * nx + i];
    return out;
}

/// Sources of one direction: dense volumes per rate, of which only the touched voxels are cleared afterwards.
class SourceVolumes {
public:
    SourceVolumes(const Grid& grid, std::size_t rates) : grid_(grid), volumes_(rates, std::vector<float>(grid.voxel_count(), 0.0f)) {}

    void fill(const std::vector<ReleasedEnergy>& sources, const std::vector<EmissionTable>& tables, std::size_t direction, const SweepPlan& plan) {
        active_.assign(static_cast<std::size_t>(plan.layout.planes) * static_cast<std::size_t>(plan.layout.rows), 0);
        const std::size_t rates = volumes_.size();
        for (std::size_t s = 0; s < sources.size(); ++s) {
            const ReleasedEnergy& source = sources[s];
            for_each_place(source, plan, [&](std::size_t n, std::size_t at) {
                float coefficient[8];
                tables[s].coefficients(direction, source.slope_u[n], source.slope_v[n], source.depth_g_cm2[n], coefficient);
                for (std::size_t k = 0; k < rates; ++k) volumes_[k][at] += source.energy[n] * coefficient[k];
            });
        }
    }
    void clear(const std::vector<ReleasedEnergy>& sources, const SweepPlan& plan) {
        for (const ReleasedEnergy& source : sources)
            for_each_place(source, plan, [&](std::size_t, std::size_t at) {
                for (auto& volume : volumes_) volume[at] = 0.0f;
            });
    }
    std::vector<const float*> pointers() const {
        std::vector<const float*> result;
        for (const auto& volume : volumes_) result.push_back(volume.data());
        return result;
    }
    const std::uint8_t* active() const { return active_.data(); }

private:
    /// Calls visit(entry, index in the layout of the plan) and marks the rows as active. Voxels ascend, so row and slice are only
    /// worked out when a row ends.
    template <class Visit>
    void for_each_place(const ReleasedEnergy& source, const SweepPlan& plan, Visit&& visit) {
        const auto nx = static_cast<std::size_t>(grid_.size[0]), ny = static_cast<std::size_t>(grid_.size[1]);
        const auto rows = static_cast<std::size_t>(plan.layout.rows);
        const bool along_z = plan.layout.plane_stride == static_cast<std::ptrdiff_t>(nx * ny);
        std::size_t row_begin = 0, row_end = 0, j = 0, k = 0;
        for (std::size_t n = 0; n < source.size(); ++n) {
            const std::size_t voxel = source.voxel[n];
            if (voxel >= row_end) {
                const std::size_t row = voxel / nx;
                j = row % ny, k = row / ny;
                row_begin = row * nx, row_end = row_begin + nx;
                if (!plan.transposed) active_[along_z ? k * rows + j : j * rows + k] = 1;
            }
            if (plan.transposed) {
                const std::size_t i = voxel - row_begin;
                active_[i * rows + k] = 1;
                visit(n, (k * nx + i) * ny + j);
            } else {
                visit(n, voxel);
            }
        }
    }

    const Grid& grid_;
    std::vector<std::vector<float>> volumes_;
    std::vector<std::uint8_t> active_;
};

}  // namespace

SuperpositionResult superpose(const DensityGrid& density, const ConeKernel& kernel, const std::vector<ReleasedEnergy>& sources, const DirectionSet& directions,
                              LatticeMode mode, const std::function<void(double)>& progress) {
    const Grid& grid = density.grid;
    const std::size_t voxels = grid.voxel_count(), rates = kernel.rates_cm2_g.size();
    if (voxels > std::numeric_limits<std::uint32_t>::max())
        throw bad_input("the dose grid has more than 2^32 voxels", "collapsed cone", "Choose a larger grid spacing");
    if (rates > 8) throw bad_input("the kernel has more than 8 rates", "beam model");

    std::vector<EmissionTable> tables;
    SuperpositionResult result;
    for (const ReleasedEnergy& source : sources) {
        double low_u = 0, high_u = 0, low_v = 0, high_v = 0;
        for (std::size_t n = 0; n < source.size(); ++n) {
            const double u = static_cast<double>(source.slope_u[n]), v = static_cast<double>(source.slope_v[n]);
            if (n == 0) low_u = high_u = u, low_v = high_v = v;
            low_u = std::min(low_u, u), high_u = std::max(high_u, u), low_v = std::min(low_v, v), high_v = std::max(high_v, v);
            result.released += static_cast<double>(source.energy[n]);
        }
        tables.emplace_back(kernel, directions, source.frame, low_u, high_u, low_v, high_v);
    }

    // The first half of the order marches along natural rows, the rest on transposed copies, so that a group of directions
    // needs one accumulator. Groups are fixed: sums are made in the same order for any number of threads.
    std::vector<SweepPlan> plans;
    std::vector<std::size_t> natural, crossed;
    for (std::size_t d = 0; d < directions.size(); ++d) {
        plans.push_back(plan_sweep(grid, directions[d].direction, d));
        (plans.back().transposed ? crossed : natural).push_back(d);
    }
    constexpr std::size_t group_size = 4;
    std::vector<std::vector<std::size_t>> groups;
    for (const auto* list : {&natural, &crossed})
        for (std::size_t begin = 0; begin < list->size(); begin += group_size)
            groups.emplace_back(list->begin() + static_cast<std::ptrdiff_t>(begin),
                                list->begin() + static_cast<std::ptrdiff_t>(std::min(begin + group_size, list->size())));

    const std::vector<float>& eta = density.kernel_density;
    const std::vector<float> eta_crossed = crossed.empty() ? std::vector<float>{} : transposed(grid, eta);
    const float eta_max = *std::max_element(eta.begin(), eta.end());
    std::vector<float> total(voxels, 0.0f), total_crossed(crossed.empty() ? 0 : voxels, 0.0f);
    std::exception_ptr failure;
    std::atomic<bool> failed{false};
    std::size_t done = 0;
#pragma omp parallel
    {
        SourceVolumes volumes(grid, rates);
        SweepWorkspace workspace;
        std::vector<float> deposit(voxels);
#pragma omp for schedule(dynamic, 1) ordered
        for (std::size_t g = 0; g < groups.size(); ++g) {
            double escaped = 0;
            try {
                if (!failed) {
                    std::fill(deposit.begin(), deposit.end(), 0.0f);
                    for (const std::size_t d : groups[g]) {
                        volumes.fill(sources, tables, d, plans[d]);
                        escaped += sweep(plans[d], mode, plans[d].transposed ? eta_crossed.data() : eta.data(), eta_max, kernel.rates_cm2_g, volumes.pointers(),
                                         volumes.active(), deposit.data(), workspace);
                        volumes.clear(sources, plans[d]);
                    }
                }
            } catch (...) {
#pragma omp critical(libdose_superposition_failure)
                failure = std::current_exception();
                failed = true;
            }
#pragma omp ordered
            {
                std::vector<float>& sum = plans[groups[g].front()].transposed ? total_crossed : total;
                for (std::size_t v = 0; v < voxels; ++v) sum[v] += deposit[v];
                result.escaped += escaped;
                done += groups[g].size();
                try {
                    if (progress && !failed) progress(static_cast<double>(done) / static_cast<double>(directions.size()));
                } catch (...) {
#pragma omp critical(libdose_superposition_failure)
                    failure = std::current_exception();
                    failed = true;
                }
            }
        }
    }
    if (failure) std::rethrow_exception(failure);

    const auto nx = static_cast<std::size_t>(grid.size[0]), ny = static_cast<std::size_t>(grid.size[1]);
    result.dose_gy.assign(voxels, 0.0f);
    for (std::size_t v = 0; v < voxels; ++v) {
        float per_eta = total[v];
        if (!total_crossed.empty()) {
            const std::size_t i = v % nx, j = (v / nx) % ny, k = v / (nx * ny);
            per_eta += total_crossed[(k * nx + i) * ny + j];
        }
        const float energy = per_eta * eta[v];
        result.deposited += static_cast<double>(energy);
        result.dose_gy[v] = density.density[v] > 0.0f ? energy / density.density[v] : 0.0f;
    }
    return result;
}

}  // namespace libdose::cpu
