// Body, supports and boluses that are not whole: refused by name, or said. The field's pyramid against boxes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/field_box.h"
#include "engine/patient_structures.h"
#include "geometry/rect.h"
#include "libdose/error.h"
#include "patient/density.h"
#include "support/water_cube.h"

using namespace libdose;

namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class PatientStructures : public Engine {
protected:
    static std::vector<std::string> check(const CtImage& ct, const StructureSet& set, const Plan& plan,
                                          const EngineOptions& options = {}) {
        return check_patient_structures(
            ct, &set, plan, [](const Beam&) -> const BeamModel& { return *model_; }, options);
    }
    static DensityGrid densities(const StructureSet& set, const std::vector<DensityOverride>& overrides) {
        const Grid grid{{10, 10, 10}, Vec3::Constant(8), Vec3::Constant(-36)};
        return density_on_grid(water_ct(), &set, HuCurve::default_curve(), *materials_, overrides, grid);
    }
    static std::string refusal(const CtImage& ct, const StructureSet& set, const Plan& plan,
                               const EngineOptions& options = {}) {
        try {
            check(ct, set, plan, options);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::bad_input);
            return error.what();
        }
        return "";
    }
};

Structure box(int number, const std::string& name, const std::string& type, double x0, double x1, double y0,
              double y1, double z_half = 120) {
    Structure structure;
    structure.number = number;
    structure.name = name;
    structure.type = type;
    for (int k = 0; k < 200; ++k)
        if (const double z = -398 + 4 * k; std::abs(z) < z_half)
            structure.contours.push_back(
                {{Vec3(x0, y0, z), Vec3(x1, y0, z), Vec3(x1, y1, z), Vec3(x0, y1, z)}});
    return structure;
}

StructureSet with_body(const Structure& body) {
    StructureSet set;
    set.frame_of_reference_uid = "1.2.3";
    set.structures = {body};
    return set;
}

Plan gantry(double angle) { return plan_of({static_beam(1, angle, 100)}); }

}  // namespace

TEST_F(PatientStructures, WholeBodyHasNothingToSay) {
    EXPECT_THAT(check(water_ct(), body_of_cube(), gantry(0)), IsEmpty());
}

TEST_F(PatientStructures, MissingPlanesOfABodyAreRefusedUnlessAccepted) {
    StructureSet set = body_of_cube();
    std::erase_if(set.structures[0].contours,
                  [](const Contour& c) { return std::abs(c.points_mm[0][2] - 2) < 1; });
    EXPECT_THAT(refusal(water_ct(), set, gantry(0)),
                AllOf(HasSubstr("body \"BODY\""), HasSubstr("gap"), HasSubstr("z = -2.0 to 6.0 mm"),
                      HasSubstr("--accept-gaps")));
    EngineOptions options;
    options.accept_gaps = true;
    EXPECT_THAT(check(water_ct(), set, gantry(0), options),
                Contains(AllOf(HasSubstr("BODY"), HasSubstr("no contours between"))));
    // A gap of another structure is no reason.
    set = body_of_cube();
    Structure support = box(2, "TABLE", "SUPPORT", -120, 120, 120, 140);
    std::erase_if(support.contours, [](const Contour& c) { return std::abs(c.points_mm[0][2] - 2) < 1; });
    set.structures.push_back(support);
    EXPECT_THAT(check(water_ct(), set, gantry(0)),
                Contains(AllOf(HasSubstr("TABLE"), HasSubstr("no contours between"))));
}

TEST_F(PatientStructures, StructuresThatEncloseNothingAreRefused) {
    StructureSet set = body_of_cube();
    Structure support = box(2, "TABLE", "SUPPORT", -120, 120, 120, 140);
    support.xor_contours = true;
    for (const Contour& contour : std::vector<Contour>(support.contours)) support.contours.push_back(contour);
    set.structures.push_back(support);
    EXPECT_THAT(refusal(water_ct(), set, gantry(0)),
                AllOf(HasSubstr("support \"TABLE\""), HasSubstr("encloses no volume")));
    // There and back along one line.
    set = body_of_cube();
    for (Contour& contour : set.structures[0].contours) {
        contour.points_mm.resize(2);
        contour.points_mm.push_back(contour.points_mm[0]);
    }
    EXPECT_THAT(refusal(water_ct(), set, gantry(0)),
                AllOf(HasSubstr("body \"BODY\""), HasSubstr("encloses no volume")));
}

