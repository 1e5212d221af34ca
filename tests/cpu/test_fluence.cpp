#include <gtest/gtest.h>

#include <numeric>

#include "cpu/fluence.h"
#include "physics/head.h"

using namespace libdose;

namespace {

HeadModel sharp_head() {
    HeadModel head;
    head.maximum_field_radius_mm = 100;
    head.profile_radius_mm = {0, 300};
    head.profile = {1, 1};
    head.jaw_transmission = 0.01;
    head.leaf_transmission = 0.02;
    return head;
}

Beam jaw_beam(JawOpening x, JawOpening y, double mu) {
    Beam beam;
    beam.meterset_mu = mu;
    ControlPoint point;
    point.jaw_x = x;
    point.jaw_y = y;
    beam.control_points = {point, point};
    beam.control_points[1].cumulative_weight = 1;
    return beam;
}

float value_at(const FluenceMap& map, double u, double v) {
    return map.at(static_cast<int>((u - map.lower_u_mm) / map.pixel_mm), static_cast<int>((v - map.lower_v_mm) / map.pixel_mm));
}

}  // namespace

TEST(Fluence, AsymmetricJawsByHand) {
    const auto maps = cpu::beam_fluence(jaw_beam({-20, 30.25}, {5, 40}, 200), PatientPosition::hfs, sharp_head(), {});
    ASSERT_EQ(maps.size(), 1u);
    EXPECT_FLOAT_EQ(value_at(maps[0], 0.5, 20.5), 200);                            // open: MU
    EXPECT_FLOAT_EQ(value_at(maps[0], -30.5, 20.5), 200 * 0.01f);                  // behind one jaw
    EXPECT_FLOAT_EQ(value_at(maps[0], -30.5, 0.5), 200 * 1e-4f);                   // behind both
    EXPECT_NEAR(value_at(maps[0], 30.5, 20.5), 200 * (0.25 + 0.75 * 0.01), 1e-3);  // a quarter of the pixel is open
    EXPECT_FLOAT_EQ(value_at(maps[0], 0.5, 4.5), 200 * 0.01f);
}

TEST(Fluence, LeavesAreAreaWeightedAcrossTheirEdges) {
    Beam beam = jaw_beam({-50, 50}, {-50, 50}, 100);
    MultileafCollimator mlc;
    mlc.type = "MLCX";
    mlc.leaf_boundaries_mm = {-20, -0.5, 20};  // the boundary lies in the middle of a pixel
    beam.collimators = {mlc};
    for (auto& point : beam.control_points) point.leaves = {LeafPositions{{-10, 0}, {10, 15.5}}};
    const auto maps = cpu::beam_fluence(beam, PatientPosition::hfs, sharp_head(), {});
    EXPECT_FLOAT_EQ(value_at(maps[0], -5.5, -10.5), 100);
    EXPECT_FLOAT_EQ(value_at(maps[0], -5.5, 10.5), 100 * 0.02f);
    EXPECT_FLOAT_EQ(value_at(maps[0], 5.5, 10.5), 100);
    EXPECT_NEAR(value_at(maps[0], 15.5, 10.5), 100 * (0.5 + 0.5 * 0.02), 1e-3);
    EXPECT_NEAR(value_at(maps[0], -5.5, -0.5), 100 * (0.5 + 0.5 * 0.02), 1e-3);  // half a leaf of each
    EXPECT_FLOAT_EQ(value_at(maps[0], 5.5, 30.5), 100);                          // no leaf there: only jaws
    EXPECT_FLOAT_EQ(value_at(maps[0], 60.5, 10.5), 100 * 0.01f * 0.02f);         // jaw over leaf
}

