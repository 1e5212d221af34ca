// RT Plans: what is honoured, left out by name, or refused with beam, tag and reason. Every case is its own
// file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "libdose/error.h"
#include "libdose/io/dicom.h"
#include "support/rt_fixture.h"

namespace libdose {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace test;

Plan read(const PlanSpec& spec, int group = 0) { return io::read_plan(write_plan(spec), group); }
Plan read(const BeamSpec& beam) { return read(plan_of({beam})); }

/// Kind and text of the error that reading throws.
std::pair<ErrorKind, std::string> refused(const PlanSpec& spec, int group = 0) {
    try {
        read(spec, group);
    } catch (const Error& error) {
        return {error.kind(), error.what()};
    }
    ADD_FAILURE() << "the plan was accepted";
    return {ErrorKind::internal, {}};
}

void expect_refused(const PlanSpec& spec, ErrorKind kind, const std::vector<std::string>& parts) {
    const auto [is, text] = refused(spec);
    EXPECT_EQ(is, kind) << text;
    for (const std::string& part : parts) EXPECT_THAT(text, HasSubstr(part));
}

void expect_refused(const BeamSpec& beam, ErrorKind kind, const std::vector<std::string>& parts) {
    expect_refused(plan_of({beam}), kind, parts);
}

TEST(DicomPlan, StaticBeamIsReadWhole) {
    PlanSpec spec = plan_of({mlc_beam(4, "left lateral")});
    spec.groups[0].references[0] = {4, "123.5", "1.25", "10\\20\\30"};
    const Plan plan = read(spec);
    EXPECT_EQ(plan.label, "label");
    EXPECT_EQ(plan.sop_instance_uid, "1.2.3.99");
    EXPECT_EQ(plan.sop_class_uid, "1.2.840.10008.5.1.4.1.1.481.5");
    EXPECT_EQ(plan.patient_id, "P1");
    EXPECT_EQ(plan.frame_of_reference_uid, "1.2.3.4");
    EXPECT_EQ(plan.referenced_structure_set_uid, "1.2.3.6");
    EXPECT_EQ(plan.position, PatientPosition::hfs);
    EXPECT_EQ(plan.fractions, 20);
    EXPECT_THAT(plan.notes, Contains(HasSubstr("UNAPPROVED")));
    ASSERT_EQ(plan.beams.size(), 1u);
    const Beam& beam = plan.beams[0];
    EXPECT_EQ(beam.number, 4);
    EXPECT_EQ(beam.name, "left lateral");
    EXPECT_EQ(beam.machine, "linac");
    EXPECT_EQ(beam.nominal_energy_mv, 6);
    EXPECT_EQ(beam.fluence_mode, "STANDARD");
    EXPECT_EQ(beam.meterset_mu, 123.5);
    EXPECT_EQ(beam.dose_point_gy, 1.25);
    EXPECT_EQ(beam.dose_point_mm, Vec3(10, 20, 30));
    EXPECT_EQ(beam.source_axis_distance_mm, 1000);
    ASSERT_EQ(beam.collimators.size(), 1u);
    EXPECT_EQ(beam.collimators[0].motion, MultileafCollimator::Motion::along_x);
    EXPECT_THAT(beam.collimators[0].leaf_boundaries_mm, ElementsAre(-10, 0, 10));
    ASSERT_EQ(beam.control_points.size(), 2u);
    for (const ControlPoint& point : beam.control_points) {  // the second carries everything forward
        EXPECT_EQ(point.gantry_deg, 90);
        EXPECT_EQ(point.collimator_deg, 15);
        EXPECT_EQ(point.couch_deg, 10);
        EXPECT_EQ(point.isocentre_mm, Vec3(1, 2, 3.5));
        EXPECT_EQ(point.jaw_x->lower_mm, -50);
        EXPECT_EQ(point.jaw_x->upper_mm, 40);
        EXPECT_EQ(point.jaw_y->lower_mm, -30);
        EXPECT_EQ(point.jaw_y->upper_mm, 20);
        EXPECT_THAT(point.leaves[0].lower_mm, ElementsAre(-5, -6));  // the first half is the lower bank
        EXPECT_THAT(point.leaves[0].upper_mm, ElementsAre(7, 8));
    }
    EXPECT_EQ(beam.segment_mu(0), 123.5);
}

TEST(DicomPlan, MuByBeamNumberNotByOrder) {
    // Beams 1, 2 (set-up), 3 in the plan; 3, 2, 1 in the fraction group.
    BeamSpec setup = static_beam(2, "kV setup");
    setup.delivery = "SETUP";
    PlanSpec spec = plan_of({static_beam(1, "first"), setup, static_beam(3, "third")});
    spec.groups[0].references = {{3, "33", "", ""}, {2, "", "", ""}, {1, "11", "", ""}};
    const Plan plan = read(spec);
    ASSERT_EQ(plan.beams.size(), 2u);
    for (const Beam& beam : plan.beams) EXPECT_EQ(beam.meterset_mu, 11 * beam.number) << beam.name;
    EXPECT_THAT(plan.notes, Contains(testing::AllOf(HasSubstr("beam 2 'kV setup'"),
                                                    HasSubstr("left out, a set-up beam"))));
}

TEST(DicomPlan, SetupBeamIsLeftOutWhateverItHolds) {
    BeamSpec setup = static_beam(2, "setup");
    setup.delivery = "SETUP";
    setup.points.clear();
    setup.radiation = "";
    PlanSpec spec = plan_of({static_beam(1, "a"), setup});
    spec.groups[0].references[1].meterset = "5";
    EXPECT_EQ(read(spec).beams.size(), 1u);
}

TEST(DicomPlan, BeamWithoutMetersetIsLeftOutByName) {
    PlanSpec spec = plan_of({static_beam(1, "a"), static_beam(2, "no meterset"), static_beam(5, "zero")});
    spec.groups[0].references[1].meterset = "";
    spec.groups[0].references[2].meterset = "0";
    const Plan plan = read(spec);
    ASSERT_EQ(plan.beams.size(), 1u);
    EXPECT_THAT(plan.notes,
                Contains(testing::AllOf(HasSubstr("beam 2 'no meterset'"), HasSubstr("left out"))));
    EXPECT_THAT(plan.notes, Contains(testing::AllOf(HasSubstr("beam 5 'zero'"), HasSubstr("left out"))));
}

TEST(DicomPlan, NoBeamLeftIsAnError) {
    PlanSpec spec = plan_of({static_beam(1, "a")});
    spec.groups[0].references[0].meterset = "";
    expect_refused(spec, ErrorKind::bad_input, {"no beam to deliver", "beam 1 'a'", "no meterset"});
}

TEST(DicomPlan, DevicesAreMatchedByTypeNotByOrder) {
    // Declared MLCX, ASYMY, ASYMX; positions as ASYMX, MLCX, ASYMY and, in the second point, ASYMY first.
    BeamSpec beam = mlc_beam(1, "a");
    std::swap(beam.devices[0], beam.devices[2]);
    beam.points[0].positions = {{"ASYMX", "-50\\40"}, {"MLCX", "-5\\-6\\7\\8"}, {"ASYMY", "-30\\20"}};
    beam.points[1].positions = {{"ASYMY", "-31\\21"}, {"ASYMX", "-51\\41"}};
    const Plan plan = read(beam);
    const auto& points = plan.beams[0].control_points;
    EXPECT_EQ(points[0].jaw_x->lower_mm, -50);
    EXPECT_EQ(points[0].jaw_y->upper_mm, 20);
    EXPECT_THAT(points[0].leaves[0].upper_mm, ElementsAre(7, 8));
    EXPECT_EQ(points[1].jaw_x->upper_mm, 41);
    EXPECT_EQ(points[1].jaw_y->lower_mm, -31);
    EXPECT_THAT(points[1].leaves[0].lower_mm, ElementsAre(-5, -6));
}

TEST(DicomPlan, SymmetricJawsHoldTwoValues) {
    BeamSpec beam = static_beam(1, "a");
    beam.devices = {{"Y", "1", ""}, {"X", "1", ""}};
    beam.points[0].positions = {{"X", "-20\\20"}, {"Y", "-70\\70"}};
    const Plan plan = read(beam);
    EXPECT_EQ(plan.beams[0].control_points[1].jaw_x->upper_mm, 20);
    EXPECT_EQ(plan.beams[0].control_points[1].jaw_y->lower_mm, -70);
}

TEST(DicomPlan, JawsThatMovePerControlPoint) {
    BeamSpec beam = static_beam(1, "a");
    beam.final_weight = "1";
    PointSpec middle;
    middle.weight = "0.25";
    middle.positions = {{"ASYMX", "-10\\40"}};
    beam.points.insert(beam.points.begin() + 1, middle);
    const Plan plan = read(beam);
    const auto& points = plan.beams[0].control_points;
    EXPECT_EQ(points[0].jaw_x->lower_mm, -50);
    EXPECT_EQ(points[1].jaw_x->lower_mm, -10);
    EXPECT_EQ(points[2].jaw_x->lower_mm, -10);  // carried forward
    EXPECT_EQ(points[1].jaw_y->lower_mm, -30);
    EXPECT_EQ(plan.beams[0].segment_mu(0), 25);
    EXPECT_EQ(plan.beams[0].segment_mu(1), 75);
}

TEST(DicomPlan, LeavesAlongYAndTwoLayers) {
    BeamSpec beam = static_beam(1, "a");
    beam.devices = {{"ASYMY", "1", ""}, {"MLCX1", "1", "-5\\5"}, {"MLCX2", "2", "-10\\0\\10"}};
    beam.points[0].positions = {{"ASYMY", "-5\\5"}, {"MLCX2", "-3\\-4\\5\\6"}, {"MLCX1", "-1\\2"}};
    const Plan plan = read(beam);
    ASSERT_EQ(plan.beams[0].collimators.size(), 2u);
    EXPECT_FALSE(plan.beams[0].control_points[0].jaw_x);
    EXPECT_THAT(plan.beams[0].control_points[1].leaves[0].upper_mm, ElementsAre(2));
    EXPECT_THAT(plan.beams[0].control_points[1].leaves[1].upper_mm, ElementsAre(5, 6));
    beam.devices = {{"ASYMX", "1", ""}, {"MLCY", "1", "-5\\5"}};
    beam.points[0].positions = {{"ASYMX", "-5\\5"}, {"MLCY", "-1\\2"}};
    EXPECT_EQ(read(beam).beams[0].collimators[0].motion, MultileafCollimator::Motion::along_y);
}

TEST(DicomPlan, FinalWeightThatIsNotOne) {
    // 80 MU over weights 0, 30, 120 of 120: 20 and 60 MU.
    BeamSpec beam = static_beam(1, "a");
    beam.final_weight = "120";
    PointSpec middle;
    middle.weight = "30";
    beam.points[1].weight = "120";
    beam.points.insert(beam.points.begin() + 1, middle);
    PlanSpec spec = plan_of({beam});
    spec.groups[0].references[0].meterset = "80";
    const Plan plan = read(spec);
    EXPECT_EQ(plan.beams[0].final_cumulative_weight, 120);
    EXPECT_EQ(plan.beams[0].segment_mu(0), 20);
    EXPECT_EQ(plan.beams[0].segment_mu(1), 60);
}

TEST(DicomPlan, FluenceModeIsKept) {
    BeamSpec beam = static_beam(1, "a");
    beam.fluence_mode = "STANDARD";
    EXPECT_EQ(read(beam).beams[0].fluence_mode, "STANDARD");
    beam.fluence_mode = "NON_STANDARD";
    beam.fluence_mode_id = "FFF";
    EXPECT_EQ(read(beam).beams[0].fluence_mode, "FFF");
    beam.fluence_mode_id = "";
    expect_refused(beam, ErrorKind::bad_input, {"missing", "(3002,0052)", "beam 1 'a'"});
}

TEST(DicomPlan, NameThatSpeaksOfFffWithoutFluenceModeIsNoted) {
    const Plan plan = read(static_beam(1, "6FFF arc"));
    EXPECT_EQ(plan.beams[0].fluence_mode, "STANDARD");
    EXPECT_THAT(plan.notes,
                Contains(testing::AllOf(HasSubstr("beam 1"), HasSubstr("FFF"), HasSubstr("STANDARD"))));
}

TEST(DicomPlan, EveryTextThatSpeaksOfFffIsNoted) {
    const auto noted = [](const BeamSpec& beam) {
        const Plan plan = read(beam);
        EXPECT_EQ(plan.beams[0].fluence_mode, "STANDARD");
        for (const std::string& note : plan.notes)
            if (note.find("without flattening filter (FFF)") != std::string::npos) return note;
        return std::string();
    };
    EXPECT_EQ(noted(static_beam(1, "AP")), "");
    for (const char* name :
         {"6FFF", "6X-FFF", "FFF", "6 MV fff", "6 MV flattening filter-free", "Unflattened"})
        EXPECT_NE(noted(static_beam(1, name)), "") << name;
    for (const DcmTagKey& tag : {DCM_BeamDescription, DCM_TreatmentMachineName, DCM_ManufacturerModelName,
                                 DCM_EntityLongLabel, DCM_UserContentLabel}) {
        BeamSpec beam = static_beam(1, "AP");
        beam.edit = [tag](DcmItem& item) { put(item, tag, "TB_6FFF"); };
        EXPECT_THAT(noted(beam), testing::AllOf(HasSubstr("'TB_6FFF'"), HasSubstr("gives no fluence mode")))
            << DcmTag(tag).getTagName();
    }
    BeamSpec said = static_beam(1, "6FFF");
    said.fluence_mode = "STANDARD";
    EXPECT_THAT(noted(said), HasSubstr("gives the fluence mode STANDARD"));
    said.name = "AP";
    said.fluence_mode_id = "FFF";
    EXPECT_THAT(noted(said), HasSubstr("'FFF'"));
}

TEST(DicomPlan, FluenceModeIdsThatSpeakOfFffAreFff) {
    BeamSpec beam = static_beam(1, "a");
    beam.fluence_mode = "NON_STANDARD";
    for (const char* id : {"fff", "6X-FFF", "6FFF", "FFF"}) {
        beam.fluence_mode_id = id;
        const Plan plan = read(beam);
        EXPECT_EQ(plan.beams[0].fluence_mode, "FFF") << id;
        EXPECT_EQ(testing::Value(plan.notes, Contains(HasSubstr("is taken as FFF"))),
                  std::string(id) != "FFF")
            << id;
    }
    beam.fluence_mode_id = "SRS";  // another filter: no word about which
    EXPECT_EQ(read(beam).beams[0].fluence_mode, "SRS");
}

TEST(DicomPlan, AGantryThatMovesHasADirection) {
    BeamSpec beam = static_beam(1, "a");
    beam.points[1].gantry = "91";
    for (const char* type : {"STATIC", "DYNAMIC"}) {
        beam.edit = [type](DcmItem& item) { put(item, DCM_BeamType, type); };
        expect_refused(beam, ErrorKind::refused_plan,
                       {"from 90 degrees to 91", "in no given direction", "control point 0", "(300a,011f)"});
    }
    beam.points[1].gantry = "90.009";  // a rounding of the file: within 0.01 degrees
    EXPECT_EQ(read(beam).beams[0].control_points[1].gantry_deg, 90);
}

TEST(DicomPlan, AStaticBeamWithADirectionStands) {
    BeamSpec beam = static_beam(1, "a");
    beam.points[0].gantry_direction = "CW";
    expect_refused(beam, ErrorKind::refused_plan, {"a full turn or none", "(300a,011f)"});
    beam.edit = [](DcmItem& item) { put(item, DCM_BeamType, "DYNAMIC"); };
    expect_refused(beam, ErrorKind::refused_plan, {"a full turn or none"});
    beam.edit = [](DcmItem& item) { put(item, DCM_BeamType, "STATIC"); };
    for (const char* last : {"", "90", "450"}) {
        beam.points[1].gantry = last;
        const Plan plan = read(beam);
        for (const Rotation rotation : plan.beams[0].gantry_rotation) EXPECT_EQ(rotation, Rotation::none);
        EXPECT_EQ(plan.beams[0].control_points[1].gantry_deg, 90);
        EXPECT_THAT(plan.notes,
                    Contains(testing::AllOf(HasSubstr("beam 1"), HasSubstr("the gantry stands"))));
    }
}

TEST(DicomPlan, RoundedAnglesAreOneAngle) {
    BeamSpec beam = static_beam(1, "a");
    beam.points.insert(beam.points.begin() + 1, beam.points[1]);
    beam.points[1].weight = "0.5";
    beam.points[1].gantry = "90.005";
    beam.points[2].gantry = "89.995";
    beam.points[1].collimator = "15.00001";
    beam.points[2].collimator = "375";
    const Plan plan = read(beam);
    for (const ControlPoint& point : plan.beams[0].control_points) EXPECT_EQ(point.gantry_deg, 90);
    // Small steps do not add up to a motion in no direction.
    beam.points[1].gantry = "90.008";
    beam.points[2].gantry = "90.016";
    expect_refused(beam, ErrorKind::refused_plan, {"in no given direction"});
    // Rounding against the direction of the collimator is no turn by the longer way.
    beam = static_beam(1, "a");
    beam.points[0].edit = [](DcmItem& point) { put(point, DCM_BeamLimitingDeviceRotationDirection, "CW"); };
    beam.points[1].collimator = "14.99999";
    EXPECT_EQ(read(beam).beams.size(), 1u);
    beam.points[1].collimator = "14.9";
    expect_refused(beam, ErrorKind::refused_plan, {"not the shorter way"});
}

BeamSpec arc() {
    BeamSpec beam = static_beam(1, "arc");
    beam.points[0].gantry = "179";
    beam.points[0].gantry_direction = "CC";
    beam.points[1].gantry = "0";
    beam.points[1].weight = "0.5";
    PointSpec last;
    last.gantry = "181";
    last.gantry_direction = "NONE";
    last.weight = "1";
    beam.points.push_back(last);
    return beam;
}

TEST(DicomPlan, ArcKeepsAnglesAndDirections) {
    const Plan plan = read(arc());
    const Beam& beam = plan.beams[0];
    EXPECT_EQ(beam.control_points[1].gantry_deg, 0);
    EXPECT_EQ(beam.control_points[2].gantry_deg, 181);
    EXPECT_THAT(beam.gantry_rotation,
                ElementsAre(Rotation::counter_clockwise, Rotation::counter_clockwise, Rotation::none));
}

TEST(DicomPlan, GantryThatRestsWithinAnArcDoesNotTurn) {
    BeamSpec beam = arc();
    PointSpec rest;
    rest.weight = "0.75";
    rest.gantry = "0.0";
    beam.points.insert(beam.points.begin() + 2, rest);
    EXPECT_THAT(read(beam).beams[0].gantry_rotation,
                ElementsAre(Rotation::counter_clockwise, Rotation::none, Rotation::counter_clockwise,
                            Rotation::none));
}

TEST(DicomPlan, IsocentreOfEveryControlPoint) {
    BeamSpec beam = arc();
    beam.points[1].isocentre = "1\\2\\4";
    const auto points = read(beam).beams[0].control_points;
    EXPECT_EQ(points[0].isocentre_mm, Vec3(1, 2, 3.5));
    EXPECT_EQ(points[1].isocentre_mm, Vec3(1, 2, 4));
    EXPECT_EQ(points[2].isocentre_mm, Vec3(1, 2, 4));
    beam.points[1].isocentre = "1\\2";
    expect_refused(beam, ErrorKind::bad_input, {"2 values where 3 belong", "(300a,012c)"});
}

TEST(DicomPlan, ContinuationAndTechniqueAreNoted) {
    BeamSpec beam = static_beam(1, "a");
    beam.delivery = "CONTINUATION";
    beam.edit = [](DcmItem& item) { put(item, DCM_HighDoseTechniqueType, "TBI"); };
    const Plan plan = read(beam);
    EXPECT_EQ(plan.beams.size(), 1u);
    EXPECT_THAT(plan.notes,
                Contains(testing::AllOf(HasSubstr("beam 1 'a'"), HasSubstr("interrupted treatment"))));
    EXPECT_THAT(plan.notes, Contains(testing::AllOf(HasSubstr("beam 1 'a'"), HasSubstr("TBI"))));
}

TEST(DicomPlan, BeamDoseThatIsNotPhysicalIsNotUsed) {
    PlanSpec spec = plan_of({static_beam(1, "a")});
    spec.groups[0].references[0].dose = "2";
    spec.groups[0].edit = [](DcmItem& group) {
        DcmItem* item = nullptr;
        ASSERT_TRUE(group.findAndGetSequenceItem(DCM_ReferencedBeamSequence, item, 0).good());
        put(*item, DCM_BeamDoseType, "EFFECTIVE");
    };
    const Plan plan = read(spec);
    EXPECT_FALSE(plan.beams[0].dose_point_gy);
    EXPECT_THAT(plan.notes, Contains(HasSubstr("not the physical dose")));
}

TEST(DicomPlan, GantryThatMovesWithoutDirectionIsRefused) {
    BeamSpec beam = arc();
    beam.points[0].gantry_direction = "NONE";
    expect_refused(beam, ErrorKind::refused_plan, {"in no given direction", "beam 1 'arc'"});
}

TEST(DicomPlan, FullTurnWithoutPointsAlongItIsRefused) {
    BeamSpec beam = static_beam(1, "arc");
    beam.points[0].gantry_direction = "CW";
    expect_refused(beam, ErrorKind::refused_plan, {"a full turn or none", "(300a,011f)"});
    // What the plan itself calls static does not turn.
    beam.edit = [](DcmItem& item) { put(item, DCM_BeamType, "STATIC"); };
    const Plan plan = read(beam);
    EXPECT_EQ(plan.beams[0].gantry_rotation[0], Rotation::none);
    EXPECT_THAT(plan.notes, Contains(HasSubstr("gives a direction of gantry rotation, but is STATIC")));
    beam.points[1].gantry = "120";
    EXPECT_EQ(read(beam).beams[0].gantry_rotation[0], Rotation::clockwise);
    beam.edit = [](DcmItem& item) { put(item, DCM_BeamType, "DYNAMIC"); };
    beam.points[1].gantry.clear();
    expect_refused(beam, ErrorKind::refused_plan, {"a full turn or none", "(300a,011f)"});
}

TEST(DicomPlan, LeavesWithoutJawsAcrossThemAreRefused) {
    BeamSpec beam = static_beam(1, "a");
    beam.devices.push_back({"MLCX", "2", "-200\\0\\200"});
    beam.points[0].positions.emplace_back("MLCX", "-20\\-20\\20\\20");
    EXPECT_EQ(read(beam).beams[0].collimators.size(), 1u);
    const auto without = [&](const std::string& axis) {
        BeamSpec bare = beam;
        std::erase_if(bare.devices, [&](const auto& d) { return d.type == "ASYM" + axis; });
        std::erase_if(bare.points[0].positions, [&](const auto& p) { return p.first == "ASYM" + axis; });
        return bare;
    };
    EXPECT_FALSE(read(without("X")).beams[0].control_points[0].jaw_x);
    expect_refused(without("Y"), ErrorKind::refused_plan,
                   {"not limited in both directions: along y", "beam 1 'a'", "(300a,00b6)"});
}

TEST(DicomPlan, CouchThatTurnsTheLongWayIsRefused) {
    BeamSpec beam = static_beam(1, "a");
    beam.points[0].edit = [](DcmItem& point) { put(point, DCM_PatientSupportRotationDirection, "CC"); };
    beam.points[1].couch = "30";  // from 10: clockwise by 20 or counter-clockwise by 340
    expect_refused(beam, ErrorKind::refused_plan, {"not the shorter way", "(300a,0122)"});
    beam.points[0].edit = [](DcmItem& point) { put(point, DCM_PatientSupportRotationDirection, "CW"); };
    EXPECT_EQ(read(beam).beams[0].control_points[1].couch_deg, 30);
}

TEST(DicomPlan, FractionGroupIsChosenByNumber) {
    PlanSpec spec = plan_of({static_beam(1, "a"), static_beam(2, "b")});
    GroupSpec boost;
    boost.number = 7;
    boost.fractions = "5";
    boost.references = {{2, "44", "", ""}};
    spec.groups.push_back(boost);
    expect_refused(spec, ErrorKind::bad_input, {"several fraction groups: 1, 7", "Choose"});
    const Plan plan = read(spec, 7);
    EXPECT_EQ(plan.fraction_group, 7);
    EXPECT_EQ(plan.fractions, 5);
    ASSERT_EQ(plan.beams.size(), 1u);
    EXPECT_EQ(plan.beams[0].meterset_mu, 44);
    EXPECT_THAT(plan.notes,
                Contains(testing::AllOf(HasSubstr("beam 1 'a'"), HasSubstr("not in fraction group 7"))));
    EXPECT_THAT(refused(spec, 3).second, HasSubstr("no fraction group 3, only: 1, 7"));
}

TEST(DicomPlan, PatientPositionComesFromTheSetupOfTheBeam) {
    PlanSpec spec = plan_of({static_beam(1, "a")});
    spec.setups = {{"2", "HFS"}, {"1", "FFP"}};
    EXPECT_EQ(read(spec).position, PatientPosition::ffp);
    spec.beams[0].setup = "";
    expect_refused(spec, ErrorKind::refused_plan, {"HFS and FFP are both possible", "beam 1 'a'"});
    spec.setups = {{"2", "HFP"}, {"1", "HFP"}};
    EXPECT_EQ(read(spec).position, PatientPosition::hfp);
}

TEST(DicomPlan, PatientPositionMissingOrUnlikeIsRefused) {
    PlanSpec spec = plan_of({static_beam(1, "a"), static_beam(2, "b")});
    spec.setups = {{"1", "HFS"}, {"2", "HFP"}};
    spec.beams[1].setup = "2";
    expect_refused(spec, ErrorKind::refused_plan, {"HFP differs", "beam 2 'b'"});
    spec.beams[1].setup = "3";
    expect_refused(spec, ErrorKind::refused_plan, {"no patient setup 3"});
    spec.setups = {{"1", "SITTING"}};
    expect_refused(spec, ErrorKind::refused_plan, {"SITTING"});
    spec.setups = {{"1", ""}};
    expect_refused(spec, ErrorKind::bad_input, {"(0018,5100)", "missing"});
    spec.setups.clear();
    expect_refused(spec, ErrorKind::refused_plan, {"no patient setup"});
}

// What a beam may not hold: a change of the whole beam, the tag and the reason that the message has to give.
struct Unmodelled {
    const char* name;
    std::function<void(DcmItem&)> edit_beam;
    const char* tag;
    const char* reason;
};

void put_in_first_point(DcmItem& beam, DcmTagKey tag, const std::string& value) {
    DcmItem* point = nullptr;
    ASSERT_TRUE(beam.findAndGetSequenceItem(DCM_ControlPointSequence, point, 0).good());
    put(*point, tag, value);
}
void put_in_last_point(DcmItem& beam, DcmTagKey tag, const std::string& value) {
    DcmItem* point = nullptr;
    ASSERT_TRUE(beam.findAndGetSequenceItem(DCM_ControlPointSequence, point, 1).good());
    put(*point, tag, value);
}

class UnmodelledBeam : public testing::TestWithParam<Unmodelled> {};

TEST_P(UnmodelledBeam, IsRefusedWithBeamTagAndReason) {
    BeamSpec beam = static_beam(7, "odd");
    beam.edit = GetParam().edit_beam;
    expect_refused(beam, ErrorKind::refused_plan, {"beam 7 'odd'", GetParam().tag, GetParam().reason});
}

INSTANTIATE_TEST_SUITE_P(
    DicomPlan, UnmodelledBeam,
    testing::Values(
        Unmodelled{"Electrons", [](DcmItem& b) { put(b, DCM_RadiationType, "ELECTRON"); }, "(300a,00c6)",
                   "ELECTRON"},
        Unmodelled{"Protons", [](DcmItem& b) { put(b, DCM_RadiationType, "PROTON"); }, "(300a,00c6)",
                   "PROTON"},
        Unmodelled{"CompensatorCount", [](DcmItem& b) { put(b, DCM_NumberOfCompensators, "1"); },
                   "(300a,00e0)", "compensators"},
        Unmodelled{"CompensatorItem", [](DcmItem& b) { add_item(b, DCM_CompensatorSequence); }, "(300a,00e3)",
                   "compensators"},
        Unmodelled{"Applicator", [](DcmItem& b) { add_item(b, DCM_ApplicatorSequence); }, "(300a,0107)",
                   "applicators"},
        Unmodelled{"CompensatorTray", [](DcmItem& b) { put(b, DCM_TotalCompensatorTrayFactor, "0.97"); },
                   "(300a,00e2)", "tray"},
        Unmodelled{"Neutrons", [](DcmItem& b) { put(b, DCM_RadiationType, "NEUTRON"); }, "(300a,00c6)",
                   "NEUTRON"},
        Unmodelled{"ElectronApplicator",
                   [](DcmItem& b) {
                       put(add_item(b, DCM_ApplicatorSequence), DCM_ApplicatorType, "ELECTRON_SQUARE");
                   },
                   "(300a,0107)", "applicators"},
        Unmodelled{
            "Cone",
            [](DcmItem& b) { put(add_item(b, DCM_ApplicatorSequence), DCM_ApplicatorType, "STEREOTACTIC"); },
            "(300a,0107)", "cones"},
        Unmodelled{"Accessory", [](DcmItem& b) { add_item(b, DCM_GeneralAccessorySequence); }, "(300a,0420)",
                   "accessory"},
        Unmodelled{"Minutes", [](DcmItem& b) { put(b, DCM_PrimaryDosimeterUnit, "MINUTE"); }, "(300a,00b3)",
                   "MINUTE"},
        Unmodelled{"PortFilm", [](DcmItem& b) { put(b, DCM_TreatmentDeliveryType, "OPEN_PORTFILM"); },
                   "(300a,00ce)", "OPEN_PORTFILM"},
        Unmodelled{"VirtualSource", [](DcmItem& b) { put(b, DCM_VirtualSourceAxisDistances, "1000\\900"); },
                   "(300a,030a)", "source"},
        Unmodelled{
            "FluenceMode",
            [](DcmItem& b) { put(add_item(b, DCM_PrimaryFluenceModeSequence), DCM_FluenceMode, "ODD"); },
            "(3002,0051)", "ODD"},
        Unmodelled{"EnergyChange", [](DcmItem& b) { put_in_last_point(b, DCM_NominalBeamEnergy, "10"); },
                   "(300a,0114)", "changes within the beam"},
        Unmodelled{"CouchPitch", [](DcmItem& b) { put_in_first_point(b, DCM_TableTopPitchAngle, "1.5"); },
                   "(300a,0140)", "pitched table"},
        Unmodelled{"CouchRoll", [](DcmItem& b) { put_in_last_point(b, DCM_TableTopRollAngle, "-1"); },
                   "(300a,0144)", "rolled table"},
        Unmodelled{"CouchEccentric",
                   [](DcmItem& b) { put_in_first_point(b, DCM_TableTopEccentricAngle, "5"); }, "(300a,0125)",
                   "eccentric"},
        Unmodelled{"GantryPitch", [](DcmItem& b) { put_in_first_point(b, DCM_GantryPitchAngle, "5"); },
                   "(300a,014a)", "pitched gantry"},
        Unmodelled{"MovingTable",
                   [](DcmItem& b) {
                       put_in_first_point(b, DCM_TableTopLongitudinalPosition, "100");
                       put_in_last_point(b, DCM_TableTopLongitudinalPosition, "120");
                   },
                   "(300a,0129)", "moving table"}),
    [](const auto& odd) { return std::string(odd.param.name); });

TEST(DicomPlan, ZeroPitchAndRollAreHarmless) {
    BeamSpec beam = static_beam(1, "a");
    beam.edit = [](DcmItem& item) {
        for (DcmTagKey tag : {DCM_TableTopPitchAngle, DCM_TableTopRollAngle, DCM_GantryPitchAngle})
            put_in_first_point(item, tag, "0");
    };
    EXPECT_EQ(read(beam).beams.size(), 1u);
}

TEST(DicomPlan, OddDevicesAreRefused) {
    BeamSpec beam = static_beam(1, "a");
    beam.devices.push_back({"MLCZ", "1", "-5\\5"});
    expect_refused(beam, ErrorKind::refused_plan, {"MLCZ", "(300a,00b8)"});
    beam = static_beam(1, "a");
    beam.devices.push_back({"X", "1", ""});
    beam.points[0].positions.emplace_back("X", "-20\\20");
    expect_refused(beam, ErrorKind::refused_plan, {"both the devices ASYMX and X"});
    beam = static_beam(1, "a");
    beam.devices.pop_back();
    beam.points[0].positions.pop_back();
    expect_refused(beam, ErrorKind::refused_plan, {"not limited in both directions"});
    beam = static_beam(1, "a");
    beam.points[1].positions = {{"MLCX", "0\\1"}};
    expect_refused(beam, ErrorKind::bad_input, {"MLCX, which the beam does not declare", "control point 1"});
}

TEST(DicomPlan, DeviceWithoutAFirstPositionIsRefused) {
    BeamSpec beam = static_beam(1, "a");
    beam.points[0].positions.pop_back();
    beam.points[1].positions = {{"ASYMY", "-30\\20"}};
    expect_refused(beam, ErrorKind::refused_plan,
                   {"no position of the device ASYMY", "control point 0", "(300a,011a)"});
}

TEST(DicomPlan, ValuesThatTheFirstControlPointLacksAreRefused) {
    for (std::string PointSpec::*value : {&PointSpec::gantry, &PointSpec::collimator, &PointSpec::couch}) {
        BeamSpec beam = static_beam(1, "a");
        beam.points[0].*value = "";
        expect_refused(beam, ErrorKind::refused_plan,
                       {"no value to begin with", "control point 0", "beam 1 'a'"});
    }
    for (std::string PointSpec::*value : {&PointSpec::isocentre, &PointSpec::energy, &PointSpec::weight}) {
        BeamSpec beam = static_beam(1, "a");
        beam.points[0].*value = "";
        expect_refused(beam, ErrorKind::bad_input, {"missing", "control point 0", "beam 1 'a'"});
    }
}

TEST(DicomPlan, LeafCountsThatDoNotAgree) {
    BeamSpec beam = mlc_beam(1, "a");
    beam.points[0].positions[2].second = "-5\\-6\\7";
    expect_refused(beam, ErrorKind::bad_input, {"3 values where 4 belong", "(300a,011c)"});
    beam = mlc_beam(1, "a");
    beam.devices[2].pairs = "3";
    expect_refused(beam, ErrorKind::bad_input, {"3 values where 4 belong", "(300a,00be)"});
    beam = mlc_beam(1, "a");
    beam.devices[2].boundaries = "10\\0\\-10";
    expect_refused(beam, ErrorKind::bad_input, {"do not ascend"});
}

TEST(DicomPlan, CrossingLeavesAndJaws) {
    BeamSpec beam = mlc_beam(1, "a");
    beam.points[0].positions[2].second = "-5\\9\\7\\8";
    expect_refused(beam, ErrorKind::bad_input, {"MLCX crosses at pair 2", "beam 1 'a'"});
    beam.points[0].positions[2].second = "-5\\8.004\\7\\8";  // rounding: closed
    const Plan plan = read(beam);
    EXPECT_EQ(plan.beams[0].control_points[0].leaves[0].lower_mm[1],
              plan.beams[0].control_points[0].leaves[0].upper_mm[1]);
    beam = static_beam(1, "a");
    beam.points[0].positions[0].second = "40\\-50";
    expect_refused(beam, ErrorKind::bad_input, {"ASYMX crosses"});
}

TEST(DicomPlan, WeightsThatAreNotCumulative) {
    BeamSpec beam = static_beam(1, "a");
    beam.points[0].weight = "0.1";
    expect_refused(beam, ErrorKind::bad_input, {"the first weight is 0.1"});
    beam = static_beam(1, "a");
    beam.points[1].weight = "0.9";
    expect_refused(beam, ErrorKind::bad_input, {"the final weight is 1.0", "has 0.9", "(300a,010e)"});
    beam.points[1].weight = "0";
    beam.final_weight = "0";
    expect_refused(beam, ErrorKind::bad_input, {"not positive"});
    beam = arc();
    beam.points[1].weight = "1.5";
    expect_refused(beam, ErrorKind::bad_input, {"decreases at control point 2"});
}

TEST(DicomPlan, RequiredValuesAreNotGuessed) {
    PlanSpec spec = plan_of({static_beam(1, "a")});
    spec.groups[0].fractions = "";
    expect_refused(spec, ErrorKind::bad_input, {"missing", "(300a,0078)"});
    spec = plan_of({static_beam(1, "a")});
    spec.beams[0].unit = "";
    expect_refused(spec, ErrorKind::bad_input, {"missing", "(300a,00b3)", "beam 1"});
    spec = plan_of({static_beam(1, "a")});
    spec.beams[0].axis_distance = "";
    expect_refused(spec, ErrorKind::bad_input, {"missing", "(300a,00b4)", "beam 1"});
    spec = plan_of({static_beam(1, "a")});
    spec.beams[0].radiation = "";
    expect_refused(spec, ErrorKind::bad_input, {"missing", "(300a,00c6)", "beam 1"});
}

TEST(DicomPlan, ReferencesThatDoNotAgree) {
    PlanSpec spec = plan_of({static_beam(1, "a")});
    spec.groups[0].references[0].beam = 2;
    expect_refused(spec, ErrorKind::bad_input, {"a beam 2 that the plan does not hold"});
    spec = plan_of({static_beam(1, "a"), static_beam(1, "b")});
    expect_refused(spec, ErrorKind::bad_input, {"two beams have the number 1"});
    spec = plan_of({static_beam(1, "a")});
    spec.groups[0].references.push_back({1, "50", "", ""});
    expect_refused(spec, ErrorKind::bad_input, {"beam 1 is referred to twice"});
    spec = plan_of({static_beam(1, "a")});
    spec.groups[0].edit = [](DcmItem& group) { put(group, DCM_NumberOfBeams, "2"); };
    expect_refused(spec, ErrorKind::bad_input, {"says 2 beams and refers to 1"});
    spec = plan_of({static_beam(1, "a")});
    spec.beams[0].edit = [](DcmItem& beam) { put(beam, DCM_NumberOfControlPoints, "3"); };
    expect_refused(spec, ErrorKind::bad_input, {"says 3 control points and holds 2"});
}

TEST(DicomPlan, OtherKindsOfPlanAreRefusedByName) {
    PlanSpec spec = plan_of({static_beam(1, "a")});
    spec.sop_class = "1.2.840.10008.5.1.4.1.1.481.8";
    expect_refused(spec, ErrorKind::refused_plan, {"RT Ion Plan"});
    spec.sop_class = "1.2.840.10008.5.1.4.1.1.481.3";
    expect_refused(spec, ErrorKind::bad_input, {"not an RT Plan", "RTStructureSetStorage"});
    spec = plan_of({static_beam(1, "a")});
    spec.edit = [](DcmItem& root) { add_item(root, DCM_ApplicationSetupSequence); };
    expect_refused(spec, ErrorKind::refused_plan, {"brachytherapy", "(300a,0230)"});
    spec = plan_of({static_beam(1, "a")});
    spec.groups[0].edit = [](DcmItem& group) { put(group, DCM_NumberOfBrachyApplicationSetups, "1"); };
    expect_refused(spec, ErrorKind::refused_plan, {"brachytherapy", "(300a,00a0)"});
}

TEST(DicomPlan, TextThatIsNoNumber) {
    for (const char* text : {"NaN", "inf", "1e400", "12,5", "abc", "0x10", "1 2"}) {
        BeamSpec beam = static_beam(1, "a");
        beam.points[0].gantry = text;
        expect_refused(beam, ErrorKind::bad_input,
                       {"is not a finite number", "(300a,011e)", "control point 0"});
    }
    PlanSpec spec = plan_of({static_beam(1, "a")});
    spec.groups[0].references[0].meterset = "nan";
    expect_refused(spec, ErrorKind::bad_input, {"is not a finite number", "(300a,0086)"});
    spec.groups[0].references[0].meterset = "-5";
    expect_refused(spec, ErrorKind::bad_input, {"negative", "(300a,0086)"});
}

TEST(DicomPlan, NumbersWithPaddingAndSign) {
    BeamSpec beam = static_beam(1, "a");
    beam.points[0].gantry = " +9.0E1 ";
    EXPECT_EQ(read(beam).beams[0].control_points[0].gantry_deg, 90);
}

TEST(DicomPlan, WrongValueRepresentations) {
    // A sequence written as text, and an angle written as text of another kind.
    PlanSpec spec = plan_of({static_beam(1, "a")});
    spec.edit = [](DcmItem& root) {
        root.findAndDeleteElement(DCM_BeamSequence);
        root.insert(new DcmLongString(DcmTag(DCM_BeamSequence, DcmVR(EVR_LO))), OFTrue);
        root.putAndInsertString(DcmTag(DCM_BeamSequence, DcmVR(EVR_LO)), "beams");
    };
    expect_refused(spec, ErrorKind::bad_input, {"not a sequence", "(300a,00b0)"});
    BeamSpec beam = static_beam(1, "a");
    beam.points[0].edit = [](DcmItem& point) {
        point.findAndDeleteElement(DCM_GantryAngle);
        point.putAndInsertString(DcmTag(DCM_GantryAngle, DcmVR(EVR_LO)), "left");
    };
    expect_refused(beam, ErrorKind::bad_input, {"'left' is not a finite number", "(300a,011e)"});
}

TEST(DicomPlan, EveryTransferSyntaxWithoutPixels) {
    for (E_TransferSyntax syntax :
         {EXS_LittleEndianImplicit, EXS_LittleEndianExplicit, EXS_BigEndianExplicit})
        EXPECT_EQ(io::read_plan(write_plan(plan_of({mlc_beam(1, "a")}), syntax))
                      .beams[0]
                      .control_points[1]
                      .leaves[0]
                      .upper_mm[1],
                  8);
}

TEST(DicomPlan, TruncatedFileIsAnErrorWhereverItIsCut) {
    PlanSpec spec = plan_of({mlc_beam(1, "a"), mlc_beam(2, "b")});
    const auto whole = write_plan(spec);
    const auto size = std::filesystem::file_size(whole);
    ASSERT_EQ(io::read_plan(whole).beams.size(), 2u);
    const auto cut = whole.parent_path() / "cut.dcm";
    int valid = 0;
    for (std::uintmax_t length = 0; length < size; ++length) {
        std::filesystem::copy_file(whole, cut, std::filesystem::copy_options::overwrite_existing);
        std::filesystem::resize_file(cut, length);
        try {
            const Plan plan = io::read_plan(cut);
            // Between two elements of the data set the cut leaves a valid file. What stands last is harmless.
            ++valid;
            EXPECT_EQ(plan.beams.size(), 2u) << "cut to " << length << " of " << size << " bytes";
            EXPECT_THAT(plan.notes, Contains("approval status: not given"));
        } catch (const Error&) {
        }
    }
    EXPECT_EQ(valid, 2) << "behind the patient setup, and behind the structure set reference";
}

TEST(DicomPlan, ReadingPrintsNothing) {
    PlanSpec spec = plan_of({static_beam(1, "a")});
    spec.edit = [](DcmItem& root) { put(root, DCM_SOPInstanceUID, "1.2 .3"); };  // DCMTK warns of the space
    const auto file = write_plan(spec);
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    io::read_plan(file);
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
    EXPECT_THROW(io::read_plan(file), Error);
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(DicomPlan, FilesThatAreNotDicomOrNotThere) {
    const auto file = std::filesystem::path(testing::TempDir()) / "not-dicom.txt";
    std::ofstream(file) << "this is no DICOM file, only some text that is long enough to be looked at\n";
    EXPECT_THROW(io::read_plan(file), Error);
    EXPECT_THROW(io::read_plan(file.string() + ".nowhere"), Error);
    EXPECT_THROW(io::read_plan(file.parent_path()), Error);
}

}  // namespace
}  // namespace libdose
