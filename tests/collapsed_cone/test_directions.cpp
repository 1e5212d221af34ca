#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "collapsed_cone/directions.h"
#include "support/small_case.h"

using namespace libdose;

TEST(Directions, CellsCoverTheSphere) {
    const ConeKernel kernel = test::simple_kernel();
    for (const auto& set :
         {beam_aligned_directions(kernel, Vec3(1, 2, 3), 10, 12), isotropic_directions(128)}) {
        double solid = 0;
        Vec3 mean = Vec3::Zero();
        for (const auto& cell : set) {
            solid += cell.solid_angle_sr;
            EXPECT_NEAR(cell.direction.norm(), 1, 1e-12);
            for (const Vec3& sample : cell.samples)
                mean += sample * cell.solid_angle_sr / static_cast<double>(cell.samples.size());
        }
        EXPECT_NEAR(solid, 4 * std::numbers::pi, 1e-9);
        EXPECT_LT(mean.norm(),
                  set.size() == 120 ? 1e-9 : 0.01);  // rings are symmetric, a spiral is only nearly so
    }
}

TEST(Directions, FixedOnesAreEvenAndOfDifferentAnglesToTheAxis) {
    const int count = 192;
    const auto set = isotropic_directions(count);
    ASSERT_EQ(set.size(), static_cast<std::size_t>(count));
    std::vector<double> to_axis;
    for (const auto& cell : set) {
        EXPECT_NEAR(cell.solid_angle_sr, 4 * std::numbers::pi / count, 0.15 * 4 * std::numbers::pi / count);
        to_axis.push_back(cell.direction[2]);
    }
    // Evenly spread along the axis: number n of them lies within a step of its even place.
    std::sort(to_axis.begin(), to_axis.end());
    for (int n = 0; n < count; ++n)
        EXPECT_NEAR(to_axis[static_cast<std::size_t>(n)], -1 + (2 * n + 1.0) / count, 2.0 / count);
    // Their mean and their spread are those of the sphere: 0, and 1/3 along any line.
    for (const Vec3& line : {Vec3(1, 0, 0), Vec3(0, 1, 0), Vec3(0, 0, 1), Vec3(1, 2, 3)}) {
        double mean = 0, square = 0;
        for (const auto& cell : set) {
            const double along = cell.direction.dot(line.normalized());
            mean += along / count;
            square += along * along / count;
        }
        EXPECT_NEAR(mean, 0, 0.002);
        EXPECT_NEAR(square, 1.0 / 3, 0.002);
    }
}

TEST(Directions, EmissionSumsToTheKernelForEveryRayAndDepth) {
    const ConeKernel kernel = test::simple_kernel();
    physics::BeamFrame frame;
    const auto set = isotropic_directions(100);
    const EmissionTable table(kernel, set, frame, -0.2, 0.15, -0.1, 0.1);
    for (const float depth : {0.0f, 7.0f, 20.0f, 50.0f})
        for (const float u : {-0.2f, -0.03f, 0.15f}) {
            double sum[2] = {0, 0};
            for (std::size_t d = 0; d < set.size(); ++d) {
                const auto c = table.coefficients(d, u, 0.04f, depth);
                sum[0] += static_cast<double>(c[0]);
                sum[1] += static_cast<double>(c[1]);
            }
            double first = 0, second = 0;  // per depth set, fast rate
            const std::size_t half = kernel.coefficients.size() / 2;
            for (std::size_t i = 0; i < half; i += 2) {
                first += kernel.coefficients[i];
                second += kernel.coefficients[half + i];
            }
            const double part = std::min(1.0, static_cast<double>(depth) / 20);
            EXPECT_NEAR(sum[0], first + part * (second - first), 1e-5);
            EXPECT_NEAR(sum[0] + sum[1], 1.0, 1e-5);
        }
}

TEST(Directions, CoefficientsOfEitherSignSumToTheKernelAsWell) {
    // The fast rate takes from the forward cones and gives to the others, so that its sum all but cancels.
    ConeKernel kernel = test::simple_kernel();
    for (std::size_t i = 0; i < kernel.coefficients.size(); i += 2) {
        const bool forward = i / 2 % 36 < 9;
        kernel.coefficients[i + 1] += forward ? 2 * kernel.coefficients[i] : 0;
        kernel.coefficients[i] *= forward ? -1 : 1;
    }
    const std::size_t half = kernel.coefficients.size() / 2;
    double fast = 0, all = 0, sizes = 0;
    for (std::size_t i = 0; i < half; i += 2) {
        fast += kernel.coefficients[i];
        all += kernel.coefficients[i] + kernel.coefficients[i + 1];
        sizes += std::abs(kernel.coefficients[i]);
    }
    ASSERT_LT(std::abs(fast), 0.7 * sizes);
    const auto set = isotropic_directions(100);
    const EmissionTable table(kernel, set, physics::BeamFrame{}, -0.2, 0.15, -0.1, 0.1);
    for (const float u : {-0.2f, -0.03f, 0.15f}) {
        double sum[2] = {0, 0};
        for (std::size_t d = 0; d < set.size(); ++d) {
            const auto c = table.coefficients(d, u, 0.04f, 0.0f);
            sum[0] += static_cast<double>(c[0]);
            sum[1] += static_cast<double>(c[1]);
            EXPECT_LT(std::abs(c[0]), 0.2f * static_cast<float>(sizes));
        }
        EXPECT_NEAR(sum[0], fast, 1e-5);
        EXPECT_NEAR(sum[0] + sum[1], all, 1e-5);
    }
}

TEST(Directions, ForwardRaysEmitForward) {
    // Turning the ray by a cell's width moves the emission with it: the mean direction of the emitted energy
    // follows the ray.
    const ConeKernel kernel = test::simple_kernel();
    physics::BeamFrame frame;  // beam along -z of the frame
    const auto set = isotropic_directions(300);
    const EmissionTable table(kernel, set, frame, -0.25, 0.25, -0.25, 0.25);
    const auto mean_direction = [&](float u) {
        Vec3 mean = Vec3::Zero();
        for (std::size_t d = 0; d < set.size(); ++d) {
            const auto c = table.coefficients(d, u, 0.0f, 5.0f);
            mean += static_cast<double>(c[0] + c[1]) * set[d].direction;
        }
        return mean;
    };
    EXPECT_GT(-mean_direction(0).normalized()[2], 0.9999);
    EXPECT_NEAR(mean_direction(0.25f)[0] / -mean_direction(0.25f)[2], 0.25, 0.01);
}
