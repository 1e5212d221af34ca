#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "libdose/error.h"
#include "libdose/gamma.h"

namespace libdose {
namespace {

Grid cube(int n, double spacing, double origin = 0) {
    return Grid{{n, n, n}, Vec3::Constant(spacing), Vec3::Constant(origin)};
}

template <class F>
Volume<float> filled(const Grid& grid, F dose) {
    Volume<float> v(grid);
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j)
            for (int i = 0; i < grid.size[0]; ++i)
                v.at(i, j, k) = static_cast<float>(dose(grid.centre_mm(i, j, k)));
    return v;
}

TEST(Gamma, IdenticalDosesGiveZero) {
    const auto dose = filled(cube(8, 2), [](const Vec3& p) { return 1 + p[0] + 0.1 * p[1]; });
    const GammaResult r = gamma_index(dose, dose, {});
    EXPECT_EQ(r.maximum, 0);
    EXPECT_EQ(r.pass_rate_percent, 100);
    EXPECT_EQ(r.outside, 0u);
}

TEST(Gamma, UniformDoseScaledByTheCriterionGivesOne) {
    const Volume<float> reference(cube(6, 2), 2.0f), evaluated(cube(6, 2), 2.06f);
    const GammaResult r = gamma_index(reference, evaluated, {});
    for (const float g : r.gamma.values) EXPECT_NEAR(g, 1.0, 1e-5);
    EXPECT_EQ(r.passed, 216u);
    const Volume<float> worse(cube(6, 2), 2.062f);  // 3.1 % fails, gamma 3.1 / 3
    const GammaResult fails = gamma_index(reference, worse, {});
    EXPECT_EQ(fails.passed, 0u);
    EXPECT_NEAR(fails.mean, 3.1 / 3, 1e-5);
}

// A ramp of slope g (dose criteria per mm) shifted by s: gamma = s g / (D sqrt(g² + 1/D²)): the distance from
// a line. Here (x/2)² + ((1 - x)/1.5)² is least at x = 0.64 mm: 0.1024 + 0.0576 = 0.4².
TEST(Gamma, ShiftedRamp) {
    const Grid grid = cube(15, 1);
    const auto reference = filled(grid, [](const Vec3& p) { return 50 + p[0]; });
    const auto evaluated = filled(grid, [](const Vec3& p) { return 50 + p[0] - 1; });
    GammaOptions o;
    o.normalisation_gy = 50;  // dose criterion 1.5 Gy, distance 2 mm
    o.steps_per_distance = 20;
    EXPECT_NEAR(gamma_index(reference, evaluated, o).gamma.at(7, 7, 7), 0.4, 2e-3);
}

// A step moved by 3 mm: the searched point must cross it; gamma of the points between is distance / 2 mm.
TEST(Gamma, ShiftedStep) {
    const Grid grid = cube(41, 1);
    const auto step_at = [&](double x) {
        return filled(grid, [x](const Vec3& p) { return p[0] < x ? 1.0 : 2.0; });
    };
    const auto r = gamma_index(step_at(20), step_at(23), {});
    // Reference 2 at x = 21; the evaluated dose, linear from 22 (1) to 23 (2), is within c = 0.06 of it at
    // 23: minimise ((x - 21) / 2)² + ((23 - x) / 0.06)². The minimum is 2² / (2² + 0.06²) about 1, on steps
    // of 0.2 mm it is at 23: 1.
    EXPECT_NEAR(r.gamma.at(21, 20, 20), 1.0, 1e-6);
    EXPECT_NEAR(r.gamma.at(22, 20, 20), 0.5, 1e-6);
    EXPECT_NEAR(r.gamma.at(20, 20, 20), 1.5, 1e-6);
    EXPECT_EQ(r.gamma.at(30, 20, 20), 0.0f);
}

TEST(Gamma, LocalAgainstGlobal) {
    const Grid grid{{2, 1, 1}, Vec3::Constant(100), Vec3::Zero()};
    Volume<float> reference(grid), evaluated(grid);
    reference.values = {10.0f, 2.0f};
    evaluated.values = {10.0f, 2.15f};
    GammaOptions o;
    EXPECT_NEAR(gamma_index(reference, evaluated, o).gamma.values[1], 0.5, 1e-4);  // 0.15 / 0.3
    o.local = true;
    o.max_gamma = 3;
    const double local = gamma_index(reference, evaluated, o).gamma.values[1];
    EXPECT_NEAR(local, 2.5, 1e-4);  // 0.15 / 0.06; the neighbour 100 mm away rises, so no shift helps
}

TEST(Gamma, ThresholdLeavesOutAndSaysSo) {
    const Grid grid{{3, 1, 1}, Vec3::Constant(50), Vec3::Zero()};
    Volume<float> reference(grid);
    reference.values = {10.0f, 0.99f, 1.01f};
    const GammaResult r = gamma_index(reference, reference, {});
    EXPECT_EQ(r.evaluated, 2u);
    EXPECT_TRUE(std::isnan(r.gamma.values[1]));
}

TEST(Gamma, PointsOutsideTheEvaluatedGridFail) {
    const Volume<float> reference(cube(6, 2), 1.0f), evaluated(cube(3, 2), 1.0f);
    const GammaResult r = gamma_index(reference, evaluated, {});
    EXPECT_EQ(r.evaluated, 216u);
    EXPECT_EQ(r.outside, 216u - 27u);
    EXPECT_EQ(r.passed, 27u);
    EXPECT_NEAR(r.pass_rate_percent, 12.5, 1e-9);
}

/// Every offset for every voxel, by the public interpolation: slow and plain.
double brute_force(const Volume<float>& reference, const Volume<float>& evaluated, const GammaOptions& o,
                   int i, int j, int k) {
    const double norm = *std::max_element(reference.values.begin(), reference.values.end());
    const double dose = reference.at(i, j, k), criterion = o.dose_percent / 100 * (o.local ? dose : norm);
    double best = o.max_gamma * o.max_gamma;
    const int n = static_cast<int>(o.max_gamma * o.steps_per_distance);
    for (int c = -n; c <= n; ++c)
        for (int b = -n; b <= n; ++b)
            for (int a = -n; a <= n; ++a) {
                const Vec3 offset = Vec3(a, b, c) * o.distance_mm / o.steps_per_distance;
                const double value =
                    interpolate(evaluated, reference.grid.centre_mm(i, j, k) + offset, -1e30);
                if (value < -1e29) continue;
                const double distance = offset.norm() / o.distance_mm,
                             difference = (value - dose) / criterion;
                best = std::min(best, distance * distance + difference * difference);
            }
    return std::sqrt(best);
}

TEST(Gamma, MatchesBruteForceOnDifferentGrids) {
    std::mt19937 random(5);
    std::uniform_real_distribution<float> value(0.8f, 1.2f);
    Volume<float> reference(Grid{{5, 4, 3}, Vec3(2, 3, 2.5), Vec3(0.3, 0.7, -0.2)});
    Volume<float> evaluated(Grid{{8, 9, 7}, Vec3(1.7, 1.9, 2.1), Vec3(-2.05, -2.03, -3.01)});
    for (float& v : reference.values) v = value(random);
    for (float& v : evaluated.values) v = value(random);
    for (const bool local : {false, true}) {
        GammaOptions o;
        o.local = local;
        o.dose_percent = 2;
        o.steps_per_distance = 4;
        const GammaResult r = gamma_index(reference, evaluated, o);
        ASSERT_EQ(r.outside, 0u);
        for (int k = 0; k < 3; ++k)
            for (int j = 0; j < 4; ++j)
                for (int i = 0; i < 5; ++i)
                    EXPECT_NEAR(r.gamma.at(i, j, k), brute_force(reference, evaluated, o, i, j, k), 1e-5);
    }
}

TEST(Gamma, SameBitsWithAnyNumberOfThreads) {
    std::mt19937 random(7);
    std::uniform_real_distribution<float> value(0.9f, 1.1f);
    Volume<float> a(cube(12, 2)), b(cube(12, 2));
    for (float& v : a.values) v = value(random);
    for (float& v : b.values) v = value(random);
    const int before = omp_get_max_threads();
    omp_set_num_threads(1);
    const GammaResult one = gamma_index(a, b, {});
    for (const int threads : {2, 3}) {
        omp_set_num_threads(threads);
        const GammaResult r = gamma_index(a, b, {});
        EXPECT_EQ(r.gamma.values, one.gamma.values);
        EXPECT_EQ(r.mean, one.mean);
    }
    omp_set_num_threads(before);
}

TEST(Gamma, RefusesWhatCannotBeCompared) {
    const Volume<float> good(cube(3, 2), 1.0f);
    Volume<float> bad = good;
    bad.values[4] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_THROW(gamma_index(bad, good, {}), Error);
    EXPECT_THROW(gamma_index(good, bad, {}), Error);
    EXPECT_THROW(gamma_index(Volume<float>(cube(3, 2), 0.0f), good, {}), Error);
    EXPECT_THROW(gamma_index(Volume<float>(), good, {}), Error);
    GammaOptions o;
    o.distance_mm = 0;
    EXPECT_THROW(gamma_index(good, good, o), Error);
    o = {};
    o.dose_percent = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THROW(gamma_index(good, good, o), Error);
    o = {};
    o.normalisation_gy = 100;  // nothing above 10 % of it
    EXPECT_THROW(gamma_index(good, good, o), Error);
}

}  // namespace
}  // namespace libdose
