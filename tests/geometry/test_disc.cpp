#include <gtest/gtest.h>

#include <numbers>

#include "geometry/disc.h"

using namespace libdose;

TEST(Disc, AreasThatAreKnown) {
    const double pi = std::numbers::pi;
    EXPECT_DOUBLE_EQ(physics::disc_in_rectangle(5, 3, 4),
                     12);  // the corner on the circle: the whole rectangle
    EXPECT_NEAR(physics::disc_in_rectangle(2, 7, 9), pi, 1e-14);  // the whole quadrant
    EXPECT_NEAR(physics::disc_in_rectangle(1, 1, 0.5), pi / 12 + std::sqrt(3.0) / 8,
                1e-14);  // sector of 30 degrees and the triangle above
    EXPECT_DOUBLE_EQ(physics::disc_in_rectangle(5, -3, 4), -12);
    EXPECT_DOUBLE_EQ(physics::disc_in_rectangle(5, -3, -4), 12);
}

TEST(Disc, RectanglesThatTileThePlaneHoldTheWholeDisc) {
    double sum = 0;
    for (int j = -4; j < 4; ++j)
        for (int i = -4; i < 4; ++i) {
            const double x = 0.37 * i + 0.1, y = 0.41 * j - 0.05;
            sum += physics::disc_in_rectangle(1.3, x + 0.37, y + 0.41) -
                   physics::disc_in_rectangle(1.3, x, y + 0.41) -
                   physics::disc_in_rectangle(1.3, x + 0.37, y) + physics::disc_in_rectangle(1.3, x, y);
        }
    EXPECT_NEAR(sum, std::numbers::pi * 1.3 * 1.3, 1e-12);
}
