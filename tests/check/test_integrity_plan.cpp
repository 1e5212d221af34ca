// Integrity rows: beams, monitor units, isocentres, prescription, beam models.
#include <gtest/gtest.h>

#include "support/clean_check.h"

namespace libdose::check {

using test::clean_input;
using test::clean_options;
using test::row_of;

TEST(BeamRows, NumbersOfBeamsAgree) {
    CheckInput input = clean_input();
    io::FractionGroupFacts& group = input.plan_facts->fraction_groups[0];
    group.stated_beams = 2;
    EXPECT_EQ(row_of(input, "beam-count").verdict, Verdict::fail);
    group.beams = {1, 2};  // not in the plan
    EXPECT_EQ(row_of(input, "beam-count").verdict, Verdict::fail);
    group.beams = {1, 1};
    EXPECT_EQ(row_of(input, "beam-count").verdict, Verdict::fail);
    group.beams = {1, 2};
    input.plan_facts->beam_types[2] = "SETUP";
    EXPECT_EQ(row_of(input, "beam-count").verdict, Verdict::pass);
    input.plan_facts->beam_types[2] = "TREATMENT";  // but the reader left it out
    EXPECT_EQ(row_of(input, "beam-count").verdict, Verdict::look);
}

TEST(BeamRows, ABeamThatNoFractionGroupDeliversIsLookedAt) {
    CheckInput input = clean_input();
    input.plan_facts->beam_types[7] = "TREATMENT";
    const Row row = row_of(input, "beam-count");
    EXPECT_EQ(row.verdict, Verdict::look);
    EXPECT_EQ(row.reason, "beams that no fraction group delivers: 7");
}

TEST(BeamRows, EveryTreatmentBeamHasMonitorUnits) {
    CheckInput input = clean_input();
    EXPECT_EQ(row_of(input, "beam-mu").planned, "200 MU a fraction");
    input.plan_facts->fraction_groups[0].beam_mu[1] = 0;
    EXPECT_EQ(row_of(input, "beam-mu").verdict, Verdict::fail);
    input.plan_facts->fraction_groups[0].beam_mu.clear();
    EXPECT_EQ(row_of(input, "beam-mu").verdict, Verdict::fail);
}

TEST(BeamRows, SetUpBeamsAreNamedAndHaveNoMonitorUnits) {
    CheckInput input = clean_input();
    input.plan_facts->beam_types[3] = "SETUP";
    input.plan_facts->fraction_groups[0].beams.push_back(3);
    EXPECT_EQ(row_of(input, "setup-beams").planned, "beams 3");
    input.plan_facts->fraction_groups[0].beam_mu[3] = 2;
    EXPECT_EQ(row_of(input, "setup-beams").verdict, Verdict::look);
}

TEST(BeamRows, AnIsocentreOutsideTheBodyIsLookedAtWithItsDistance) {
    CheckInput input = clean_input();
    for (ControlPoint& point : input.plan->beams[0].control_points) point.isocentre_mm = Vec3(0, -95, 0);
    const Row row = row_of(input, "isocentre-in-body");
    EXPECT_EQ(row.verdict, Verdict::look);
    EXPECT_DOUBLE_EQ(row.value.value(), 15);  // the body's edge is at y = -80
    for (ControlPoint& point : input.plan->beams[0].control_points) point.isocentre_mm = Vec3(0, 0, 90);
    EXPECT_DOUBLE_EQ(row_of(input, "isocentre-in-body").value.value(), 40);  // last contour at z = 50
}

TEST(BeamRows, SeveralIsocentresAreNamed) {
    CheckInput input = clean_input();
    Beam second = input.plan->beams[0];
    second.number = 2;
    for (ControlPoint& point : second.control_points) point.isocentre_mm = Vec3(10, 0, 0);
    input.plan->beams.push_back(second);
    const Row row = row_of(input, "isocentre-count");
    EXPECT_EQ(row.verdict, Verdict::look);
    EXPECT_EQ(row.reason, "the plan has 2 isocentres: (0, 0, 0) mm of beams 1, (10, 0, 0) mm of beams 2");
}

// 60 Gy planned everywhere; limits 2 and 5 %.
TEST(PrescriptionRows, ThePlannedMedianIsHeldAgainstThePrescription) {
    CheckInput input = clean_input();
    double& prescribed_gy = *input.plan_facts->prescriptions[0].target_dose_gy;
    prescribed_gy = 61;  // 60 is 1.6 % below
    EXPECT_EQ(row_of(input, "prescription").verdict, Verdict::pass);
    prescribed_gy = 62;  // 3.2 %
    EXPECT_EQ(row_of(input, "prescription").verdict, Verdict::look);
    prescribed_gy = 66;  // 9.1 %
    const Row row = row_of(input, "prescription");
    EXPECT_EQ(row.verdict, Verdict::fail);
    EXPECT_NEAR(row.value.value(), 100 * (60.0 / 66 - 1), 1e-6);
    EXPECT_EQ(row.subject, "PTV");
    EXPECT_EQ(row.planned, "66 Gy");
    EXPECT_EQ(row.calculated, "60 Gy");
    EXPECT_EQ(row.reason, "the median planned dose of PTV is 60 Gy, 9.1 % below the 66 Gy");
}

TEST(PrescriptionRows, APlanWithoutAPrescriptionIsNotChecked) {
    CheckInput input = clean_input();
    input.plan_facts->prescriptions.clear();
    EXPECT_EQ(row_of(input, "prescription").verdict, Verdict::not_checked);
}

TEST(PrescriptionRows, OneWithoutAStructureIsHeldAgainstTheTarget) {
    CheckInput input = clean_input();
    input.plan_facts->prescriptions[0].structure_number = 0;
    EXPECT_EQ(row_of(input, "prescription").verdict, Verdict::pass);
    input.plan_facts->prescriptions[0].structure_number = 12;  // not in the set
    EXPECT_EQ(row_of(input, "prescription").verdict, Verdict::not_checked);
    // Of two without a structure only the higher one is the target's.
    input.plan_facts->prescriptions[0].structure_number = 0;
    input.plan_facts->prescriptions.push_back(input.plan_facts->prescriptions[0]);
    input.plan_facts->prescriptions[0].target_dose_gy = 50;
    const std::vector<Row> rows = test::rows_of(test::integrity(input, clean_options()), "prescription");
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].verdict, Verdict::pass);
    EXPECT_EQ(rows[1].verdict, Verdict::not_checked);
}

