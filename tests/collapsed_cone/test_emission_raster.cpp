#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "collapsed_cone/emission_raster.h"

using namespace libdose;

namespace {

std::array<double, 8> weights(double u, double v, double depth) {
    std::array<double, 8> all;
    for (std::size_t corner = 0; corner < 8; ++corner)
        physics::emission_weight(corner, u, v, depth, all[corner]);
    return all;
}

}  // namespace

TEST(EmissionWeight, HandDerivedInOneTetrahedron) {
    // u > depth > v: from corner 0 along u (1), then depth (5), then v (7).
    const auto w = weights(0.7, 0.2, 0.5);
    const std::array<double, 8> expected{0.3, 0.2, 0, 0, 0, 0.3, 0, 0.2};
    for (std::size_t c = 0; c < 8; ++c) EXPECT_NEAR(w[c], expected[c], 1e-15) << c;
}

TEST(EmissionWeight, WhatIsNotANumberStaysOne) {
    const double nan = std::nan("");
    for (const auto& w : {weights(nan, 0.2, 0.5), weights(0.7, nan, 0.5), weights(0.7, 0.2, nan)})
        for (const double weight : w) EXPECT_TRUE(std::isnan(weight));
}

TEST(EmissionWeight, LinearFunctionsComeBackFromFourCorners) {
    for (int n = 0; n < 6 * 6 * 6; ++n) {
        const double u = 0.2 * (n % 6), v = 0.2 * (n / 6 % 6), depth = 0.2 * (n / 36);
        const auto w = weights(u, v, depth);
        double sum = 0, sum_u = 0, sum_v = 0, sum_depth = 0;
        int used = 0;
        for (std::size_t c = 0; c < 8; ++c) {
            EXPECT_GE(w[c], 0);
            used += w[c] > 0;
            sum += w[c];
            sum_u += c & 1 ? w[c] : 0;
            sum_v += c & 2 ? w[c] : 0;
            sum_depth += c & 4 ? w[c] : 0;
        }
        EXPECT_LE(used, 4);
        EXPECT_NEAR(sum, 1, 1e-12);
        EXPECT_NEAR(sum_u, u, 1e-12);
        EXPECT_NEAR(sum_v, v, 1e-12);
        EXPECT_NEAR(sum_depth, depth, 1e-12);
    }
}

TEST(BalancedEmission, SharesWhatIsMissingBySize) {
    // 3 and 1 where 5 should be: each a quarter more. 3 and -2 where 2 should be: of the 1 that is missing
    // 0.6 and 0.4, though their sum is small.
    const double same_sign = physics::missing_emission(5, 4, 4), opposed = physics::missing_emission(2, 1, 5);
    EXPECT_DOUBLE_EQ(physics::balanced_emission(3, same_sign), 3.75);
    EXPECT_DOUBLE_EQ(physics::balanced_emission(1, same_sign), 1.25);
    EXPECT_DOUBLE_EQ(physics::balanced_emission(3, opposed), 3.6);
    EXPECT_DOUBLE_EQ(physics::balanced_emission(-2, opposed), -1.6);
    EXPECT_EQ(physics::missing_emission(0, 0, 0), 0);
}
