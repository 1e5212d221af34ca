// Reasons to refuse a plan, wherever it comes from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "libdose/error.h"
#include "libdose/plan.h"

namespace libdose {
namespace {

using Change = std::function<void(Beam&)>;

MultileafCollimator bank(const char* type, MultileafCollimator::Motion motion, double half_mm,
                         int pairs = 40) {
    MultileafCollimator mlc{type, motion, {}};
    for (int l = 0; l <= pairs; ++l) mlc.leaf_boundaries_mm.push_back(-half_mm + 2 * half_mm * l / pairs);
    return mlc;
}

/// A field of 100 x 100 mm made by jaws, of which some are taken away.
Beam square_field() {
    Beam beam;
    beam.number = 3;
    beam.name = "anterior";
    beam.nominal_energy_mv = 6;
    beam.meterset_mu = 100;
    ControlPoint point;
    point.jaw_x = JawOpening{-50, 50};
    point.jaw_y = JawOpening{-50, 50};
    beam.control_points.assign(3, point);
    beam.control_points[1].cumulative_weight = 0.5;
    beam.control_points[2].cumulative_weight = 1;
    beam.gantry_rotation.assign(3, Rotation::none);
    return beam;
}

void add_bank(Beam& beam, const MultileafCollimator& mlc) {
    beam.collimators.push_back(mlc);
    const auto pairs = static_cast<std::size_t>(mlc.leaf_pairs());
    for (ControlPoint& point : beam.control_points)
        point.leaves.push_back({std::vector<double>(pairs, -50), std::vector<double>(pairs, 50)});
}

const auto x = MultileafCollimator::Motion::along_x, y = MultileafCollimator::Motion::along_y;

void without_jaws(Beam& beam, bool no_x, bool no_y) {
    for (ControlPoint& point : beam.control_points) {
        if (no_x) point.jaw_x.reset();
        if (no_y) point.jaw_y.reset();
    }
}

void set_gantry(Beam& beam, std::vector<double> degrees, std::vector<Rotation> directions) {
    for (std::size_t i = 0; i < degrees.size(); ++i) beam.control_points[i].gantry_deg = degrees[i];
    beam.gantry_rotation = std::move(directions);
}

/// Empty: accepted. Otherwise what the refusal says; "bad input" in front when it is that.
std::string refusal(const Change& change) {
    Plan plan;
    plan.beams = {square_field()};
    change(plan.beams[0]);
    try {
        plan.check();
    } catch (const Error& error) {
        return (error.kind() == ErrorKind::refused_plan ? "" : "not refused: ") + std::string(error.what());
    }
    return {};
}

struct Case {
    const char* name;
    Change change;
    const char* message;  ///< empty: accepted
};

class PlanMeaning : public testing::TestWithParam<Case> {};

TEST_P(PlanMeaning, IsRefusedWithBeamAndReason) {
    const std::string text = refusal(GetParam().change);
    if (*GetParam().message == '\0') {
        EXPECT_EQ(text, "");
        return;
    }
    EXPECT_THAT(text, testing::HasSubstr(GetParam().message));
    EXPECT_THAT(text, testing::HasSubstr("beam 3 'anterior'"));
    EXPECT_THAT(text, testing::Not(testing::StartsWith("not refused")));
}

const auto none = Rotation::none, cw = Rotation::clockwise, cc = Rotation::counter_clockwise;

INSTANTIATE_TEST_SUITE_P(Gantry, PlanMeaning,
                         testing::Values(Case{"Stands",
                                              [](Beam& b) {
                                                  set_gantry(b, {30, 30, 30}, {none, none, none});
                                              },
                                              ""},
                                         Case{"ThreeHundredAndSixtyIsZero",
                                              [](Beam& b) {
                                                  set_gantry(b, {360, 0, 0}, {none, none, none});
                                              },
                                              ""},
                                         Case{"FullTurnInOneStep",
                                              [](Beam& b) {
                                                  set_gantry(b, {0, 360, 360}, {cw, none, none});
                                              },
                                              "a full turn or none"},
                                         Case{"SameAngleWithDirection",
                                              [](Beam& b) {
                                                  set_gantry(b, {180, 180, 180}, {cw, cw, none});
                                              },
                                              "a full turn or none"},
                                         Case{"SameAngleCounterClockwise",
                                              [](Beam& b) {
                                                  set_gantry(b, {0, 0, 0}, {cc, cc, none});
                                              },
                                              "a full turn or none"},
                                         Case{"DirectionOfTheLastPointSaysNothing",
                                              [](Beam& b) {
                                                  set_gantry(b, {0, 0, 0}, {none, none, cw});
                                              },
                                              ""},
                                         Case{"MovesInNoDirection",
                                              [](Beam& b) {
                                                  set_gantry(b, {0, 45, 90}, {none, none, none});
                                              },
                                              "in no given direction"},
                                         Case{"MovesInNoDirectionInTheEnd",
                                              [](Beam& b) {
                                                  set_gantry(b, {0, 45, 90}, {cw, none, none});
                                              },
                                              "control point 1"},
                                         Case{"FullTurnInTwoSteps",
                                              [](Beam& b) {
                                                  set_gantry(b, {0, 180, 360}, {cw, cw, none});
                                              },
                                              ""},
                                         Case{"NearlyAFullTurn",
                                              [](Beam& b) {
                                                  set_gantry(b, {180, 179.9, 179.9}, {cw, none, none});
                                              },
                                              ""},
                                         Case{"StandsForAWhile",
                                              [](Beam& b) {
                                                  set_gantry(b, {0, 0, 90}, {cw, cw, none});
                                              },
                                              ""}),
                         [](const auto& one) { return std::string(one.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Limits, PlanMeaning,
    testing::Values(Case{"NoDevices", [](Beam& b) { without_jaws(b, true, true); },
                         "not limited in both directions: along x"},
                    Case{"XJawsAlone", [](Beam& b) { without_jaws(b, false, true); }, "along y"},
                    Case{"YJawsAlone", [](Beam& b) { without_jaws(b, true, false); }, "along x"},
                    Case{"LeavesAlone",
                         [](Beam& b) {
                             add_bank(b, bank("MLCX", x, 200));
                             without_jaws(b, true, true);
                         },
                         "not limited in both directions: along y"},
                    Case{"LeavesAndJawsAlongThem",
                         [](Beam& b) {
                             add_bank(b, bank("MLCX", x, 200));
                             without_jaws(b, false, true);
                         },
                         "along y"},
                    Case{"LeavesAndJawsAcrossThem",
                         [](Beam& b) {
                             add_bank(b, bank("MLCX", x, 200));
                             without_jaws(b, true, false);
                         },
                         ""},
                    Case{"LeavesAlongYAndXJaws",
                         [](Beam& b) {
                             add_bank(b, bank("MLCY", y, 200));
                             without_jaws(b, false, true);
                         },
                         ""},
                    Case{"LeavesAlongYAlone",
                         [](Beam& b) {
                             add_bank(b, bank("MLCY", y, 200));
                             without_jaws(b, true, true);
                         },
                         "not limited in both directions: along x"},
                    Case{"JawsAcrossBeyondTheBank",
                         [](Beam& b) {
                             add_bank(b, bank("MLCX", x, 40));
                             without_jaws(b, true, false);
                         },
                         "along x"},
                    Case{"JawsAcrossBeyondTheBankAndAlong", [](Beam& b) { add_bank(b, bank("MLCX", x, 40)); },
                         ""},
                    Case{"JawsAcrossUpToTheBank",
                         [](Beam& b) {
                             add_bank(b, bank("MLCX", x, 50));
                             without_jaws(b, true, false);
                         },
                         ""},
                    Case{"OneJawBeyondTheBankInOnePoint",
                         [](Beam& b) {
                             add_bank(b, bank("MLCX", x, 60));
                             without_jaws(b, true, false);
                             b.control_points[2].jaw_y = JawOpening{-50, 70};
                         },
                         "control point 2"},
                    Case{"TwoLayersOfOneDirection",
                         [](Beam& b) {
                             add_bank(b, bank("MLCX1", x, 145));
                             add_bank(b, bank("MLCX2", x, 140));
                             without_jaws(b, true, true);
                         },
                         "along y"},
                    Case{"TwoLayersWithFixedJaws",
                         [](Beam& b) {
                             add_bank(b, bank("MLCX1", x, 145));
                             add_bank(b, bank("MLCX2", x, 140));
                         },
                         ""},
                    // Beside both banks, more than 200 mm from both axes, lies what the primary collimator
                    // (280 mm) closes.
                    Case{"CrossedLayers",
                         [](Beam& b) {
                             add_bank(b, bank("MLCX", x, 200));
                             add_bank(b, bank("MLCY", y, 200));
                             without_jaws(b, true, true);
                         },
                         ""},
                    Case{"SmallCrossedLayers",
                         [](Beam& b) {
                             add_bank(b, bank("MLCX", x, 60));
                             add_bank(b, bank("MLCY", y, 60));
                             without_jaws(b, true, true);
                         },
                         "not limited in both directions"}),
    [](const auto& one) { return std::string(one.param.name); });

Change wedged(
    Wedge::Kind kind, std::vector<bool> in, std::function<void(Beam&)> more = [](Beam&) {}) {
    return [=](Beam& beam) {
        beam.wedges = {{4, kind, "W", 30, 0, {}}};
        for (std::size_t i = 0; i < in.size(); ++i) beam.control_points[i].wedge_in = {in[i]};
        more(beam);
    };
}
const auto physical = Wedge::Kind::physical, motorised = Wedge::Kind::motorised,
           dynamic = Wedge::Kind::dynamic;

INSTANTIATE_TEST_SUITE_P(
    Others, PlanMeaning,
    testing::Values(
        Case{"SourceAxisDistance", [](Beam& b) { b.source_axis_distance_mm = 800; },
             "source-axis distance is 800 mm"},
        Case{"SourceAxisDistanceNearly", [](Beam& b) { b.source_axis_distance_mm = 1000.4; }, ""},
        Case{"Machine", [](Beam& b) { b.machine_model = "Radixact X9"; }, "TomoTherapy"},
        Case{"Maker", [](Beam& b) { b.manufacturer = "ViewRay"; }, "MRIdian"},
        Case{"CollimatorHalfATurn", [](Beam& b) { b.control_points[1].collimator_deg = 180; },
             "the collimator turns from 0 degrees to 180 degrees"},
        Case{"CouchHalfATurn", [](Beam& b) { b.control_points[2].couch_deg = 180; }, "the couch turns"},
        Case{"CollimatorTheShorterWay",
             [](Beam& b) {
                 b.control_points[1].collimator_deg = 200;
                 b.control_points[2].collimator_deg = 350;
             },
             ""},
        Case{"JawsClosed",
             [](Beam& b) {
                 for (auto& p : b.control_points) p.jaw_x = JawOpening{10, 10};
             },
             "jaws are closed in every control point"},
        Case{"JawsClosedForAWhile",
             [](Beam& b) {
                 b.control_points[0].jaw_x = JawOpening{10, 10};
             },
             ""},
        Case{"SeveralApertures",
             [](Beam& b) {
                 Block block;
                 block.aperture = true;
                 block.x_mm = {0, 40, 0};
                 block.y_mm = {0, 0, 30};
                 b.blocks = {block, block};
                 b.blocks[1].number = 1;
             },
             "several apertures"},
        Case{"PhysicalWedge", wedged(physical, {true, true, true}), ""},
        Case{"PhysicalWedgeMoves", wedged(physical, {true, true, false}), "goes in or out"},
        Case{"MotorisedWedgeMovesWithMu", wedged(motorised, {true, true, false}), "while meterset is given"},
        Case{"MotorisedWedgeMoves",
             wedged(motorised, {true, true, false},
                    [](Beam& b) { b.control_points[1].cumulative_weight = 1; }),
             ""},
        Case{"TwoWedges",
             wedged(physical, {true, true, true},
                    [](Beam& b) {
                        b.wedges.push_back({5, physical, "V", 15, 0, {}});
                        for (auto& p : b.control_points) p.wedge_in.push_back(true);
                    }),
             "2 wedges are IN at once"},
        Case{"DynamicWedge", wedged(dynamic, {true, true, true}), ""},
        Case{"DynamicWedgeAskew",
             wedged(dynamic, {true, true, true}, [](Beam& b) { b.wedges[0].orientation_deg = 45; }),
             "not that of a jaw"},
        Case{"DynamicWedgeOut",
             wedged(dynamic, {false, false, false}, [](Beam& b) { b.wedges[0].orientation_deg = 45; }), ""},
        Case{"DynamicWedgeInAnArc",
             wedged(dynamic, {true, true, true},
                    [](Beam& b) {
                        set_gantry(b, {0, 20, 40}, {cw, cw, none});
                    }),
             "what moves when"}),
    [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace libdose
