#include <gtest/gtest.h>

#include "cpu/raytrace/ray_bundle.h"
#include "cpu/terma/release.h"
#include "fluence/fluence_map.h"
#include "geometry/rect.h"
#include "libdose/error.h"
#include "patient/density.h"
#include "terma/released_energy.h"
#include "terma/terma_equations.h"
#include "terma/terma_table.h"

using namespace libdose;

namespace {

Spectrum mono(double energy_mev, double mu) { return {{energy_mev}, {1.0}, {mu}, {1.3 * mu}}; }

DensityGrid water_box(std::array<int, 3> size, double spacing) {
    Grid grid;
    grid.size = size;
    grid.spacing_mm = Vec3::Constant(spacing);
    grid.origin_mm = Vec3(-0.5 * (size[0] - 1) * spacing, -0.5 * (size[1] - 1) * spacing, 0.5 * spacing);
    return uniform_density(grid, MaterialProperties{});
}

/// Source at z = -1000 mm, beam along +z, isocentre at the origin.
FluenceMap open_map(double half_mm) {
    FluenceMap map;
    map.frame.axes << Vec3(1, 0, 0), Vec3(0, 1, 0), Vec3(0, 0, -1);
    map.pixel_mm = 1;
    map.lower_u_mm = map.lower_v_mm = -half_mm;
    map.size_u = map.size_v = static_cast<int>(2 * half_mm);
    map.values.assign(static_cast<std::size_t>(map.size_u * map.size_v), 1.0f);
    return map;
}

}  // namespace

TEST(Terma, MonoEnergeticAttenuationByHand) {
    // 2 MeV, µ = 0.05 cm²/g, behind 10 g/cm²: 2 · 0.05 · exp(-0.5) MeV/g per photon and cm².
    const auto terma = physics::basis_terma(mono(2, 0.05), 10, 0);
    EXPECT_NEAR(terma.water / (0.1 * std::exp(-0.5) * 1.602176634e-10), 1, 1e-12);
    EXPECT_NEAR(terma.high_z / terma.water, 1.3, 1e-12);
    EXPECT_NEAR(physics::basis_terma(mono(2, 0.05), 0, 10).water / (0.1 * std::exp(-0.65) * 1.602176634e-10),
                1, 1e-12);
}

TEST(Terma, InverseSquareAndAttenuationOnTheAxis) {
    const DensityGrid water = water_box({9, 9, 60}, 5);
    const Spectrum spectrum = mono(2, 0.05);
    const ReleasedEnergy released = cpu::released_energy(water, open_map(20), TermaTable(spectrum), 5, 0);
    int found = 0;
    for (std::size_t n = 0; n < released.size(); ++n) {
        const std::size_t v = released.voxel[n];
        if (v % 81 != 40) continue;  // the column on the axis
        const auto k = static_cast<double>(v / 81);
        const double depth_cm = 0.5 * k + 0.25, distance_cm = 100 + depth_cm;
        const double expected =
            0.1 * 1.602176634e-10 * std::exp(-0.05 * depth_cm) * std::pow(100 / distance_cm, 2);
        EXPECT_NEAR(static_cast<double>(released.energy[n]) / expected, 1, 2e-5) << depth_cm;
        // Rays 5 mm apart: between them the slanted path is interpolated, to (5/1000)² / 8 of its length.
        EXPECT_NEAR(static_cast<double>(released.depth_g_cm2[n]), depth_cm, 1e-5 * depth_cm + 1e-5);
        ++found;
    }
    EXPECT_EQ(found, 60);
}

TEST(Terma, TableMatchesTheSum) {
    Spectrum spectrum{{0.5, 2, 6}, {0.3, 0.5, 0.2}, {0.097, 0.049, 0.0277}, {0.081, 0.0436, 0.031}};
    const TermaTable table(spectrum);
    for (double water = 0; water < 60; water += 0.37)
        for (double high_z = -3; high_z < 20; high_z += 1.3) {
            const auto exact = physics::basis_terma(spectrum, water, high_z),
                       looked_up = table({water, high_z});
            EXPECT_NEAR(looked_up.water / exact.water, 1, 2e-4);
            EXPECT_NEAR(looked_up.high_z / exact.high_z, 1, 2e-4);
        }
    // Beyond the table the sum itself is used.
    EXPECT_DOUBLE_EQ(table({200, 0}).water, physics::basis_terma(spectrum, 200, 0).water);
}

