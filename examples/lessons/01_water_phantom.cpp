// Lesson 1: one field on water, by both engines. What goes in, what comes out, and that 1 MU is 1 cGy at the
// maximum.
#include <libdose/error.h>

#include "water_box.h"

using namespace libdose;

int main() {
    try {
        const CtImage ct = lesson::water_box();
        const Plan plan = lesson::plan_of(lesson::beam_from_above(100, 100));
        // Everything about the beam that is not in the plan; and how tissues attenuate.
        const BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
        const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
        EngineOptions options;
        options.grid_mm = 5;
        for (const Algorithm algorithm : {Algorithm::collapsed_cone, Algorithm::pencil_beam}) {
            options.algorithm = algorithm;
            // No structures: the whole CT is calculated. Every beam gets the same model here.
            const CalculationResult result = calculate(
                ct, nullptr, plan, materials, [&](const Beam&) -> const BeamModel& { return model; },
                options);
            const Grid& grid = result.plan.gy.grid;
            std::printf("%s: %d x %d x %d voxels of %g mm\n", to_string(algorithm).c_str(), grid.size[0],
                        grid.size[1], grid.size[2], grid.spacing_mm[0]);
            for (const double depth_mm : {15.0, 50.0, 100.0, 200.0})
                std::printf("  %3.0f mm deep: %.3f Gy\n", depth_mm,
                            interpolate(result.plan.gy, Vec3(0, depth_mm, 0)));
            for (const std::string& note : result.notes) std::printf("  note: %s\n", note.c_str());
        }
    } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());  // what is wrong, where, what to do
        return 1;
    }
    return 0;
}