TEST_F(PatientStructures, LossOfAHundredthIsRefused) {
    // Every plane has a loop that the outline goes round twice: 24 x 30 of 240 x 240 mm are 1.25 %, 24 x 20
    // mm 0.8 %.
    const auto looped = [](double width) {
        StructureSet set = body_of_cube();
        for (Contour& c : set.structures[0].contours) {
            const double z = c.points_mm[0][2];
            c.points_mm = {Vec3(-120, -120, z),       Vec3(120, -120, z), Vec3(120, 120, z),
                           Vec3(-120, 120, z),        Vec3(-120, -12, z), Vec3(-120 + width, -12, z),
                           Vec3(-120 + width, 12, z), Vec3(-120, 12, z)};
        }
        return set;
    };
    EXPECT_THAT(refusal(water_ct(), looped(30), gantry(0)),
                AllOf(HasSubstr("body \"BODY\""), HasSubstr("loses"), HasSubstr("go round it twice")));
    EXPECT_EQ(refusal(water_ct(), looped(20), gantry(0)), "");
    // Half of a body that is a hole is a mistake; of a shell under it, it is not.
    StructureSet set = body_of_cube();
    for (const Contour& c : std::vector<Contour>(set.structures[0].contours))
        set.structures[0].contours.push_back(square(110, c.points_mm[0][2]));
    EXPECT_THAT(refusal(water_ct(), set, gantry(0)), AllOf(HasSubstr("body \"BODY\""), HasSubstr("holes")));
    set = body_of_cube();
    Structure shell = box(2, "SHELL", "SUPPORT", -120, 120, 120, 140);
    for (const Contour& c : box(2, "", "", -118, 118, 122, 138).contours) shell.contours.push_back(c);
    set.structures.push_back(shell);
    EXPECT_EQ(refusal(water_ct(), set, gantry(0)), "");
}

TEST_F(PatientStructures, BodyBeyondTheCtIsSaidAndRefusedWhereABeamEnters) {
    // The CT ends at ±160 mm. Beyond it to the left: 40 x 240 mm in 60 planes of 4 mm.
    const StructureSet set = with_body(box(1, "BODY", "EXTERNAL", -120, 200, -120, 120));
    EXPECT_THAT(check(water_ct(), set, gantry(0)),
                Contains(AllOf(HasSubstr("\"BODY\""), HasSubstr("2304.0 cm3"), HasSubstr("beyond the CT"))));
    EXPECT_THAT(refusal(water_ct(), set, gantry(90)),
                AllOf(HasSubstr("body \"BODY\""), HasSubstr("beyond the CT"), HasSubstr("beam 1 'G90'")));
    EXPECT_EQ(refusal(water_ct(), set, gantry(270)), "");  // it leaves there
    // An arc passes there between its control points.
    Plan arc = gantry(300);
    arc.beams[0].control_points[1].gantry_deg = 170;
    arc.beams[0].gantry_rotation[0] = Rotation::clockwise;
    EXPECT_THAT(refusal(water_ct(), set, arc), HasSubstr("beyond the CT"));
    arc.beams[0].gantry_rotation[0] = Rotation::counter_clockwise;
    EXPECT_EQ(refusal(water_ct(), set, arc), "");
}

TEST_F(PatientStructures, SupportBeyondTheCt) {
    StructureSet set = body_of_cube();
    set.structures.push_back(box(2, "TABLE", "SUPPORT", -260, 260, 120, 140));
    EXPECT_THAT(check(water_ct(), set, gantry(180)),
                Contains(AllOf(HasSubstr("support \"TABLE\""), HasSubstr("beyond the CT"))));
    EXPECT_THAT(refusal(water_ct(), set, gantry(120)),
                AllOf(HasSubstr("support \"TABLE\""), HasSubstr("beyond the CT")));
}

TEST_F(PatientStructures, ContoursAtTheEdgeOfTheCtAreWithinIt) {
    // Along the outermost edge, a pixel beyond it, and half a slice.
    for (const double half : {160.0, 163.9})
        EXPECT_THAT(check(water_ct(), with_body(box(1, "BODY", "EXTERNAL", -half, half, -half, half, 160)),
                          gantry(90)),
                    IsEmpty());
}

TEST_F(PatientStructures, BodyLongerThanTheScan) {
    // 20 planes of 4 mm more on either side of ±160 mm: 2 x 240 x 240 x 80 mm.
    const StructureSet set = with_body(box(1, "BODY", "EXTERNAL", -120, 120, -120, 120, 240));
    EXPECT_THAT(check(water_ct(), set, gantry(90)),
                Contains(AllOf(HasSubstr("BODY"), HasSubstr("9216.0 cm3"), HasSubstr("beyond the CT"))));
    Plan plan = gantry(90);
    for (ControlPoint& point : plan.beams[0].control_points) point.jaw_y = JawOpening{-50, 180};
    EXPECT_THAT(refusal(water_ct(), set, plan), HasSubstr("beyond the CT"));
}

