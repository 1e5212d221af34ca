#include <gtest/gtest.h>

#include <cmath>

#include "cpu/pencil.h"
#include "cpu/small_case.h"

using namespace libdose;

namespace {

/// One component with a value inside 2 cm only, weight 1 at the surface falling linearly to 0.5 at 20 cm.
PencilKernel disc_kernel() { return {{0, 1, 2}, {1.0, 0.25}, {0, 20}, {1.0, 0.5}}; }

}  // namespace

TEST(PencilBeam, BroadFieldIsTheIntegralOfTheKernel) {
    // Deep inside a field that is wider than the kernel: dose = weight(depth) × (1·π·1² + 0.25·π(2² - 1²)), and the inverse square law.
    const DensityGrid water = test::water_cube(40, 5);
    const auto dose = cpu::pencil_beam(water, test::square_field(140), disc_kernel());
    const double integral = 3.14159265 * (1 + 0.75);
    for (const int k : {2, 10, 30}) {
        const double depth = 0.5 * k + 0.25;
        const double expected = integral * (1 - 0.025 * depth) * std::pow(100 / (100 + depth), 2);
        EXPECT_NEAR(static_cast<double>(dose[water.grid.index(20, 20, k)]) / expected, 1, 0.01) << k;
    }
}

TEST(PencilBeam, EdgeOfAHalfPlaneIsOneHalf) {
    // Isocentre moved so that a field edge of a wide field runs through the middle of the phantom.
    DensityGrid water = test::water_cube(41, 5);
    FluenceMap field = test::square_field(140);
    for (int v = 0; v < field.size_v; ++v)
        for (int u = field.size_u / 2; u < field.size_u; ++u) field.at(u, v) = 0;
    const auto dose = cpu::pencil_beam(water, field, disc_kernel());
    const auto whole = cpu::pencil_beam(water, test::square_field(140), disc_kernel());
    const std::size_t middle = water.grid.index(20, 20, 8);
    EXPECT_NEAR(dose[middle] / whole[middle], 0.5f, 0.01f);
}

TEST(PencilBeam, MatchesDirectSummation) {
    // The oracle: the sum over fluence pixels of the kernel at their distance, at the voxel's own magnification.
    const DensityGrid water = test::water_cube(24, 5);
    const FluenceMap field = test::square_field(36, Vec3(0.2, 0.1, 1), Vec3(0, 0, 60));
    PencilKernel kernel;  // smooth: many rings of an exponential
    kernel.radius_cm = {0};
    for (int r = 1; r <= 60; ++r) {
        kernel.radius_cm.push_back(0.1 * r);
        kernel.components.push_back(std::exp(-0.1 * (r - 0.5) / 0.8));
    }
    kernel.depth_g_cm2 = {0, 30};
    kernel.weights = {1, 1};
    const auto dose = cpu::pencil_beam(water, field, kernel);
    double worst = 0, maximum = 0;
    for (int k = 1; k < 24; k += 4)
        for (int j = 2; j < 24; j += 4)
            for (int i = 2; i < 24; i += 4) {
                const auto p = field.frame.project(water.grid.centre_mm(i, j, k));
                const double m = p.distance_mm / 1000;
                double sum = 0;
                for (int v = 0; v < field.size_v; ++v)
                    for (int u = 0; u < field.size_u; ++u) {
                        const double r = 0.1 * m * std::hypot(field.lower_u_mm + (u + 0.5) * 0.5 - p.u_mm, field.lower_v_mm + (v + 0.5) * 0.5 - p.v_mm);
                        if (r < 6) sum += 0.0025 * std::exp(-r / 0.8);
                    }
                maximum = std::max(maximum, sum);
                worst = std::max(worst, std::abs(sum - static_cast<double>(dose[water.grid.index(i, j, k)])));
            }
    EXPECT_LT(worst / maximum, 0.01);
}
