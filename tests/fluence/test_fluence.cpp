#include <gtest/gtest.h>

#include <numeric>

#include "cpu/fluence/fluence.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "fluence/head_equations.h"

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
    return map.at(static_cast<int>((u - map.lower_u_mm) / map.pixel_mm),
                  static_cast<int>((v - map.lower_v_mm) / map.pixel_mm));
}

}  // namespace

TEST(Fluence, AsymmetricJawsByHand) {
    const auto maps =
        cpu::beam_fluence(jaw_beam({-20, 30.25}, {5, 40}, 200), PatientPosition::hfs, sharp_head(), {});
    ASSERT_EQ(maps.size(), 1u);
    EXPECT_FLOAT_EQ(value_at(maps[0], 0.5, 20.5), 200);            // open: MU
    EXPECT_FLOAT_EQ(value_at(maps[0], -30.5, 20.5), 200 * 0.01f);  // behind one jaw
    EXPECT_FLOAT_EQ(value_at(maps[0], -30.5, 0.5), 200 * 1e-4f);   // behind both
    EXPECT_NEAR(value_at(maps[0], 30.5, 20.5), 200 * (0.25 + 0.75 * 0.01),
                1e-3);  // a quarter of the pixel is open
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
    for (auto& point : beam.control_points)
        point.leaves = {LeafPositions{{-40, -10, -10, -40}, {-40, 10, 10, -40}}};
    FluenceOptions options;
    options.leaves.resize(1);
    options.leaves[0].tongue_and_groove_mm = 0.4;
    const auto maps = cpu::beam_fluence(beam, PatientPosition::hfs, sharp_head(), options);
    const double half_height = std::sqrt(0.02);
    // 0.2 mm of the open leaf's first pixel lie in the overlap, and as much of the closed leaf's last one.
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
    FluenceOptions options;
    options.leaves.resize(1);
    options.leaves[0].tip_decay = decay;
    const auto round = cpu::beam_fluence(beam, PatientPosition::hfs, head, options);
    double sum = 0;
    for (double u = -49.5; u < 50; u += 1) sum += static_cast<double>(value_at(round[0], u, 0.5));
    EXPECT_NEAR(sum, 10 + 4 / (decay * decay), 0.01);  // to the jaws at ±50, e^-10 of it is missing
    EXPECT_NEAR(value_at(round[0], -5.5, 0.5), physics::tip_integral(1, decay), 1e-6);
    EXPECT_EQ(value_at(round[0], -4.5, 0.5), 1);
    // A closed pair leaks at its tips; a jaw over them takes that away.
    for (auto& point : beam.control_points) {
        point.leaves = {LeafPositions{{0}, {0}}};
        point.jaw_x = JawOpening{10, 40};
    }
    const auto closed = cpu::beam_fluence(beam, PatientPosition::hfs, head, options);
    EXPECT_EQ(value_at(closed[0], 0.5, 0.5), 0);
    EXPECT_NEAR(value_at(closed[0], 12.5, 0.5),
                physics::tip_integral(13, decay) - physics::tip_integral(12, decay), 1e-6);
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
    // A window 10 mm wide sweeps from -30 to 30 mm with 100 MU: every point between -20 and 20 sees it for
    // 10/60 of the MU.
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
    for (double u = -19.5; u < 20; u += 1)
        EXPECT_NEAR(value_at(maps[0], u, 0.5), expected, 0.06 * expected) << u;
    double mean = 0;
    for (double u = -19.5; u < 20; u += 1) mean += static_cast<double>(value_at(maps[0], u, 0.5)) / 40;
    EXPECT_NEAR(mean, expected, 2e-3 * expected);
}

TEST(Fluence, MovingDevicesAreTheSumOfTheirMoments) {
    // Leaves along x move by 8 mm, and the y jaw, which no leaf shares, stands still or moves by 4: eight
    // moments, each as a static beam of its own.
    MultileafCollimator mlc;
    mlc.type = "MLCX";
    mlc.leaf_boundaries_mm = {-20, -0.5, 20};
    for (const double jaw_travel : {0.0, 4.0}) {
        const auto devices = [&](double part) {
            ControlPoint point = jaw_beam({-50, 50}, {-15 + jaw_travel * part, 18}, 1).control_points.front();
            point.leaves = {LeafPositions{{-10 + 8 * part, -3}, {10, 7.5 + 2 * part}}};
            return point;
        };
        const auto map_of = [&](double from, double to, double mu) {
            Beam beam = jaw_beam({-50, 50}, {-15, 18}, mu);
            beam.collimators = {mlc};
            beam.control_points = {devices(from), devices(to)};
            beam.control_points[1].cumulative_weight = 1;
            return cpu::beam_fluence(beam, PatientPosition::hfs, sharp_head(), {}).at(0);
        };
        const FluenceMap moving = map_of(0, 1, 100);
        std::vector<double> sum(moving.values.size(), 0.0);
        for (int moment = 0; moment < 8; ++moment) {
            const FluenceMap still = map_of((moment + 0.5) / 8, (moment + 0.5) / 8, 100.0 / 8);
            for (std::size_t p = 0; p < sum.size(); ++p) sum[p] += static_cast<double>(still.values[p]);
        }
        for (std::size_t p = 0; p < sum.size(); ++p)
            ASSERT_NEAR(moving.values[p], sum[p], 2e-5) << p << ", jaw by " << jaw_travel;
    }
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
    FluenceOptions options;
    options.sub_arc_deg = 3;
    const auto maps = cpu::beam_fluence(beam, PatientPosition::hfs, sharp_head(), options);
    ASSERT_EQ(maps.size(), 10u);
    for (std::size_t m = 0; m < maps.size(); ++m) {
        EXPECT_NEAR(value_at(maps[m], 0.5, 0.5), 9, 1e-4);
        const auto frame = physics::beam_frame(PatientPosition::hfs, 171.5 + 3 * static_cast<double>(m), 0, 0,
                                               Vec3::Zero(), 1000);
        EXPECT_LT((maps[m].frame.source_mm() - frame.source_mm()).norm(), 1e-6);
    }
}

TEST(Fluence, CounterClockwiseTheLongWayRound) {
    Beam beam = jaw_beam({-10, 10}, {-10, 10}, 1);
    beam.control_points[0].gantry_deg = 10;
    beam.control_points[1].gantry_deg = 20;
    beam.gantry_rotation = {Rotation::counter_clockwise, Rotation::none};
    FluenceOptions options;
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
    EXPECT_NEAR(std::accumulate(soft[0].values.begin(), soft[0].values.end(), 0.0),
                std::accumulate(sharp[0].values.begin(), sharp[0].values.end(), 0.0), 0.05);
    // At the edge one half; σ = 4/2.355 mm projected 1:1, so 1.5 mm inside Φ(1.5/1.699) = 0.811.
    EXPECT_NEAR(0.5f * (value_at(soft[0], 19.5, 0.5) + value_at(soft[0], 20.5, 0.5)), 0.5, 1e-3);
    EXPECT_NEAR(value_at(soft[0], 18.5, 0.5), 0.811, 0.01);
}

TEST(Fluence, MeansOverPixelsHoldTheSum) {
    FluenceMap map;
    map.size_u = 5;
    map.size_v = 3;
    for (int n = 0; n < 15; ++n) map.values.push_back(static_cast<float>(n));
    // Columns 0 1 | 2 3 | 4 and rows 0 1 | 2; beyond the map there is nothing.
    EXPECT_EQ(means_over_pixels(map, 2), (std::vector<float>{3, 5, 3.25f, 5.25f, 6.25f, 3.5f}));
}
