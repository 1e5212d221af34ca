#include "engine/compute.h"

#include <chrono>

#include "cpu/pencil.h"
#include "cpu/superposition.h"
#include "cpu/terma.h"

namespace libdose {

namespace {

class StageClock {
public:
    explicit StageClock(std::map<std::string, double>* seconds) : seconds_(seconds) {}
    void add(const char* stage) {
        const auto now = std::chrono::steady_clock::now();
        if (seconds_) (*seconds_)[stage] += std::chrono::duration<double>(now - last_).count();
        last_ = now;
    }

private:
    std::map<std::string, double>* seconds_;
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// Up to this many geometries each gets its own beam-aligned transport; an arc is fused.
constexpr std::size_t most_separate_transports = 12;
constexpr std::size_t source_budget_bytes = std::size_t{1} << 30;

void add_to(std::vector<float>& sum, const std::vector<float>& part) {
    for (std::size_t v = 0; v < sum.size(); ++v) sum[v] += part[v];
}

std::vector<float> collapsed_cone(const DensityGrid& density, const std::vector<FluenceMap>& maps, const BeamModel& model,
                                  const ComputeOptions& options) {
    const QualitySettings settings = quality_settings(options.quality);
    const cpu::TermaTable table(model.spectrum);
    const double ray_spacing = settings.ray_spacing_voxels * density.grid.spacing_mm.minCoeff();
    const bool fused = maps.size() > most_separate_transports;
    std::vector<float> dose(density.grid.voxel_count(), 0.0f);
    std::vector<ReleasedEnergy> batch;
    std::size_t batch_bytes = 0, batch_begin = 0;
    StageClock clock(options.seconds);
    for (std::size_t m = 0; m < maps.size(); ++m) {
        batch.push_back(cpu::released_energy(density, maps[m], table, ray_spacing, cpu::lattice_blur_variance(settings.lattice)));
        batch_bytes += batch.back().bytes();
        clock.add("ray trace and TERMA");
        if (fused && m + 1 < maps.size() && batch_bytes < source_budget_bytes) continue;
        const cpu::DirectionSet directions =
            fused ? cpu::isotropic_directions(settings.isotropic)
                  : cpu::beam_aligned_directions(model.cone_kernel, -maps[m].frame.axes.col(2), settings.rings, settings.sectors);
        const auto progress = [&](double part) {
            if (options.progress)
                options.progress((static_cast<double>(batch_begin) + part * static_cast<double>(m + 1 - batch_begin)) / static_cast<double>(maps.size()));
        };
        add_to(dose, cpu::superpose(density, model.cone_kernel, batch, directions, settings.lattice, progress).dose_gy);
        clock.add("superposition");
        batch.clear();
        batch_bytes = 0;
        batch_begin = m + 1;
    }
    return dose;
}

}  // namespace

QualitySettings quality_settings(Quality quality) {
    switch (quality) {
        case Quality::draft: return {8, 8, 96, cpu::LatticeMode::rounded, 1.0};
        case Quality::standard: return {12, 12, 192, cpu::LatticeMode::interpolated, 1.0};
        case Quality::high: return {20, 20, 400, cpu::LatticeMode::interpolated, 0.5};
    }
    return {12, 12, 192, cpu::LatticeMode::interpolated, 1.0};
}

std::vector<float> compute_dose(const DensityGrid& density, const std::vector<FluenceMap>& maps, const BeamModel& model,
                                const ComputeOptions& options) {
    if (options.algorithm == Algorithm::collapsed_cone) return collapsed_cone(density, maps, model, options);
    std::vector<float> dose(density.grid.voxel_count(), 0.0f);
    StageClock clock(options.seconds);
    for (std::size_t m = 0; m < maps.size(); ++m) {
        add_to(dose, cpu::pencil_beam(density, maps[m], model.pencil_kernel));
        clock.add("pencil beam");
        if (options.progress) options.progress(static_cast<double>(m + 1) / static_cast<double>(maps.size()));
    }
    return dose;
}

}  // namespace libdose
