// Bounded least squares against closed forms.
#include <gtest/gtest.h>

#include <cmath>

#include "commissioning/least_squares.h"
#include "libdose/error.h"

using namespace libdose;
using namespace libdose::commission;

namespace {

/// y = a + b x at x = 0, 1, 2, 3 with errors of 0.1.
Eigen::VectorXd line(const std::vector<double>& p) {
    const double y[] = {1.0, 3.1, 4.9, 7.0};
    Eigen::VectorXd r(4);
    for (int i = 0; i < 4; ++i) r[i] = (p[0] + p[1] * i - y[i]) / 0.1;
    return r;
}

}  // namespace

TEST(LeastSquares, AStraightLineIsTheTextbooks) {
    const auto result =
        least_squares({{"a", "", 0, -10, 10, 0, 0, 0.01}, {"b", "", 0, -10, 10, 0, 0, 0.01}}, line, 400);
    // Normal equations by hand: n = 4, sum x = 6, sum x² = 14, sum y = 16, sum xy = 33.9.
    EXPECT_NEAR(result.values[1], (4 * 33.9 - 6 * 16.0) / (4 * 14 - 36), 1e-4);
    EXPECT_NEAR(result.values[0], (16 * 14 - 6 * 33.9) / 20.0, 1e-4);
    EXPECT_TRUE(result.converged);
    // Covariance 0.01 (14, -6; -6, 4) / 20; chi-square of 2 degrees of freedom is below them, so nothing is
    // widened.
    EXPECT_NEAR(result.sigma[0], 0.1 * std::sqrt(14 / 20.0), 1e-3);
    EXPECT_NEAR(result.sigma[1], 0.1 * std::sqrt(4 / 20.0), 1e-3);
    EXPECT_NEAR(result.correlation(0, 1), -6 / std::sqrt(14.0 * 4), 1e-3);
}

TEST(LeastSquares, ABoundHolds) {
    const auto result =
        least_squares({{"a", "", 0, -10, 10, 0, 0, 0.01}, {"b", "", 0, -10, 1.5, 0, 0, 0.01}}, line, 400);
    EXPECT_LE(result.values[1], 1.5);
    EXPECT_NEAR(result.values[1], 1.5, 2e-2);
    EXPECT_NEAR(result.values[0], 4 - 1.5 * result.values[1], 2e-2)
        << "the best a for that slope: mean y - b mean x";
}

TEST(LeastSquares, APriorCountsAsAMeasurement) {
    // A value of 2 measured with error 1 and known before as 0 with error 0.5: weights 1 and 4.
    const auto result = least_squares(
        {{"a", "", 1, -5, 5, 0, 0.5, 0.01}},
        [](const std::vector<double>& p) { return Eigen::VectorXd::Constant(1, p[0] - 2).eval(); }, 200);
    EXPECT_NEAR(result.values[0], 2.0 / 5, 1e-4);
    EXPECT_NEAR(result.chi_square, 1.6 * 1.6, 1e-3) << "without the prior";
}

TEST(LeastSquares, WhatCannotBeFittedIsRefused) {
    const auto nothing = [](const std::vector<double>&) {
        return Eigen::VectorXd::Constant(2, std::nan("")).eval();
    };
    EXPECT_THROW(least_squares({{"a", "", 0, -1, 1, 0, 0, 0.1}}, nothing, 50), Error);
    const auto one = [](const std::vector<double>& p) { return Eigen::VectorXd::Constant(1, p[0]).eval(); };
    EXPECT_THROW(least_squares({{"a", "", 0, -1, 1, 0, 0, 0.1}, {"b", "", 0, -1, 1, 0, 0, 0.1}}, one, 50),
                 Error);
    EXPECT_THROW(least_squares({{"a", "", 3, -1, 1, 0, 0, 0.1}}, one, 50), Error);
}
