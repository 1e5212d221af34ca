// What the three shared rates cost against the Monte Carlo kernels that they stand for.
#include <gtest/gtest.h>

#include "engine/jaw_field.h"
#include "libdose/data.h"
#include "libdose/io/hdf5.h"
#include "support/tabulated_dose.h"
#include "validation/point_dose.h"

using namespace libdose;

TEST(TabulatedDose, ThreeRatesGiveItsRatiosWithinAPercent) {
    BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    model.head.electrons.amplitude_gy_cm2 = 0;
    const PointKernels kernels = io::read_point_kernels(data_folder() / "kernels" / "water_point_kernels.h5");
    const test::TabulatedDose exact(model.spectrum, kernels);
    const PointDose rates(model.spectrum, model.cone_kernel, model.pencil_kernel, model.head.electrons);
    for (const double side : {10.0, 40.0, 100.0}) {
        const FluenceMap map = jaw_field(model.head, side, side);
        const auto parts = [&](double depth) {
            return rates.collapsed_cone(map, {1000 - depth, depth, 0, 0}) / exact(map, 1000 - depth, depth);
        };
        const double at_reference = parts(100);
        EXPECT_NEAR(at_reference, 1, 5e-3) << side;
        for (const double depth : {12.0, 22.0, 50.0, 200.0, 300.0})
            EXPECT_NEAR(parts(depth) / at_reference, 1, 8e-3) << side << " mm, " << depth << " deep";
    }
}
