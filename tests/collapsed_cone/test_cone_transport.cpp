#include <gtest/gtest.h>

#include "collapsed_cone/cone_transport.h"

using namespace libdose;

TEST(ConeTransport, ExponentialMatchesTheLibrary) {
    for (float x = 0; x < 80; x += 0.0137f)
        EXPECT_NEAR(physics::exp_minus(x) / std::exp(-static_cast<double>(x)), 1.0,
                    3e-7 + 1.2e-7 * static_cast<double>(x))
            << x;
    EXPECT_EQ(physics::exp_minus(0.0f), 1.0f);
    EXPECT_LT(physics::exp_minus(500.0f), 1e-37f);
}

TEST(ConeTransport, FactorsHaveTheirHandDerivedValues) {
    // x = 1: e = 1/2.71828, g = 1 - 1/e, h = 1 - g = 1/e.
    const auto f = physics::step_factors(1.0);
    EXPECT_NEAR(f.e, 0.36787944117144233, 1e-15);
    EXPECT_NEAR(f.g, 0.63212055882855767, 1e-15);
    EXPECT_NEAR(f.h, 0.36787944117144233, 1e-15);
    const auto zero = physics::step_factors(0.0);
    EXPECT_EQ(zero.e, 1.0);
    EXPECT_EQ(zero.g, 1.0);
    EXPECT_EQ(zero.h, 0.5);
}

TEST(ConeTransport, EnergyIsConservedInAStep) {
    for (const float x : {0.0f, 1e-4f, 0.1f, 0.2499f, 0.2501f, 0.7f, 3.0f, 20.0f, 100.0f}) {
        const auto f = physics::step_factors(x);
        const float arriving = 0.83f, released = 1.7f;
        const float deposit = x * (arriving * f.g + released * f.h),
                    leaving = arriving * f.e + released * f.g;
        EXPECT_NEAR(deposit + leaving, arriving + released, 1e-6f) << x;
    }
}

TEST(ConeTransport, SeriesMeetsTheClosedFormAtItsLimit) {
    for (double x = 0.01; x <= 0.25; x += 0.01) {
        const double e = std::exp(-x), g = (1 - e) / x, h = (1 - g) / x;
        const auto f = physics::step_factors(x);
        EXPECT_NEAR(f.h, h, 2.5e-7);
        EXPECT_NEAR(f.g, g, 1e-7);
        EXPECT_NEAR(f.e, e, 2e-8);
    }
}

TEST(ConeTransport, PolynomialsMeetTheClosedFormUpToTheirLimits) {
    // In double precision, from the series near zero. What a wrong h moves from a voxel to the next is in g
    // and e.
    const auto check = [](const auto& step, double in_h, double in_g, double in_e) {
        for (int n = 0; n <= 1000; ++n) {
            const float at = step.limit * static_cast<float>(n) / 1000;
            const double x = static_cast<double>(at), e = std::exp(-x);
            const double h = x < 0.05 ? 0.5 - x / 6 + x * x / 24 - x * x * x / 120 : (x - 1 + e) / (x * x);
            const auto f = step.factors(at);
            EXPECT_NEAR(f.h, h, in_h) << x;
            EXPECT_NEAR(f.g, 1 - x * h, in_g) << x;
            EXPECT_NEAR(f.e, e, in_e) << x;
        }
    };
    check(physics::thin_step, 5.5e-6, 2e-7, 1e-7);
    check(physics::short_step, 1.5e-7, 1e-7, 1e-7);
    check(physics::middle_step, 5e-7, 4e-7, 4e-7);
    check(physics::long_step, 5e-7, 1e-6, 3.5e-6);
}

TEST(ConeTransport, PolynomialsConserveEnergy) {
    const auto check = [](const auto& step) {
        const float x = 0.77f * step.limit, arriving = 0.83f, released = 1.7f;
        const auto f = step.factors(x);
        const float deposit = x * (arriving * f.g + released * f.h),
                    leaving = arriving * f.e + released * f.g;
        EXPECT_NEAR(deposit + leaving, arriving + released, 1e-6f) << x;
    };
    check(physics::thin_step);
    check(physics::short_step);
    check(physics::middle_step);
    check(physics::long_step);
}
