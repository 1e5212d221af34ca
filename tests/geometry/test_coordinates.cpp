#include <gtest/gtest.h>

#include "geometry/coordinates.h"
#include "geometry/rect.h"

using namespace libdose;
using physics::beam_frame;

namespace {

constexpr double sad = 1000;

void expect_vector(const Vec3& value, const Vec3& expected) {
    EXPECT_NEAR(value[0], expected[0], 1e-9) << value.transpose();
    EXPECT_NEAR(value[1], expected[1], 1e-9) << value.transpose();
    EXPECT_NEAR(value[2], expected[2], 1e-9) << value.transpose();
}

/// Where the source is, in units of the source-axis distance, LPS (x left, y posterior, z superior).
struct SourceCase {
    PatientPosition position;
    double gantry, couch;
    Vec3 direction;
};

const Vec3 left(1, 0, 0), right(-1, 0, 0), anterior(0, -1, 0), posterior(0, 1, 0), superior(0, 0, 1),
    inferior(0, 0, -1);

// Told by standing at the foot of the couch and looking at the gantry: gantry 0 is above, 90 to the right of
// the viewer.
const SourceCase source_cases[] = {
    {PatientPosition::hfs, 0, 0, anterior},
    {PatientPosition::hfs, 90, 0, left},
    {PatientPosition::hfs, 180, 0, posterior},
    {PatientPosition::hfs, 270, 0, right},
    {PatientPosition::hfp, 0, 0, posterior},
    {PatientPosition::hfp, 90, 0, right},
    {PatientPosition::hfp, 180, 0, anterior},
    {PatientPosition::hfp, 270, 0, left},
    {PatientPosition::ffs, 0, 0, anterior},
    {PatientPosition::ffs, 90, 0, right},
    {PatientPosition::ffs, 180, 0, posterior},
    {PatientPosition::ffs, 270, 0, left},
    {PatientPosition::ffp, 0, 0, posterior},
    {PatientPosition::ffp, 90, 0, left},
    {PatientPosition::ffp, 180, 0, anterior},
    {PatientPosition::ffp, 270, 0, right},
    {PatientPosition::hfdr, 0, 0, left},
    {PatientPosition::hfdr, 90, 0, posterior},
    {PatientPosition::hfdr, 180, 0, right},
    {PatientPosition::hfdr, 270, 0, anterior},
    {PatientPosition::hfdl, 0, 0, right},
    {PatientPosition::hfdl, 90, 0, anterior},
    {PatientPosition::hfdl, 180, 0, left},
    {PatientPosition::hfdl, 270, 0, posterior},
    {PatientPosition::ffdr, 0, 0, left},
    {PatientPosition::ffdr, 90, 0, anterior},
    {PatientPosition::ffdr, 180, 0, right},
    {PatientPosition::ffdr, 270, 0, posterior},
    {PatientPosition::ffdl, 0, 0, right},
    {PatientPosition::ffdl, 90, 0, posterior},
    {PatientPosition::ffdl, 180, 0, left},
    {PatientPosition::ffdl, 270, 0, anterior},
    // The couch turned counter-clockwise seen from above by 90°: the head (HFS) points to the viewer's left,
    // so a source on the viewer's right shines on the feet.
    {PatientPosition::hfs, 90, 90, inferior},
    {PatientPosition::hfs, 270, 90, superior},
    {PatientPosition::hfs, 90, 270, superior},
    {PatientPosition::hfs, 0, 90, anterior},
    {PatientPosition::ffs, 90, 90, superior},
};

}  // namespace

TEST(Coordinates, SourceOfEveryPositionGantryAndCouch) {
    for (const SourceCase& c : source_cases) {
        SCOPED_TRACE(to_string(c.position) + " gantry " + std::to_string(c.gantry) + " couch " +
                     std::to_string(c.couch));
        const Vec3 isocentre(10, -20, 30);
        expect_vector(beam_frame(c.position, c.gantry, 0, c.couch, isocentre, sad).source_mm(),
                      isocentre + sad * c.direction);
    }
}

TEST(Coordinates, AxesAreRightHandedAndOrthonormal) {
    for (const auto position :
         {PatientPosition::hfs, PatientPosition::hfp, PatientPosition::ffs, PatientPosition::ffp,
          PatientPosition::hfdr, PatientPosition::hfdl, PatientPosition::ffdr, PatientPosition::ffdl}) {
        const Mat3 axes = beam_frame(position, 33, 71, 12, Vec3::Zero(), sad).axes;
        EXPECT_NEAR(axes.determinant(), 1.0, 1e-12);
        EXPECT_TRUE((axes.transpose() * axes).isApprox(Mat3::Identity(), 1e-12));
    }
}

