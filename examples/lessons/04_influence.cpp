// Lesson 4: an influence matrix, a fluence of one's own from it, and the dose of that fluence as the engine
// calculates it.
#include <libdose/error.h>
#include <libdose/gamma.h>
#include <libdose/influence.h>
#include <libdose/io/influence.h>

#include <cmath>

#include "water_box.h"

using namespace libdose;

int main(int argc, char** argv) {
    try {
        const CtImage ct = lesson::water_box();
        const Plan plan = lesson::plan_of(lesson::beam_from_above(60, 100));
        const BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
        const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
        const BeamModelProvider models = [&](const Beam&) -> const BeamModel& { return model; };
        InfluenceOptions options;
        options.engine.algorithm = Algorithm::pencil_beam;
        options.engine.grid_mm = 5;
        options.beamlets.side_mm = 10;  // of the opening; with a structure set also of a target
        const DoseInfluence matrix = influence(ct, nullptr, plan, materials, models, options);
        std::printf("%zu beamlets, %zu values\n", matrix.columns.count(), matrix.columns.gy.size());

        // A wedge: MU that rise with x. An optimiser would find them from matrix.columns (compressed by
        // column).
        std::vector<double> mu;
        for (const Beamlet& beamlet : matrix.header.beamlets) mu.push_back(100 + beamlet.u_mm);
        const Volume<float> fast = matrix.dose(mu);
        const Volume<float> calculated =
            calculate_beamlets(ct, nullptr, plan, materials, models, options, mu).plan.gy;
        for (const double x : {-20.0, 0.0, 20.0})
            std::printf("x = %3.0f mm, 50 mm deep: %.3f Gy\n", x, interpolate(calculated, Vec3(x, 50, 0)));
        GammaOptions criteria;
        criteria.dose_percent = criteria.distance_mm = 1;
        criteria.threshold_percent = 5;
        std::printf("matrix and calculation agree within 1 %%/1 mm in %.1f %%\n",
                    gamma_index(calculated, fast, criteria).pass_rate_percent);

        // Larger matrices go to a file while they are calculated (influence_or_spill) and are read in parts.
        if (argc > 1) {
            io::write_influence(matrix, argv[1]);
            const io::InfluenceFile file(argv[1]);
            std::printf("columns 10 to 20 of the file: %zu values\n", file.columns(10, 20).gy.size());
        }
    } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
