// Dose-volume histograms of shapes whose figures have closed forms, in dose that is linear in space: box,
// sphere, cylinder and cone, as in B. Nelms et al., Methods, software and datasets to verify DVH calculations
// against analytical values, Med. Phys. 42 (2015) 4435.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "libdose/dvh.h"
#include "libdose/error.h"

namespace libdose {
namespace {

constexpr double pi = 3.14159265358979323846;
using Outline = std::function<std::vector<Vec3>(double z)>;

/// Planes of thickness dz between `low` and `high`.
Structure stacked(double low, double high, double dz, const Outline& outline) {
    Structure s;
    s.name = "shape";
    s.plane_spacing_mm = dz;
    const int planes = static_cast<int>(std::lround((high - low) / dz));
    for (int n = 0; n < planes; ++n) s.contours.push_back({outline(low + (n + 0.5) * dz)});
    return s;
}

std::vector<Vec3> rectangle(double x0, double x1, double y0, double y1, double z, double turn_deg = 0) {
    const double c = std::cos(turn_deg * pi / 180), s = std::sin(turn_deg * pi / 180);
    std::vector<Vec3> points;
    for (const auto& [x, y] : {std::pair{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}})
        points.emplace_back(c * x - s * y, s * x + c * y, z);
    return points;
}

/// A polygon of the circle's area.
std::vector<Vec3> circle(double radius, double z, double x = 0, double y = 0) {
    constexpr int corners = 360;
    const double r = radius * std::sqrt(2 * pi / (corners * std::sin(2 * pi / corners)));
    std::vector<Vec3> points;
    for (int n = 0; n < corners; ++n)
        points.emplace_back(x + r * std::cos(2 * pi * n / corners), y + r * std::sin(2 * pi * n / corners),
                            z);
    return points;
}

/// Dose at_origin + slope . point in voxels of `spacing`, whose centres are nowhere special.
Volume<float> linear_dose(double at_origin, const Vec3& slope, double spacing = 2.5, double reach = 40) {
    const int n = static_cast<int>(2 * reach / spacing) + 1;
    Volume<float> dose(
        {{n, n, n}, Vec3::Constant(spacing), Vec3(-reach + 0.13, -reach - 0.37, -reach + 0.71)});
    for (int k = 0; k < n; ++k)
        for (int j = 0; j < n; ++j)
            for (int i = 0; i < n; ++i)
                dose.at(i, j, k) = static_cast<float>(at_origin + slope.dot(dose.grid.centre_mm(i, j, k)));
    return dose;
}

/// The t at which a falling function is `value`.
double inverse(const std::function<double(double)>& falling, double value, double low, double high) {
    for (int n = 0; n < 100; ++n) {
        const double middle = 0.5 * (low + high);
        (falling(middle) > value ? low : high) = middle;
    }
    return 0.5 * (low + high);
}

/// Expects D and V of `above(t)`, the fraction of the structure where slope . point > t, in a dose of 60 Gy +
/// slope . point.
void expect_figures(const DoseVolumeHistogram& h, const std::function<double(double)>& above, double reach,
                    double tolerance_gy) {
    for (const double percent : {98.0, 95.0, 90.0, 50.0, 10.0, 5.0, 2.0})
        EXPECT_NEAR(h.dose_at_volume_percent(percent), 60 + inverse(above, percent / 100, -reach, reach),
                    tolerance_gy)
            << percent << " %";
    for (const double part : {-0.9, -0.5, 0.0, 0.3, 0.8})
        EXPECT_NEAR(h.volume_percent_at_dose(60 + part * reach), 100 * above(part * reach), 0.2) << part;
}

// Fraction of a ball and of a cylinder across its axis where x > t.
double ball_above(double t, double r) { return std::pow(r - t, 2) * (2 * r + t) / (4 * r * r * r); }
double segment_above(double t, double r) {
    const double x = std::clamp(t / r, -1.0, 1.0);
    return (std::acos(x) - x * std::sqrt(1 - x * x)) / pi;
}

// The bound is 0.1 Gy in 1 Gy/mm; the tolerances below are a fifth of that where the shape is exact
// in its contours.
TEST(DvhAnalytic, BoxAlongEachAxis) {
    const auto box = stacked(-15, 15, 3, [](double z) { return rectangle(-20.3, 19.7, -10.2, 9.8, z); });
    const double low[] = {-20.3, -10.2, -15}, length[] = {40, 20, 30};
    for (int a = 0; a < 3; ++a) {
        const auto h = dose_volume_histogram(linear_dose(60, Vec3::Unit(a)), box);
        EXPECT_NEAR(h.volume_cm3, 24, 1e-4);
        for (const double p : {99.5, 98.0, 95.0, 50.0, 5.0, 2.0, 0.5})
            EXPECT_NEAR(h.dose_at_volume_percent(p), 60 + low[a] + length[a] * (1 - p / 100), 0.02)
                << a << " " << p;
        EXPECT_NEAR(h.mean_gy, 60 + low[a] + length[a] / 2, 0.01);
        EXPECT_NEAR(h.maximum_gy, 60 + low[a] + length[a], 0.02);
        EXPECT_NEAR(h.minimum_gy, 60 + low[a], 0.02);
    }
}

// A square turned by 45 degrees: the part beyond t > 0 is a triangle, (h - t)^2 / (2 h^2) with half the
// diagonal h.
TEST(DvhAnalytic, SquareTurnedToTheGrid) {
    const auto s = stacked(-10, 10, 2, [](double z) { return rectangle(-12, 12, -12, 12, z, 45); });
    const double h = 12 * std::sqrt(2.0);
    const auto above = [&](double t) {
        return t > 0 ? std::pow(h - t, 2) / (2 * h * h) : 1 - std::pow(h + t, 2) / (2 * h * h);
    };
    expect_figures(dose_volume_histogram(linear_dose(60, Vec3::UnitX()), s), above, h, 0.03);
    expect_figures(dose_volume_histogram(linear_dose(60, -Vec3::UnitY()), s), above, h, 0.03);
}

TEST(DvhAnalytic, Sphere) {
    const auto s = stacked(-20, 20, 0.5, [](double z) { return circle(std::sqrt(400 - z * z), z); });
    const auto above = [](double t) { return ball_above(t, 20); };
    for (const Vec3& slope : {Vec3(1, 0, 0), Vec3(0, -1, 0), Vec3(0, 0, 1), Vec3(0.6, 0, 0.8)}) {
        const auto h = dose_volume_histogram(linear_dose(60, slope), s);
        EXPECT_NEAR(h.volume_cm3, 4.0 / 3 * pi * 8, 0.01);
        expect_figures(h, above, 20, 0.05);
    }
}

TEST(DvhAnalytic, CylinderAcrossAndAlong) {
    const auto s = stacked(-24, 24, 3, [](double z) { return circle(12, z); });
    expect_figures(
        dose_volume_histogram(linear_dose(60, Vec3::UnitY()), s),
        [](double t) { return segment_above(t, 12); }, 12, 0.02);
    expect_figures(
        dose_volume_histogram(linear_dose(60, Vec3::UnitZ()), s), [](double t) { return (24 - t) / 48; }, 24,
        0.02);
}

// Apex at z = 24, base of radius 12 at z = -24: the part above z = t is ((24 - t) / 48)^3.
TEST(DvhAnalytic, Cone) {
    const auto s = stacked(-24, 24, 0.5, [](double z) { return circle(12 * (24 - z) / 48, z); });
    const auto h = dose_volume_histogram(linear_dose(60, Vec3::UnitZ()), s);
    EXPECT_NEAR(h.volume_cm3, pi * 1.44 * 4.8 / 3, 1e-3);
    expect_figures(
        h, [](double t) { return std::pow((24 - t) / 48, 3); }, 24, 0.03);
}

// 0.1 cm3 is a ball of radius 2.879 mm, hardly larger than a voxel.
TEST(DvhAnalytic, SmallStructures) {
    for (const double cm3 : {0.1, 0.02}) {
        const double r = std::cbrt(cm3 * 1e3 * 3 / (4 * pi));
        const auto s =
            stacked(-r, r, r / 14, [&](double z) { return circle(std::sqrt(r * r - z * z), z, 1.7, -0.4); });
        const auto h = dose_volume_histogram(linear_dose(60 - 1.7, Vec3::UnitX(), 3), s);
        EXPECT_NEAR(h.volume_cm3, cm3, 0.002 * cm3);
        expect_figures(
            h, [&](double t) { return ball_above(t, r); }, r, 0.02);
    }
}

// Thin plates, along the grid and turned, in a gradient across them; a thin tube.
TEST(DvhAnalytic, ThinStructures) {
    const auto plate = stacked(-20, 20, 2, [](double z) { return rectangle(0.3, 0.7, -20, 20, z); });
    expect_figures(
        dose_volume_histogram(linear_dose(59.5, Vec3::UnitX()), plate),
        [](double t) { return 0.5 - t / 0.4; }, 0.2, 0.01);

    const auto turned = stacked(-20, 20, 2, [](double z) { return rectangle(-0.25, 0.25, -20, 20, z, 30); });
    const Vec3 across(std::cos(pi / 6), std::sin(pi / 6), 0);
    const auto h = dose_volume_histogram(linear_dose(60, across), turned);
    EXPECT_NEAR(h.volume_cm3, 0.8, 1e-4);
    for (const double p : {98.0, 50.0, 2.0})
        EXPECT_NEAR(h.dose_at_volume_percent(p), 60.25 - 0.5 * p / 100, 0.1) << p;

    auto tube = stacked(-20, 20, 2, [](double z) { return circle(20.5, z); });
    for (const Contour& inner : stacked(-20, 20, 2, [](double z) { return circle(20, z); }).contours)
        tube.contours.push_back(inner);
    const double outer = 20.5 * 20.5, inner = 400;
    const auto above = [&](double t) {
        return (outer * segment_above(t, 20.5) - inner * segment_above(t, 20)) / (outer - inner);
    };
    expect_figures(dose_volume_histogram(linear_dose(60, Vec3::UnitX()), tube), above, 20.5, 0.05);
}

// x from 20 to 60 where the dose ends at x = 41.38 (the face of its last voxel): what is outside is measured,
// the rest is exact.
TEST(DvhAnalytic, PartlyOutsideTheGrid) {
    const auto dose = linear_dose(60, Vec3::UnitX());
    const double face = dose.grid.upper_edge_mm()[0], last = face - 1.25;
    const auto s = stacked(-15, 15, 3, [](double z) { return rectangle(20, 60, -10, 10, z); });
    const auto h = dose_volume_histogram(dose, s);
    EXPECT_NEAR(h.volume_cm3, 24, 1e-4);
    EXPECT_NEAR(h.volume_outside_cm3, (60 - face) * 0.6, 1e-3);
    EXPECT_NEAR(h.volume_percent_at_dose(90), 100 * (face - 30) / 40, 0.05);
    EXPECT_NEAR(h.maximum_gy, 60 + last, 1e-3);  // beyond the last centre the dose is that of the centre
    // The hottest 20 %, 8 mm, end at face - 8.
    EXPECT_NEAR(h.dose_at_volume_percent(20), 60 + face - 8, 0.02);
    EXPECT_EQ(h.dose_at_volume_percent(60), 0);
    const auto above_grid = stacked(35, 65, 3, [](double z) { return rectangle(-10, 10, -10, 10, z); });
    EXPECT_NEAR(dose_volume_histogram(dose, above_grid).volume_outside_cm3,
                (65 - dose.grid.upper_edge_mm()[2]) * 0.4, 1e-3);
}

// Nothing depends on the scale of the dose: 1e-6 Gy and 80 Gy have the same figures in parts of their dose.
TEST(DvhAnalytic, DosesOfEveryScale) {
    const auto s = stacked(-20, 20, 2, [](double z) { return rectangle(-20, 20, -20, 20, z); });
    for (const double scale : {80.0, 1.0, 0.01, 1e-4, 1e-6, 1e-12, 1e-30}) {
        const auto h = dose_volume_histogram(linear_dose(0.8 * scale, Vec3(0.01 * scale, 0, 0)), s);
        for (const double p : {98.0, 95.0, 50.0, 5.0, 2.0})
            EXPECT_NEAR(h.dose_at_volume_percent(p) / scale, 0.6 + 0.4 * (1 - p / 100), 5e-4)
                << scale << " " << p;
        EXPECT_NEAR(h.volume_percent_at_dose(0.8 * scale), 50, 0.05) << scale;
        EXPECT_NEAR(h.mean_gy / scale, 0.8, 1e-4) << scale;
        // The curve of these bins has something to show.
        EXPECT_GE(h.cumulative_cm3.size(), 100u) << scale;
        EXPECT_DOUBLE_EQ(h.cumulative_cm3.front(), h.volume_cm3);
        EXPECT_EQ(h.cumulative_cm3.back(), 0);
    }
}

TEST(DvhAnalytic, NoDoseAndOneDose) {
    const auto s = stacked(-20, 20, 2, [](double z) { return circle(15, z); });
    auto dose = linear_dose(0, Vec3::Zero());
    const auto none = dose_volume_histogram(dose, s);
    EXPECT_EQ(none.dose_at_volume_percent(0), 0);
    EXPECT_EQ(none.dose_at_volume_percent(98), 0);
    EXPECT_EQ(none.volume_percent_at_dose(0), 100);
    EXPECT_EQ(none.volume_percent_at_dose(1e-9), 0);
    EXPECT_EQ(none.bin_width_gy, 0.01);
    for (const float gy : {20.0f, 0.3f, 1e-6f, 61.23457f}) {
        std::fill(dose.values.begin(), dose.values.end(), gy);
        const auto h = dose_volume_histogram(dose, s);
        const double value = static_cast<double>(gy);
        for (const double p : {0.0, 2.0, 50.0, 98.0, 100.0})
            EXPECT_NEAR(h.dose_at_volume_percent(p), value, 1e-7 * value);
        EXPECT_EQ(h.volume_percent_at_dose(value), 100);
        EXPECT_EQ(h.volume_percent_at_dose(value * 1.0001), 0);
        EXPECT_NEAR(h.mean_gy, value, 1e-7 * value);
    }
}

// One plane, 2.5 mm thick as the voxels: the figures of the square.
TEST(DvhAnalytic, OnePlane) {
    auto s = stacked(-1, 1, 2, [](double z) { return rectangle(-10, 10, -10, 10, z); });
    s.plane_spacing_mm = 0;
    const auto h = dose_volume_histogram(linear_dose(60, Vec3::UnitX()), s);
    EXPECT_NEAR(h.volume_cm3, 1.0, 1e-5);
    expect_figures(
        h, [](double t) { return 0.5 - t / 20; }, 10, 0.02);
}

// D0.1cc and V in cm3 of the box: 24 cm3 over 40 Gy.
TEST(DvhAnalytic, VolumesInCm3) {
    const auto box = stacked(-15, 15, 3, [](double z) { return rectangle(-20, 20, -10, 10, z); });
    const auto h = dose_volume_histogram(linear_dose(60, Vec3::UnitX()), box);
    for (const double cm3 : {0.03, 0.1, 2.0, 12.0, 23.9})
        EXPECT_NEAR(h.dose_at_volume_cm3(cm3), 80 - 40 * cm3 / 24, 0.02) << cm3;
    EXPECT_EQ(h.dose_at_volume_cm3(0), h.maximum_gy);
    EXPECT_NEAR(h.dose_at_volume_cm3(h.volume_cm3), h.minimum_gy, 1e-6);
    EXPECT_NEAR(h.volume_cm3_at_dose(50), 18, 0.01);
    EXPECT_THROW(h.dose_at_volume_cm3(24.1), Error);
    EXPECT_THROW(h.dose_at_volume_cm3(-1), Error);
    EXPECT_THROW(h.dose_at_volume_cm3(std::nan("")), Error);
    EXPECT_THROW(h.dose_at_volume_percent(100.1), Error);
    EXPECT_THROW(h.volume_cm3_at_dose(-1), Error);
    EXPECT_THROW(h.volume_percent_at_dose(std::nan("")), Error);
}

// A stray point far away: refused rather than sampled at metres, whatever the shape.
TEST(DvhAnalytic, StructuresOfImpossibleSizeAreRefused) {
    const auto dose = linear_dose(60, Vec3::UnitX());
    for (const double far : {1e6, 1e9, 1e12}) {
        auto s = stacked(-10, 10, 2, [](double z) { return rectangle(-10, 10, -10, 10, z); });
        s.contours[2].points_mm[1][0] = far;
        EXPECT_THROW(dose_volume_histogram(dose, s), Error) << far;
    }
    const auto line = stacked(-10, 10, 2, [](double z) { return rectangle(-1e9, 1e9, -1e-3, 1e-3, z); });
    EXPECT_THROW(dose_volume_histogram(dose, line), Error);
}

TEST(DvhAnalytic, OptionsAndThreads) {
    const auto s = stacked(-20, 20, 2, [](double z) { return circle(15, z); });
    const auto dose = linear_dose(60, Vec3(0.7, 0.5, 0.3));
    const auto one = dose_volume_histogram(dose, s, DvhOptions{0.5, 0, 1}),
               four = dose_volume_histogram(dose, s, DvhOptions{0.5, 0, 4});
    EXPECT_EQ(one.sample_gy, four.sample_gy);
    EXPECT_EQ(one.volume_above_cm3, four.volume_above_cm3);
    EXPECT_EQ(one.bin_width_gy, 0.5);
    const auto coarse = dose_volume_histogram(dose, s, DvhOptions{0, 2.5, 0}),
               fine = dose_volume_histogram(dose, s, DvhOptions{0, 0.4, 0});
    EXPECT_EQ(coarse.sampling_mm, 2.5);
    EXPECT_GT(fine.sample_gy.size(), 50 * coarse.sample_gy.size());
    EXPECT_NEAR(coarse.volume_cm3, fine.volume_cm3, 1e-4);
    EXPECT_NEAR(coarse.dose_at_volume_percent(95), fine.dose_at_volume_percent(95), 0.3);
    EXPECT_THROW(dose_volume_histogram(dose, s, DvhOptions{0, 0.01, 0}), Error);
    EXPECT_THROW(dose_volume_histogram(dose, s, DvhOptions{0, -1, 0}), Error);
    EXPECT_THROW(dose_volume_histogram(dose, s, DvhOptions{-1, 0, 0}), Error);
    EXPECT_THROW(dose_volume_histogram(dose, s, DvhOptions{1e-12, 0, 0}), Error);
}

// The mask of whole voxels from -10.12 to 9.88 along x: the figures of the box. On a grid of its own: the
// same.
TEST(DvhAnalytic, Masks) {
    const auto dose = linear_dose(60, Vec3::UnitX());
    Volume<float> mask(dose.grid, 0);
    for (int k = 10; k < 20; ++k)
        for (int j = 10; j < 20; ++j)
            for (int i = 12; i < 20; ++i) mask.at(i, j, k) = 1;
    const double low = dose.grid.centre_mm(12, 0, 0)[0] - 1.25;
    auto h = dose_volume_histogram(dose, mask, "mask");
    EXPECT_NEAR(h.volume_cm3, 20 * 25 * 25 * 1e-3, 1e-4);
    for (const double p : {98.0, 50.0, 2.0})
        EXPECT_NEAR(h.dose_at_volume_percent(p), 60 + low + 20 * (1 - p / 100), 0.02);

    const auto s = stacked(-9, 9, 2, [](double z) { return circle(9, z); });
    const Grid other{{60, 50, 30}, Vec3(0.7, 0.8, 1), Vec3(-21, -20, -15.5)};
    h = dose_volume_histogram(dose, coverage_mask(s, other), "cylinder");
    EXPECT_NEAR(h.volume_cm3, pi * 0.81 * 1.8, 1e-3);
    expect_figures(
        h, [](double t) { return segment_above(t, 9); }, 9, 0.05);

    mask.values[0] = 1.5f;
    EXPECT_THROW(dose_volume_histogram(dose, mask, "mask"), Error);
    mask.values[0] = std::nanf("");
    EXPECT_THROW(dose_volume_histogram(dose, mask, "mask"), Error);
    EXPECT_THROW(dose_volume_histogram(dose, Volume<float>(dose.grid, 0), "mask"), Error);
    // A trace in one voxel is sampled in that voxel only.
    Volume<float> trace(dose.grid, 0);
    trace.at(15, 15, 15) = 1e-6f;
    const auto small = dose_volume_histogram(dose, trace, "trace");
    EXPECT_NEAR(small.volume_cm3, 15.625e-9, 1e-12);
    EXPECT_LT(small.sample_gy.size(), 4e6);
    EXPECT_NEAR(small.dose_at_volume_percent(50), 60 + dose.grid.centre_mm(15, 0, 0)[0], 0.02);
    mask.values.pop_back();
    EXPECT_THROW(dose_volume_histogram(dose, mask, "mask"), Error);
}

}  // namespace
}  // namespace libdose
