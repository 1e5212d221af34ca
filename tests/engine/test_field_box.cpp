// The part of a box that a field passes through: by hand for simple cases, and against points of the box one
// by one for all angles.
#include <gtest/gtest.h>

#include <random>

#include "engine/field_box.h"
#include "geometry/rect.h"

namespace libdose {
namespace {

const PatientBox cube{Vec3::Constant(-100), Vec3::Constant(100)};

physics::BeamFrame frame_at(double gantry_deg, double collimator_deg = 0, double couch_deg = 0,
                            const Vec3& isocentre_mm = Vec3::Zero()) {
    return physics::beam_frame(PatientPosition::hfs, gantry_deg, collimator_deg, couch_deg, isocentre_mm,
                               1000);
}

void expect_box(const std::optional<PatientBox>& box, const Vec3& lower_mm, const Vec3& upper_mm) {
    ASSERT_TRUE(box);
    EXPECT_LT((box->lower_mm - lower_mm).norm(), 1e-9) << box->lower_mm.transpose();
    EXPECT_LT((box->upper_mm - upper_mm).norm(), 1e-9) << box->upper_mm.transpose();
}

// Gantry 0, supine: the source at y = -1000, the far face at y = 100, where the field is 1.1 times as wide as
// at the isocentre.
TEST(FieldBox, AFieldWithinTheBoxIsWidestAtTheFarFace) {
    expect_box(box_in_field(frame_at(0), {-50, 50, -40, 40}, cube), Vec3(-55, -100, -44), Vec3(55, 100, 44));
}

TEST(FieldBox, AFieldAroundTheBoxHasAllOfIt) {
    for (const double gantry : {0.0, 37.0, 90.0, 213.0})
        for (const double half : {200.0, 280.0, 1e4})
            expect_box(box_in_field(frame_at(gantry, 15, 20), {-half, half, -half, half}, cube),
                       cube.lower_mm, cube.upper_mm);
}

TEST(FieldBox, OneJawFarOutCutsNothingOnItsSide) {
    expect_box(box_in_field(frame_at(0), {-200, 20, -50, 50}, cube), Vec3(-100, -100, -55),
               Vec3(22, 100, 55));
    expect_box(box_in_field(frame_at(0), {-50, 50, -200, 20}, cube), Vec3(-55, -100, -100),
               Vec3(55, 100, 22));
}

TEST(FieldBox, ASlitHasItsLengthAndNoWidth) {
    expect_box(box_in_field(frame_at(0), {30, 30, -40, 40}, cube), Vec3(27, -100, -44), Vec3(33, 100, 44));
}

TEST(FieldBox, WhatPassesBesideHasNothing) {
    // On the near face, y = -100, the box reaches to 100 · 1000 / 900 = 111.1 mm of the isocentre plane.
    EXPECT_FALSE(box_in_field(frame_at(0), {112, 200, -50, 50}, cube));
    EXPECT_TRUE(box_in_field(frame_at(0), {111, 200, -50, 50}, cube));
    EXPECT_FALSE(box_in_field(frame_at(0), {50, -50, -50, 50}, cube)) << "a closed field";
    // Behind the source: the isocentre 1200 mm behind the box.
    EXPECT_FALSE(box_in_field(frame_at(0, 0, 0, Vec3(0, 1200, 0)), {-5000, 5000, -5000, 5000},
                              {Vec3(-100, -100, -100), Vec3(100, 100, 100)}));
    EXPECT_FALSE(box_in_field(frame_at(180), {112, 200, -50, 50}, cube));
}

TEST(FieldBox, ContainsItsFaces) {
    EXPECT_TRUE(contains(cube, Vec3(100, 0, -100)));
    EXPECT_FALSE(contains(cube, Vec3(100.001, 0, 0)));
}

/// The point projects into the opening and lies before the source.
bool irradiated(const physics::BeamFrame& frame, const Rect& opening, const Vec3& point) {
    const auto p = frame.project(point);
    return p.distance_mm > 0 && p.u_mm >= opening.low_u_mm && p.u_mm <= opening.high_u_mm &&
           p.v_mm >= opening.low_v_mm && p.v_mm <= opening.high_v_mm;
}

/// Bounding box of the irradiated ones of n³ points of a box, from face to face.
std::optional<PatientBox> sampled(const physics::BeamFrame& frame, const Rect& opening, const PatientBox& box,
                                  int n) {
    PatientBox found{Vec3::Constant(1e30), Vec3::Constant(-1e30)};
    for (int k = 0; k <= n; ++k)
        for (int j = 0; j <= n; ++j)
            for (int i = 0; i <= n; ++i) {
                const Vec3 point =
                    box.lower_mm + (box.upper_mm - box.lower_mm).cwiseProduct(Vec3(i, j, k) / n);
                if (!irradiated(frame, opening, point)) continue;
                found.lower_mm = found.lower_mm.cwiseMin(point);
                found.upper_mm = found.upper_mm.cwiseMax(point);
            }
    if (found.lower_mm[0] > found.upper_mm[0]) return std::nullopt;
    return found;
}

TEST(FieldBox, AgreesWithPointsOneByOneForAllAngles) {
    std::mt19937 random(7);
    const auto between = [&](double low, double high) {
        return std::uniform_real_distribution<double>(low, high)(random);
    };
    int met = 0, missed = 0;
    for (int trial = 0; trial < 400; ++trial) {
        const PatientBox box{Vec3(between(-250, -60), between(-200, -60), between(-300, -60)),
                             Vec3(between(60, 250), between(60, 200), between(60, 300))};
        const auto frame = frame_at(between(0, 360), between(0, 360), between(0, 360),
                                    Vec3(between(-150, 150), between(-100, 100), between(-200, 200)));
        const double u = between(-200, 200), v = between(-200, 200);
        const Rect opening{u, u + between(5, 300), v, v + between(5, 300)};
        const auto exact = box_in_field(frame, opening, box);
        const auto points = sampled(frame, opening, box, 24);
        (exact ? met : missed) += 1;
        if (!exact) {
            EXPECT_FALSE(points) << "trial " << trial;
            continue;
        }
        // No irradiated point lies outside, and every face is reached but for a few of the finer points
        // inside.
        if (points) {
            EXPECT_TRUE((points->lower_mm.array() >= exact->lower_mm.array() - 1e-9).all())
                << "trial " << trial;
            EXPECT_TRUE((points->upper_mm.array() <= exact->upper_mm.array() + 1e-9).all())
                << "trial " << trial;
        }
        const Vec3 size = exact->upper_mm - exact->lower_mm;
        if (size.minCoeff() < 5) continue;  // it only touches the box
        const auto fine = sampled(frame, opening, *exact, 40);
        ASSERT_TRUE(fine) << "trial " << trial;
        EXPECT_TRUE(((fine->lower_mm - exact->lower_mm).array() <= 0.1 * size.array()).all())
            << "trial " << trial;
        EXPECT_TRUE(((exact->upper_mm - fine->upper_mm).array() <= 0.1 * size.array()).all())
            << "trial " << trial;
    }
    EXPECT_GT(met, 250);
    EXPECT_GT(missed, 15);
}

}  // namespace
}  // namespace libdose
