#include <gtest/gtest.h>

#include <numeric>

#include "fluence/leakage_split.h"
#include "patient/coarse_grid.h"
#include "support/small_case.h"

using namespace libdose;

namespace {

/// A map whose values rise from 0 to 1 along u over 200 pixels, the same in every row; electrons of one
/// pixel.
FluenceMap ramp() {
    FluenceMap map = test::square_field(100);
    for (int v = 0; v < map.size_v; ++v)
        for (int u = 0; u < map.size_u; ++u)
            map.at(u, v) = static_cast<float>(u) / static_cast<float>(map.size_u - 1);
    map.electrons = {4, 1, 1, -2, -2, {0.5f}};
    return map;
}

/// Over the area, mm².
double sum_of(const std::vector<FluenceMap>& maps) {
    double sum = 0;
    for (const FluenceMap& map : maps)
        for (const float value : map.values) sum += static_cast<double>(value) * map.pixel_mm * map.pixel_mm;
    return sum;
}

}  // namespace

TEST(LeakageSplit, AnOpeningWithLittleBeyondItStaysWhole) {
    const FluenceMap map = ramp();
    const LeakageSplit parts = split_map(map);
    EXPECT_TRUE(parts.leakage.empty());
    EXPECT_EQ(parts.primary.front().values, map.values);
}

TEST(LeakageSplit, BothPartsAreTheMap) {
    // Open in a corner of 20 x 20 pixels with a soft edge, 1 % elsewhere.
    FluenceMap map = test::square_field(100);
    for (int v = 0; v < map.size_v; ++v)
        for (int u = 0; u < map.size_u; ++u) {
            const int away = std::max(u, v) - 20;
            map.at(u, v) = away <= 0 ? 1.0f : std::max(0.01f, 1.0f - 0.2f * static_cast<float>(away) / 1.0f);
        }
    map.at(25, 0) = 0.06f;  // between: half of what lies below three times 3 %
    const LeakageSplit parts = split_map(map);
    ASSERT_EQ(parts.leakage.size(), 1u);
    const FluenceMap &primary = parts.primary.front(), &leakage = parts.leakage.front();
    EXPECT_LT(primary.size_u, 30);
    // On pixels of 2 mm, four by four.
    EXPECT_EQ(leakage.pixel_mm, 2);
    ASSERT_EQ(leakage.size_u, map.size_u / 4);
    EXPECT_FLOAT_EQ(leakage.at(25, 25), 0.01f);
    EXPECT_FLOAT_EQ(leakage.at(3, 3), 0.0f);
    EXPECT_NEAR(leakage.at(6, 0), (0.015f + 11 * 0.01f) / 16,
                1e-8f);  // (3 · 0.03 - 0.06) / 2 of the one; 0.01 of eleven, nothing of four
    const auto open_at = [&](int u, int v) {
        const int iu =
            u - static_cast<int>(std::lround((primary.lower_u_mm - map.lower_u_mm) / map.pixel_mm));
        const int iv =
            v - static_cast<int>(std::lround((primary.lower_v_mm - map.lower_v_mm) / map.pixel_mm));
        return iu >= 0 && iv >= 0 && iu < primary.size_u && iv < primary.size_v ? primary.at(iu, iv) : 0.0f;
    };
    for (int v = 0; v < leakage.size_v; ++v)
        for (int u = 0; u < leakage.size_u; ++u) {
            float whole = 0, open_part = 0;
            for (int n = 0; n < 16; ++n) {
                whole += map.at(4 * u + n % 4, 4 * v + n / 4);
                open_part += open_at(4 * u + n % 4, 4 * v + n / 4);
            }
            ASSERT_NEAR(16 * leakage.at(u, v) + open_part, whole, 4e-6f);
        }
}

TEST(LeakageSplit, AnArcLosesNothing) {
    std::vector<FluenceMap> maps;
    for (int n = 0; n < 30; ++n) {
        FluenceMap map = ramp();
        const double angle = n * 2 * 3.14159265358979 / 180;
        map.frame.axes << Vec3(std::cos(angle), 0, std::sin(angle)), Vec3(0, 1, 0),
            Vec3(-std::sin(angle), 0, std::cos(angle));
        maps.push_back(map);
    }
    const LeakageSplit arc = split_arc(maps);
    EXPECT_EQ(arc.primary.size(), 30u);
    EXPECT_EQ(arc.leakage.size(), 3u + 5u);  // 60 degrees in sectors of 24 and of 12
    EXPECT_EQ(arc.electrons.size(), 5u);
    EXPECT_NEAR((sum_of(arc.primary) + sum_of(arc.leakage)) / sum_of(maps), 1, 1e-6);
    float electrons = 0;
    for (const FluenceMap& map : arc.electrons) {
        electrons += map.electrons.values[0];
        EXPECT_TRUE(map.values.empty());
    }
    EXPECT_FLOAT_EQ(electrons, 15.0f);
}

TEST(CoarseGrid, KeepsTheMassAndInterpolatesALine) {
    DensityGrid density = test::water_cube(21, 2);
    for (std::size_t v = 0; v < density.density.size(); ++v)
        test::set_density(density, v, 0.5f + 0.01f * static_cast<float>(v % 37));
    for (int k = 0; k < 21; ++k)
        for (int j = 0; j < 21; ++j) test::set_density(density, density.grid.index(0, j, k), 0);  // vacuum
    const DensityGrid coarse = coarsened(density, 2);
    EXPECT_EQ(coarse.grid.size[0], 11);
    const auto mass = [](const DensityGrid& grid) {
        return std::accumulate(grid.density.begin(), grid.density.end(), 0.0) * grid.grid.voxel_volume_cm3();
    };
    EXPECT_NEAR(mass(coarse) / mass(density), 1, 1e-6);

    // A dose that is linear in z.
    std::vector<float> coarse_dose(coarse.density.size()), dose(density.density.size(), 1.0f);
    for (int k = 0; k < 11; ++k)
        for (int j = 0; j < 11; ++j)
            for (int i = 0; i < 11; ++i)
                coarse_dose[coarse.grid.index(i, j, k)] =
                    coarse.density[coarse.grid.index(i, j, k)] > 0
                        ? static_cast<float>(coarse.grid.centre_mm(i, j, k)[2])
                        : 99.0f;
    add_interpolated(dose, density, coarse_dose, coarse);
    for (int k = 1; k < 20; ++k)
        EXPECT_NEAR(dose[density.grid.index(3, 7, k)],
                    1 + static_cast<float>(density.grid.centre_mm(3, 7, k)[2]), 1e-4f);
    EXPECT_EQ(dose[density.grid.index(0, 7, 7)], 1.0f);
    EXPECT_NEAR(dose[density.grid.index(1, 7, 7)], 1 + static_cast<float>(density.grid.centre_mm(1, 7, 7)[2]),
                1e-4f);
}