TEST(Fluence, TongueAndGrooveShadowsAStripBetweenAnOpenAndAClosedLeaf) {
    Beam beam = jaw_beam({-50, 50}, {-50, 50}, 100);
    MultileafCollimator mlc;
    mlc.type = "MLCX";
    mlc.leaf_boundaries_mm = {-20, -10, 0, 10, 20};
    beam.collimators = {mlc};
    // Pairs: closed, open, open, closed near x = 0.
    for (auto& point : beam.control_points) point.leaves = {LeafPositions{{-40, -10, -10, -40}, {-40, 10, 10, -40}}};
    cpu::FluenceOptions options;
    options.leaves.resize(1);
    options.leaves[0].tongue_and_groove_mm = 0.4;
    const auto maps = cpu::beam_fluence(beam, PatientPosition::hfs, sharp_head(), options);
    const double half_height = std::sqrt(0.02);
    // Of the first pixel of the open leaf 0.2 mm lie in the overlap, of the last of the closed leaf as much.
    EXPECT_NEAR(value_at(maps[0], 0.5, -9.5), 100 * (0.8 + 0.2 * half_height), 1e-3);
    EXPECT_NEAR(value_at(maps[0], 0.5, -10.5), 100 * (0.8 * 0.02 + 0.2 * half_height), 1e-3);
    EXPECT_NEAR(value_at(maps[0], 0.5, 9.5), 100 * (0.8 + 0.2 * half_height), 1e-3);
    // Nothing between two open leaves, nor at the outer edge of the outermost, nor in the middle of a leaf.
    EXPECT_FLOAT_EQ(value_at(maps[0], 0.5, -0.5), 100);
    EXPECT_FLOAT_EQ(value_at(maps[0], 0.5, 0.5), 100);
    EXPECT_FLOAT_EQ(value_at(maps[0], 0.5, 19.5), 100 * 0.02f);
    EXPECT_FLOAT_EQ(value_at(maps[0], 0.5, -5.5), 100);
}

TEST(Fluence, RoundedLeafEndsLetThroughWhatTheirClosedFormSays) {
    Beam beam = jaw_beam({-50, 50}, {-50, 50}, 1);
    MultileafCollimator mlc;
    mlc.type = "MLCX";
    mlc.leaf_boundaries_mm = {-20, 20};
    beam.collimators = {mlc};
    for (auto& point : beam.control_points) point.leaves = {LeafPositions{{-5}, {5}}};
    const double decay = 1.44;
    HeadModel head = sharp_head();
    head.leaf_transmission = head.jaw_transmission = 0;
    cpu::FluenceOptions options;
    options.leaves.resize(1);
    options.leaves[0].tip_decay = decay;
    const auto round = cpu::beam_fluence(beam, PatientPosition::hfs, head, options);
    double sum = 0;
    for (double u = -49.5; u < 50; u += 1) sum += static_cast<double>(value_at(round[0], u, 0.5));
    EXPECT_NEAR(sum, 10 + 4 / (decay * decay), 0.01);  // to the jaws at ±50, e^-10 of it is missing
    EXPECT_NEAR(value_at(round[0], -5.5, 0.5), physics::tip_integral(1, decay), 1e-6);
    EXPECT_EQ(value_at(round[0], -4.5, 0.5), 1);
    // A closed pair leaks at its tips; a jaw over them takes that away.
    for (auto& point : beam.control_points) point.leaves = {LeafPositions{{0}, {0}}}, point.jaw_x = JawOpening{10, 40};
    const auto closed = cpu::beam_fluence(beam, PatientPosition::hfs, head, options);
    EXPECT_EQ(value_at(closed[0], 0.5, 0.5), 0);
    EXPECT_NEAR(value_at(closed[0], 12.5, 0.5), physics::tip_integral(13, decay) - physics::tip_integral(12, decay), 1e-6);
}