TEST(PrescriptionRows, FractionsTimesBeamDosesAreTheDoseOfTheCourse) {
    CheckInput input = clean_input();
    EXPECT_EQ(row_of(input, "beam-dose-planned").verdict, Verdict::pass);
    input.plan->fractions = 25;  // 25 x 2 Gy; the RTDOSE has 60 Gy
    const Row row = row_of(input, "beam-dose-planned");
    EXPECT_EQ(row.verdict, Verdict::fail);
    EXPECT_NEAR(row.value.value(), 100 * (60.0 / 50 - 1), 1e-6);
    // A plan that states no Beam Dose has no such row.
    input.plan_facts->fraction_groups[0].beam_dose_gy.clear();
    EXPECT_EQ(row_of(input, "beam-dose-planned").name, "absent");
}

TEST(PrescriptionRows, WithoutADosePointFractionsTimesBeamDosesAreHeldAgainstThePrescription) {
    CheckInput input = clean_input();
    EXPECT_EQ(row_of(input, "prescription-beam-dose").name, "absent");  // the dose point says more
    input.plan->beams[0].dose_point_mm.reset();
    EXPECT_EQ(row_of(input, "prescription-beam-dose").verdict, Verdict::pass);
    EXPECT_EQ(row_of(input, "beam-dose-planned").name, "absent");
    input.plan->fractions = 25;  // 25 x 2 Gy; 60 Gy are prescribed
    const Row row = row_of(input, "prescription-beam-dose");
    EXPECT_EQ(row.verdict, Verdict::look);  // the points may have another dose: never FAIL
    EXPECT_NEAR(row.value.value(), 100 * (50.0 / 60 - 1), 1e-6);
}

TEST(ModelRows, AGenericModelIsNamed) {
    const CheckInput input = clean_input();
    CheckOptions options = clean_options();
    EXPECT_NE(row_of(input, "beam-model", options).calculated.find("generic: of no machine"),
              std::string::npos);
    options.protocol.require_machine_model = true;
    const Row row = row_of(input, "beam-model", options);
    EXPECT_EQ(row.verdict, Verdict::look);
    EXPECT_EQ(row.reason, "the beam model generic 6 MV is generic, not of machine linac");
}

Row age_row(const std::string& commissioned_on, int allowed_days) {
    BeamModel model;
    model.name = "ours";
    if (!commissioned_on.empty()) model.lineage["on"] = commissioned_on;
    CheckOptions options = clean_options();
    options.protocol.model_age_days = allowed_days;
    const std::vector<Row> rows = test::rows_of(
        integrity_rows(clean_input(), options, [&](const Beam&) -> const BeamModel& { return model; }),
        "beam-model-age");
    return rows.size() == 1 ? rows.front() : Row{};
}

TEST(ModelRows, TheAgeOfAModelHasALimit) {
    EXPECT_EQ(age_row("2001-02-03", 400).verdict, Verdict::look);
    EXPECT_EQ(age_row("20010203", 400).verdict, Verdict::look);
    EXPECT_EQ(age_row("2001-02-03", 1000000).verdict, Verdict::pass);
    EXPECT_EQ(age_row("9999-01-01", 400).verdict, Verdict::look);
    EXPECT_EQ(age_row("", 400).verdict, Verdict::not_checked);
    EXPECT_EQ(age_row("last year", 400).verdict, Verdict::not_checked);
    EXPECT_TRUE(age_row("2001-02-03", 0).id.empty());  // not asked for
}

}  // namespace libdose::check
