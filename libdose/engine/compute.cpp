#include "engine/compute.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "backend/backend.h"
#include "base/part_of_progress.h"
#include "base/stage_clock.h"
#include "fluence/leakage_split.h"
#include "libdose/error.h"
#include "patient/coarse_grid.h"

namespace libdose {

namespace {

/// A transport of its own for each geometry is more accurate for few beams: directions aligned with the beam
/// resolve its penumbra better. It is taken while all of them together cost up to this many times one
/// transport for the plan.
constexpr double worth_of_aligned_directions = 9;
/// What comes through jaws and leaves is faint and smooth: voxels of about this size, and in an arc half the
/// directions.
constexpr double faint_grid_mm = 5;
constexpr double faint_ray_spacing_voxels = 2;
constexpr double part_of_open = 0.8;  // of the progress

/// An empty sum becomes the part.
void add_to(std::vector<float>& sum, std::vector<float> part) {
    if (sum.empty()) {
        sum = std::move(part);
        return;
    }
#pragma omp parallel for simd schedule(static)
    for (std::size_t v = 0; v < sum.size(); ++v) sum[v] += part[v];
}

bool all_finite(const std::vector<float>& values) {
    int bad = 0;
#pragma omp simd reduction(| : bad)
    for (std::size_t n = 0; n < values.size(); ++n)
        bad |= std::abs(values[n]) <= std::numeric_limits<float>::max() ? 0 : 1;
    return bad == 0;
}

int faint_factor(const DensityGrid& density) {
    return std::max(1, static_cast<int>(std::lround(faint_grid_mm / density.grid.spacing_mm.minCoeff())));
}

TransportSettings transport_settings(const QualitySettings& settings, double ray_spacing_voxels) {
    return {settings.lattice, ray_spacing_voxels, settings.tilt, settings.hardening, settings.sharpening};
}

std::vector<float> transport_of_each(Backend& backend, Medium& medium, const DensityGrid& density,
                                     const std::vector<FluenceMap>& maps, const BeamModel& model,
                                     const ComputeOptions& options) {
    const QualitySettings& settings = options.settings;
    std::vector<float> dose;
    std::optional<DensityGrid> coarse;
    std::unique_ptr<Medium> coarse_medium;
    for (std::size_t m = 0; m < maps.size(); ++m) {
        const PartedMaps parts = part_map(maps[m]);
        const DirectionSet directions =
            settings.always_isotropic ? isotropic_directions(settings.isotropic)
                                      : beam_aligned_directions(model.cone_kernel, -maps[m].frame.axes.col(2),
                                                                settings.rings, settings.sectors);
        const auto transport = [&](Medium& in, const std::vector<FluenceMap>& map, double ray_spacing_voxels,
                                   double begin, double end) {
            const auto count = static_cast<double>(maps.size()), now = static_cast<double>(m);
            return in.transport(
                map, model, directions, transport_settings(settings, ray_spacing_voxels),
                {part_of_progress(options.progress, (now + begin) / count, (now + end) / count),
                 options.seconds});
        };
        add_to(dose, transport(medium, parts.open, settings.ray_spacing_voxels, 0,
                               parts.faint.empty() ? 1 : part_of_open));
        if (parts.faint.empty()) continue;
        if (!coarse) {
            coarse = coarsened(density, faint_factor(density));
            coarse_medium = backend.medium(*coarse);
        }
        add_interpolated(dose, density,
                         transport(*coarse_medium, parts.faint, faint_ray_spacing_voxels, part_of_open, 1),
                         *coarse);
    }
    dose.resize(density.grid.voxel_count());  // zero without maps
    return dose;
}

std::vector<float> transport_of_arc(Backend& backend, Medium& medium, const DensityGrid& density,
                                    const PartedMaps& arc, const BeamModel& model,
                                    const ComputeOptions& options) {
    const QualitySettings& settings = options.settings;
    const auto transport = [&](Medium& in, const std::vector<FluenceMap>& maps, double ray_spacing_voxels,
                               int directions, double begin, double end) {
        return in.transport(maps, model, isotropic_directions(directions),
                            transport_settings(settings, ray_spacing_voxels),
                            {part_of_progress(options.progress, begin, end), options.seconds});
    };
    std::vector<float> dose = transport(medium, arc.open, std::max(1.0, settings.ray_spacing_voxels),
                                        settings.isotropic, 0, part_of_open);
    const DensityGrid coarse = coarsened(density, faint_factor(density));
    add_interpolated(dose, density,
                     transport(*backend.medium(coarse), arc.faint, faint_ray_spacing_voxels,
                               settings.isotropic / 2, part_of_open, 1),
                     coarse);
    return dose;
}

/// Whether all geometries share one transport.
bool share_transport(std::size_t geometries, const ComputeOptions& options) {
    const QualitySettings& settings = options.settings;
    if (options.algorithm != Algorithm::collapsed_cone) return false;
    const double each = static_cast<double>(geometries) * settings.rings * settings.sectors,
                 one = settings.isotropic;
    const bool share = options.transport == Transport::automatic ? each > worth_of_aligned_directions * one
                                                                 : options.transport == Transport::one;
    if (options.notes)
        options.notes->push_back(
            "transport: " +
            (share ? "one along " + std::to_string(settings.isotropic) + " directions for " +
                         std::to_string(geometries)
                   : std::to_string(geometries) + " along " +
                         std::to_string(settings.rings * settings.sectors) + " directions each for as many") +
            (geometries == 1 ? " geometry" : " geometries") + " (" + std::to_string(static_cast<long>(each)) +
            " sweeps apart, " + std::to_string(settings.isotropic) + " together)");
    return share;
}

std::vector<float> pencil_beam(Medium& medium, const DensityGrid& density,
                               const std::vector<FluenceMap>& maps, const BeamModel& model,
                               const ComputeOptions& options) {
    std::vector<float> dose;
    StageClock clock(options.seconds);
    for (std::size_t m = 0; m < maps.size(); ++m) {
        add_to(dose, medium.pencil_beam(maps[m], model, options.pencil));
        clock.add("pencil beam");
        if (options.progress) options.progress(static_cast<double>(m + 1) / static_cast<double>(maps.size()));
    }
    dose.resize(density.grid.voxel_count());  // zero without maps
    return dose;
}

}  // namespace

QualitySettings quality_settings(Quality quality) {
    switch (quality) {
        case Quality::draft:
            return {8, 8, 96, LatticeMode::rounded, 1.0};
        case Quality::standard:
            return {12, 12, 240, LatticeMode::interpolated, 0.5};
        case Quality::high:
            return {20, 20, 400, LatticeMode::interpolated, 0.34};
    }
    return {12, 12, 240, LatticeMode::interpolated, 0.5};
}

double gray_per_unit(const BeamModel& model, Algorithm algorithm) {
    const Calibration& c = model.calibration;
    const bool cone = algorithm == Algorithm::collapsed_cone;
    const double reference = c.depth == "10cm" ? (cone ? c.collapsed_cone_10cm : c.pencil_beam_10cm)
                                               : (cone ? c.collapsed_cone_maximum : c.pencil_beam_maximum);
    if (!(reference > 0))
        throw bad_input("the beam model is not calibrated", model.name, "Run: dose model calibrate FILE");
    return c.reference_gy_per_mu / reference;
}

std::vector<float> compute_dose(const DensityGrid& density, const std::vector<FluenceMap>& maps,
                                const BeamModel& model, const ComputeOptions& options) {
    // Later stages would take it for no fluence, or make a dose of it that is refused without a word of where
    // it comes from.
    for (const FluenceMap& map : maps)
        if (!all_finite(map.values))
            throw internal_error("a value of a fluence map is not finite", "dose calculation");
    const bool share = share_transport(maps.size(), options);
    StageClock clock(options.seconds);
    const PartedMaps arc = share ? part_arc(maps) : PartedMaps{};
    clock.add("fluence");
    Backend& backend = options.backend ? *options.backend : cpu_backend();
    const std::unique_ptr<Medium> medium = backend.medium(density);
    std::vector<float> dose = options.algorithm == Algorithm::pencil_beam
                                  ? pencil_beam(*medium, density, maps, model, options)
                              : share ? transport_of_arc(backend, *medium, density, arc, model, options)
                                      : transport_of_each(backend, *medium, density, maps, model, options);
    clock.skip();
    medium->add_electrons(dose, share ? arc.electrons : maps, model.head.electrons);
    clock.add("contaminating electrons");
    return dose;
}

}  // namespace libdose
