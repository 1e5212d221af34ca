// Rays eight at once, against one ray voxel by voxel.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "cpu/raytrace/ray_tracer.h"
#include "geometry/ray_trace.h"
#include "geometry/rect.h"
#include "libdose/error.h"
#include "raytrace/ray_raster.h"
#include "support/small_case.h"

using namespace libdose;

namespace {

/// Every voxel of another density, some of it of the second material.
DensityGrid mixed_grid(const Vec3& spacing_mm) {
    Grid grid;
    grid.size = {23, 17, 19};
    grid.spacing_mm = spacing_mm;
    grid.origin_mm = Vec3(-40, -30, -35);
    DensityGrid density = uniform_density(grid, MaterialProperties{});
    std::mt19937 random(5);
    std::uniform_real_distribution<float> part(0, 2);
    for (std::size_t v = 0; v < density.water_part.size(); ++v) {
        density.water_part[v] = part(random);
        density.high_z_part[v] = v % 3 == 0 ? part(random) : 0;
    }
    return density;
}

struct Worst {
    double water = 0, high_z = 0, longest = 0;
    int missed = 0;  ///< rays that do not meet the grid
};

Worst compare(const DensityGrid& density, const physics::BeamFrame& frame, const Rect& extent,
              const physics::RaySpacing& spacing) {
    const physics::RayRaster raster = ray_raster(density.grid, frame, extent, spacing);
    const cpu::RayTracer tracer(density, frame, raster);
    const physics::VoxelBox box = physics::voxel_box(density.grid);
    const Vec3 source = frame.source_mm();
    const int rays = raster.size_u * raster.size_v;
    Worst worst;
    constexpr int together = cpu::RayTracer::together;
    constexpr std::ptrdiff_t next_node = together + 3;
    std::vector<physics::RaySums> sums(static_cast<std::size_t>(next_node * raster.steps));
    for (int first = 0; first < rays; first += together) {
        int u[together], v[together];
        physics::RaySums before[together];
        for (int l = 0; l < together; ++l) {
            const int ray = std::min(first + l, rays - 1);
            u[l] = ray % raster.size_u;
            v[l] = ray / raster.size_u;
            before[l] = {0.25f * static_cast<float>(l), -0.5f * static_cast<float>(l)};
        }
        tracer.trace(u, v, before, sums.data(), next_node);
        for (int l = 0; l < std::min(together, rays - first); ++l) {
            const Vec3 way = frame.point_mm(raster.low_u + u[l] * raster.spacing,
                                            raster.low_v + v[l] * raster.spacing, 1.0) -
                             source;
            double last = 0;
            physics::trace_ray(
                raster, box, source.data(), way.data(), density.water_part.data(), density.high_z_part.data(),
                [&](int node, const physics::RaySums& expected) {
                    const physics::RaySums at = sums[static_cast<std::size_t>(node * next_node + l)];
                    worst.water =
                        std::max(worst.water,
                                 std::abs(static_cast<double>(at.water - before[l].water - expected.water)));
                    worst.high_z = std::max(
                        worst.high_z,
                        std::abs(static_cast<double>(at.high_z - before[l].high_z - expected.high_z)));
                    last = static_cast<double>(expected.water);
                });
            worst.longest = std::max(worst.longest, last);
            worst.missed += last == 0;
        }
    }
    return worst;
}

physics::BeamFrame frame_along(const Vec3& direction, const Vec3& isocentre, double source_axis_distance_mm) {
    physics::BeamFrame frame = test::square_field(10, direction, isocentre).frame;
    frame.source_axis_distance_mm = source_axis_distance_mm;
    return frame;
}

}  // namespace

TEST(RayTracer, MatchesOneRayVoxelByVoxel) {
    for (const Vec3& spacing_mm : {Vec3(4, 4, 4), Vec3(3, 4.5, 7)})
        for (const Vec3& direction : {Vec3(0, 0, 1), Vec3(0, -1, 0), Vec3(1, 0, 0), Vec3(0.3, 1, 0.1),
                                      Vec3(-1, 0.9, 0.8), Vec3(0.01, -0.02, -1)})
            for (const physics::RaySpacing& rays : {physics::RaySpacing(5), physics::RaySpacing(2, 1)}) {
                const DensityGrid density = mixed_grid(spacing_mm);
                const Worst worst =
                    compare(density, frame_along(direction, Vec3(-2, 3, 1), 1000), {-90, 90, -60, 110}, rays);
                EXPECT_GT(worst.longest, 5);
                EXPECT_GT(worst.missed, 0);  // beside the grid
                // Single precision: a ray near a face may be a thousandth of a voxel beside where it is.
                EXPECT_LT(worst.water, 3e-4) << direction.transpose();
                EXPECT_LT(worst.high_z, 3e-4) << direction.transpose();
            }
}

TEST(RayTracer, RaysInTheFacesOfVoxels) {
    // The source over a corner of voxels: the ray in the middle runs in the edge between four of them, others
    // in faces. What lies on either side is the same, so that it does not matter on which the ray is.
    Grid grid;
    grid.size = {16, 16, 20};
    grid.spacing_mm = Vec3(5, 5, 5);
    grid.origin_mm = Vec3(-37.5, -37.5, 2.5);
    DensityGrid density = uniform_density(grid, MaterialProperties{});
    for (std::size_t v = 0; v < density.water_part.size(); ++v)
        density.water_part[v] = 0.5f + static_cast<float>(v / 256 % 3);
    const Worst worst =
        compare(density, frame_along(Vec3(0, 0, 1), Vec3::Zero(), 1000), {-40, 40, -40, 40}, 5);
    EXPECT_GT(worst.longest, 5);
    EXPECT_LT(worst.water, 1e-4);
}

TEST(RayTracer, SourceWithinTheGrid) {
    const DensityGrid density = mixed_grid(Vec3(4, 4, 4));
    const Worst worst =
        compare(density, frame_along(Vec3(0.2, 0.1, 1), Vec3(0, 0, 10), 15), {-6, 6, -6, 6}, 2);
    EXPECT_GT(worst.longest, 1);
    EXPECT_LT(worst.water, 2e-4);
}

TEST(RayTracer, RefusesStepsLongerThanAVoxel) {
    const DensityGrid density = mixed_grid(Vec3(4, 4, 4));
    const physics::BeamFrame frame = frame_along(Vec3(0, 0, 1), Vec3::Zero(), 1000);
    physics::RayRaster raster = ray_raster(density.grid, frame, {-20, 20, -20, 20}, 5);
    EXPECT_NO_THROW(cpu::RayTracer(density, frame, raster));
    raster.step = 4.1;
    EXPECT_THROW(cpu::RayTracer(density, frame, raster), Error);
}

TEST(RayTracer, RefusesMoreVoxelsThanItCanNumber) {
    DensityGrid density;
    density.grid.size = {2048, 2048, 512};
    density.grid.spacing_mm = Vec3(1, 1, 1);
    EXPECT_THROW(
        cpu::RayTracer(density, frame_along(Vec3(0, 0, 1), Vec3::Zero(), 1000), physics::RayRaster{}), Error);
}
