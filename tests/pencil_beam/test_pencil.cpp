#include <gtest/gtest.h>

#include <cmath>

#include "cpu/pencil_beam/pencil.h"
#include "cpu/pencil_beam/pencil_images.h"
#include "support/small_case.h"

using namespace libdose;

namespace {

/// One component with a value inside 2 cm only, weight 1 at the surface falling linearly to 0.5 at 20 cm.
PencilKernel disc_kernel() { return {{0, 1, 2}, {1.0, 0.25}, {0, 20}, {1.0, 0.5}}; }

}  // namespace

TEST(PencilBeam, BroadFieldIsTheIntegralOfTheKernel) {
    // Deep inside a field that is wider than the kernel: dose = weight(depth) × (1·π·1² + 0.25·π(2² - 1²)),
    // and the inverse square law.
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
    // The oracle: the sum over fluence pixels of the kernel at their distance, at the voxel's own
    // magnification.
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
                        const double r = 0.1 * m *
                                         std::hypot(field.lower_u_mm + (u + 0.5) * 0.5 - p.u_mm,
                                                    field.lower_v_mm + (v + 0.5) * 0.5 - p.v_mm);
                        if (r < 6) sum += 0.0025 * std::exp(-r / 0.8);
                    }
                maximum = std::max(maximum, sum);
                worst = std::max(worst, std::abs(sum - static_cast<double>(dose[water.grid.index(i, j, k)])));
            }
    EXPECT_LT(worst / maximum, 0.004);
}

TEST(PencilBeam, EveryVoxelOfTheGridHasDose) {
    // A flat kernel that reaches all of the grid; fields whose edge, where the pixels begin, lies anywhere on
    // the far pixels of 8 mm.
    const DensityGrid water = test::water_cube(20, 6);
    const PencilKernel kernel{{0, 20}, {1.0}, {0, 20}, {1.0, 1.0}};
    for (int side = 40; side < 56; ++side) {
        const auto dose = cpu::pencil_beam(water, test::square_field(side), kernel);
        // Everywhere the whole field is within reach: its area on the isocentre plane. 2 %: this kernel is as
        // strong where it is parted as on its axis, so what interpolation between far pixels leaves there
        // counts in full.
        for (std::size_t v = 0; v < dose.size(); ++v)
            ASSERT_NEAR(dose[v] / (0.01f * static_cast<float>(side * side)), 1, 0.02f) << side << ' ' << v;
    }
}

TEST(PencilBeam, PixelsHoldWhatTheKernelHolds) {
    // Near and far parts together, at a few magnifications: a kernel with a core far narrower than a pixel,
    // and a wide skirt.
    PencilKernel kernel;
    double integral = 0;
    kernel.radius_cm = {0, 0.02, 0.04, 0.07};
    for (double r = 0.1; r < 20; r *= 1.1) kernel.radius_cm.push_back(r);
    for (std::size_t n = 0; n + 1 < kernel.radius_cm.size(); ++n) {
        const double low = kernel.radius_cm[n], high = kernel.radius_cm[n + 1];
        kernel.components.push_back(1 / (0.01 + std::pow(0.5 * (low + high), 1.5)));
        integral += kernel.components.back() * 3.14159265358979 * (high * high - low * low);
    }
    for (const double magnification : {0.83, 0.9, 0.971, 1.13}) {
        const double pixel_cm = 0.2 * magnification;
        const int size = static_cast<int>(20 / pixel_cm) + 3;
        double sum = 0;
        for (const bool near : {true, false}) {
            const auto pixels = pencil_pixels(kernel, pixel_cm, magnification, size, size, near);
            for (int v = 0; v < size; ++v)
                for (int u = 0; u < size; ++u)
                    sum += (u > 0 ? 2 : 1) * (v > 0 ? 2 : 1) * pixel_cm * pixel_cm *
                           static_cast<double>(
                               pixels[static_cast<std::size_t>((v * size + u) * pencil_components)]);
        }
        EXPECT_NEAR(sum / integral, 1, 5e-4) << magnification;
    }
}

TEST(PencilBeam, TheMiddlePixelIsItsExactMean) {
    // One disc of radius r within the middle pixel: area over area.
    const PencilKernel kernel{{0, 0.05, 1}, {7.0, 0.0}, {0, 20}, {1, 1}};
    const auto pixels = pencil_pixels(kernel, 0.2, 1, 3, 3, true);
    EXPECT_NEAR(static_cast<double>(pixels[0]), 7 * 3.14159265358979 * 0.05 * 0.05 / 0.04, 1e-6);
    EXPECT_EQ(pixels[pencil_components], 0.0f);
}

TEST(PencilBeam, LateralScaleIsTheMeanOfTheBox) {
    // 15 mm to each side of the middle of a voxel of 4 mm: 3 whole voxels and a quarter beside its own. A
    // slab of lung from i = 10 on.
    DensityGrid density = test::water_cube(20, 4);
    for (int k = 0; k < 20; ++k)
        for (int j = 0; j < 20; ++j)
            for (int i = 10; i < 20; ++i) test::set_density(density, density.grid.index(i, j, k), 0.25f);
    test::set_density(density, density.grid.index(0, 0, 0), 0);  // vacuum does not count
    const LateralScale scale = lateral_scale(density);
    EXPECT_NEAR(scale.at(density.grid.index(3, 10, 10)), 1, 1e-5);
    EXPECT_NEAR(scale.at(density.grid.index(17, 0, 19)), 0.25, 1e-5);
    // Around i = 9, 3.25 of 7.5 voxels are lung: those at 10, 11, 12 and a quarter of 13.
    EXPECT_NEAR(scale.at(density.grid.index(9, 10, 10)), (4.25 + 0.25 * 3.25) / 7.5, 1e-5);
    EXPECT_NEAR(scale.at(density.grid.index(1, 1, 1)), 1, 1e-5);
}

TEST(PencilBeam, WidensInThinMatter) {
    // In lung the kernel is 1/ρ wider: a field narrower than it loses dose on the axis, by the share of the
    // kernel that leaves.
    DensityGrid lung = test::water_cube(41, 5);
    for (std::size_t v = 0; v < lung.density.size(); ++v) test::set_density(lung, v, 0.5f);
    const PencilKernel kernel{{0, 2}, {1.0}, {0, 20}, {1.0, 1.0}};
    const FluenceMap field = test::square_field(40);
    const auto narrow = cpu::pencil_beam(lung, field, kernel),
               wide = cpu::pencil_beam(lung, field, kernel, lateral_scale(lung));
    // At the isocentre distance: a disc of radius 2 cm just within the field of 4 cm; scaled to 4 cm, of
    // which the field holds 16 cm², at a quarter of the strength.
    const std::size_t middle = lung.grid.index(20, 20, 0);
    EXPECT_NEAR(narrow[middle] / (3.14159f * 4), 1, 0.03);
    EXPECT_NEAR(wide[middle] / (16 * 0.25f), 1, 0.03);
}
