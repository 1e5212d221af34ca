// The pencil beam as the engine runs it: geometry by geometry.
#include "base/stage_clock.h"
#include "engine/algorithms.h"

namespace libdose {

namespace {

class PencilBeam : public DoseAlgorithm {
public:
    std::string name() const override { return "pencil-beam"; }

    std::vector<float> dose(PreparedDensity& patient, const std::vector<FluenceMap>& maps,
                            const BeamModel& model, const ComputeOptions& options) const override {
        std::vector<float> dose;
        StageClock clock(options.seconds);
        for (std::size_t m = 0; m < maps.size(); ++m) {
            add_to(dose, patient.on_backend().pencil_beam(maps[m], model, options.pencil));
            clock.add("pencil beam");
            if (options.progress)
                options.progress(static_cast<double>(m + 1) / static_cast<double>(maps.size()));
        }
        dose.resize(patient.density().grid.voxel_count());  // zero without maps
        clock.skip();
        patient.on_backend().add_electrons(dose, maps, model.head.electrons);
        clock.add("contaminating electrons");
        return dose;
    }

    double reference_dose(const Calibration& c) const override {
        return c.depth == "10cm" ? c.pencil_beam_10cm : c.pencil_beam_maximum;
    }

    std::map<std::string, std::string> settings(const EngineOptions& options) const override {
        return {{"lateral_scaling", options.lateral_scaling ? "on" : "off"}};
    }
};

}  // namespace

const DoseAlgorithm& pencil_beam_algorithm() {
    static const PencilBeam algorithm;
    return algorithm;
}

}  // namespace libdose