/// Layers of lung from 50 to 100 mm deep, and a slab of titanium from 125 to 140 mm on the side x < 0.
DensityGrid lung_and_titanium() {
    DensityGrid density = water_box({40, 40, 40}, 5);
    for (int k = 0; k < 40; ++k)
        for (int j = 0; j < 40; ++j)
            for (int i = 0; i < 40; ++i) {
                const std::size_t v = density.grid.index(i, j, k);
                if (k >= 10 && k < 20) density.water_part[v] = 0.26f;
                if (k >= 25 && k < 28 && i < 20) {
                    density.high_z_part[v] = 4.54f;
                    density.water_part[v] = 0;
                }
            }
    return density;
}

TEST(Terma, RayBundleMatchesExactPaths) {
    // Nodes 2.5 mm apart begin at the surface, so that all interfaces lie on nodes. The titanium's edge is a
    // plane through the source: no ray crosses it, and the ray on it, u = 0, is one of water. A point
    // between this ray and the one at u = -2.5 mm has a mixture of both; its mirror image at +x has the path
    // of water. What remains is the slant, (u² + v²) / (2 · 1000²) of the path: linear between rays it is
    // too long by 2 · (2.5/1000)² / 8 of 20 g/cm², 3e-5; and 80 sums in single precision, 1e-6 each at 16.
    const DensityGrid density = lung_and_titanium();
    const FluenceMap map = open_map(80);
    constexpr double apart_mm = 2.5, tolerance_g_cm2 = 1.1e-4;
    const cpu::RayBundle rays(density, map.frame, {-90, 90, -90, 90}, apart_mm);
    const Vec3 source = map.frame.source_mm();
    std::size_t points = 0, mixed = 0;
    for (int k = 0; k < 40; ++k)
        for (int j = 2; j < 38; j += 3)
            for (int i = 2; i < 38; ++i) {
                const Vec3 point = density.grid.centre_mm(i, j, k), mirror(-point[0], point[1], point[2]);
                const auto p = map.frame.project(point);
                if (std::abs(p.u_mm) > 85 || std::abs(p.v_mm) > 85) continue;
                const double own = p.u_mm < 0 ? std::min(1.0, -p.u_mm / apart_mm) : 1;
                const auto here = cpu::exact_path(density, source, point),
                           beside = cpu::exact_path(density, source, mirror),
                           found = rays.path(p.u_mm, p.v_mm, p.distance_mm);
                ASSERT_NEAR(found.water, own * here.water + (1 - own) * beside.water, tolerance_g_cm2)
                    << point.transpose();
                ASSERT_NEAR(found.high_z, own * here.high_z + (1 - own) * beside.high_z, tolerance_g_cm2)
                    << point.transpose();
                ++points;
                mixed += own < 1;
            }
    EXPECT_GT(points, 10000u);
    EXPECT_GT(mixed, 400u);
}

TEST(Terma, RaysBeginWithTheFilter) {
    const DensityGrid water = water_box({20, 20, 20}, 5);
    const FluenceMap map = open_map(40);
    BeamFilter filter;
    filter.wedge_mm = {-30, 30};
    filter.wedge_water_g_cm2 = {1, 4};
    filter.wedge_high_z_g_cm2 = {0, 6};
    filter.tray_water_g_cm2 = 0.5;
    const Rect extent{-30, 30, -30, 30};
    const cpu::RayBundle open(water, map.frame, extent, 5.0),
        behind(water, map.frame, extent, 5.0, std::numeric_limits<double>::infinity(), &filter);
    for (const double v : {-28.0, 3.0, 17.5})
        for (const double distance : {1000.0, 1040.0}) {
            const auto path = open.path(7, v, distance), longer = behind.path(7, v, distance);
            EXPECT_NEAR(longer.water - path.water, 0.5 + 1 + 3 * (v + 30) / 60, 1e-5);
            EXPECT_NEAR(longer.high_z - path.high_z, 6 * (v + 30) / 60, 1e-5);
        }
}

