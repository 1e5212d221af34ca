// Wedges, blocks, trays and boluses of a beam, and jaws that are declared twice: what is read, and what
// leaves two meanings open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libdose/error.h"
#include "libdose/io/dicom.h"
#include "support/rt_fixture.h"

namespace libdose {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace test;

Plan read(const BeamSpec& beam) { return io::read_plan(write_plan(plan_of({beam}))); }

void expect_refused(const BeamSpec& beam, ErrorKind kind, std::vector<std::string> parts) {
    parts.push_back("beam 7 'odd'");
    try {
        read(beam);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), kind) << error.what();
        for (const std::string& part : parts) EXPECT_THAT(error.what(), HasSubstr(part));
        return;
    }
    ADD_FAILURE() << "the plan was accepted: " << parts.front();
}

constexpr ErrorKind refused = ErrorKind::refused_plan, bad = ErrorKind::bad_input;

BeamSpec wedged(const std::string& type = "STANDARD") {
    BeamSpec beam = static_beam(7, "odd");
    beam.wedges = {{"1", type}};
    beam.points[0].wedges = {{"1", "IN"}};
    return beam;
}

/// A motorised wedge for 40 of 100 MU, then out: weights 0, 0.4, 0.4, 1.
BeamSpec motorised() {
    BeamSpec beam = wedged("MOTORIZED");
    PointSpec in_until, out_from;
    in_until.weight = out_from.weight = "0.4";
    out_from.wedges = {{"1", "OUT"}};
    beam.points.insert(beam.points.begin() + 1, {in_until, out_from});
    return beam;
}

BeamSpec blocked() {
    BeamSpec beam = static_beam(7, "odd");
    beam.blocks = {{}};
    return beam;
}

TEST(DicomPlanAccessories, MachineIsThatOfTheBeamNotOfTheFile) {
    PlanSpec spec = plan_of({static_beam(1, "a"), static_beam(2, "b")});
    spec.beams[0].manufacturer = "A Maker";
    spec.beams[0].model = "Model 3";
    spec.edit = [](DcmItem& root) {
        put(root, DCM_Manufacturer, "A Planner");
        put(root, DCM_ManufacturerModelName, "Version 9");
    };
    const Plan plan = io::read_plan(write_plan(spec));
    EXPECT_EQ(plan.beams[0].manufacturer, "A Maker");
    EXPECT_EQ(plan.beams[0].machine_model, "Model 3");
    EXPECT_EQ(plan.beams[1].manufacturer, "");
    EXPECT_EQ(plan.beams[1].machine_model, "");
}

TEST(DicomPlanAccessories, APlainBeamHasNone) {
    const Beam beam = read(static_beam(7, "odd")).beams[0];
    EXPECT_TRUE(beam.wedges.empty() && beam.blocks.empty() && beam.boluses.empty());
    EXPECT_THAT(beam.control_points[0].wedge_in, IsEmpty());
    EXPECT_EQ(beam.tray_factor, 1);
    EXPECT_EQ(beam.tray_water_mm, 0);
}

TEST(DicomPlanWedges, PhysicalWedgeIsReadWhole) {
    BeamSpec spec = wedged();
    spec.wedges = {{"4", "STANDARD", "W45L", "45", "0.52", "270"}};
    spec.points[0].wedges = {{"4", "IN"}};
    const Beam beam = read(spec).beams[0];
    ASSERT_EQ(beam.wedges.size(), 1u);
    EXPECT_EQ(beam.wedges[0].number, 4);
    EXPECT_EQ(beam.wedges[0].kind, Wedge::Kind::physical);
    EXPECT_EQ(beam.wedges[0].id, "W45L");
    EXPECT_EQ(beam.wedges[0].angle_deg, 45);
    EXPECT_EQ(beam.wedges[0].orientation_deg, 270);
    EXPECT_EQ(beam.wedges[0].factor, 0.52);
    for (const ControlPoint& point : beam.control_points)
        EXPECT_THAT(point.wedge_in, ElementsAre(true));  // carried forward
    spec.wedges[0].id = spec.wedges[0].factor = "";
    EXPECT_EQ(read(spec).beams[0].wedges[0].id, "");
    EXPECT_FALSE(read(spec).beams[0].wedges[0].factor);
}

