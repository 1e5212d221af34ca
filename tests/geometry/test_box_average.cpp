#include <gtest/gtest.h>

#include <random>

#include "geometry/box_average.h"

using namespace libdose;

namespace {

Grid small_grid() {
    Grid grid;
    grid.size = {4, 3, 5};
    grid.spacing_mm = Vec3(2, 3, 1.5);
    grid.origin_mm = Vec3(-3, 10, 0.75);
    return grid;
}

}  // namespace

TEST(BoxAverage, MatchesTheSumOfOverlaps) {
    const Grid grid = small_grid();
    std::mt19937 random(5);
    std::uniform_real_distribution<float> uniform(0, 1);
    std::vector<float> values(grid.voxel_count());
    for (float& value : values) value = uniform(random);
    const BoxAverage average(grid, values);
    const Vec3 lower = grid.lower_edge_mm(), extent = grid.upper_edge_mm() - lower;
    for (int n = 0; n < 50; ++n) {
        Vec3 low, high;
        for (int axis = 0; axis < 3; ++axis) {
            const double a = static_cast<double>(uniform(random)), b = static_cast<double>(uniform(random));
            low[axis] = lower[axis] + std::min(a, b) * extent[axis];
            high[axis] = lower[axis] + std::max(a, b) * extent[axis] + 1e-3;
        }
        high = high.cwiseMin(grid.upper_edge_mm());
        double sum = 0, volume = 0;
        for (int k = 0; k < grid.size[2]; ++k)
            for (int j = 0; j < grid.size[1]; ++j)
                for (int i = 0; i < grid.size[0]; ++i) {
                    const Vec3 centre = grid.centre_mm(i, j, k);
                    const Vec3 overlap = (high.cwiseMin(centre + 0.5 * grid.spacing_mm) -
                                          low.cwiseMax(centre - 0.5 * grid.spacing_mm))
                                             .cwiseMax(Vec3::Zero());
                    sum += overlap.prod() * static_cast<double>(values[grid.index(i, j, k)]);
                    volume += overlap.prod();
                }
        EXPECT_NEAR(average.average(low, high), sum / volume, 1e-9 / volume + 1e-6);
    }
}

TEST(BoxAverage, KnowsWhatItContains) {
    const Grid grid = small_grid();
    const BoxAverage average(grid, std::vector<float>(grid.voxel_count(), 1.0f));
    EXPECT_TRUE(average.contains(grid.lower_edge_mm(), grid.upper_edge_mm()));
    EXPECT_FALSE(average.contains(grid.lower_edge_mm() - Vec3(0.1, 0, 0), grid.upper_edge_mm()));
    EXPECT_FALSE(average.contains(grid.lower_edge_mm(), grid.upper_edge_mm() + Vec3(0, 0, 0.1)));
}
