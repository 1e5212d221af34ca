// The collapsed cone as the engine runs it: one transport for all geometries of a plan, or one for each.
#include <algorithm>
#include <cmath>

#include "base/part_of_progress.h"
#include "base/stage_clock.h"
#include "engine/algorithms.h"
#include "fluence/leakage_split.h"
#include "patient/coarse_grid.h"

namespace libdose {

namespace {

/// A transport of its own for each geometry is more accurate for few beams: directions aligned with the beam
/// resolve its penumbra better. It is taken while all of them together cost up to this many times one
/// transport for the plan.
constexpr double worth_of_aligned_directions = 9;
/// Leakage is smooth: rays two coarse voxels apart, and in an arc half the directions.
constexpr double leakage_ray_spacing_voxels = 2;
constexpr double part_of_primary = 0.8;  // of the progress

/// Part of the progress that a transport reports.
struct ProgressPart {
    double begin = 0, end = 1;
};

class CollapsedCone : public DoseAlgorithm {
public:
    std::string name() const override { return "collapsed-cone"; }

    std::vector<float> dose(PreparedDensity& patient, const std::vector<FluenceMap>& maps,
                            const BeamModel& model, const ComputeOptions& options) const override {
        const bool share = share_transport(maps.size(), options);
        StageClock clock(options.seconds);
        const LeakageSplit arc = share ? split_arc(maps) : LeakageSplit{};
        clock.add("fluence");
        std::vector<float> dose =
            share ? dose_of_arc(patient, arc, model, options) : dose_of_each(patient, maps, model, options);
        clock.skip();
        patient.on_backend().add_electrons(dose, share ? arc.electrons : maps, model.head.electrons);
        clock.add("contaminating electrons");
        return dose;
    }

    double reference_dose(const Calibration& c) const override {
        return c.depth == "10cm" ? c.collapsed_cone_10cm : c.collapsed_cone_maximum;
    }

    std::map<std::string, std::string> settings(const EngineOptions& options) const override {
        return {{"grouping", to_string(options.grouping)}};
    }

private:
    static TransportSettings transport_settings(const QualitySettings& settings, double ray_spacing_voxels) {
        return {settings.lattice, ray_spacing_voxels, settings.tilt, settings.hardening, settings.sharpening};
    }

    /// Whether all geometries share one transport.
    static bool share_transport(std::size_t geometries, const ComputeOptions& options) {
        const QualitySettings& settings = options.settings;
        const int of_one = settings.rings * settings.sectors;
        const double each = static_cast<double>(geometries) * of_one, one = settings.isotropic;
        const bool share = options.grouping == Grouping::automatic ? each > worth_of_aligned_directions * one
                                                                   : options.grouping == Grouping::shared;
        if (!options.notes) return share;
        const std::string count = std::to_string(geometries);
        options.notes->push_back(
            "transport: " +
            (share ? "one along " + std::to_string(settings.isotropic) + " directions for " + count
                   : count + " along " + std::to_string(of_one) + " directions each for as many") +
            (geometries == 1 ? " geometry" : " geometries") + " (" + std::to_string(static_cast<long>(each)) +
            " sweeps apart, " + std::to_string(settings.isotropic) + " together)");
        return share;
    }

    static std::vector<float> transport(PatientOnBackend& in, const std::vector<FluenceMap>& maps,
                                        const BeamModel& model, const DirectionSet& directions,
                                        double ray_spacing_voxels, const ComputeOptions& options,
                                        ProgressPart part) {
        return in.transport(maps, model, directions, transport_settings(options.settings, ray_spacing_voxels),
                            {part_of_progress(options.progress, part.begin, part.end), options.seconds});
    }

    static DirectionSet directions_of(const FluenceMap& map, const BeamModel& model,
                                      const QualitySettings& settings) {
        if (settings.always_isotropic) return isotropic_directions(settings.isotropic);
        return beam_aligned_directions(model.cone_kernel, -map.frame.axes.col(2), settings.rings,
                                       settings.sectors);
    }

    static std::vector<float> dose_of_each(PreparedDensity& patient, const std::vector<FluenceMap>& maps,
                                           const BeamModel& model, const ComputeOptions& options) {
        std::vector<float> dose;
        const auto count = static_cast<double>(maps.size());
        for (std::size_t m = 0; m < maps.size(); ++m) {
            const LeakageSplit parts = split_map(maps[m]);
            const DirectionSet directions = directions_of(maps[m], model, options.settings);
            const auto now = static_cast<double>(m);
            const double primary_end = now + (parts.leakage.empty() ? 1 : part_of_primary);
            add_to(dose, transport(patient.on_backend(), parts.primary, model, directions,
                                   options.settings.ray_spacing_voxels, options,
                                   {now / count, primary_end / count}));
            if (parts.leakage.empty()) continue;
            PreparedDensity::Coarse& coarse = patient.coarse();
            add_interpolated(
                dose, patient.density(),
                transport(*coarse.on_backend, parts.leakage, model, directions, leakage_ray_spacing_voxels,
                          options, {(now + part_of_primary) / count, (now + 1) / count}),
                coarse.density);
        }
        dose.resize(patient.density().grid.voxel_count());  // zero without maps
        return dose;
    }

    static std::vector<float> dose_of_arc(PreparedDensity& patient, const LeakageSplit& arc,
                                          const BeamModel& model, const ComputeOptions& options) {
        const QualitySettings& settings = options.settings;
        std::vector<float> dose =
            transport(patient.on_backend(), arc.primary, model, isotropic_directions(settings.isotropic),
                      std::max(1.0, settings.ray_spacing_voxels), options, {0, part_of_primary});
        PreparedDensity::Coarse& coarse = patient.coarse();
        add_interpolated(
            dose, patient.density(),
            transport(*coarse.on_backend, arc.leakage, model, isotropic_directions(settings.isotropic / 2),
                      leakage_ray_spacing_voxels, options, {part_of_primary, 1}),
            coarse.density);
        return dose;
    }
};

}  // namespace

const DoseAlgorithm& collapsed_cone_algorithm() {
    static const CollapsedCone algorithm;
    return algorithm;
}

}  // namespace libdose