TEST(DicomPlanWedges, MotorisedWedgeMovesBetweenSegments) {
    const Beam beam = read(motorised()).beams[0];
    ASSERT_EQ(beam.wedges.size(), 1u);
    EXPECT_EQ(beam.wedges[0].kind, Wedge::Kind::motorised);
    std::vector<bool> in;
    for (const ControlPoint& point : beam.control_points) in.push_back(point.wedge_in.at(0));
    EXPECT_THAT(in, ElementsAre(true, true, false, false));
    EXPECT_DOUBLE_EQ(beam.segment_mu(0), 40);
}

TEST(DicomPlanWedges, OnlyAMotorisedWedgeMovesAndNotWhileTheBeamIsOn) {
    for (const char* type : {"STANDARD", "DYNAMIC"}) {
        BeamSpec beam = motorised();
        beam.wedges[0].type = type;
        expect_refused(beam, refused, {"goes in or out", "control point 2", "(300a,0118)"});
    }
    BeamSpec beam = motorised();
    beam.points.erase(beam.points.begin() + 1);  // IN at weight 0, OUT at 0.4
    expect_refused(beam, refused, {"while meterset is given", "control point 1", "(300a,0118)"});
}

TEST(DicomPlanWedges, DynamicWedgeIsRead) {
    for (const char* orientation : {"0", "180", "90", "270", "-90", "360"}) {
        BeamSpec beam = wedged("DYNAMIC");
        beam.wedges[0].orientation = orientation;
        EXPECT_EQ(read(beam).beams[0].wedges[0].kind, Wedge::Kind::dynamic) << orientation;
    }
}

TEST(DicomPlanWedges, DynamicWedgeThatSomethingElseMovesWithIsRefused) {
    BeamSpec beam = wedged("DYNAMIC");
    beam.points[1].gantry = "100";
    beam.points[0].gantry_direction = "CW";
    expect_refused(beam, refused, {"dynamic wedge", "move", "(300a,00d3)"});
    beam = wedged("DYNAMIC");
    beam.points[1].positions = {{"ASYMY", "-30\\10"}};
    expect_refused(beam, refused, {"dynamic wedge", "jaws"});
    beam = mlc_beam(7, "odd");
    beam.wedges = {{"1", "DYNAMIC"}};
    beam.points[0].wedges = {{"1", "IN"}};
    EXPECT_EQ(read(beam).beams[0].wedges.size(), 1u);
    beam.points[1].positions = {{"MLCX", "-5\\-6\\7\\9"}};
    expect_refused(beam, refused, {"dynamic wedge", "leaves move"});
}

TEST(DicomPlanWedges, DynamicWedgeNeedsTheJawThatMakesIt) {
    BeamSpec beam = wedged("DYNAMIC");
    beam.devices = {{"MLCX", "1", "-30\\20"}};
    beam.points[0].positions = {{"MLCX", "-1\\2"}};
    expect_refused(beam, refused, {"no y jaws"});
    beam.devices.push_back({"ASYMY", "1", ""});
    beam.points[0].positions.emplace_back("ASYMY", "-30\\20");
    EXPECT_EQ(read(beam).beams[0].wedges.size(), 1u);
    beam.wedges[0].orientation = "90";
    expect_refused(beam, refused, {"no x jaws"});
    beam = wedged("DYNAMIC");
    beam.wedges[0].orientation = "45";
    expect_refused(beam, refused, {"45 degrees", "not that of a jaw", "(300a,00d8)"});
}

TEST(DicomPlanWedges, WedgeThatIsAlwaysOutIsDroppedAndNoted) {
    BeamSpec beam = wedged();
    beam.wedges = {{"1", "PARTIAL_MOTORIZED", "", "", "", ""},
                   {"2", "STANDARD", "W15", "15", "", "90"}};  // nothing of the first matters
    beam.points[0].wedges = {{"1", "OUT"}, {"2", "IN"}};
    const Plan plan = read(beam);
    ASSERT_EQ(plan.beams[0].wedges.size(), 1u);
    EXPECT_EQ(plan.beams[0].wedges[0].number, 2);
    EXPECT_THAT(plan.beams[0].control_points[1].wedge_in, ElementsAre(true));
    EXPECT_THAT(plan.notes, Contains(testing::AllOf(HasSubstr("beam 7 'odd'"),
                                                    HasSubstr("OUT in every control point: wedge 1"))));
}