TEST(Terma, MoreRaysThanCanBeCountedAreRefused) {
    const DensityGrid water = water_box({20, 20, 20}, 5);
    EXPECT_THROW(cpu::RayBundle(water, open_map(40).frame, {-40, 40, -40, 40}, 0.01), Error);
}

TEST(Terma, PartlyCoveredVoxelsGetTheirShare) {
    const DensityGrid water = water_box({9, 9, 4}, 10);
    FluenceMap map = open_map(20);
    // Field edge at u = 3 mm on the isocentre plane (the surface): at the first layer's middle at 3.015 mm,
    // so the voxel from -5 to 5 mm is covered by 8.015 of 10 mm.
    for (int v = 0; v < map.size_v; ++v)
        for (int u = 23; u < map.size_u; ++u) map.at(u, v) = 0;
    const ReleasedEnergy released = cpu::released_energy(water, map, TermaTable(mono(2, 0.05)), 5, 0);
    double edge = 0, open = 0;
    for (std::size_t n = 0; n < released.size(); ++n) {
        if (released.voxel[n] == water.grid.index(4, 4, 0)) edge = static_cast<double>(released.energy[n]);
        if (released.voxel[n] == water.grid.index(3, 4, 0)) open = static_cast<double>(released.energy[n]);
    }
    EXPECT_NEAR(edge / open, 0.8015, 1e-3);
}

TEST(Terma, FilteredPartIsTheRatioOfBothTermas) {
    const Spectrum spectrum{{1.0, 4.0}, {1.0, 0.5}, {0.0707, 0.034}, {0.09, 0.04}};
    const TermaTable table(spectrum);
    for (const double depth : {0.0, 3.3, 17.2})
        for (const double wedge : {-1.5, 0.0, 2.2}) {
            const auto at = [&](double water) { return physics::basis_terma(spectrum, water, 0).water; };
            EXPECT_NEAR(table.filtered_part({depth, 0}, {wedge, 0}),
                        at(depth + wedge) / at(depth) * at(0) / at(wedge), 2e-4);
        }
}

TEST(Terma, RaysKnowWhereADepthIsPassed) {
    // Water from z = 0 on, 1000 mm from the source: 30 mm deep on the axis is 1030 mm, by steps of half a
    // voxel.
    const DensityGrid density = water_box({20, 20, 20}, 5);
    const FluenceMap map = open_map(40);
    const cpu::RayBundle rays(density, map.frame, {-40, 40, -40, 40}, {5, 2.5});
    const auto reach = rays.distance_at_depth_mm(3.0);
    EXPECT_FALSE(rays.view().beyond(reach.data(), 0, 0, 1029.0));
    EXPECT_TRUE(rays.view().beyond(reach.data(), 0, 0, 1032.6));
    EXPECT_FALSE(rays.view().beyond(rays.distance_at_depth_mm(50).data(), 0, 0,
                                    1099));  // never: the box is 100 mm deep
}

TEST(Terma, RaysThatAreFollowedToADepthAreTheWholeOnesUntilThere) {
    const DensityGrid density = water_box({20, 20, 20}, 5);
    const FluenceMap map = open_map(40);
    const Rect extent{-40, 40, -40, 40};
    const cpu::RayBundle whole(density, map.frame, extent, {5, 2.5}),
        cut(density, map.frame, extent, {5, 2.5}, 4.0);
    const physics::RayRaster raster = whole.view().raster;
    int beyond = 0;
    for (int v = 0; v < raster.size_v; ++v)
        for (int u = 0; u < raster.size_u; ++u)
            for (int node = 0; node < raster.steps; ++node) {
                const std::ptrdiff_t at = whole.view().at(u, v, node);
                const float full = whole.view().sums[at].water, here = cut.view().sums[at].water;
                if (full < 4.0f) {
                    EXPECT_EQ(here, full);
                } else {
                    ++beyond;
                    EXPECT_GE(here, 4.0f);
                    EXPECT_LT(here, 4.51f);  // to the end of a voxel of 5 mm, or to the next node before
                }
            }
    EXPECT_GT(beyond, raster.size_u * raster.size_v * 20);
}