TEST_F(PatientStructures, HandMadeContoursGetTheirNotes) {
    StructureSet set = body_of_cube();
    Structure organ = box(3, "LUNG", "ORGAN", -60, 0, -60, 60, 40);
    for (const Contour& c : box(3, "", "", -20, 60, -60, 60, 40).contours) organ.contours.push_back(c);
    set.structures.push_back(organ);
    EXPECT_THAT(check(water_ct(), set, gantry(0)), IsEmpty());  // it takes no part
    EngineOptions options;
    options.overrides = {{"LUNG", 0.3, ""}};
    EXPECT_THAT(check(water_ct(), set, gantry(0), options),
                Contains(AllOf(HasSubstr("LUNG"), HasSubstr("contours overlap"))));
    set.notes = check(water_ct(), set, gantry(0), options);
    EXPECT_THAT(check(water_ct(), set, gantry(0), options), IsEmpty());
}

TEST_F(PatientStructures, OverlappingDensitiesSayWhichHolds) {
    StructureSet set = body_of_cube();
    set.structures.push_back(box(2, "BIG", "", -40, 40, -40, 40, 40));
    set.structures.push_back(box(3, "SMALL", "", -20, 20, -20, 20, 20));
    const auto notes = [&](const std::vector<DensityOverride>& overrides) {
        return densities(set, overrides).notes;
    };
    // 40 x 40 mm in ten planes of 4 mm.
    EXPECT_THAT(notes({{"BIG", 0.3, ""}, {"SMALL", 2.0, ""}}),
                Contains(AllOf(HasSubstr("\"BIG\" and \"SMALL\" overlap in 64 cm3"),
                               HasSubstr("density of \"SMALL\" holds"))));
    EXPECT_THAT(notes({{"SMALL", 2.0, ""}, {"BIG", 0.3, ""}}),
                Contains(AllOf(HasSubstr("overlap in 64 cm3"), HasSubstr("density of \"BIG\" holds"))));
    for (const std::string& note : notes({{"SMALL", 2.0, ""}, {"BIG", 2.0, ""}}))
        EXPECT_EQ(note.find("overlap"), std::string::npos) << note;
}

TEST_F(PatientStructures, DensityOfANameThatTwoHaveIsRefused) {
    StructureSet set = body_of_cube();
    set.structures.push_back(box(2, "ORGAN", "", -40, 40, -40, 40, 40));
    set.structures.push_back(box(3, "ORGAN", "", -20, 20, -20, 20, 20));
    const std::vector<DensityOverride> overrides{{"ORGAN", 0.3, ""}};
    EXPECT_THROW(densities(set, overrides), Error);
    set.structures[1].contours.clear();
    EXPECT_NO_THROW(densities(set, overrides));
    set.structures[2].contours.clear();
    EXPECT_THROW(densities(set, overrides), Error);
}

TEST(BoxInField, PyramidFromAbove) {
    // Source at y = −1000, field ±50 mm at the isocentre: at y = 500 it is 75 mm wide.
    const auto frame = physics::beam_frame(PatientPosition::hfs, 0, 0, 0, Vec3::Zero(), 1000);
    const Rect opening{-50, 50, -50, 50};
    const auto meets = [&](const Vec3& low, const Vec3& high) {
        return box_in_field(frame, opening, {low, high}).has_value();
    };
    EXPECT_TRUE(meets(Vec3(-10, -10, -10), Vec3(10, 10, 10)));
    EXPECT_TRUE(meets(Vec3(49, 0, 0), Vec3(80, 1, 1)));
    EXPECT_FALSE(meets(Vec3(51, 0, 0), Vec3(80, 0.5, 1)));
    EXPECT_TRUE(meets(Vec3(74, 400, 0), Vec3(80, 500, 1)));
    EXPECT_FALSE(meets(Vec3(76, 400, 0), Vec3(80, 500, 1)));
    EXPECT_FALSE(meets(Vec3(-10, -1200, -10), Vec3(10, -1010, 10)));  // behind the source
    EXPECT_TRUE(meets(Vec3(-500, -500, -500), Vec3(500, 500, 500)));  // the pyramid passes through its middle
    EXPECT_TRUE(meets(Vec3(-500, -1500, -500), Vec3(500, 500, 500)));  // the source is in it
    // Closed.
    EXPECT_FALSE(box_in_field(frame, {10, -10, -50, 50}, {Vec3(-500, -500, -500), Vec3(500, 500, 500)}));
}

TEST(BoxInField, ObliqueField) {
    // Gantry 45, field ±10 mm: where y is 30 to 40 mm, x is −40 to −30 mm on the axis, and 14 mm more or less
    // in the field.
    const auto frame = physics::beam_frame(PatientPosition::hfs, 45, 0, 0, Vec3::Zero(), 1000);
    EXPECT_FALSE(box_in_field(frame, {-10, 10, -10, 10}, {Vec3(-200, 30, -5), Vec3(-60, 40, 5)}));
    EXPECT_FALSE(box_in_field(frame, {-10, 10, -10, 10}, {Vec3(60, 30, -5), Vec3(200, 40, 5)}));
    EXPECT_TRUE(box_in_field(frame, {-10, 10, -10, 10}, {Vec3(-200, 30, -5), Vec3(200, 40, 5)}));
}