TEST(DicomPlanWedges, TwoWedgesInTurnAreReadTwoAtOnceRefused) {
    BeamSpec beam = motorised();
    beam.wedges.push_back({"2", "MOTORIZED", "W15", "15", "", "180"});
    beam.points[0].wedges = {{"1", "IN"}, {"2", "OUT"}};
    beam.points[2].wedges = {{"2", "IN"}, {"1", "OUT"}};
    const Beam read_beam = read(beam).beams[0];
    EXPECT_THAT(read_beam.control_points[1].wedge_in, ElementsAre(true, false));
    EXPECT_THAT(read_beam.control_points[3].wedge_in, ElementsAre(false, true));
    beam.points[2].wedges = {{"2", "IN"}};
    expect_refused(beam, refused, {"2 wedges are IN at once", "control point 2", "(300a,0116)"});
}

TEST(DicomPlanWedges, OtherKindsAreRefused) {
    for (const char* type : {"PARTIAL_STANDARD", "PARTIAL_MOTORIZED", "ODD"})
        expect_refused(wedged(type), refused, {type, "wedge 1, (300a,00d3)"});
    expect_refused(wedged(""), refused, {"the kind of the wedge is not known", "(300a,00d3)"});
}

TEST(DicomPlanWedges, DirectionAndAngleAreNotGuessed) {
    BeamSpec beam = wedged();
    beam.wedges[0].orientation = "";
    expect_refused(beam, refused, {"the direction of the wedge is not known", "(300a,00d8)"});
    beam = wedged();
    beam.wedges[0].angle = "";
    expect_refused(beam, refused, {"the angle of the wedge is not known", "(300a,00d5)"});
    for (const char* angle : {"0", "90", "-30"}) {
        beam.wedges[0].angle = angle;
        expect_refused(beam, bad, {std::string("angle ") + angle, "not between 0 and 90", "(300a,00d5)"});
    }
}

TEST(DicomPlanWedges, PositionsHaveToBelongToTheWedges) {
    BeamSpec beam = wedged();
    beam.points[0].wedges.clear();
    expect_refused(beam, refused, {"no position of wedge 1", "control point 0", "(300a,0116)"});
    beam.points[1].wedges = {{"1", "IN"}};
    expect_refused(beam, refused, {"no position of wedge 1", "control point 0"});
    beam = wedged();
    beam.points[0].wedges = {{"2", "IN"}};
    expect_refused(beam, bad, {"wedge 2, which the beam does not declare", "(300c,00c0)"});
    beam.points[0].wedges = {{"", "IN"}};
    expect_refused(beam, bad, {"missing", "(300c,00c0)"});
    beam.points[0].wedges = {{"1", "IN"}, {"1", "OUT"}};
    expect_refused(beam, bad, {"two positions of wedge 1"});
    beam.points[0].wedges = {{"1", "HALF"}};
    expect_refused(beam, bad, {"'HALF' is neither IN nor OUT", "(300a,0118)"});
}

TEST(DicomPlanWedges, CountsAndNumbersHaveToAgree) {
    BeamSpec beam = wedged();
    beam.edit = [](DcmItem& item) { put(item, DCM_NumberOfWedges, "2"); };
    expect_refused(beam, bad, {"says 2 wedges and holds 1", "(300a,00d0)"});
    beam.edit = [](DcmItem& item) { item.findAndDeleteElement(DCM_NumberOfWedges); };
    expect_refused(beam, bad, {"missing", "(300a,00d0)"});
    beam = static_beam(7, "odd");
    beam.edit = [](DcmItem& item) { put(item, DCM_NumberOfWedges, "1"); };
    expect_refused(beam, bad, {"says 1 wedges and holds 0"});
    beam = wedged();
    beam.wedges.push_back(beam.wedges[0]);
    expect_refused(beam, bad, {"two wedges have the number 1", "(300a,00d2)"});
    beam = wedged();
    beam.wedges[0].number = "";
    expect_refused(beam, bad, {"missing", "(300a,00d2)"});
}

