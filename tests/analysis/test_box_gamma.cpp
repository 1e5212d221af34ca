#include <gtest/gtest.h>

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
            for (int i = 0; i < 400; ++i) values[grid.index(i, j, k)] = static_cast<float>(grid.centre_mm(i, j, k)[0]);
    return BoxAverage(grid, values);
}

}  // namespace

TEST(BoxGamma, FollowsTheFormulaOnARamp) {
    // Tolerances 0.5 and 2 mm on a slope of 1 per mm: gamma = |difference| / sqrt(0.5² + 2²) = |difference| / 2.06.
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
