// The CPU's stages as the pipeline asks for them.
#include "backend/backend.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "base/parallel_failure.h"
#include "base/part_of_progress.h"
#include "base/stage_clock.h"
#include "collapsed_cone/sweep_plan.h"
#include "cpu/collapsed_cone/superposition.h"
#include "cpu/electrons/electrons.h"
#include "cpu/fluence/add_apertures.h"
#include "cpu/fluence/fluence.h"
#include "cpu/fluence/square_fluence.h"
#include "cpu/pencil_beam/pencil.h"
#include "cpu/pencil_beam/pencil_beamlets.h"
#include "cpu/terma/release.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "terma/released_energy.h"
#include "terma/terma_table.h"

namespace libdose {

namespace {

constexpr std::size_t side_by_side = 64;  // maps

class CpuPatient : public PatientOnBackend {
public:
    explicit CpuPatient(const DensityGrid& density) : density_(density) {}

    std::vector<float> transport(const std::vector<FluenceMap>& maps, const BeamModel& model,
                                 const DirectionSet& directions, const TransportSettings& settings,
                                 const StageObserver& observer) override {
        const TermaTable table(model.spectrum);
        StageClock clock(observer.seconds);
        const auto superposed = [&](const std::vector<ReleasedEnergy>& sources,
                                    const std::function<void(double)>& progress) {
            return cpu::superpose(density_, model.cone_kernel, sources, directions, settings.lattice,
                                  progress)
                .dose_gy;
        };
        if (maps.size() == 1) {
            const std::vector<ReleasedEnergy> source{released(maps.front(), table, settings)};
            clock.add("ray trace and TERMA");
            std::vector<float> dose = superposed(source, observer.progress);
            clock.add("superposition");
            return dose;
        }
        // All maps at once, or in as few parts as the memory for their sources allows.
        std::vector<float> dose(density_.grid.voxel_count(), 0.0f);
        std::vector<ReleasedEnergy> batch;
        std::size_t batch_bytes = 0;
        double done = 0;
        const auto part_of_maps = [&](std::size_t count) {
            return static_cast<double>(count) / static_cast<double>(maps.size());
        };
        for (std::size_t begin = 0, end; begin < maps.size(); begin = end) {
            end = std::min(maps.size(), begin + side_by_side);
            const std::size_t kept = batch.size();
            // The ray traces are taken as half of the work.
            append_released(maps, begin, end, table, settings, batch, [&](std::size_t traced) {
                if (observer.progress) observer.progress(0.5 * (done + part_of_maps(traced)));
            });
            for (std::size_t n = kept; n < batch.size(); ++n) batch_bytes += batch[n].bytes();
            clock.add("ray trace and TERMA");
            const double traced = part_of_maps(end);
            if (end < maps.size() && static_cast<double>(batch_bytes) < source_budget_bytes) continue;
            const std::vector<float> part =
                superposed(batch, part_of_progress(observer.progress, 0.5 * (done + traced), traced));
            for (std::size_t v = 0; v < dose.size(); ++v) dose[v] += part[v];
            clock.add("superposition");
            batch.clear();
            batch_bytes = 0;
            done = traced;
        }
        return dose;
    }

    std::vector<float> pencil_beam(const FluenceMap& map, const BeamModel& model,
                                   const PencilSettings& settings) override {
        if (settings.lateral_scaling && !lateral_) lateral_ = lateral_scale(density_);
        const LateralScale unscaled;
        std::optional<TermaTable> table;
        if (map.filter) table.emplace(model.spectrum);
        return cpu::pencil_beam(density_, map, model.pencil_kernel,
                                settings.lateral_scaling ? *lateral_ : unscaled, table ? &*table : nullptr,
                                settings.near_pixel_mm);
    }