TEST(DicomPlanBlocks, ShieldingAndApertureAreRead) {
    BeamSpec spec = blocked();
    spec.blocks.push_back({"2", "opening", "APERTURE", "ABSENT", "SOURCE_SIDE", "567", "75", "0", "4",
                           "-20\\-10\\20\\-10\\20\\10\\-20\\10"});
    const Beam beam = read(spec).beams[0];
    ASSERT_EQ(beam.blocks.size(), 2u);
    const Block &corner = beam.blocks[0], &opening = beam.blocks[1];
    EXPECT_EQ(corner.number, 1);
    EXPECT_EQ(corner.name, "corner");
    EXPECT_FALSE(corner.aperture);
    EXPECT_TRUE(corner.divergent);
    EXPECT_FALSE(corner.source_side);
    EXPECT_EQ(corner.transmission, 0.05);
    EXPECT_EQ(corner.tray_distance_mm, 650);
    EXPECT_EQ(corner.thickness_mm, 80);
    EXPECT_THAT(corner.x_mm, ElementsAre(0, 40, 0));
    EXPECT_THAT(corner.y_mm, ElementsAre(0, 0, 30));
    EXPECT_TRUE(opening.aperture);
    EXPECT_FALSE(opening.divergent);
    EXPECT_TRUE(opening.source_side);
    EXPECT_EQ(opening.transmission, 0);
    EXPECT_THAT(opening.y_mm, ElementsAre(-10, -10, 10, 10));
}

TEST(DicomPlanBlocks, APointThatClosesTheOutlineIsLeftOut) {
    BeamSpec beam = blocked();
    beam.blocks[0].points = "4";
    beam.blocks[0].data = "0\\0\\40\\0\\0\\30\\0\\0";
    EXPECT_THAT(read(beam).beams[0].blocks[0].x_mm, ElementsAre(0, 40, 0));
    beam.blocks[0].points = "3";
    beam.blocks[0].data = "0\\0\\40\\0\\0\\0";
    expect_refused(beam, bad, {"2 different points", "(300a,0106)"});
}

TEST(DicomPlanBlocks, WhatADivergentBlockMayLackAndAnotherMayNot) {
    BeamSpec beam = blocked();
    beam.blocks[0].mounting = beam.blocks[0].thickness = beam.blocks[0].tray_distance = "";
    EXPECT_EQ(read(beam).beams[0].blocks[0].tray_distance_mm, 0);
    const std::tuple<std::string BlockSpec::*, const char*, const char*> required[] = {
        {&BlockSpec::mounting, "side of the tray", "(300a,00fb)"},
        {&BlockSpec::thickness, "thickness", "(300a,0100)"},
        {&BlockSpec::tray_distance, "distance", "(300a,00f6)"}};
    for (const auto& [value, what, tag] : required) {
        beam = blocked();
        beam.blocks[0].divergence = "ABSENT";
        EXPECT_FALSE(read(beam).beams[0].blocks[0].divergent);
        beam.blocks[0].*value = "";
        expect_refused(beam, refused, {what, "is not known", "block 1", tag});
    }
    beam = blocked();
    beam.blocks[0].divergence = "ABSENT";
    beam.blocks[0].tray_distance = "1000";
    expect_refused(beam, bad, {"not between source and isocentre", "(300a,00f6)"});
}

TEST(DicomPlanBlocks, WhatIsMissingIsNotGuessed) {
    const std::pair<std::string BlockSpec::*, std::vector<std::string>> missing[] = {
        {&BlockSpec::transmission, {"the transmission of the block is not known", "(300a,0102)"}},
        {&BlockSpec::type, {"an aperture or shielding", "(300a,00f8)"}},
        {&BlockSpec::divergence, {"follow the rays", "(300a,00fa)"}},
        {&BlockSpec::points, {"the outline of the block is not known", "(300a,0104)"}}};
    for (const auto& [value, parts] : missing) {
        BeamSpec beam = blocked();
        beam.blocks[0].*value = "";
        expect_refused(beam, refused, parts);
    }
    BeamSpec beam = blocked();
    beam.blocks[0].data = "";
    expect_refused(beam, bad, {"missing", "(300a,0106)"});
    beam = blocked();
    beam.blocks[0].number = "";
    expect_refused(beam, bad, {"missing", "(300a,00fc)"});
}

TEST(DicomPlanBlocks, ValuesThatCannotBe) {
    const std::tuple<std::string BlockSpec::*, const char*, const char*> wrong[] = {
        {&BlockSpec::transmission, "1.01", "not between 0 and 1"},
        {&BlockSpec::transmission, "-0.1", "not between 0 and 1"},
        {&BlockSpec::type, "WALL", "'WALL' is neither APERTURE nor SHIELDING"},
        {&BlockSpec::divergence, "YES", "neither PRESENT nor ABSENT"},
        {&BlockSpec::mounting, "LEFT", "neither SOURCE_SIDE nor PATIENT_SIDE"},
        {&BlockSpec::thickness, "-1", "thickness of the block is negative"},
        {&BlockSpec::tray_distance, "-1", "distance of the block tray is negative"},
        {&BlockSpec::points, "2", "has 2 points"},
        {&BlockSpec::points, "4", "6 values where 8 belong"}};
    for (const auto& [value, text, message] : wrong) {
        BeamSpec beam = blocked();
        beam.blocks[0].*value = text;
        expect_refused(beam, bad, {message, "block 1"});
    }
}

