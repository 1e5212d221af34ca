#include "cuda/backend.h"

#include <algorithm>
#include <optional>

#include "cuda/collapsed_cone/stage.h"
#include "cuda/electrons/stage.h"
#include "cuda/fluence/stage.h"
#include "cuda/pencil_beam/stage.h"
#include "cuda/runtime/memory_text.h"
#include "libdose/error.h"
#include "pencil_beam/lateral_scale.h"

namespace libdose::cuda {

namespace {

class DevicePatient : public PatientOnBackend {
public:
    DevicePatient(DevicePool& pool, const DensityGrid& density) : grid_(pool, density) {}

    std::vector<float> transport(const std::vector<FluenceMap>& maps, const BeamModel& model,
                                 const DirectionSet& directions, const TransportSettings& settings,
                                 const StageObserver& observer) override {
        return cuda::transport(grid_, table(model.spectrum), maps, model.cone_kernel, directions, settings,
                               observer);
    }
    std::vector<float> pencil_beam(const FluenceMap& map, const BeamModel& model,
                                   const PencilSettings& settings) override {
        if (settings.lateral_scaling && !lateral_) {
            lateral_ = lateral_scale(grid_.grid);
            lateral_values_ = DeviceArray<float>(grid_.pool, lateral_->values);
        }
        return cuda::pencil_beam(grid_, table(model.spectrum), map, model.pencil_kernel,
                                 settings.lateral_scaling ? *lateral_ : LateralScale{},
                                 settings.lateral_scaling ? lateral_values_.data() : nullptr,
                                 settings.near_pixel_mm);
    }
    void add_electrons(std::vector<float>& dose, const std::vector<FluenceMap>& maps,
                       const ElectronContamination& electrons) override {
        cuda::add_electrons(grid_, dose, maps, electrons);
    }

private:
    const DeviceTermaTable& table(const Spectrum& spectrum) {
        if (!table_ || !table_->is_of(spectrum)) table_.emplace(grid_.pool, TermaTable(spectrum));
        return *table_;
    }
    DeviceGrid grid_;
    std::optional<DeviceTermaTable> table_;
    std::optional<LateralScale> lateral_;
    DeviceArray<float> lateral_values_;
};

class DeviceBackend : public Backend {
public:
    explicit DeviceBackend(std::unique_ptr<Executor> executor)
        : executor_(std::move(executor)), pool_(*executor_) {}
    std::string description() const override { return executor_->description(); }
    std::unique_ptr<PatientOnBackend> prepare(const DensityGrid& density) override {
        return std::make_unique<DevicePatient>(pool_, density);
    }
    std::vector<FluenceMap> fluence(const Beam& beam, PatientPosition position, const HeadModel& head,
                                    const FluenceOptions& options) override {
        return beam_fluence(pool_, beam, position, head, options);
    }
    void require_memory(const MemoryNeeds& needs, const std::string& where) override {
        const auto needed = static_cast<std::size_t>(device_memory_bytes(needs));
        pool_.ask_for_free_memory();
        const std::size_t available = pool_.available_bytes();
        if (needed > available)
            throw bad_input(
                "the calculation needs about " + in_mebibytes(needed) + " of device memory, " +
                    in_mebibytes(available) + " are free",
                where + ", " + description(),
                "Choose a larger grid spacing, a smaller margin, another device or --backend cpu");
    }

    void finish_work() override { executor_->synchronize(); }

private:
    std::unique_ptr<Executor> executor_;
    DevicePool pool_;
};

}  // namespace

std::unique_ptr<Backend> make_backend(std::unique_ptr<Executor> executor) {
    return std::make_unique<DeviceBackend>(std::move(executor));
}

double device_memory_bytes(const MemoryNeeds& needs) {
    const double voxels = static_cast<double>(needs.grid.voxel_count()), real = sizeof(float);
    const double spacing = needs.grid.spacing_mm.minCoeff(),
                 diagonal = (needs.grid.upper_edge_mm() - needs.grid.lower_edge_mm()).norm();
    const auto rays = [&](double width_mm, double height_mm, double apart) {
        return (width_mm / apart + 6) * (height_mm / apart + 6) * (2 * diagonal / spacing) *
               sizeof(physics::RaySums);
    };
    if (needs.algorithm == Algorithm::pencil_beam) {
        // Four densities and one crossed, lateral scale, node and dose; images of eight values for each pixel
        // of 2 mm at up to fifty distances.
        constexpr double volumes = 8, around_mm = 120, nodes = 50, pixel_mm = 2;
        const double width = needs.opening_u_mm + around_mm, height = needs.opening_v_mm + around_mm;
        return volumes * voxels * real + rays(width, height, spacing) +
               nodes * pencil_components * real * (width / pixel_mm) * (height / pixel_mm);
    }
    // Four densities and one crossed, two totals and the dose; the five values of one map, and one of them
    // while it is crossed.
    constexpr double volumes = 8, of_a_map = 6;
    const auto [x, y, z] = needs.grid.size;
    const double side = std::max({x, y, z}) + 1.0, lines = 4 * side * side, planes = 8;
    const double one_direction =
        (static_cast<double>(needs.rates) * (lines + planes * side * side) + planes * side * side) * real;
    return (volumes + of_a_map) * voxels * real +
           rays(needs.opening_u_mm, needs.opening_v_mm, needs.ray_spacing_voxels * spacing) + one_direction;
}

}  // namespace libdose::cuda
