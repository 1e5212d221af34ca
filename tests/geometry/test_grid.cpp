#include <gtest/gtest.h>

#include <cmath>

#include "libdose/error.h"
#include "libdose/grid.h"

using namespace libdose;

TEST(Grid, CoveringContainsTheBox) {
    const Grid grid = Grid::covering(Vec3(0, -10, 5), Vec3(10, 10, 12), Vec3(2.5, 3, 2));
    EXPECT_EQ(grid.size, (std::array<int, 3>{4, 7, 4}));
    EXPECT_LE(grid.lower_edge_mm()[1], -10);
    EXPECT_GE(grid.upper_edge_mm()[1], 10);
    EXPECT_DOUBLE_EQ(grid.lower_edge_mm()[0], 0);
    EXPECT_DOUBLE_EQ(grid.origin_mm[0], 1.25);
}

TEST(Grid, ResamplingKeepsTheSum) {
    // Thirds into halves, by hand: cells of 2 mm with 3, 6, 9 over 0…6 mm become two of 3 mm: (2·3 + 1·6)/3 =
    // 4 and (1·6 + 2·9)/3 = 8.
    Volume<float> source(Grid{{3, 1, 1}, Vec3(2, 1, 1), Vec3(1, 0, 0)});
    source.values = {3, 6, 9};
    const auto result = resample_conserving(source, Grid{{2, 1, 1}, Vec3(3, 1, 1), Vec3(1.5, 0, 0)}, 0);
    EXPECT_FLOAT_EQ(result.values[0], 4);
    EXPECT_FLOAT_EQ(result.values[1], 8);
}

TEST(Grid, OutsideCountsWithItsValue) {
    Volume<float> source(Grid{{2, 1, 1}, Vec3(1, 1, 1), Vec3(0.5, 0, 0)});
    source.values = {4, 8};
    const auto result =
        resample_conserving(source, Grid{{1, 1, 1}, Vec3(4, 1, 1), Vec3(0, 0, 0)}, 10);  // -2 … 2
    EXPECT_FLOAT_EQ(result.values[0], 0.25f * (10 + 10 + 4 + 8));
}

TEST(Grid, InterpolationIsExactForLinearFunctions) {
    Volume<float> volume(Grid{{4, 5, 6}, Vec3(2, 3, 4), Vec3(1, 1, 1)});
    for (int k = 0; k < 6; ++k)
        for (int j = 0; j < 5; ++j)
            for (int i = 0; i < 4; ++i) volume.at(i, j, k) = static_cast<float>(i + 10 * j + 100 * k);
    EXPECT_NEAR(interpolate(volume, Vec3(1 + 2 * 1.25, 1 + 3 * 2.5, 1 + 4 * 3.75)), 1.25 + 25 + 375, 1e-4);
    EXPECT_EQ(interpolate(volume, Vec3(-1, 1, 1), -7), -7);  // a voxel and a half beyond the first centre
    EXPECT_NEAR(interpolate(volume, Vec3(0.5, 1, 1), -7), 0,
                1e-6);  // within half a voxel: the outermost value
}

TEST(Grid, BadGridsAreRefused) {
    EXPECT_THROW((Grid{{0, 1, 1}, Vec3(1, 1, 1), Vec3::Zero()}.check("x")), Error);
    EXPECT_THROW((Grid{{1, 1, 1}, Vec3(1, 0, 1), Vec3::Zero()}.check("x")), Error);
    EXPECT_THROW((Grid{{1, 1, 1}, Vec3(1, 1, 1), Vec3(NAN, 0, 0)}.check("x")), Error);
}
