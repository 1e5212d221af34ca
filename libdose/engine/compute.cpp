#include "engine/compute.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

#include "cpu/electrons.h"
#include "cpu/pencil.h"
#include "cpu/superposition.h"
#include "cpu/terma.h"
#include "libdose/error.h"

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

double angle_between_deg(const Vec3& a, const Vec3& b) { return std::acos(std::clamp(a.dot(b), -1.0, 1.0)) * 180 / std::numbers::pi; }

/// Fluence maps of an arc, thinned out: what is open keeps its own map, but the faint fluence behind leaves and jaws is summed
/// over sectors of gantry angle and released from the sector's middle. Nothing is dropped.
std::vector<FluenceMap> with_leakage_in_sectors(const std::vector<FluenceMap>& maps) {
    // Fluence up to this part of the map's maximum, in sectors of this width.
    struct Level {
        float fraction;
        double sector_deg;
    };
    constexpr Level levels[] = {{1e-3f, 40.0}, {3e-2f, 8.0}};
    std::vector<FluenceMap> result = maps;
    std::vector<float> maximum;
    for (const FluenceMap& map : maps) maximum.push_back(*std::max_element(map.values.begin(), map.values.end()));
    for (const Level& level : levels) {
        for (std::size_t begin = 0; begin < maps.size();) {
            const auto& first = maps[begin].frame;
            std::size_t end = begin + 1;
            while (end < maps.size() && angle_between_deg(first.axes.col(2), maps[end].frame.axes.col(2)) < level.sector_deg &&
                   maps[end].filter == maps[begin].filter && angle_between_deg(first.axes.col(0), maps[end].frame.axes.col(0)) < level.sector_deg &&
                   first.isocentre_mm == maps[end].frame.isocentre_mm && maps[end].size_u == maps[begin].size_u && maps[end].size_v == maps[begin].size_v)
                ++end;
            FluenceMap sector = maps[begin + (end - begin) / 2];
            std::fill(sector.values.begin(), sector.values.end(), 0.0f);
            for (std::size_t m = begin; m < end; ++m)
                for (std::size_t p = 0; p < sector.values.size(); ++p) {
                    float& value = result[m].values[p];
                    if (value > 0.0f && value <= level.fraction * maximum[m]) {
                        sector.values[p] += value;
                        value = 0.0f;
                    }
                }
            result.push_back(std::move(sector));
            begin = end;
        }
    }
    return result;
}

std::vector<float> collapsed_cone(const DensityGrid& density, const std::vector<FluenceMap>& all_maps, const BeamModel& model, const ComputeOptions& options) {
    const QualitySettings& settings = options.settings;
    const bool fused = all_maps.size() > most_separate_transports;
    const std::vector<FluenceMap> maps = fused ? with_leakage_in_sectors(all_maps) : all_maps;
    const cpu::TermaTable table(model.spectrum);
    const double ray_spacing = settings.ray_spacing_voxels * density.grid.spacing_mm.minCoeff();
    std::vector<float> dose(density.grid.voxel_count(), 0.0f);
    std::vector<ReleasedEnergy> batch;
    std::size_t batch_bytes = 0, batch_begin = 0;
    StageClock clock(options.seconds);
    for (std::size_t m = 0; m < maps.size(); ++m) {
        batch.push_back(cpu::released_energy(density, maps[m], table, ray_spacing, settings.sharpening ? cpu::lattice_blur_variance(settings.lattice) : 0.0));
        if (!settings.tilt)
            std::fill(batch.back().slope_u.begin(), batch.back().slope_u.end(), 0.0f),
                std::fill(batch.back().slope_v.begin(), batch.back().slope_v.end(), 0.0f);
        if (!settings.hardening) std::fill(batch.back().depth_g_cm2.begin(), batch.back().depth_g_cm2.end(), 0.0f);
        batch_bytes += batch.back().bytes();
        clock.add("ray trace and TERMA");
        if (fused && m + 1 < maps.size() && batch_bytes < source_budget_bytes) continue;
        const cpu::DirectionSet directions =
            fused || settings.always_isotropic ? cpu::isotropic_directions(settings.isotropic)
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

std::vector<float> pencil_beam(const DensityGrid& density, const std::vector<FluenceMap>& maps, const BeamModel& model, const ComputeOptions& options) {
    const cpu::TermaTable table(model.spectrum);
    std::vector<float> dose(density.grid.voxel_count(), 0.0f);
    StageClock clock(options.seconds);
    for (std::size_t m = 0; m < maps.size(); ++m) {
        add_to(dose, cpu::pencil_beam(density, maps[m], model.pencil_kernel, options.lateral_scaling, &table));
        clock.add("pencil beam");
        if (options.progress) options.progress(static_cast<double>(m + 1) / static_cast<double>(maps.size()));
    }
    return dose;
}

}  // namespace

QualitySettings quality_settings(Quality quality) {
    switch (quality) {
        case Quality::draft:
            return {8, 8, 96, cpu::LatticeMode::rounded, 1.0};
        case Quality::standard:
            return {12, 12, 192, cpu::LatticeMode::interpolated, 0.5};
        case Quality::high:
            return {20, 20, 400, cpu::LatticeMode::interpolated, 0.34};
    }
    return {12, 12, 192, cpu::LatticeMode::interpolated, 0.5};
}

double gray_per_unit(const BeamModel& model, Algorithm algorithm) {
    const Calibration& c = model.calibration;
    const bool cone = algorithm == Algorithm::collapsed_cone;
    const double reference =
        c.depth == "10cm" ? (cone ? c.collapsed_cone_10cm : c.pencil_beam_10cm) : (cone ? c.collapsed_cone_maximum : c.pencil_beam_maximum);
    if (!(reference > 0)) throw bad_input("the beam model is not calibrated", model.name, "Run: dose model calibrate FILE");
    return c.reference_gy_per_mu / reference;
}

std::vector<float> compute_dose(const DensityGrid& density, const std::vector<FluenceMap>& maps, const BeamModel& model, const ComputeOptions& options) {
    std::vector<float> dose =
        options.algorithm == Algorithm::collapsed_cone ? collapsed_cone(density, maps, model, options) : pencil_beam(density, maps, model, options);
    StageClock clock(options.seconds);
    for (const FluenceMap& map : maps) cpu::add_electrons(dose, density, map, model.head.electrons);
    clock.add("contaminating electrons");
    return dose;
}

}  // namespace libdose
