// Plan::check refuses every inconsistent plan with the beam and the place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "libdose/error.h"
#include "libdose/plan.h"

namespace libdose {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Plan good_plan() {
    Beam beam;
    beam.number = 3;
    beam.name = "anterior";
    beam.nominal_energy_mv = 6;
    beam.meterset_mu = 100;
    beam.final_cumulative_weight = 20;
    beam.collimators = {{"MLCX", MultileafCollimator::Motion::along_x, {-10, 0, 10}}};
    ControlPoint point;
    point.jaw_x = JawOpening{-50, 40};
    point.jaw_y = JawOpening{-30, 30};
    point.leaves = {{{-5, -6}, {5, 6}}};
    beam.control_points.assign(3, point);
    beam.control_points[1].cumulative_weight = 5;
    beam.control_points[2].cumulative_weight = 20;
    beam.gantry_rotation.assign(3, Rotation::none);
    Plan plan;
    plan.label = "test";
    plan.beams = {beam};
    return plan;
}

/// The message of the error that check() throws after this change; empty if it accepts it.
std::string problem_after(const std::function<void(Plan&)>& change) {
    Plan plan = good_plan();
    change(plan);
    try {
        plan.check();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::bad_input);
        return error.what();
    }
    return {};
}

TEST(PlanCheck, AcceptsAGoodPlan) { EXPECT_NO_THROW(good_plan().check()); }

TEST(PlanCheck, MuOfASegmentIsItsShareOfTheFinalWeight) {
    // 100 MU, weights 0, 5, 20 of 20: 25 and 75 MU.
    const Plan plan = good_plan();
    EXPECT_DOUBLE_EQ(plan.beams[0].segment_mu(0), 25);
    EXPECT_DOUBLE_EQ(plan.beams[0].segment_mu(1), 75);
}

TEST(PlanCheck, NamesBeamAndPlace) {
    const std::string text =
        problem_after([](Plan& p) { p.beams[0].control_points[1].leaves[0].upper_mm[1] = -7; });
    EXPECT_THAT(text, testing::HasSubstr("leaves cross"));
    EXPECT_THAT(text, testing::HasSubstr("beam 3 'anterior'"));
    EXPECT_THAT(text, testing::HasSubstr("control point 1, MLCX, leaf pair 2"));
}

Plan accessorised_plan() {
    Plan plan = good_plan();
    Beam& beam = plan.beams[0];
    beam.wedges = {{4, Wedge::Kind::physical, "W30", 30, 270, 0.5}};
    for (ControlPoint& point : beam.control_points) point.wedge_in = {true};
    Block block;
    block.number = 2;
    block.transmission = 0.05;
    block.x_mm = {0, 40, 0};
    block.y_mm = {0, 0, 30};
    beam.blocks = {block};
    beam.tray_factor = 0.97;
    beam.tray_water_mm = 3;
    beam.boluses = {{5, "flab"}, {6, ""}};
    return plan;
}

TEST(PlanCheck, AcceptsAccessories) { EXPECT_NO_THROW(accessorised_plan().check()); }

TEST(PlanCheck, NamesTheAccessory) {
    EXPECT_THAT(problem_after([](Plan& p) { (p = accessorised_plan()).beams[0].wedges[0].angle_deg = 0; }),
                testing::HasSubstr("beam 3 'anterior', wedge 4"));
    EXPECT_THAT(problem_after([](Plan& p) { (p = accessorised_plan()).beams[0].blocks[0].transmission = 2; }),
                testing::HasSubstr("beam 3 'anterior', block 2"));
}

/// A change of the beam that has everything.
std::function<void(Plan&)> with_accessories(const std::function<void(Beam&)>& change) {
    return [change](Plan& plan) {
        plan = accessorised_plan();
        change(plan.beams[0]);
    };
}

struct Flaw {
    const char* name;
    std::function<void(Plan&)> change;
    const char* message;
};

class PlanFlaw : public testing::TestWithParam<Flaw> {};

