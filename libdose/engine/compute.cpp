#include "engine/compute.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <exception>
#include <optional>

#include "cpu/electrons.h"
#include "cpu/pencil.h"
#include "cpu/superposition.h"
#include "cpu/terma.h"
#include "engine/coarse_grid.h"
#include "engine/parted_maps.h"
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
    void skip() { last_ = std::chrono::steady_clock::now(); }

private:
    std::map<std::string, double>* seconds_;
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// A transport of its own for each geometry is more accurate for few beams: directions aligned with the beam resolve its penumbra better. It is
/// taken while all of them together cost up to this many times one transport for the plan.
constexpr double worth_of_aligned_directions = 9;
/// What comes through jaws and leaves is faint and smooth: voxels of about this size, and in an arc half the directions.
constexpr double faint_grid_mm = 5;
constexpr double part_of_open = 0.8;  // of the progress

void add_to(std::vector<float>& sum, const std::vector<float>& part) {
    for (std::size_t v = 0; v < sum.size(); ++v) sum[v] += part[v];
}

ReleasedEnergy released(const DensityGrid& density, const FluenceMap& map, const cpu::TermaTable& table, const QualitySettings& settings,
                        double ray_spacing_voxels) {
    const double ray_spacing = ray_spacing_voxels * density.grid.spacing_mm.minCoeff();
    ReleasedEnergy energy = cpu::released_energy(density, map, table, ray_spacing, settings.sharpening ? cpu::lattice_blur_variance(settings.lattice) : 0.0);
    if (!settings.tilt) std::fill(energy.slope_u.begin(), energy.slope_u.end(), 0.0f), std::fill(energy.slope_v.begin(), energy.slope_v.end(), 0.0f);
    if (!settings.hardening) std::fill(energy.depth_g_cm2.begin(), energy.depth_g_cm2.end(), 0.0f);
    return energy;
}

/// A part of the progress of a calculation.
std::function<void(double)> part_of(const std::function<void(double)>& progress, double begin, double end) {
    if (!progress) return {};
    return [&progress, begin, end](double part) { progress(begin + part * (end - begin)); };
}

int faint_factor(const DensityGrid& density) { return std::max(1, static_cast<int>(std::lround(faint_grid_mm / density.grid.spacing_mm.minCoeff()))); }

std::vector<float> transport_of_each(const DensityGrid& density, const std::vector<FluenceMap>& maps, const BeamModel& model, const ComputeOptions& options) {
    const QualitySettings& settings = options.settings;
    const cpu::TermaTable table(model.spectrum);
    std::vector<float> dose(density.grid.voxel_count(), 0.0f);
    std::optional<DensityGrid> coarse;
    StageClock clock(options.seconds);
    for (std::size_t m = 0; m < maps.size(); ++m) {
        const PartedMaps parts = part_map(maps[m]);
        const cpu::DirectionSet directions =
            settings.always_isotropic ? cpu::isotropic_directions(settings.isotropic)
                                      : cpu::beam_aligned_directions(model.cone_kernel, -maps[m].frame.axes.col(2), settings.rings, settings.sectors);
        const auto transport = [&](const DensityGrid& medium, const FluenceMap& map, double ray_spacing_voxels, double begin, double end) {
            const ReleasedEnergy source = released(medium, map, table, settings, ray_spacing_voxels);
            clock.add("ray trace and TERMA");
            const auto count = static_cast<double>(maps.size()), now = static_cast<double>(m);
            std::vector<float> part = cpu::superpose(medium, model.cone_kernel, {source}, directions, settings.lattice,
                                                     part_of(options.progress, (now + begin) / count, (now + end) / count))
                                          .dose_gy;
            clock.add("superposition");
            return part;
        };
        add_to(dose, transport(density, parts.open.front(), settings.ray_spacing_voxels, 0, parts.faint.empty() ? 1 : part_of_open));
        if (parts.faint.empty()) continue;
        if (!coarse) coarse = coarsened(density, faint_factor(density));
        add_interpolated(dose, density, transport(*coarse, parts.faint.front(), 1.0, part_of_open, 1), *coarse);
    }
    return dose;
}