TEST(Fluence, LeavesThatMoveAlongY) {
    Beam beam = jaw_beam({-50, 50}, {-50, 50}, 1);
    MultileafCollimator mlc;
    mlc.type = "MLCY";
    mlc.motion = MultileafCollimator::Motion::along_y;
    mlc.leaf_boundaries_mm = {-10, 0, 10};
    beam.collimators = {mlc};
    for (auto& point : beam.control_points) point.leaves = {LeafPositions{{-30, -5}, {0, 25}}};
    const auto maps = cpu::beam_fluence(beam, PatientPosition::hfs, sharp_head(), {});
    EXPECT_FLOAT_EQ(value_at(maps[0], -5.5, -20.5), 1);
    EXPECT_FLOAT_EQ(value_at(maps[0], -5.5, 20.5), 0.02f);
    EXPECT_FLOAT_EQ(value_at(maps[0], 5.5, 20.5), 1);
    EXPECT_FLOAT_EQ(value_at(maps[0], 5.5, -20.5), 0.02f);
}

TEST(Fluence, SlidingWindowAddsUpToItsTimeOpen) {
    // A window 10 mm wide sweeps from -30 to 30 mm with 100 MU: every point between -20 and 20 sees it for 10/60 of the MU.
    Beam beam = jaw_beam({-50, 50}, {-50, 50}, 100);
    MultileafCollimator mlc;
    mlc.type = "MLCX";
    mlc.leaf_boundaries_mm = {-50, 50};
    beam.collimators = {mlc};
    beam.control_points[0].leaves = {LeafPositions{{-35}, {-25}}};
    beam.control_points[1].leaves = {LeafPositions{{25}, {35}}};
    HeadModel head = sharp_head();
    const auto maps = cpu::beam_fluence(beam, PatientPosition::hfs, head, {});
    ASSERT_EQ(maps.size(), 1u);
    const double expected = 100 * (10.0 / 60 + 50.0 / 60 * head.leaf_transmission);
    for (double u = -19.5; u < 20; u += 1) EXPECT_NEAR(value_at(maps[0], u, 0.5), expected, 0.06 * expected) << u;
    double mean = 0;
    for (double u = -19.5; u < 20; u += 1) mean += static_cast<double>(value_at(maps[0], u, 0.5)) / 40;
    EXPECT_NEAR(mean, expected, 2e-3 * expected);
}

TEST(Fluence, SegmentMuUsesTheFinalWeight) {
    // Final cumulative weight 4, not 1; three segments of 1, 0 and 3 parts of 80 MU.
    Beam beam = jaw_beam({-10, 10}, {-10, 10}, 80);
    ControlPoint wide = beam.control_points[0];
    wide.jaw_x = JawOpening{-30, 30};
    beam.control_points = {beam.control_points[0], beam.control_points[0], wide, wide};
    beam.control_points[1].cumulative_weight = 1;
    beam.control_points[2].cumulative_weight = 1;
    beam.control_points[3].cumulative_weight = 4;
    beam.final_cumulative_weight = 4;
    const auto maps = cpu::beam_fluence(beam, PatientPosition::hfs, sharp_head(), {});
    ASSERT_EQ(maps.size(), 1u);
    EXPECT_NEAR(value_at(maps[0], 0.5, 0.5), 80, 1e-4);
    EXPECT_NEAR(value_at(maps[0], 20.5, 0.5), 60 + 20 * 0.01, 1e-4);
}

TEST(Fluence, ArcsAreCutIntoSubArcsWithTheirShareOfMu) {
    Beam beam = jaw_beam({-10, 10}, {-10, 10}, 90);
    beam.control_points[0].gantry_deg = 170;
    beam.control_points[1].gantry_deg = 200;
    beam.gantry_rotation = {Rotation::clockwise, Rotation::none};
    cpu::FluenceOptions options;
    options.sub_arc_deg = 3;
    const auto maps = cpu::beam_fluence(beam, PatientPosition::hfs, sharp_head(), options);
    ASSERT_EQ(maps.size(), 10u);
    for (std::size_t m = 0; m < maps.size(); ++m) {
        EXPECT_NEAR(value_at(maps[m], 0.5, 0.5), 9, 1e-4);
        const auto frame = physics::beam_frame(PatientPosition::hfs, 171.5 + 3 * static_cast<double>(m), 0, 0, Vec3::Zero(), 1000);
        EXPECT_LT((maps[m].frame.source_mm() - frame.source_mm()).norm(), 1e-6);
    }
}

