#include <gtest/gtest.h>

#include <cmath>

#include "commissioning/profile_edges.h"

using namespace libdose;

TEST(ProfileEdges, AreWhereTheProfileFallsToTheLevel) {
    // Falls from 1 to 0 between -20 and -16 and from 1 to 0.2 between 18 and 22; a shoulder farther out does
    // not count.
    const std::vector<double> position{-30, -20, -16, 0, 18, 22, 26, 30}, value{0.6, 0, 1, 1, 1, 0.2, 0.7, 0};
    const auto edges = edges_at(position, value, 0.5);
    ASSERT_TRUE(edges);
    EXPECT_NEAR((*edges)[0], -18, 1e-12);
    EXPECT_NEAR((*edges)[1], 20.5, 1e-12);
    EXPECT_NEAR(width_at(position, value, 0.5), 38.5, 1e-12);
    // Above the maximum, or where one side ends before it falls, there are none.
    EXPECT_FALSE(edges_at(position, value, 1.5));
    EXPECT_FALSE(edges_at({-20, 0, 10}, {0, 1, 0.9}, 0.5));
    EXPECT_TRUE(std::isnan(width_at({-20, 0, 10}, {0, 1, 0.9}, 0.5)));
}
