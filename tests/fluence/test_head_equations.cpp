#include <gtest/gtest.h>

#include "fluence/head_equations.h"

using namespace libdose;

TEST(Head, JawAndLeafShareAPixelExactly) {
    // Cell 0…1; jaw open from 0.25, leaf open to 0.75: half of the cell sees both, a quarter only the leaf, a
    // quarter only the jaw.
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

TEST(Head, RoundedLeafEndFollowsTheChordOfItsCircle) {
    // Radius 80 mm half way to the isocentre: s mm there are s/2 mm at the leaf. 0.08/mm: a half-value layer
    // of 8.66 mm.
    const double decay = physics::tip_decay(0.08, 80, 500, 1000);
    EXPECT_NEAR(decay, 2 * 0.08 * std::sqrt(80.0), 1e-12);
    for (const double s : {0.05, 0.2, 1.0}) {
        const double inside = 80 - 0.5 * s, chord = 2 * std::sqrt(80 * 80 - inside * inside);
        EXPECT_NEAR(physics::open_at(10 - s, 10, 20, decay), std::exp(-0.08 * chord), 2e-3) << s;
    }
    EXPECT_EQ(physics::open_at(15, 10, 20, decay), 1);
    EXPECT_NEAR(physics::open_at(20.3, 10, 20, decay), physics::open_at(9.7, 10, 20, decay), 1e-12);
}

TEST(Head, OpenIntegralIsTheIntegralOfItsPoints) {
    const double decay = 1.4;
    for (const auto& [low, high] :
         {std::pair{-3.0, -2.5}, {-1.2, 0.4}, {-5.0, 9.0}, {1.9, 2.6}, {4.0, 4.5}}) {
        constexpr int n = 200000;
        double sum = 0;
        for (int i = 0; i < n; ++i)
            sum += physics::open_at(low + (i + 0.5) / n * (high - low), 0, 2, decay) * (high - low) / n;
        EXPECT_NEAR(physics::open_integral(low, high, 0, 2, decay), sum, 1e-5) << low;
    }
    // All of it: the gap and 2 / decay² from each end; sharp ends: the gap.
    EXPECT_NEAR(physics::open_integral(-1e4, 1e4, 0, 2, decay), 2 + 4 / (decay * decay), 1e-9);
    EXPECT_EQ(physics::open_integral(-10, 10, 0, 2, std::numeric_limits<double>::infinity()), 2);
}

TEST(Head, TongueAndGrooveIsHalfOfEachNeighbour) {
    EXPECT_DOUBLE_EQ(physics::tongue_and_groove(1, 1), 1);
    EXPECT_DOUBLE_EQ(physics::tongue_and_groove(0.04, 1), 0.2);  // half the height of one leaf
    EXPECT_DOUBLE_EQ(physics::tongue_and_groove(0.04, 0.04), 0.04);
}
