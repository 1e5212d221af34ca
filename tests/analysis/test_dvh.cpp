#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "libdose/dvh.h"
#include "libdose/error.h"

namespace libdose {
namespace {

constexpr double pi = 3.14159265358979323846;

Structure stacked(const std::string& name, double z_first, int planes, double dz,
                  const std::function<std::vector<Vec3>(double)>& outline) {
    Structure s;
    s.name = name;
    s.plane_spacing_mm = dz;
    for (int n = 0; n < planes; ++n) s.contours.push_back({outline(z_first + n * dz)});
    return s;
}

/// x -20 … 20, y -10 … 10, z -15 … 15 mm: 24 cm³.
Structure box() {
    return stacked("box", -13.5, 10, 3, [](double z) {
        return std::vector<Vec3>{{-20, -10, z}, {20, -10, z}, {20, 10, z}, {-20, 10, z}};
    });
}

Volume<float> ramp(const Grid& grid) {
    Volume<float> dose(grid);
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j)
            for (int i = 0; i < grid.size[0]; ++i)
                dose.at(i, j, k) = static_cast<float>(30 + grid.centre_mm(i, j, k)[0]);
    return dose;
}

// Dose 30 + x Gy, x uniform in -20 … 20: D_p = 50 - 0.4 p, V_d = (50 - d) / 0.4 %, mean 30.
TEST(Dvh, BoxInALinearRamp) {
    const auto h = dose_volume_histogram(ramp({{31, 21, 21}, Vec3::Constant(2), Vec3(-30, -20, -20)}), box());
    EXPECT_NEAR(h.volume_cm3, 24, 1e-4);
    EXPECT_NEAR(h.volume_outside_cm3, 0, 1e-9);
    EXPECT_NEAR(h.mean_gy, 30, 1e-3);
    EXPECT_NEAR(h.dose_at_volume_percent(50), 30, 0.02);
    EXPECT_NEAR(h.dose_at_volume_percent(95), 12, 0.02);
    EXPECT_NEAR(h.dose_at_volume_percent(5), 48, 0.02);
    EXPECT_NEAR(h.volume_percent_at_dose(20), 75, 0.1);
    EXPECT_NEAR(h.volume_percent_at_dose(0), 100, 1e-9);
    EXPECT_EQ(h.volume_percent_at_dose(60), 0);
    EXPECT_EQ(h.dose_at_volume_percent(0), h.maximum_gy);
}

// Sphere of radius 20 mm: V(dose > 40) is the cap of height 10 mm, pi h² (3 R - h) / 3 of 4/3 pi R³: 15.625
// %.
TEST(Dvh, SphereInALinearRamp) {
    const auto s = stacked("sphere", -19.5, 40, 1, [](double z) {
        std::vector<Vec3> circle;
        const double r = std::sqrt(400 - z * z);
        for (int n = 0; n < 180; ++n)
            circle.emplace_back(r * std::cos(n * pi / 90), r * std::sin(n * pi / 90), z);
        return circle;
    });
    const auto h = dose_volume_histogram(ramp({{31, 31, 31}, Vec3::Constant(2), Vec3::Constant(-30)}), s);
    EXPECT_NEAR(h.volume_cm3, 4.0 / 3 * pi * 8, 0.05);
    EXPECT_NEAR(h.mean_gy, 30, 0.01);
    EXPECT_NEAR(h.dose_at_volume_percent(50), 30, 0.02);
    EXPECT_NEAR(h.volume_percent_at_dose(40), 15.625, 0.1);
}

// A single plane without a stated thickness is as thick as the dose voxel: 40 x 20 x 2 mm.
TEST(Dvh, SinglePlaneIsADoseVoxelThick) {
    auto s = box();
    s.contours.resize(1);
    s.plane_spacing_mm = 0;
    EXPECT_NEAR(
        dose_volume_histogram(ramp({{31, 21, 21}, Vec3::Constant(2), Vec3(-30, -20, -20)}), s).volume_cm3,
        1.6, 1e-4);
}

TEST(Dvh, UniformDose) {
    const auto h = dose_volume_histogram(
        Volume<float>({{31, 21, 21}, Vec3::Constant(2), Vec3(-30, -20, -20)}, 20.0f), box());
    EXPECT_NEAR(h.dose_at_volume_percent(98), 20, 1e-6);
    EXPECT_NEAR(h.dose_at_volume_percent(2), 20, 1e-6);
    EXPECT_NEAR(h.volume_percent_at_dose(20), 100, 1e-6);
    EXPECT_NEAR(h.volume_percent_at_dose(20.02), 0, 1e-6);
}

// The dose grid ends at x = 10: a quarter of the box (10 … 20) is outside and counted.
TEST(Dvh, VolumeOutsideTheDoseGridIsCounted) {
    const auto h = dose_volume_histogram(
        Volume<float>({{20, 21, 21}, Vec3::Constant(2), Vec3(-29, -20, -20)}, 20.0f), box());
    EXPECT_NEAR(h.volume_cm3, 24, 1e-4);
    EXPECT_NEAR(h.volume_outside_cm3, 6, 1e-3);
    EXPECT_NEAR(h.volume_percent_at_dose(10), 75, 0.01);
    EXPECT_EQ(h.dose_at_volume_percent(90), 0);  // no dose is known for that much
}

TEST(Dvh, RefusesWhatHasNoHistogram) {
    Volume<float> dose({{11, 11, 11}, Vec3::Constant(4), Vec3::Constant(-20)}, 1.0f);
    Structure empty;
    empty.name = "empty";
    EXPECT_THROW(dose_volume_histogram(dose, empty), Error);
    EXPECT_THROW(dose_volume_histogram(dose, box(), 0), Error);
    EXPECT_THROW(dose_volume_histogram(
                     Volume<float>({{3, 3, 3}, Vec3::Constant(4), Vec3::Constant(500)}, 1.0f), box()),
                 Error);
    dose.values[3] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_THROW(dose_volume_histogram(dose, box()), Error);
}

}  // namespace
}  // namespace libdose