/// All maps at once, or in as few parts as the memory for their sources allows.
std::vector<float> transport_of_all(const DensityGrid& density, const std::vector<FluenceMap>& maps, const BeamModel& model, double ray_spacing_voxels,
                                    int isotropic, const ComputeOptions& options, const std::function<void(double)>& progress) {
    const QualitySettings& settings = options.settings;
    const cpu::TermaTable table(model.spectrum);
    const cpu::DirectionSet directions = cpu::isotropic_directions(isotropic);
    std::vector<float> dose(density.grid.voxel_count(), 0.0f);
    std::vector<ReleasedEnergy> batch;
    std::size_t batch_bytes = 0;
    StageClock clock(options.seconds);
    double done = 0;
    for (std::size_t begin = 0, end; begin < maps.size(); begin = end) {
        // Traced side by side, each by one thread.
        constexpr std::size_t side_by_side = 64;
        end = std::min(maps.size(), begin + side_by_side);
        const std::size_t kept = batch.size();
        batch.resize(kept + end - begin);
        std::exception_ptr failure;
        std::atomic<bool> failed{false};
        std::size_t finished = begin;
        // The ray traces are taken as half of the work.
        const auto traced_part = [&](std::size_t count) { return static_cast<double>(count) / static_cast<double>(maps.size()); };
#pragma omp parallel for schedule(dynamic, 1)
        for (std::size_t m = begin; m < end; ++m) {
            if (failed) continue;
            try {
                batch[kept + m - begin] = released(density, maps[m], table, settings, ray_spacing_voxels);
            } catch (...) {
#pragma omp critical(libdose_compute_failure)
                failure = std::current_exception(), failed = true;
            }
#pragma omp critical(libdose_compute_failure)
            try {
                ++finished;
                if (progress && !failed) progress(0.5 * (done + traced_part(finished)));
            } catch (...) {
                failure = std::current_exception(), failed = true;
            }
        }
        if (failure) std::rethrow_exception(failure);
        for (std::size_t n = kept; n < batch.size(); ++n) batch_bytes += batch[n].bytes();
        clock.add("ray trace and TERMA");
        const double traced = traced_part(end);
        if (end < maps.size() && static_cast<double>(batch_bytes) < source_budget_bytes) continue;
        add_to(dose, cpu::superpose(density, model.cone_kernel, batch, directions, settings.lattice, part_of(progress, 0.5 * (done + traced), traced)).dose_gy);
        clock.add("superposition");
        batch.clear();
        batch_bytes = 0;
        done = traced;
    }
    return dose;
}

std::vector<float> transport_of_arc(const DensityGrid& density, const PartedMaps& arc, const BeamModel& model, const ComputeOptions& options) {
    std::vector<float> dose = transport_of_all(density, arc.open, model, std::max(1.0, options.settings.ray_spacing_voxels), options.settings.isotropic,
                                               options, part_of(options.progress, 0, part_of_open));
    const DensityGrid coarse = coarsened(density, faint_factor(density));
    add_interpolated(dose, density,
                     transport_of_all(coarse, arc.faint, model, 1.0, options.settings.isotropic / 2, options, part_of(options.progress, part_of_open, 1)),
                     coarse);
    return dose;
}

/// Whether all geometries share one transport.
bool share_transport(std::size_t geometries, const ComputeOptions& options) {
    const QualitySettings& settings = options.settings;
    if (options.algorithm != Algorithm::collapsed_cone) return false;
    const double each = static_cast<double>(geometries) * settings.rings * settings.sectors, one = settings.isotropic;
    const bool share = options.transport == Transport::automatic ? each > worth_of_aligned_directions * one : options.transport == Transport::one;
    if (options.notes)
        options.notes->push_back(
            "transport: " +
            (share ? "one along " + std::to_string(settings.isotropic) + " directions for " + std::to_string(geometries)
                   : std::to_string(geometries) + " along " + std::to_string(settings.rings * settings.sectors) + " directions each for as many") +
            (geometries == 1 ? " geometry" : " geometries") + " (" + std::to_string(static_cast<long>(each)) + " sweeps apart, " +
            std::to_string(settings.isotropic) + " together)");
    return share;
}

std::vector<float> pencil_beam(const DensityGrid& density, const std::vector<FluenceMap>& maps, const BeamModel& model, const ComputeOptions& options) {
    const cpu::TermaTable table(model.spectrum);
    const cpu::LateralScale lateral = options.lateral_scaling ? cpu::lateral_scale(density) : cpu::LateralScale{};
    std::vector<float> dose(density.grid.voxel_count(), 0.0f);
    StageClock clock(options.seconds);
    for (std::size_t m = 0; m < maps.size(); ++m) {
        add_to(dose, cpu::pencil_beam(density, maps[m], model.pencil_kernel, lateral, &table, options.pencil_pixel_mm));
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
    const bool share = share_transport(maps.size(), options);
    StageClock clock(options.seconds);
    const PartedMaps arc = share ? part_arc(maps) : PartedMaps{};
    clock.add("fluence");
    std::vector<float> dose = options.algorithm == Algorithm::pencil_beam ? pencil_beam(density, maps, model, options)
                              : share                                     ? transport_of_arc(density, arc, model, options)
                                                                          : transport_of_each(density, maps, model, options);
    clock.skip();
    for (const FluenceMap& map : share ? arc.electrons : maps) cpu::add_electrons(dose, density, map, model.head.electrons);
    clock.add("contaminating electrons");
    return dose;
}

}  // namespace libdose
