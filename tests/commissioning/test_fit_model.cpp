// Models of fitted parameters.
#include <gtest/gtest.h>

#include <cmath>

#include "commissioning/fit_model.h"
#include "commissioning/predict.h"
#include "fluence/head_equations.h"
#include "libdose/data.h"
#include "libdose/io/hdf5.h"

using namespace libdose;
using namespace libdose::commission;

namespace {

const BeamModel& generic(const char* name) {
    static std::map<std::string, BeamModel> models;
    if (!models.contains(name))
        models[name] = io::read_beam_model(data_folder() / "models" / (std::string(name) + ".h5"));
    return models[name];
}
const PointKernels& kernels() {
    static const PointKernels read =
        io::read_point_kernels(data_folder() / "kernels" / "water_point_kernels.h5");
    return read;
}
const AttenuationTable& attenuation() {
    static const AttenuationTable read = AttenuationTable::read(data_folder() / "materials");
    return read;
}

MeasurementSet set_of(double energy) {
    MeasurementSet set;
    set.nominal_energy_mv = energy;
    set.fluence_mode = "STANDARD";
    return set;
}

}  // namespace

TEST(FitModel, WithoutDataItIsTheGenericModel) {
    const MeasurementSet set = set_of(6);
    const BeamModel& start = generic("generic-6MV");
    const BeamModel model = ModelMaker(start, set, kernels(), attenuation()).model();
    for (std::size_t e = 0; e < start.spectrum.fluence.size(); ++e)
        ASSERT_NEAR(model.spectrum.fluence[e], start.spectrum.fluence[e], 1e-12);
    EXPECT_EQ(model.head.extrafocal.amplitude, start.head.extrafocal.amplitude);
    EXPECT_EQ(model.head.profile, start.head.profile);
}

TEST(FitModel, MeasuredFluenceHoldsTheExtrafocalSource) {
    MeasurementSet set = set_of(6);
    MeasuredCurve fluence;
    fluence.kind = CurveKind::primary_fluence;
    fluence.name = "primary fluence";
    fluence.normalised = true;
    fluence.position_mm = {0, 100, 200, 240, 250, 260};
    fluence.value = {2, 2.1, 2.08, 1.6, 0.18, 0.1};
    set.curves = {fluence};
    ModelMaker maker(generic("generic-6MV"), set, kernels(), attenuation());
    maker.set(Quantity::extrafocal_amplitude, 0.1);
    const HeadModel head = maker.model().head;
    // (p + a) / (1 + a) is what was measured, relative to the axis.
    EXPECT_NEAR((physics::table_value(head.profile_radius_mm, head.profile, 100) + 0.1) / 1.1, 1.05, 1e-12);
    EXPECT_EQ(head.maximum_field_radius_mm, 250) << "where less than a tenth is left";
    for (const double value : head.profile) EXPECT_GE(value, 0);
}

TEST(FitModel, TheSpectrumStaysWithinTheKernels) {
    // 18 MV from the generic 15 MV, its end drawn out to the bound: 15 MeV x 1.2 x 1.3 would be beyond 20
    // MeV.
    const MeasurementSet set = set_of(18);
    ModelMaker maker(generic("generic-15MV"), set, kernels(), attenuation());
    maker.set(Quantity::spectrum_endpoint, 1.3);
    const BeamModel model = maker.model();
    EXPECT_LE(model.spectrum.energy_mev.back(), kernels().energy_mev.back());
    EXPECT_GT(model.spectrum.energy_mev.back(), 0.99 * kernels().energy_mev.back());
}

TEST(FitModel, AFilterHardensAndTiltsMoveTheMean) {
    const MeasurementSet set = set_of(6);
    const auto mean = [&](Quantity quantity, double value) {
        ModelMaker maker(generic("generic-6MV"), set, kernels(), attenuation());
        maker.set(quantity, value);
        const Spectrum s = maker.model().spectrum;
        double sum = 0;
        for (std::size_t e = 0; e < s.energy_mev.size(); ++e) sum += s.energy_mev[e] * s.fluence[e];
        return sum;
    };
    const double before = mean(Quantity::spectrum_tilt, 0);
    EXPECT_GT(mean(Quantity::spectrum_filter, 5), before);
    EXPECT_GT(mean(Quantity::spectrum_tilt, 0.3), before);
    EXPECT_NEAR(mean(Quantity::spectrum_endpoint, 1.1), 1.1 * before, 1e-9);
}

TEST(Predict, OneReadingDoesNotNormaliseACurve) {
    // A depth dose of mu = 0.005 / mm behind a maximum at 15 mm, every millimetre, whose reading at 100 mm is
    // 0.4 % too high.
    MeasuredCurve curve;
    curve.kind = CurveKind::tissue_phantom_ratio;
    const auto value = [](double depth) {
        return std::exp(-0.005 * (depth - 100)) * (1 - std::exp(-depth / 3));
    };
    for (int depth = 0; depth <= 300; ++depth) {
        curve.position_mm.push_back(depth);
        curve.value.push_back(value(depth));
    }
    curve.value[100] *= 1.004;
    // By hand: of 31 points a parabola's value in the middle takes 9 / (4 · 31) of the middle one.
    EXPECT_NEAR(value_of_normalisation(curve, 100) / value(100), 1 + 0.004 * 9 / (4 * 31), 5e-5);
    // In the build-up, and where readings are far apart, the reading itself.
    EXPECT_EQ(value_of_normalisation(curve, 15), curve.value[15]);
    MeasuredCurve sparse = curve;
    sparse.position_mm = {10, 15, 80, 90, 100, 110, 120};
    sparse.value = {1.4, 1.5, 1.1, 1.05, 1.004, 0.95, 0.9};
    EXPECT_EQ(value_of_normalisation(sparse, 100), 1.004);
}