TEST(Coordinates, CollimatorTurnsCounterClockwiseSeenFromTheSource) {
    // HFS, gantry 0, collimator 0: device x is the patient's left, device y superior.
    const auto straight = beam_frame(PatientPosition::hfs, 0, 0, 0, Vec3::Zero(), sad);
    expect_vector(straight.axes.col(0), left);
    expect_vector(straight.axes.col(1), superior);
    // At 90° device x points where y pointed.
    const auto turned = beam_frame(PatientPosition::hfs, 0, 90, 0, Vec3::Zero(), sad);
    expect_vector(turned.axes.col(0), superior);
    expect_vector(turned.axes.col(1), right);
    // Gantry 90°, collimator 0: device x points down, that is posterior.
    expect_vector(beam_frame(PatientPosition::hfs, 90, 0, 0, Vec3::Zero(), sad).axes.col(0), posterior);
}

TEST(Coordinates, ProjectionMagnifiesByDistance) {
    const auto frame = beam_frame(PatientPosition::hfs, 0, 0, 0, Vec3(5, 6, 7), sad);
    // 30 mm to the left, 100 mm deeper (posterior), 20 mm superior of the isocentre: 1100 mm from the source.
    const auto p = frame.project(Vec3(35, 106, 27));
    EXPECT_NEAR(p.distance_mm, 1100, 1e-9);
    EXPECT_NEAR(p.u_mm, 30 / 1.1, 1e-9);
    EXPECT_NEAR(p.v_mm, 20 / 1.1, 1e-9);
    expect_vector(frame.point_mm(p.u_mm, p.v_mm, p.distance_mm), Vec3(35, 106, 27));
}

TEST(Coordinates, ShadowOfABox) {
    // A cube of 20 cm around the isocentre: its near face, 90 cm from the source, casts the larger shadow.
    const auto frame = beam_frame(PatientPosition::hfs, 0, 0, 0, Vec3::Zero(), sad);
    const auto shadow = physics::shadow_of(frame, Vec3::Constant(-100), Vec3::Constant(100));
    EXPECT_TRUE(shadow.whole);
    EXPECT_NEAR(shadow.nearest_mm, 900, 1e-9);
    EXPECT_NEAR(shadow.farthest_mm, 1100, 1e-9);
    EXPECT_NEAR(shadow.bounds.high_u_mm, 100 / 0.9, 1e-9);
    EXPECT_NEAR(shadow.bounds.low_v_mm, -100 / 0.9, 1e-9);
    EXPECT_FALSE(physics::shadow_of(frame, Vec3(-10, -2000, -10), Vec3(10, 0, 10)).whole);
}

TEST(Coordinates, ARowProjectsAsItsPoints) {
    const auto frame = beam_frame(PatientPosition::hfs, 37, 12, 20, Vec3(5, 6, 7), sad);
    const Vec3 start(-310, 40, -25), step(2.5, 0, 0);
    const physics::ProjectedRow row(frame, start, step);
    for (const Rect& extent :
         {Rect{-30, 45, -20, 18}, {-400, 400, -400, 400}, {200, 210, -5, 5}, {-3, -2, 300, 310}}) {
        const auto [begin, end] = row.within(extent, 250);
        for (int i = 0; i < 250; ++i) {
            const auto p = frame.project(start + i * step), q = row.at(i);
            EXPECT_NEAR(q.u_mm, p.u_mm, 1e-9);
            EXPECT_NEAR(q.v_mm, p.v_mm, 1e-9);
            EXPECT_NEAR(q.distance_mm, p.distance_mm, 1e-9);
            const bool in = p.u_mm >= extent.low_u_mm && p.u_mm <= extent.high_u_mm &&
                            p.v_mm >= extent.low_v_mm && p.v_mm <= extent.high_v_mm;
            EXPECT_EQ(i >= begin && i < end, in) << i;
        }
    }
}

TEST(Coordinates, ARowThroughTheSourceStopsBeforeIt) {
    // Along the axis, towards the source and beyond it: points more than 1 mm before it count.
    const auto frame = beam_frame(PatientPosition::hfs, 0, 0, 0, Vec3::Zero(), sad);
    const physics::ProjectedRow row(frame, Vec3(0, 0, 0), Vec3(0, -100, 0));
    const auto [begin, end] = row.within({-50, 50, -50, 50}, 30);
    EXPECT_EQ(begin, 0);
    EXPECT_EQ(end, 10);
}

TEST(ProjectedRows, AreTheCentresOfVoxels) {
    const physics::BeamFrame frame =
        physics::beam_frame(PatientPosition::hfs, 37, 12, 20, Vec3(5, -8, 30), 1000);
    Grid grid;
    grid.size = {9, 7, 5};
    grid.spacing_mm = Vec3(2, 3, 4);
    grid.origin_mm = Vec3(-10, 4, 20);
    const physics::ProjectedRows rows(frame, grid);
    for (const auto& [i, j, k] : {std::array<int, 3>{0, 0, 0}, {8, 3, 1}, {2, 6, 4}}) {
        const auto at = rows.at(j, k).at(i), expected = frame.project(grid.centre_mm(i, j, k));
        EXPECT_NEAR(at.u_mm, expected.u_mm, 1e-10);
        EXPECT_NEAR(at.v_mm, expected.v_mm, 1e-10);
        EXPECT_NEAR(at.distance_mm, expected.distance_mm, 1e-10);
    }
}
