// Lesson 6: a beam model: what it holds, what a change does, and that a file is sealed. Usage: 06_beam_model
// [OUT.h5]
#include <libdose/calibrate.h>
#include <libdose/error.h>

#include "water_box.h"

using namespace libdose;

int main(int argc, char** argv) {
    try {
        BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
        double mean_mev = 0;
        for (std::size_t e = 0; e < model.spectrum.energy_mev.size(); ++e)
            mean_mev += model.spectrum.energy_mev[e] * model.spectrum.fluence[e];
        std::printf("%s, %g MV, mean photon energy %.2f MeV\nhash %s\n", model.name.c_str(),
                    model.nominal_energy_mv, mean_mev, model.content_hash.c_str());
        const auto print = [&](const char* what) {
            std::printf("output factors in air, %s:", what);
            for (const OutputFactor& f : output_factors(model, {50, 100, 200}, Algorithm::pencil_beam))
                std::printf("  %g mm %.4f", f.side_mm, f.in_air);
            std::printf("\n");
        };
        print("as it is");
        model.head.extrafocal.amplitude *= 0.5;
        print("half the head scatter");
        if (argc > 1) {
            // A changed model is another model: a name of its own, and the hash that every dose calculated
            // with it names.
            model.name = "lesson-6MV";
            const std::string hash = io::write_beam_model(model, argv[1]);
            const BeamModel again =
                io::read_beam_model(argv[1]);  // refused if anything in the file were changed
            std::printf("written and read: %s, hash %s\n", again.name.c_str(),
                        again.content_hash == hash ? "the same" : "another");
        }
    } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
