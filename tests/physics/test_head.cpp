#include <gtest/gtest.h>

#include "physics/head.h"

using namespace libdose;

TEST(Head, JawAndLeafShareAPixelExactly) {
    // Cell 0…1; jaw open from 0.25, leaf open to 0.75: half of the cell sees both, a quarter only the leaf, a quarter only the jaw.
    const double t = physics::jaw_leaf_transmission(0, 1, 0.25, 10, 0.1, -10, 0.75, 0.02);
    EXPECT_NEAR(t, 0.5 * 1.0 + 0.25 * 0.1 + 0.25 * 0.02, 1e-12);
    // Behind both: the product of the transmissions.
    EXPECT_NEAR(physics::jaw_leaf_transmission(0, 1, 5, 10, 0.1, 5, 10, 0.02), 0.002, 1e-12);
}

TEST(Head, SpotIsProjectedThroughTheCollimator) {
    // A spot of 2 mm FWHM, collimator half way: as wide on the isocentre plane.
    EXPECT_NEAR(physics::projected_spot_sigma_mm(2, 500, 1000), 2 / 2.354820045, 1e-6);
    // Collimator at 400 of 1000 mm: 1.5 times as wide.
    EXPECT_NEAR(physics::projected_spot_sigma_mm(2, 400, 1000), 3 / 2.354820045, 1e-6);
}

TEST(Head, TableIsLinearAndHeldAtItsEnds) {
    const std::vector<double> x{0, 10, 30}, y{1, 2, 0};
    EXPECT_DOUBLE_EQ(physics::table_value(x, y, 5), 1.5);
    EXPECT_DOUBLE_EQ(physics::table_value(x, y, 20), 1.0);
    EXPECT_DOUBLE_EQ(physics::table_value(x, y, -3), 1.0);
    EXPECT_DOUBLE_EQ(physics::table_value(x, y, 99), 0.0);
}
