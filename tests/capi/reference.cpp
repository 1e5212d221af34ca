#include "reference.h"

#include <cstdlib>
#include <cstring>

#include "libdose/io/model_store.h"
#include "support/water_cube.h"

using namespace libdose;

namespace {

/// Leaves of the design varian-millennium-120: 5 mm within 100 mm of the axis, else 10 mm.
Beam arc_beam() {
    Beam beam = static_beam(1, 350, 80);
    MultileafCollimator mlc;
    mlc.type = "MLCX";
    for (int i = 0; i <= 60; ++i)
        mlc.leaf_boundaries_mm.push_back(i <= 10   ? -200 + 10 * i
                                         : i <= 50 ? -100 + 5 * (i - 10)
                                                   : 100 + 10 * (i - 50));
    beam.manufacturer = "Varian Medical Systems";
    beam.collimators = {mlc};
    beam.control_points.resize(3, beam.control_points.front());
    for (int n = 0; n < 3; ++n) {
        ControlPoint& point = beam.control_points[static_cast<std::size_t>(n)];
        point.gantry_deg = n == 0 ? 350 : 4.0 * (n - 1);
        point.collimator_deg = 15;
        point.couch_deg = 5;
        point.isocentre_mm = Vec3(3, -2, 1);
        point.cumulative_weight = 0.5 * n;
        point.leaves.resize(1);
        for (int l = 0; l < 60; ++l) {
            const bool open = l >= 20 && l < 40;
            point.leaves[0].lower_mm.push_back(open ? -30.0 - 2 * n : 0.0);
            point.leaves[0].upper_mm.push_back(open ? 25.0 + 3 * n + l % 3 : 0.0);
        }
    }
    beam.gantry_rotation.assign(3, Rotation::clockwise);
    return beam;
}

CalculationResult calculated(const reference_case& wanted) {
    EngineOptions options;
    options.grid_mm = 5;
    options.algorithm = static_cast<Algorithm>(wanted.algorithm);
    options.quality = wanted.quality == 0   ? Quality::standard
                      : wanted.quality == 1 ? Quality::draft
                                            : Quality::high;
    options.grouping = static_cast<Grouping>(wanted.transport);
    options.dose_to = static_cast<DoseMedium>(wanted.dose_to);
    options.threads = wanted.threads;
    options.per_beam = wanted.per_beam != 0;
    options.leaf_designs = read_leaf_designs(data_folder() / "mlc");
    if (wanted.hu_curve_file) options.hu_curve = HuCurve::read_csv(wanted.hu_curve_file);
    Plan plan = plan_of({static_beam(1, 0, 100), static_beam(2, 90, 50)});
    if (wanted.plan == reference_arc) plan.beams = {arc_beam()};
    plan.fractions = 2;
    const StructureSet body = body_of_cube();
    io::ModelStore store;
    return calculate(
        water_ct(), wanted.body ? &body : nullptr, plan,
        MaterialTable::read_csv(data_folder() / "materials" / "basis.csv"),
        [&](const Beam& beam) -> const BeamModel& { return store.for_beam(beam); }, options);
}

}  // namespace

float* reference_dose(const reference_case* wanted, int beam, std::size_t* count, int size[3],
                      double origin_mm[3]) {
    try {
        const CalculationResult result = calculated(*wanted);
        const Volume<float>& dose =
            beam < 0 ? result.plan.gy : result.beams.at(static_cast<std::size_t>(beam)).gy;
        *count = dose.values.size();
        for (std::size_t a = 0; a < 3; ++a) {
            size[a] = dose.grid.size[a];
            origin_mm[a] = dose.grid.origin_mm[static_cast<Eigen::Index>(a)];
        }
        auto* values = static_cast<float*>(std::malloc(*count * sizeof(float)));
        if (values) std::memcpy(values, dose.values.data(), *count * sizeof(float));
        return values;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "reference: %s\n", error.what());
        return nullptr;
    }
}