    void add_electrons(std::vector<float>& dose, const std::vector<FluenceMap>& maps,
                       const ElectronContamination& electrons) override {
        for (const FluenceMap& map : maps) cpu::add_electrons(dose, density_, map, electrons);
    }

private:
    /// Appends the energy that maps [begin, end) release, side by side, each traced by one thread.
    /// `after_map` is called with the number of maps traced so far, by one thread at a time.
    void append_released(const std::vector<FluenceMap>& maps, std::size_t begin, std::size_t end,
                         const TermaTable& table, const TransportSettings& settings,
                         std::vector<ReleasedEnergy>& sources,
                         const std::function<void(std::size_t)>& after_map) const {
        const std::size_t kept = sources.size();
        sources.resize(kept + end - begin);
        ParallelFailure failure;
        std::size_t finished = begin;
#pragma omp parallel for schedule(dynamic, 1)
        for (std::size_t m = begin; m < end; ++m) {
            if (failure.failed()) continue;
            failure.guard([&] { sources[kept + m - begin] = released(maps[m], table, settings); });
#pragma omp critical(libdose_compute_after_map)
            failure.guard([&] {
                ++finished;
                if (!failure.failed()) after_map(finished);
            });
        }
        failure.rethrow();
    }

    /// Energy that one map releases, as the settings of the transport ask for it.
    ReleasedEnergy released(const FluenceMap& map, const TermaTable& table,
                            const TransportSettings& settings) const {
        const double ray_spacing_mm = settings.ray_spacing_voxels * density_.grid.spacing_mm.minCoeff();
        ReleasedEnergy energy =
            cpu::released_energy(density_, map, table, ray_spacing_mm,
                                 settings.sharpening ? lattice_blur_variance(settings.lattice) : 0.0);
        energy.tilt = settings.tilt;
        if (!settings.hardening) std::fill(energy.depth_g_cm2.begin(), energy.depth_g_cm2.end(), 0.0f);
        return energy;
    }

    const DensityGrid& density_;
    std::optional<LateralScale> lateral_;
};

/// Beamlets with the lateral scale that they refer to.
class ScaledBeamlets : public BeamletDoses {
public:
    ScaledBeamlets(const BeamletGeometry& of, const std::vector<OpenSquare>& squares,
                   cpu::BeamletShape& shape)
        : lateral_(of.lateral_scaling ? lateral_scale(of.density) : LateralScale{}),
          beamlets_(of.density, of.beam, of.point, of.position, of.model, of.fluence, lateral_, squares,
                    shape) {}
    void column(double u_mm, double v_mm, std::uint64_t seed, std::vector<VoxelDose>& out) const override {
        beamlets_.column(u_mm, v_mm, seed, out);
    }

private:
    const LateralScale lateral_;
    const cpu::PencilBeamlets beamlets_;
};

class CpuBeamlets : public BeamletCalculator {
public:
    std::unique_ptr<BeamletDoses> doses(const BeamletGeometry& of,
                                        const std::vector<OpenSquare>& squares) override {
        auto shape = std::make_unique<cpu::BeamletShape>(of.beam, of.point, of.model, of.fluence, of.side_mm);
        auto found = std::find_if(shapes_.begin(), shapes_.end(),
                                  [&](const auto& other) { return other->serves(*shape); });
        if (found == shapes_.end()) found = shapes_.insert(found, std::move(shape));
        return std::make_unique<ScaledBeamlets>(of, squares, **found);
    }

private:
    std::vector<std::unique_ptr<cpu::BeamletShape>> shapes_;
};

class CpuStages : public CpuBackend {
public:
    std::string description() const override { return "cpu"; }
    std::vector<FluenceMap> fluence(const Beam& beam, PatientPosition position, const HeadModel& head,
                                    const FluenceOptions& options) override {
        return cpu::beam_fluence(beam, position, head, options);
    }
    std::unique_ptr<PatientOnBackend> prepare(const DensityGrid& density) override {
        return std::make_unique<CpuPatient>(density);
    }
    void require_memory(const MemoryNeeds& needs, const std::string& where) override {
        libdose::require_memory(memory_bytes(needs), available_memory_bytes(), where);
    }
    void finish_work() override {}
    void add_apertures(FluenceMap& map, const DevicesOnRaster& devices,
                       const std::vector<WeightedAperture>& apertures) override {
        cpu::add_apertures(map, devices, apertures);
    }
    FluenceMap square_fluence(const Beam& beam, const ControlPoint& point, PatientPosition position,
                              const HeadModel& head, const FluenceOptions& options,
                              const std::vector<OpenSquare>& squares, double side_mm) override {
        return cpu::square_fluence(beam, point, position, head, options, squares, side_mm);
    }
    std::unique_ptr<BeamletCalculator> beamlets() override { return std::make_unique<CpuBeamlets>(); }
};

}  // namespace

CpuBackend& cpu_backend() {
    static CpuStages backend;
    return backend;
}

}  // namespace libdose