TEST(DicomPlanBlocks, CountsAndNumbersHaveToAgree) {
    BeamSpec beam = blocked();
    beam.edit = [](DcmItem& item) { put(item, DCM_NumberOfBlocks, "2"); };
    expect_refused(beam, bad, {"says 2 blocks and holds 1", "(300a,00f0)"});
    beam = blocked();
    beam.blocks.push_back(beam.blocks[0]);
    expect_refused(beam, bad, {"two blocks have the number 1", "(300a,00fc)"});
}

TEST(DicomPlanBlocks, SeveralAperturesAreRefused) {
    BeamSpec beam = blocked();
    beam.blocks[0].type = "APERTURE";
    beam.blocks.push_back(beam.blocks[0]);
    beam.blocks[1].number = "2";
    expect_refused(beam, refused, {"several apertures", "block 2, (300a,00f8)"});
    beam.blocks[1].type = "SHIELDING";
    EXPECT_EQ(read(beam).beams[0].blocks.size(), 2u);
}

/// A beam with a block whose trays say this; empty: nothing.
BeamSpec trayed(const std::string& factor, const std::string& block_water,
                const std::string& wedge_water = "") {
    BeamSpec beam = blocked();
    beam.wedges = {{}};
    beam.points[0].wedges = {{"1", "IN"}};
    beam.edit = [=](DcmItem& item) {
        put(item, DCM_TotalBlockTrayFactor, factor);
        put(item, DCM_TotalBlockTrayWaterEquivalentThickness, block_water);
        put(item, DCM_TotalWedgeTrayWaterEquivalentThickness, wedge_water);
    };
    return beam;
}

TEST(DicomPlanTrays, FactorBeforeThicknessAndThicknessesAdd) {
    Beam beam = read(trayed("0.97", "")).beams[0];
    EXPECT_EQ(beam.tray_factor, 0.97);
    EXPECT_EQ(beam.tray_water_mm, 0);
    beam = read(trayed("0.97", "6.5")).beams[0];
    EXPECT_EQ(beam.tray_factor, 0.97);
    EXPECT_EQ(beam.tray_water_mm, 0);
    beam = read(trayed("", "6.5", "3")).beams[0];
    EXPECT_EQ(beam.tray_factor, 1);
    EXPECT_EQ(beam.tray_water_mm, 9.5);
    beam = read(trayed("0.97", "6.5", "3")).beams[0];
    EXPECT_EQ(beam.tray_factor, 0.97);
    EXPECT_EQ(beam.tray_water_mm, 3);
}

TEST(DicomPlanTrays, ABlockWithoutTrayAndATrayWithoutBlockAreNoted) {
    EXPECT_THAT(read(blocked()).notes,
                Contains(testing::AllOf(HasSubstr("beam 7 'odd'"), HasSubstr("taken as nothing"))));
    for (const BeamSpec& given : {trayed("1", ""), trayed("", "0")})
        EXPECT_THAT(read(given).notes, Not(Contains(HasSubstr("taken as nothing"))));
    BeamSpec empty = trayed("0.97", "");
    empty.blocks.clear();
    const Plan plan = read(empty);
    EXPECT_EQ(plan.beams[0].tray_factor, 0.97);
    EXPECT_THAT(plan.notes, Contains(HasSubstr("a block tray without blocks")));
}

TEST(DicomPlanTrays, ValuesThatCannotBe) {
    for (const char* factor : {"-0.1", "0", "1.01"})
        expect_refused(trayed(factor, ""), bad, {"tray factor", factor, "(300a,00f2)"});
    expect_refused(trayed("", "-1"), bad, {"negative", "(300a,00f3)"});
    expect_refused(trayed("0.9", "-1"), bad, {"negative", "(300a,00f3)"});
    expect_refused(trayed("", "", "-1"), bad, {"negative", "(300a,00d7)"});
}