TEST(Fluence, CounterClockwiseTheLongWayRound) {
    Beam beam = jaw_beam({-10, 10}, {-10, 10}, 1);
    beam.control_points[0].gantry_deg = 10;
    beam.control_points[1].gantry_deg = 20;
    beam.gantry_rotation = {Rotation::counter_clockwise, Rotation::none};
    cpu::FluenceOptions options;
    options.sub_arc_deg = 10;
    EXPECT_EQ(cpu::beam_fluence(beam, PatientPosition::hfs, sharp_head(), options).size(), 35u);
    beam.gantry_rotation[0] = Rotation::clockwise;
    EXPECT_EQ(cpu::beam_fluence(beam, PatientPosition::hfs, sharp_head(), options).size(), 1u);
}

TEST(Fluence, SpotBlurKeepsTheEnergyAndWidensTheEdge) {
    HeadModel head = sharp_head();
    head.jaw_transmission = 0;
    const auto sharp = cpu::beam_fluence(jaw_beam({-20, 20}, {-20, 20}, 1), PatientPosition::hfs, head, {});
    head.spot_fwhm_x_mm = head.spot_fwhm_y_mm = 4;
    const auto soft = cpu::beam_fluence(jaw_beam({-20, 20}, {-20, 20}, 1), PatientPosition::hfs, head, {});
    EXPECT_NEAR(std::accumulate(soft[0].values.begin(), soft[0].values.end(), 0.0), std::accumulate(sharp[0].values.begin(), sharp[0].values.end(), 0.0), 0.05);
    // At the edge one half; σ = 4/2.355 mm projected 1:1, so 1.5 mm inside Φ(1.5/1.699) = 0.811.
    EXPECT_NEAR(0.5f * (value_at(soft[0], 19.5, 0.5) + value_at(soft[0], 20.5, 0.5)), 0.5, 1e-3);
    EXPECT_NEAR(value_at(soft[0], 18.5, 0.5), 0.811, 0.01);
}

TEST(Fluence, IntegralAveragesExactly) {
    FluenceMap map;
    map.pixel_mm = 2;
    map.size_u = 3, map.size_v = 2;
    map.lower_u_mm = -3, map.lower_v_mm = 0;
    map.values = {1, 2, 3, 4, 5, 6};
    const cpu::FluenceIntegral integral(map);
    EXPECT_NEAR(integral.average(0, 1, 2, 2), 2, 1e-12);  // the middle pixel of the first row
    EXPECT_NEAR(integral.average(1, 2, 2, 2), 0.25 * (2 + 3 + 5 + 6), 1e-12);
    EXPECT_NEAR(integral.average(0, 2, 6, 4), 3.5, 1e-12);
    EXPECT_NEAR(integral.average(3, 1, 2, 2), 0.5 * 3, 1e-12);  // half outside
}

