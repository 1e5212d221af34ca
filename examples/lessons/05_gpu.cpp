// Lesson 5: the same calculation on a CUDA device where there is one, and how far the two backends are apart.
#include <libdose/error.h>

#include <algorithm>
#include <cmath>

#include "water_box.h"

using namespace libdose;

int main() {
    try {
        const CtImage ct = lesson::water_box();
        const Plan plan = lesson::plan_of(lesson::beam_from_above(100, 100));
        const BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
        const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
        EngineOptions options;
        options.grid_mm = 5;
        const auto dose = [&](BackendChoice backend) {
            options.backend = backend;
            return calculate(
                ct, nullptr, plan, materials, [&](const Beam&) -> const BeamModel& { return model; },
                options);
        };
        const CalculationResult cpu = dose(BackendChoice::cpu);
        // `automatic` takes the CPU where there is no device and says why; `cuda` would throw bad_input.
        const CalculationResult chosen = dose(BackendChoice::automatic);
        std::printf("calculated by: %s\n", chosen.plan.provenance.backend.c_str());
        for (const std::string& note : chosen.notes) std::printf("  note: %s\n", note.c_str());
        float maximum = 0, apart = 0;
        for (std::size_t v = 0; v < cpu.plan.gy.values.size(); ++v) {
            maximum = std::max(maximum, cpu.plan.gy.values[v]);
            apart = std::max(apart, std::abs(cpu.plan.gy.values[v] - chosen.plan.gy.values[v]));
        }
        std::printf("largest difference from the CPU: %.4f %% of the maximum\n",
                    100 * static_cast<double>(apart / maximum));
    } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