TEST(DicomPlanTrays, WedgeTrayWithoutAWedgeAllTheTimeIsRefused) {
    BeamSpec beam = motorised();
    beam.edit = [](DcmItem& item) { put(item, DCM_TotalWedgeTrayWaterEquivalentThickness, "3"); };
    expect_refused(beam, refused, {"not wedged all the time", "(300a,00d7)"});
    beam = static_beam(7, "odd");
    beam.edit = [](DcmItem& item) { put(item, DCM_TotalWedgeTrayWaterEquivalentThickness, "3"); };
    expect_refused(beam, refused, {"not wedged all the time", "(300a,00d7)"});
    beam.edit = [](DcmItem& item) { put(item, DCM_TotalWedgeTrayWaterEquivalentThickness, "0"); };
    EXPECT_EQ(read(beam).beams[0].tray_water_mm, 0);
}

TEST(DicomPlanBoluses, StructuresOfTheBeamAreRead) {
    PlanSpec spec = plan_of({static_beam(1, "a"), static_beam(2, "b")});
    spec.beams[0].boluses = {{"5", "flab"}, {"9", ""}};
    const Plan plan = io::read_plan(write_plan(spec));
    ASSERT_EQ(plan.beams[0].boluses.size(), 2u);
    EXPECT_EQ(plan.beams[0].boluses[0].structure_number, 5);
    EXPECT_EQ(plan.beams[0].boluses[0].id, "flab");
    EXPECT_EQ(plan.beams[0].boluses[1].structure_number, 9);
    EXPECT_TRUE(plan.beams[1].boluses.empty());
}

TEST(DicomPlanBoluses, CountsHaveToAgreeWhereBothAreGiven) {
    BeamSpec beam = static_beam(7, "odd");
    beam.boluses = {{"5", ""}};
    beam.edit = [](DcmItem& item) { item.findAndDeleteElement(DCM_NumberOfBoli); };
    EXPECT_EQ(read(beam).beams[0].boluses.size(), 1u);
    for (const char* count : {"0", "2"}) {
        beam.edit = [count](DcmItem& item) { put(item, DCM_NumberOfBoli, count); };
        expect_refused(beam, bad, {std::string("says ") + count + " boluses and holds 1", "(300a,00ed)"});
    }
    beam.boluses.clear();
    expect_refused(beam, refused, {"not which structure", "(300a,00ed)"});
    beam = static_beam(7, "odd");
    beam.boluses = {{"5", "a"}, {"5", "b"}};
    expect_refused(beam, bad, {"structure 5 is a bolus of this beam twice", "(3006,0084)"});
    beam.boluses = {{"", "a"}};
    expect_refused(beam, bad, {"missing", "(3006,0084)"});
}

TEST(DicomPlanDevices, OfJawsDeclaredTwiceThoseWithPositionsCount) {
    BeamSpec beam = static_beam(7, "odd");
    beam.devices = {{"X", "1", ""}, {"Y", "1", ""}, {"ASYMX", "1", ""}, {"ASYMY", "1", ""}};
    Plan plan = read(beam);
    EXPECT_EQ(plan.beams[0].control_points[1].jaw_x->upper_mm, 40);
    EXPECT_EQ(plan.beams[0].control_points[1].jaw_y->lower_mm, -30);
    for (const char* note : {"declares the device X beside ASYMX", "declares the device Y beside ASYMY"})
        EXPECT_THAT(plan.notes, Contains(testing::AllOf(HasSubstr("beam 7 'odd'"), HasSubstr(note))));
    beam.points[0].positions = {{"X", "-20\\20"}, {"Y", "-70\\70"}};
    plan = read(beam);
    EXPECT_EQ(plan.beams[0].control_points[1].jaw_x->upper_mm, 20);
    EXPECT_THAT(plan.notes, Contains(HasSubstr("declares the device ASYMX beside X")));
}

TEST(DicomPlanDevices, JawsWithTwoPositionsOrNoneAreRefused) {
    BeamSpec beam = static_beam(7, "odd");
    beam.devices.push_back({"X", "1", ""});
    beam.points[1].positions = {{"X", "-20\\20"}};
    expect_refused(beam, refused, {"both the devices ASYMX and X"});
    beam = static_beam(7, "odd");
    beam.devices.push_back({"X", "1", ""});
    beam.points[0].positions.erase(beam.points[0].positions.begin());
    expect_refused(beam, refused, {"both the devices ASYMX and X"});
    beam = static_beam(7, "odd");
    beam.devices.push_back({"ASYMX", "1", ""});
    expect_refused(beam, refused, {"both the devices ASYMX and ASYMX"});
}

}  // namespace
}  // namespace libdose
