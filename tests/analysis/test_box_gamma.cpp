#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "analysis/box_gamma.h"

using namespace libdose;

namespace {

/// Dose that rises by 1 per mm along x, on fine voxels; the average over a box is then the x of its middle.
BoxAverage ramp() {
    Grid grid;
    grid.size = {400, 20, 20};
    grid.spacing_mm = Vec3(0.05, 1, 1);
    grid.origin_mm = Vec3(0.025, 0.5, 0.5);
    std::vector<float> values(grid.voxel_count());
    for (int k = 0; k < 20; ++k)
        for (int j = 0; j < 20; ++j)
            for (int i = 0; i < 400; ++i)
                values[grid.index(i, j, k)] = static_cast<float>(grid.centre_mm(i, j, k)[0]);
    return BoxAverage(grid, values);
}

}  // namespace

TEST(BoxGamma, FollowsTheFormulaOnARamp) {
    // Tolerances 0.5 and 2 mm on a slope of 1 per mm: gamma = |difference| / sqrt(0.5² + 2²) = |difference|
    // / 2.06.
    const BoxAverage dose = ramp();
    const Vec3 low(9, 9, 9), high(11, 11, 11);  // average 10
    for (const double sign : {-1.0, 1.0}) {
        EXPECT_TRUE(box_gamma_passes(dose, low, high, 10 + sign * 2.0, 0.5, 2));
        EXPECT_TRUE(box_gamma_passes(dose, low, high, 10 + sign * 2.05, 0.5, 2));
        EXPECT_FALSE(box_gamma_passes(dose, low, high, 10 + sign * 2.1, 0.5, 2));
        EXPECT_FALSE(box_gamma_passes(dose, low, high, 10 + sign * 8, 0.5, 2));
    }
}

TEST(BoxGamma, WithoutDistanceOnlyTheDoseCounts) {
    const BoxAverage dose = ramp();
    EXPECT_TRUE(box_gamma_passes(dose, Vec3(9, 9, 9), Vec3(11, 11, 11), 10.49, 0.5, 0));
    EXPECT_FALSE(box_gamma_passes(dose, Vec3(9, 9, 9), Vec3(11, 11, 11), 10.51, 0.5, 0));
}

TEST(BoxGamma, SearchStaysInsideTheGrid) {
    // At the edge of the grid a higher dose to the left does not exist.
    const BoxAverage dose = ramp();
    EXPECT_FALSE(box_gamma_passes(dose, Vec3(0, 9, 9), Vec3(2, 11, 11), -0.8, 0.5, 2));
    EXPECT_TRUE(box_gamma_passes(dose, Vec3(0, 9, 9), Vec3(2, 11, 11), 2.8, 0.5, 2));
}

TEST(BoxGamma, FindsWhatAPlainSearchFinds) {
    // A smooth dose with steep and flat places, in voxels of 1 mm, and doses a little off it.
    Grid grid;
    grid.size = {24, 22, 20};
    grid.spacing_mm = Vec3::Constant(1);
    std::vector<float> values(grid.voxel_count());
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j)
            for (int i = 0; i < grid.size[0]; ++i)
                values[grid.index(i, j, k)] = static_cast<float>(100 / (1 + std::exp(-(i - 12.0) / 1.5)) +
                                                                 2 * std::sin(0.4 * j) + std::cos(0.3 * k));
    const BoxAverage dose(grid, values);
    EXPECT_NEAR(
        dose.range(Vec3(3.2, 4, 5), Vec3(6.2, 4.3, 5.3)),
        static_cast<double>(values[grid.index(6, 4, 5)]) - static_cast<double>(values[grid.index(3, 4, 5)]),
        1e-9);
    constexpr double distance_mm = 1, tolerance = 1;
    enum class Found { nothing, between_steps, agreement };
    const auto plain = [&](const Vec3& low, const Vec3& high, double wanted) {
        double least = 1e30, most = -1e30;
        for (int c = -10; c <= 10; ++c)
            for (int b = -10; b <= 10; ++b)
                for (int a = -10; a <= 10; ++a) {
                    const Vec3 shift = 0.1 * Vec3(a, b, c);
                    const double part = shift.squaredNorm() / (distance_mm * distance_mm);
                    if (part > 1) continue;
                    const double average = dose.average(low + shift, high + shift),
                                 difference = (average - wanted) / tolerance;
                    if (difference * difference + part <= 1 + 1e-12) return Found::agreement;
                    least = std::min(least, average);
                    most = std::max(most, average);
                }
        // The dose is continuous: it is met between two steps.
        return least <= wanted && wanted <= most ? Found::between_steps : Found::nothing;
    };
    std::mt19937 random(1);
    std::uniform_real_distribution<double> part(0, 1);
    int passed = 0, failed = 0;
    for (int n = 0; n < 300; ++n) {
        const Vec3 low = Vec3(2, 2, 2) + Vec3(17 * part(random), 15 * part(random), 13 * part(random)),
                   high = low + Vec3(2, 2.5, 1.5);
        const double wanted = dose.average(low, high) + (part(random) - 0.5) * (n % 2 ? 6 : 30);
        const Found found = plain(low, high, wanted);
        const bool passes = box_gamma_passes(dose, low, high, wanted, tolerance, distance_mm);
        if (found != Found::between_steps) {
            EXPECT_EQ(passes, found == Found::agreement) << n;
        }
        (passes ? passed : failed) += 1;
    }
    EXPECT_GT(passed, 50);
    EXPECT_GT(failed, 50);
}
