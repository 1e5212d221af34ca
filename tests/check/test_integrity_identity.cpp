// Integrity rows: one patient, references, approval.
#include <gtest/gtest.h>

#include "support/clean_check.h"

namespace libdose::check {

using test::clean_input;
using test::clean_options;
using test::row_of;

TEST(PatientRows, AnotherPatientIdFails) {
    CheckInput input = clean_input();
    input.dose_facts[0].patient.id = "P2";
    const Row row = row_of(input, "patient-id");
    EXPECT_EQ(row.verdict, Verdict::fail);
    EXPECT_EQ(row.reason, "the objects differ: \"P1\" (plan, structure set, CT), \"P2\" (dose RD.dcm)");
}

TEST(PatientRows, APatientIdThatIsNotStatedIsLookedAt) {
    CheckInput input = clean_input();
    input.structure_facts->patient.id.clear();
    const Row row = row_of(input, "patient-id");
    EXPECT_EQ(row.verdict, Verdict::look);
    EXPECT_EQ(row.reason, "not stated by: structure set");
}

TEST(PatientRows, WaysToWriteOneNameAreHarmless) {
    for (const char* name : {"TEST^PATIENT", "test^patient ", "Test^Patient^^^", "Test ^Patient",
                             "Test^ Patient", "Test^Patient=ideographic"}) {
        CheckInput input = clean_input();
        input.ct_facts->patient.name = name;
        EXPECT_EQ(row_of(input, "patient-name").verdict, Verdict::pass) << name;
    }
}

TEST(PatientRows, OtherNamesDatesAndSexesAreLookedAt) {
    CheckInput input = clean_input();
    input.ct_facts->patient.name = "Test^Patience";
    input.ct_facts->patient.birth_date = "19600201";
    input.ct_facts->patient.sex = "M";
    EXPECT_EQ(row_of(input, "patient-name").verdict, Verdict::look);
    EXPECT_EQ(row_of(input, "patient-birth-date").verdict, Verdict::look);
    EXPECT_EQ(row_of(input, "patient-sex").verdict, Verdict::look);
    // What an object does not state does not differ.
    input.ct_facts->patient.name = input.ct_facts->patient.birth_date = "";
    EXPECT_EQ(row_of(input, "patient-name").verdict, Verdict::pass);
    EXPECT_EQ(row_of(input, "patient-birth-date").verdict, Verdict::pass);
}

TEST(ReferenceRows, AnotherFrameOfReferenceFails) {
    CheckInput input = clean_input();
    input.ct_facts->frame_of_reference_uid = "1.7";
    const Row row = row_of(input, "frame-of-reference");
    EXPECT_EQ(row.verdict, Verdict::fail);
    EXPECT_NE(row.reason.find("CT 1.7, plan 1.9"), std::string::npos) << row.reason;
}

TEST(ReferenceRows, AnotherStructureSetFails) {
    CheckInput input = clean_input();
    input.plan_facts->structure_set_uid = "1.2.2";
    EXPECT_EQ(row_of(input, "plan-structure-set").verdict, Verdict::fail);
    input.plan_facts->structure_set_uid.clear();
    EXPECT_EQ(row_of(input, "plan-structure-set").verdict, Verdict::look);
}

TEST(ReferenceRows, ACtOfAnotherSeriesFailsWithBothUids) {
    CheckInput input = clean_input();
    input.ct_facts->series_uid = "1.33";
    const Row row = row_of(input, "ct-series");
    EXPECT_EQ(row.verdict, Verdict::fail);
    EXPECT_EQ(row.reason,
              "wrong CT: the structure set was drawn on series 1.3; the CT among the files is series 1.33");
    input.structure_facts->series_uids.clear();
    EXPECT_EQ(row_of(input, "ct-series").verdict, Verdict::look);
}

TEST(ReferenceRows, ImagesThatContoursWereDrawnOnAreThere) {
    CheckInput input = clean_input();
    input.structure_facts->series_images.clear();
    EXPECT_EQ(row_of(input, "ct-images").verdict, Verdict::not_checked);  // none is listed
    input.structure_facts->contour_image_uids = {"1.3.1", "1.3.2"};
    EXPECT_EQ(row_of(input, "ct-images").verdict, Verdict::pass);
    input.structure_facts->contour_image_uids.push_back("1.3.12");
    const Row row = row_of(input, "ct-images");
    EXPECT_EQ(row.verdict, Verdict::not_checked);
    EXPECT_EQ(row.reason, "1 of the 3 CT images that contours were drawn on are not among the files");
}

TEST(ReferenceRows, ADoseOfAnotherPlanFails) {
    CheckInput input = clean_input();
    input.planned->referenced_plan_uid = "1.1.1";
    EXPECT_EQ(row_of(input, "dose-plan").verdict, Verdict::fail);
}

TEST(ReferenceRows, ADoseWithAnotherStructureSetIsLookedAt) {
    CheckInput input = clean_input();
    input.dose_facts[0].structure_set_uid = "1.22";
    EXPECT_EQ(row_of(input, "dose-structure-set").verdict, Verdict::look);
}

TEST(ReferenceRows, ADoseThatThePlanDoesNotNameIsLookedAt) {
    CheckInput input = clean_input();
    EXPECT_EQ(row_of(input, "plan-dose").name, "absent");  // most plans name none
    input.plan_facts->dose_uids = {"1.4"};
    EXPECT_EQ(row_of(input, "plan-dose").verdict, Verdict::pass);
    input.plan_facts->dose_uids = {"1.44"};
    EXPECT_EQ(row_of(input, "plan-dose").verdict, Verdict::look);
}

TEST(ApprovalRows, APlanIsApprovedWhereTheProtocolAsksForIt) {
    CheckInput input = clean_input();
    CheckOptions options = clean_options();
    for (const char* status : {"UNAPPROVED", ""}) {
        input.plan_facts->approval = status;
        options.protocol.approval_required = true;
        EXPECT_EQ(row_of(input, "plan-approval", options).verdict, Verdict::look);
        options.protocol.approval_required = false;
        EXPECT_EQ(row_of(input, "plan-approval", options).verdict, Verdict::pass);
    }
    input.plan_facts->approval = "REJECTED";
    EXPECT_EQ(row_of(input, "plan-approval", options).verdict, Verdict::fail);
}

TEST(ApprovalRows, ARejectedStructureSetIsLookedAt) {
    CheckInput input = clean_input();
    input.structure_facts->approval = "UNAPPROVED";
    EXPECT_EQ(row_of(input, "structure-set-approval").verdict, Verdict::pass);
    input.structure_facts->approval = "REJECTED";
    EXPECT_EQ(row_of(input, "structure-set-approval").verdict, Verdict::look);
}

}  // namespace libdose::check
