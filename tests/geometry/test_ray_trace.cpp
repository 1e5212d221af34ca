#include <gtest/gtest.h>

#include <map>
#include <random>

#include "geometry/ray_trace.h"

using namespace libdose;

namespace {

Grid grid_of(std::array<int, 3> size, Vec3 spacing, Vec3 lower_edge) {
    Grid grid;
    grid.size = size;
    grid.spacing_mm = spacing;
    grid.origin_mm = lower_edge + 0.5 * spacing;
    return grid;
}

}  // namespace

TEST(RayTrace, AlongAnAxisEveryVoxelHasItsFullLength) {
    const Grid grid = grid_of({4, 3, 2}, Vec3(2, 3, 4), Vec3::Zero());
    std::map<std::size_t, double> lengths;
    physics::march(grid, Vec3(-10, 4, 5), Vec3(1, 0, 0), 0, 1e9,
                   [&](std::size_t v, double in, double out) { lengths[v] += out - in; });
    ASSERT_EQ(lengths.size(), 4u);
    for (int i = 0; i < 4; ++i) EXPECT_NEAR(lengths[grid.index(i, 1, 1)], 2.0, 1e-12);
}

TEST(RayTrace, DiagonalThroughACube) {
    const Grid grid = grid_of({2, 2, 2}, Vec3::Constant(10), Vec3::Zero());
    double total = 0;
    physics::march(grid, Vec3::Zero(), Vec3(1, 1, 1).normalized(), 0, 1e9,
                   [&](std::size_t v, double in, double out) {
                       total += out - in;
                       EXPECT_TRUE(v == grid.index(0, 0, 0) || v == grid.index(1, 1, 1));
                       EXPECT_NEAR(out - in, std::sqrt(300.0), 1e-9);
                   });
    EXPECT_NEAR(total, std::sqrt(1200.0), 1e-9);
}

TEST(RayTrace, BeginAndEndInsideAVoxel) {
    const Grid grid = grid_of({3, 1, 1}, Vec3::Constant(10), Vec3::Zero());
    std::map<std::size_t, double> lengths;
    physics::march(grid, Vec3(4, 5, 5), Vec3(1, 0, 0), 0, 20,
                   [&](std::size_t v, double in, double out) { lengths[v] += out - in; });
    EXPECT_NEAR(lengths[0], 6, 1e-12);
    EXPECT_NEAR(lengths[1], 10, 1e-12);
    EXPECT_NEAR(lengths[2], 4, 1e-12);
}

TEST(RayTrace, AVisitThatReturnsFalseIsTheLast) {
    const Grid grid = grid_of({5, 1, 1}, Vec3::Constant(10), Vec3::Zero());
    double length = 0;
    int visits = 0;
    physics::march(grid, Vec3(-10, 5, 5), Vec3(1, 0, 0), 0, 1e9, [&](std::size_t, double in, double out) {
        ++visits;
        length += out - in;
        return length < 15;
    });
    EXPECT_EQ(visits, 2);
    EXPECT_NEAR(length, 20, 1e-12);
}

TEST(RayTrace, MissesAreSilent) {
    const Grid grid = grid_of({3, 3, 3}, Vec3::Constant(10), Vec3::Zero());
    int visits = 0;
    physics::march(grid, Vec3(-5, 40, 15), Vec3(1, 0, 0), 0, 1e9,
                   [&](std::size_t, double, double) { ++visits; });
    physics::march(grid, Vec3(50, 15, 15), Vec3(1, 0, 0), 0, 1e9,
                   [&](std::size_t, double, double) { ++visits; });
    EXPECT_EQ(visits, 0);
}

TEST(RayTrace, RandomRaysMatchFineSampling) {
    const Grid grid = grid_of({5, 6, 7}, Vec3(2, 3, 1.5), Vec3(-3, 2, 1));
    std::mt19937 random(7);
    std::uniform_real_distribution<double> uniform(-1, 1);
    for (int n = 0; n < 50; ++n) {
        const Vec3 origin(20 * uniform(random), 20 * uniform(random), 20 * uniform(random));
        const Vec3 target =
            grid.lower_edge_mm() +
            (grid.upper_edge_mm() - grid.lower_edge_mm())
                .cwiseProduct(Vec3(uniform(random), uniform(random), uniform(random)).cwiseAbs());
        const Vec3 direction = (target - origin).normalized();
        std::vector<double> marched(grid.voxel_count()), sampled(grid.voxel_count());
        double previous = 0;
        physics::march(grid, origin, direction, 0, 100, [&](std::size_t v, double in, double out) {
            EXPECT_GE(in, previous - 1e-12);
            previous = out;
            marched[v] += out - in;
        });
        constexpr double step = 0.002;
        for (double t = 0.5 * step; t < 100; t += step) {
            const Vec3 index = grid.continuous_index(origin + t * direction) + Vec3::Constant(0.5);
            if ((index.array() < 0).any() || index[0] >= 5 || index[1] >= 6 || index[2] >= 7) continue;
            sampled[grid.index(static_cast<int>(index[0]), static_cast<int>(index[1]),
                               static_cast<int>(index[2]))] += step;
        }
        for (std::size_t v = 0; v < marched.size(); ++v) EXPECT_NEAR(marched[v], sampled[v], 2.5 * step);
    }
}
