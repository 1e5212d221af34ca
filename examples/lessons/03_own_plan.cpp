// Lesson 3: a fluence of your own, as leaf positions. A ramp across the field from ten segments: each opens
// less of it than the one before.
#include <libdose/error.h>

#include "water_box.h"

using namespace libdose;

namespace {

constexpr int segments = 10;
constexpr double half_mm = 40;

/// Left edge of segment s: the fluence at x is the part of the segments whose edge lies left of it.
double edge_mm(int s) { return -half_mm + 2 * half_mm * s / segments; }

Beam ramp() {
    Beam beam = lesson::beam_from_above(2 * half_mm, 200);
    beam.name = "ramp";
    beam.manufacturer = "Varian Medical Systems";  // with the leaf boundaries it says which leaves these are
    MultileafCollimator leaves;
    leaves.type = "MLCX";  // leaves move along x
    for (int i = 0; i <= 60; ++i)
        leaves.leaf_boundaries_mm.push_back(i <= 10   ? -200 + 10 * i
                                            : i <= 50 ? -100 + 5 * (i - 10)
                                                      : 100 + 10 * (i - 50));
    beam.collimators = {leaves};
    // Step and shoot: two control points a segment, the MU between them; nothing while the leaves move.
    const ControlPoint first = beam.control_points.front();
    beam.control_points.clear();
    for (int s = 0; s < segments; ++s)
        for (int end = 0; end < 2; ++end) {
            ControlPoint point = first;
            point.leaves = {{std::vector<double>(60, edge_mm(s)), std::vector<double>(60, half_mm)}};
            point.cumulative_weight = static_cast<double>(s + end) / segments;
            beam.control_points.push_back(point);
        }
    beam.gantry_rotation.assign(beam.control_points.size(), Rotation::none);
    return beam;
}

}  // namespace

int main() {
    try {
        const Plan plan = lesson::plan_of(ramp());
        plan.check();  // what calculate() checks as well: weights ascend, leaves do not cross, ...
        const BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
        EngineOptions options;
        options.grid_mm = 5;
        options.algorithm = Algorithm::pencil_beam;
        const CalculationResult result = calculate(
            lesson::water_box(), nullptr, plan,
            MaterialTable::read_csv(data_folder() / "materials" / "basis.csv"),
            [&](const Beam&) -> const BeamModel& { return model; }, options);
        std::printf("across the field, 50 mm deep:\n");
        for (int x_mm = -60; x_mm <= 60; x_mm += 15) {
            const double gy = interpolate(result.plan.gy, Vec3(x_mm, 50, 0));
            std::printf("  %4d mm  %.3f Gy  %s\n", x_mm, gy,
                        std::string(static_cast<std::size_t>(20 * gy), '#').c_str());
        }
        for (const auto& [name, value] : result.plan.provenance.settings)
            if (name.rfind("leaves", 0) == 0) std::printf("%s: %s\n", name.c_str(), value.c_str());
    } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
