// Uses the installed library; returns the number of checks that failed.
#include <libdose/density.h>
#include <libdose/gamma.h>
#include <libdose/grid.h>

#include <cmath>
#include <cstdio>

#ifdef WITH_IO
#include <libdose/check/check.h>
#include <libdose/data.h>
#include <libdose/error.h>
#include <libdose/io/hdf5.h>
#endif

static int failures = 0;

static void expect(bool good, const char* what) {
    if (!good) {
        std::printf("failed: %s\n", what);
        ++failures;
    }
}

int main() {
    using namespace libdose;
    // Mass is kept from 3 mm to 5 mm voxels.
    Volume<float> fine(Grid::covering(Vec3::Zero(), Vec3::Constant(30), Vec3::Constant(3)), 0.0f);
    for (std::size_t v = 0; v < fine.values.size(); ++v) fine.values[v] = static_cast<float>(v % 7);
    const Volume<float> coarse =
        resample_conserving(fine, Grid::covering(Vec3::Zero(), Vec3::Constant(30), Vec3::Constant(5)), 0.0f);
    double before = 0, after = 0;
    for (const float value : fine.values) before += static_cast<double>(value) * 27;
    for (const float value : coarse.values) after += static_cast<double>(value) * 125;
    expect(std::abs(before - after) < 1e-4 * before, "resampling keeps the mass");
    expect(std::abs(HuCurve::default_curve().density(-98) - 0.930) < 1e-12, "the default HU curve");
    expect(gamma_index(fine, fine, {}).pass_rate_percent == 100.0, "a dose agrees with itself");
#ifdef WITH_IO
    const BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    expect(model.nominal_energy_mv == 6, "the installed beam model");
    expect(libdose::check::read_protocol().name == "default", "the installed protocol");
    try {
        io::read_beam_model("/nowhere/model.h5");
        expect(false, "an error for a missing file");
    } catch (const Error& error) {
        expect(error.kind() == ErrorKind::bad_input, "the kind of the error");
    }
#endif
    std::printf("%d checks failed\n", failures);
    return failures;
}
