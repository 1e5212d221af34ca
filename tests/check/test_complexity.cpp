// Metrics of apertures against numbers that are worked out by hand.
#include <gmock/gmock.h>

#include "libdose/check/complexity.h"

namespace libdose::check {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Three pairs of leaves, 10 mm wide, within jaws of 200 x 30 mm.
ControlPoint point(std::vector<double> lower, std::vector<double> upper, double weight) {
    ControlPoint point;
    point.jaw_x = JawOpening{-100, 100};
    point.jaw_y = JawOpening{-15, 15};
    point.leaves = {{std::move(lower), std::move(upper)}};
    point.cumulative_weight = weight;
    return point;
}

Beam beam_of(std::vector<ControlPoint> points, double mu = 100) {
    Beam beam;
    beam.number = 1;
    beam.name = "field";
    beam.meterset_mu = mu;
    MultileafCollimator mlc;
    mlc.type = "MLCX";
    mlc.leaf_boundaries_mm = {-15, -5, 5, 15};
    beam.collimators = {mlc};
    beam.gantry_rotation.assign(points.size(), Rotation::none);
    beam.control_points = std::move(points);
    return beam;
}

Plan plan_of(std::vector<Beam> beams) {
    Plan plan;
    plan.beams = std::move(beams);
    return plan;
}

Complexity of(const Beam& beam) { return complexity(plan_of({beam})).front(); }

// An open field of 40 x 30 mm: leaves in line, the largest area all the time. Sides of leaves: 40 mm at each
// end, over 1200 mm².
TEST(Complexity, AnOpenField) {
    const std::vector<double> lower{-20, -20, -20}, upper{20, 20, 20};
    const Complexity open = of(beam_of({point(lower, upper, 0), point(lower, upper, 1)}));
    EXPECT_DOUBLE_EQ(*open.modulation_complexity_score, 1);
    EXPECT_DOUBLE_EQ(*open.small_aperture_score_5mm, 0);
    EXPECT_DOUBLE_EQ(*open.small_aperture_score_10mm, 0);
    EXPECT_NEAR(*open.edge_metric_per_mm, 80.0 / 1200, 1e-12);
    EXPECT_DOUBLE_EQ(*open.mean_aperture_area_cm2, 12);
    EXPECT_FALSE(open.leaf_travel_mm);  // not an arc
    EXPECT_EQ(open.mu, 100);
}

// Lower bank 0, -10, -30: range 30, differences 10 and 20: (20 + 10) / (2 · 30) = 1/2. Upper bank 10, 10, 30:
// range 20, differences 0 and 20: (20 + 0) / (2 · 20) = 1/2. LSV 1/4. Gaps 10, 20, 60 mm.
// The same all the time, so that AAV = 1 and MCS = 1/4.
// Sides: 10; between (0, 10) and (-10, 10): 10; between (-10, 10) and (-30, 30): 40; 60. Together 120 mm over
// 900 mm².
TEST(Complexity, AStaticShape) {
    const std::vector<double> lower{0, -10, -30}, upper{10, 10, 30};
    const Complexity shape = of(beam_of({point(lower, upper, 0), point(lower, upper, 1)}));
    EXPECT_NEAR(*shape.modulation_complexity_score, 0.25, 1e-12);
    EXPECT_NEAR(*shape.edge_metric_per_mm, 120.0 / 900, 1e-12);
    EXPECT_NEAR(*shape.mean_aperture_area_cm2, 9, 1e-12);
    EXPECT_DOUBLE_EQ(*shape.small_aperture_score_10mm, 0);  // 10 mm is not narrower than 10 mm
}

// Step and shoot. 25 MU: 40 x 30 mm. 75 MU: the first pair 4 mm, the second 8 mm, the third 40 mm.
// Largest area: 1200 mm². LSV of the second: both banks -2, -4, -20 and 2, 4, 20: range 18, differences 2 and
// 16: (16 + 2) / 36 = 1/2 each, 1/4. Area 520 mm². MCS = 0.25 · 1 + 0.75 · 1/4 · 520 / 1200.
// Small: 1/3 of the pairs below 5 mm, 2/3 below 10 mm, for three quarters of the MU.
TEST(Complexity, SegmentsAreWeightedByMu) {
    const std::vector<double> open_lower{-20, -20, -20}, open_upper{20, 20, 20}, lower{-2, -4, -20},
        upper{2, 4, 20};
    const Complexity steps =
        of(beam_of({point(open_lower, open_upper, 0), point(open_lower, open_upper, 0.25),
                    point(lower, upper, 0.25), point(lower, upper, 1)}));
    EXPECT_NEAR(*steps.modulation_complexity_score, 0.25 + 0.75 * 0.25 * 520 / 1200, 1e-12);
    EXPECT_NEAR(*steps.small_aperture_score_5mm, 0.75 / 3, 1e-12);
    EXPECT_NEAR(*steps.small_aperture_score_10mm, 0.75 * 2 / 3, 1e-12);
    EXPECT_NEAR(*steps.mean_aperture_area_cm2, 0.25 * 12 + 0.75 * 5.2, 1e-12);
}

// An arc of two segments of 50 MU. All lower leaves stay at -20; the upper ones go from 20 to 0 and back to
// 20, but the third to -10 and back. Largest area 1200; areas 1200, 500 and 1200 mm².
// LSV: 1, then the upper bank 0, 0, -10: range 10, differences 0 and 10: (10 + 0) / 20 = 1/2, then 1.
// MCSv: both segments (1 + 1/2) / 2 · (1 + 500/1200) / 2.
// Travel: the upper leaves 40, 40 and 60 mm; the lower ones do not move. Mean 140 / 3.
TEST(Complexity, AnArc) {
    Beam arc = beam_of({point({-20, -20, -20}, {20, 20, 20}, 0), point({-20, -20, -20}, {0, 0, -10}, 0.5),
                        point({-20, -20, -20}, {20, 20, 20}, 1)});
    arc.gantry_rotation = {Rotation::clockwise, Rotation::clockwise, Rotation::none};
    const Complexity found = of(arc);
    EXPECT_NEAR(*found.modulation_complexity_score, 0.75 * (1 + 500.0 / 1200) / 2, 1e-12);
    EXPECT_NEAR(*found.leaf_travel_mm, 140.0 / 3, 1e-12);
}

// The jaws cover the first pair and half of the second, and 5 mm of each opening: 1.5 leaves of 35 mm.
TEST(Complexity, WhatTheJawsCoverDoesNotCount) {
    Beam beam = beam_of({point({-60, -20, -20}, {60, 20, 20}, 0), point({-60, -20, -20}, {60, 20, 20}, 1)});
    for (ControlPoint& each : beam.control_points) {
        each.jaw_y = JawOpening{0, 15};
        each.jaw_x = JawOpening{-20, 15};
    }
    const Complexity found = of(beam);
    EXPECT_NEAR(*found.mean_aperture_area_cm2, 5 * 0.35 + 3.5, 1e-12);
    EXPECT_DOUBLE_EQ(*found.modulation_complexity_score, 1);
    EXPECT_NEAR(*found.edge_metric_per_mm, 70.0 / 525, 1e-12);
}

// A closed pair keeps 0.5 mm: it is not open, and no small aperture.
TEST(Complexity, ClosedPairsDoNotCount) {
    const std::vector<double> lower{-20, 0, -20}, upper{20, 0.5, 20};
    const Complexity found = of(beam_of({point(lower, upper, 0), point(lower, upper, 1)}));
    EXPECT_DOUBLE_EQ(*found.small_aperture_score_5mm, 0);
    EXPECT_NEAR(*found.edge_metric_per_mm, 160.0 / 800, 1e-12);  // two fields of their own
}

// 100 MU open (MCS 1) and 300 MU with MCS 1/4: 0.4375. 400 MU for 2 Gy.
TEST(Complexity, ThePlanIsWeightedByMu) {
    const std::vector<double> open_lower{-20, -20, -20}, open_upper{20, 20, 20}, lower{0, -10, -30},
        upper{10, 10, 30};
    const Plan plan = plan_of({beam_of({point(open_lower, open_upper, 0), point(open_lower, open_upper, 1)}),
                               beam_of({point(lower, upper, 0), point(lower, upper, 1)}, 300)});
    const std::vector<Complexity> all = complexity(plan, 2);
    ASSERT_THAT(all, SizeIs(3));
    EXPECT_EQ(all[2].beam_number, 0);
    EXPECT_NEAR(*all[2].modulation_complexity_score, 0.4375, 1e-12);
    EXPECT_DOUBLE_EQ(*all[2].mu_per_gy, 200);
    EXPECT_FALSE(all[0].mu_per_gy);
    EXPECT_FALSE(complexity(plan).back().mu_per_gy);
}

TEST(Complexity, WithoutLeavesThereIsNothingToSay) {
    Beam beam = beam_of({point({-20, -20, -20}, {20, 20, 20}, 0), point({-20, -20, -20}, {20, 20, 20}, 1)});
    beam.collimators.clear();
    for (ControlPoint& each : beam.control_points) each.leaves.clear();
    const Complexity found = of(beam);
    EXPECT_EQ(found.mu, 100);
    EXPECT_FALSE(found.modulation_complexity_score);
    EXPECT_FALSE(found.edge_metric_per_mm);
    EXPECT_THAT(speed_notes(plan_of({beam})), IsEmpty());
}

/// An arc of 2 degrees each from 0 degrees backwards; in the second step one leaf moves by `travel_mm`.
Beam arc(double travel_mm) {
    Beam beam = beam_of({point({-20, -20, -20}, {20, 20, 20}, 0), point({-20, -20, -20}, {20, 20, 20}, 0.5),
                         point({-20, -20, -20}, {20, 20 - travel_mm, 20}, 1)});
    beam.manufacturer = "Varian Medical Systems";
    beam.gantry_rotation = {Rotation::counter_clockwise, Rotation::counter_clockwise, Rotation::none};
    beam.control_points[0].gantry_deg = 1;
    beam.control_points[1].gantry_deg = 359;
    beam.control_points[2].gantry_deg = 357;
    return beam;
}

// 23 mm/s at 4.8 degrees/s are 4.79 mm per degree. 12 mm in 2 degrees are 6 mm per degree: 28.8 mm/s, or
// 3.8 degrees/s.
TEST(SpeedNotes, LeavesThatSlowTheGantryAreNamed) {
    EXPECT_THAT(speed_notes(plan_of({arc(9.5)})), IsEmpty());
    const std::vector<std::string> notes = speed_notes(plan_of({arc(12)}));
    ASSERT_THAT(notes, SizeIs(1));
    EXPECT_THAT(notes[0], HasSubstr("beam 1 'field'"));
    EXPECT_THAT(notes[0], HasSubstr("up to 29 mm/s"));
    EXPECT_THAT(notes[0], HasSubstr("in 1 of 2 segments, most between control points 2 and 3"));
    EXPECT_THAT(notes[0], HasSubstr("slow down to 3.8°/s"));
}

TEST(SpeedNotes, AMachineThatIsNotKnownIsSaidToBe) {
    Beam beam = arc(12);
    beam.manufacturer = "ELEKTA";
    const std::vector<std::string> notes = speed_notes(plan_of({beam}));
    ASSERT_THAT(notes, SizeIs(1));
    EXPECT_THAT(notes[0], HasSubstr("not looked at"));
}

}  // namespace
}  // namespace libdose::check