TEST(FluenceIntegral, SharpenedIsTheAverageOfTheSharpenedMap) {
    FluenceMap map;
    map.pixel_mm = 2;
    map.size_u = 12, map.size_v = 9;
    map.lower_u_mm = -7, map.lower_v_mm = 3;
    for (int n = 0; n < 12 * 9; ++n) map.values.push_back(n % 5 == 0 ? 0.0f : static_cast<float>((n * 37) % 11));
    // Points 1.85 pixels apart along u: 0.15 of those next to one another, 0.85 of those two apart, a mean square of 3.55; along v just one.
    const cpu::Sharpening sharpening{1.3, 2.9, 3.7, 2};
    const double magnification = 1.2, half_u = 0.5 * 1.3 * 1.44 / (4 * 3.55), half_v = 0.5 * 2.9 * 1.44 / 4;
    FluenceMap sharp = map;  // with three pixels around it
    sharp.size_u += 6, sharp.size_v += 6, sharp.lower_u_mm -= 6, sharp.lower_v_mm -= 6;
    sharp.values.assign(static_cast<std::size_t>(sharp.size_u * sharp.size_v), 0.0f);
    const auto at = [&](int u, int v) { return u < 0 || v < 0 || u >= map.size_u || v >= map.size_v ? 0.0 : static_cast<double>(map.at(u, v)); };
    for (int v = -3; v < map.size_v + 3; ++v)
        for (int u = -3; u < map.size_u + 3; ++u)
            sharp.at(u + 3, v + 3) =
                static_cast<float>(at(u, v) - half_u * (0.15 * (at(u - 1, v) + at(u + 1, v)) + 0.85 * (at(u - 2, v) + at(u + 2, v)) - 2 * at(u, v)) -
                                   half_v * (at(u, v - 1) + at(u, v + 1) - 2 * at(u, v)));
    const cpu::FluenceIntegral integral(map, sharpening), expected(sharp);
    for (const double u : {-11.0, -6.0, 0.3, 9.9, 17.5, 20.5})
        for (const double v : {0.5, 2.0, 8.8, 21.0, 22.0})
            EXPECT_NEAR(integral.average(u, v, 3.1, 2.3, magnification), expected.average(u, v, 3.1, 2.3), 5e-6) << u << " " << v;
    EXPECT_EQ(integral.average(100, 0, 2, 2), 0);
}

TEST(Fluence, SupportHoldsAllThatIsNotZero) {
    FluenceMap map;
    map.pixel_mm = 2, map.size_u = 12, map.size_v = 9, map.lower_u_mm = -7, map.lower_v_mm = 3;
    map.values.assign(12 * 9, 0.0f);
    EXPECT_EQ(cpu::support_mm(map), (std::array<double, 4>{}));
    map.at(3, 4) = 1, map.at(8, 2) = 1e-20f;
    EXPECT_EQ(cpu::support_mm(map), (std::array<double, 4>{-1, 11, 7, 13}));
}

TEST(Fluence, MeansOverPixelsHoldTheSum) {
    FluenceMap map;
    map.size_u = 5, map.size_v = 3;
    for (int n = 0; n < 15; ++n) map.values.push_back(static_cast<float>(n));
    // Columns 0 1 | 2 3 | 4 and rows 0 1 | 2; beyond the map there is nothing.
    EXPECT_EQ(cpu::means_over_pixels(map, 2), (std::vector<float>{3, 5, 3.25f, 5.25f, 6.25f, 3.5f}));
}

TEST(FluenceIntegral, LosesTheVarianceThatIsToBeTakenOff) {
    // A square of 10 mm in the middle: the mean of (u - mean)², weighted by averages, is less by that of the sharpening, and no more along v.
    FluenceMap map;
    map.size_u = map.size_v = 40, map.lower_u_mm = map.lower_v_mm = -20;
    map.values.assign(40 * 40, 0.0f);
    for (int v = 15; v < 25; ++v)
        for (int u = 15; u < 25; ++u) map.at(u, v) = 1;
    const auto variance = [&](const cpu::Sharpening& sharpening, bool along_u) {
        const cpu::FluenceIntegral integral(map, sharpening);
        double sum = 0, squares = 0;
        for (double v = -19.75; v < 20; v += 0.5)
            for (double u = -19.75; u < 20; u += 0.5) {
                const double value = integral.average(u, v, 2.5, 2.5, 1.1), at = along_u ? u : v;
                sum += value, squares += value * at * at;
            }
        return squares / sum;
    };
    const cpu::Sharpening along_u{1.7, 0, 2.5, 2.5};
    EXPECT_NEAR(variance({}, true) - variance(along_u, true), 1.7 * 1.1 * 1.1, 1e-3);
    EXPECT_NEAR(variance({}, false) - variance(along_u, false), 0, 1e-3);
}