TEST_P(PlanFlaw, IsRefused) {
    EXPECT_THAT(problem_after(GetParam().change), testing::HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, PlanFlaw,
    testing::Values(
        Flaw{"NoBeam", [](Plan& p) { p.beams.clear(); }, "no beam"},
        Flaw{"NoFraction", [](Plan& p) { p.fractions = 0; }, "number of fractions is 0"},
        Flaw{"SameNumberTwice", [](Plan& p) { p.beams.push_back(p.beams[0]); },
             "two beams have the number 3"},
        Flaw{"EnergyNan", [](Plan& p) { p.beams[0].nominal_energy_mv = nan; }, "nominal energy"},
        Flaw{"EnergyZero", [](Plan& p) { p.beams[0].nominal_energy_mv = 0; }, "nominal energy"},
        Flaw{"FluenceModeEmpty", [](Plan& p) { p.beams[0].fluence_mode.clear(); }, "fluence mode"},
        Flaw{"MetersetNan", [](Plan& p) { p.beams[0].meterset_mu = nan; }, "meterset"},
        Flaw{"MetersetNegative", [](Plan& p) { p.beams[0].meterset_mu = -1; }, "meterset"},
        Flaw{"SourceAxisDistance", [](Plan& p) { p.beams[0].source_axis_distance_mm = 0; }, "source-axis"},
        Flaw{"FinalWeightZero", [](Plan& p) { p.beams[0].final_cumulative_weight = 0; }, "final cumulative"},
        Flaw{"FinalWeightDiffers", [](Plan& p) { p.beams[0].final_cumulative_weight = 21; },
             "20.000000, but the final weight is 21"},
        Flaw{"WeightsDescend", [](Plan& p) { p.beams[0].control_points[1].cumulative_weight = 21; },
             "decreases"},
        Flaw{"WeightNan", [](Plan& p) { p.beams[0].control_points[1].cumulative_weight = nan; },
             "not finite"},
        Flaw{"FirstWeight", [](Plan& p) { p.beams[0].control_points[0].cumulative_weight = 1; },
             "first cumulative"},
        Flaw{"OneControlPoint", [](Plan& p) { p.beams[0].control_points.resize(1); }, "fewer than two"},
        Flaw{"RotationCount", [](Plan& p) { p.beams[0].gantry_rotation.pop_back(); },
             "2 rotation directions for 3"},
        Flaw{"GantryNan", [](Plan& p) { p.beams[0].control_points[2].gantry_deg = nan; },
             "angle is not finite"},
        Flaw{"CouchNan", [](Plan& p) { p.beams[0].control_points[2].couch_deg = nan; },
             "angle is not finite"},
        Flaw{"IsocentreNan", [](Plan& p) { p.beams[0].control_points[0].isocentre_mm[1] = nan; },
             "isocentre"},
        Flaw{"JawsCross",
             [](Plan& p) {
                 p.beams[0].control_points[0].jaw_y = JawOpening{1, 0};
             },
             "y jaws cross"},
        Flaw{"JawNan",
             [](Plan& p) {
                 p.beams[0].control_points[0].jaw_x = JawOpening{nan, 0};
             },
             "x jaws"},
        Flaw{"JawComesAndGoes", [](Plan& p) { p.beams[0].control_points[1].jaw_x.reset(); },
             "some control points only"},
        Flaw{"LeafCount", [](Plan& p) { p.beams[0].control_points[1].leaves[0].lower_mm.pop_back(); },
             "1 and 2 leaf positions for 2 pairs"},
        Flaw{"LeafNan", [](Plan& p) { p.beams[0].control_points[1].leaves[0].lower_mm[0] = nan; },
             "leaf position is not finite"},
        Flaw{"CollimatorWithoutPositions", [](Plan& p) { p.beams[0].control_points[1].leaves.clear(); },
             "do not match"},
        Flaw{"BoundariesDescend",
             [](Plan& p) {
                 p.beams[0].collimators[0].leaf_boundaries_mm = {-10, 10, 0};
             },
             "do not ascend"},
        Flaw{"BoundaryNan", [](Plan& p) { p.beams[0].collimators[0].leaf_boundaries_mm[1] = nan; },
             "boundary is not finite"},
        Flaw{"DosePointNan", [](Plan& p) { p.beams[0].dose_point_mm = Vec3(0, nan, 0); }, "dose point"},
        Flaw{"DoseNan", [](Plan& p) { p.beams[0].dose_point_gy = nan; }, "dose point"}),
    [](const auto& flaw) { return std::string(flaw.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Accessories, PlanFlaw,
    testing::Values(
        Flaw{"WedgeAngleZero", with_accessories([](Beam& b) { b.wedges[0].angle_deg = 0; }), "wedge angle"},
        Flaw{"WedgeAngle90", with_accessories([](Beam& b) { b.wedges[0].angle_deg = 90; }), "wedge angle"},
        Flaw{"WedgeAngleNan", with_accessories([](Beam& b) { b.wedges[0].angle_deg = nan; }), "wedge angle"},
        Flaw{"WedgeOrientationNan", with_accessories([](Beam& b) { b.wedges[0].orientation_deg = nan; }),
             "wedge orientation"},
        Flaw{"WedgeFactorNan", with_accessories([](Beam& b) { b.wedges[0].factor = nan; }), "wedge factor"},
        Flaw{"WedgePositionsMissing", with_accessories([](Beam& b) { b.control_points[1].wedge_in.clear(); }),
             "0 wedge positions for 1 wedges"},
        Flaw{"WedgePositionsWithoutWedge", with_accessories([](Beam& b) { b.wedges.clear(); }),
             "1 wedge positions for 0 wedges"},
        Flaw{"BlockTwoPoints", with_accessories([](Beam& b) {
                 b.blocks[0].x_mm = b.blocks[0].y_mm = {0, 1};
             }),
             "fewer than three points"},
        Flaw{"BlockSizes", with_accessories([](Beam& b) { b.blocks[0].y_mm.push_back(1); }), "3 x and 4 y"},
        Flaw{"BlockPointNan", with_accessories([](Beam& b) { b.blocks[0].y_mm[1] = nan; }),
             "outline is not finite"},
        Flaw{"BlockTransmissionNegative", with_accessories([](Beam& b) { b.blocks[0].transmission = -0.1; }),
             "transmission"},
        Flaw{"BlockTransmissionAboveOne", with_accessories([](Beam& b) { b.blocks[0].transmission = 1.1; }),
             "transmission"},
        Flaw{"BlockTransmissionNan", with_accessories([](Beam& b) { b.blocks[0].transmission = nan; }),
             "transmission"},
        Flaw{"BlockThickness", with_accessories([](Beam& b) { b.blocks[0].thickness_mm = -1; }), "thickness"},
        Flaw{"BlockTrayNan", with_accessories([](Beam& b) { b.blocks[0].tray_distance_mm = nan; }),
             "tray distance"},
        Flaw{"BlockParallelWithoutTray", with_accessories([](Beam& b) { b.blocks[0].divergent = false; }),
             "without divergence"},
        Flaw{"TrayFactorZero", with_accessories([](Beam& b) { b.tray_factor = 0; }), "tray factor"},
        Flaw{"TrayFactorAboveOne", with_accessories([](Beam& b) { b.tray_factor = 1.1; }), "tray factor"},
        Flaw{"TrayFactorNan", with_accessories([](Beam& b) { b.tray_factor = nan; }), "tray factor"},
        Flaw{"TrayWater", with_accessories([](Beam& b) { b.tray_water_mm = -1; }), "thickness of the trays"},
        Flaw{"BolusTwice", with_accessories([](Beam& b) { b.boluses[1].structure_number = 5; }),
             "structure 5 is a bolus twice"}),
    [](const auto& flaw) { return std::string(flaw.param.name); });

}  // namespace
}  // namespace libdose
