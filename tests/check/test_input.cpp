// Reading what a check needs: what is missing, cannot be read or does not belong is a row.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "libdose/error.h"
#include "support/check_files.h"

namespace libdose::check {

using test::CheckFiles;
using test::DoseSpec;

/// Problems as "id verdict", in order.
std::vector<std::string> problems(const CheckInput& input) {
    std::vector<std::string> found;
    for (const Row& row : input.problems) found.push_back(row.id + " " + to_string(row.verdict));
    return found;
}

std::string reason(const CheckInput& input) {
    return input.problems.empty() ? "" : input.problems.front().reason;
}

using Found = std::vector<std::string>;

TEST(CheckInput, ACompleteCaseHasNoProblem) {
    CheckFiles files;
    files.write_dose_file();
    const CheckInput input = files.read();
    EXPECT_EQ(problems(input), Found{}) << reason(input);
    EXPECT_TRUE(input.can_calculate());
    ASSERT_TRUE(input.planned);
    EXPECT_FLOAT_EQ(input.planned->gy.values[0], 40);
    EXPECT_EQ(input.ct_files.size(), 10u);
    EXPECT_EQ(input.dose_facts.size(), 1u);
    EXPECT_EQ(input.plan_facts->structure_set_uid, input.structure_facts->sop_instance_uid);
    EXPECT_EQ(input.ct_facts->series_uid, "1.2.3.4");
}

TEST(CheckInput, PathsWithoutDicomAreAnError) {
    test::TemporaryFolder folder;
    EXPECT_NE(test::message_of([&] { read_check_input({folder.path()}); }).find("there is no DICOM"),
              std::string::npos);
    EXPECT_THROW(read_check_input({folder / "nowhere"}), Error);
}

TEST(CheckInput, WithoutThePlanTheRestIsRead) {
    CheckFiles files;
    files.write_dose_file();
    files.remove("RP.dcm");
    const CheckInput input = files.read();
    EXPECT_EQ(problems(input), Found{"missing-plan NOT CHECKED"});
    EXPECT_NE(reason(input).find("there is no RTPLAN"), std::string::npos) << reason(input);
    EXPECT_TRUE(input.structures);
    EXPECT_TRUE(input.ct);
    EXPECT_EQ(input.dose_facts.size(), 1u);
    EXPECT_FALSE(input.planned);  // whose it is is not known
    EXPECT_FALSE(input.can_calculate());
}

TEST(CheckInput, WithoutTheStructureSetTheRestIsRead) {
    CheckFiles files;
    files.write_dose_file();
    files.remove("RS.dcm");
    const CheckInput input = files.read();
    EXPECT_EQ(problems(input), Found{"missing-structures NOT CHECKED"});
    EXPECT_NE(reason(input).find("refers to, 1.2.3.6, is not among the files"), std::string::npos)
        << reason(input);
    EXPECT_TRUE(input.plan);
    EXPECT_TRUE(input.ct);
    EXPECT_TRUE(input.planned);
}

TEST(CheckInput, WithoutTheCtTheRestIsRead) {
    CheckFiles files;
    files.write_dose_file();
    for (int k = 0; k < 10; ++k) files.remove("CT" + std::to_string(k) + ".dcm");
    const CheckInput input = files.read();
    EXPECT_EQ(problems(input), Found{"missing-ct NOT CHECKED"});
    EXPECT_NE(reason(input).find("names CT series 1.2.3.4"), std::string::npos) << reason(input);
    EXPECT_TRUE(input.plan);
    EXPECT_TRUE(input.structures);
    EXPECT_TRUE(input.planned);
}

TEST(CheckInput, WithoutADoseTheRestIsRead) {
    const CheckFiles files;
    const CheckInput input = files.read();
    EXPECT_EQ(problems(input), Found{"missing-dose NOT CHECKED"});
    EXPECT_TRUE(input.can_calculate());
}

TEST(CheckInput, AMissingSliceIsNamed) {
    CheckFiles files;
    files.write_dose_file();
    files.remove("CT9.dcm");
    const CheckInput input = files.read();
    EXPECT_EQ(problems(input), Found{"ct-slices-missing NOT CHECKED"});
    EXPECT_EQ(
        reason(input),
        "1 of the 10 CT images that the structure set names are not among the files: 1.2.3.4.10. Export "
        "the whole series again");
}

TEST(CheckInput, AMissingSliceInTheMiddleLeavesACtThatCannotBeRead) {
    CheckFiles files;
    files.write_dose_file();
    files.remove("CT5.dcm");
    const CheckInput input = files.read();
    EXPECT_EQ(problems(input), (Found{"ct-slices-missing NOT CHECKED", "ct-unreadable NOT CHECKED"}));
    EXPECT_NE(reason(input).find("1.2.3.4.6"), std::string::npos) << reason(input);
}

TEST(CheckInput, ACtOfAnotherSeriesAndFrameIsTheWrongCt) {
    CheckFiles files;
    files.write_dose_file();
    for (int k = 0; k < 10; ++k)
        files.write_ct_slice(k, [](DcmDataset& d) {
            d.putAndInsertString(DCM_SeriesInstanceUID, "1.2.3.77");
            d.putAndInsertString(DCM_FrameOfReferenceUID, "1.2.3.78");
        });
    const CheckInput input = files.read();
    EXPECT_EQ(problems(input), Found{"ct-series FAIL"});
    EXPECT_NE(reason(input).find("1.2.3.4,"), std::string::npos) << reason(input);
    EXPECT_NE(reason(input).find("1.2.3.77"), std::string::npos) << reason(input);
    EXPECT_FALSE(input.can_calculate());
}

TEST(CheckInput, APlanThatIsNotModelledIsARow) {
    CheckFiles files;
    files.write_dose_file();
    test::BeamSpec electrons = test::static_beam(1, "field");
    electrons.radiation = "ELECTRON";
    files.write_plan_file("RP.dcm", {}, {electrons});
    const CheckInput input = files.read();
    EXPECT_EQ(problems(input), Found{"plan-refused NOT CHECKED"});
    EXPECT_TRUE(input.plan_facts);
    EXPECT_TRUE(input.planned);
    EXPECT_FALSE(input.can_calculate());
}

TEST(CheckInput, SeveralPlansAreNotGuessedAmong) {
    CheckFiles files;
    files.write_dose_file();
    files.write_plan_file("RP2.dcm", [](DcmItem& root) { test::put(root, DCM_SOPInstanceUID, "1.2.3.42"); });
    EXPECT_EQ(files.read().problems.front().id, "missing-plan");
    EXPECT_NE(reason(files.read()).find("there are several plans"), std::string::npos);
    Selection selection;
    selection.plan = test::plan_uid;
    EXPECT_EQ(problems(files.read(selection)), Found{});
}

TEST(CheckInput, TwoContentsOfOneObjectAreNotGuessedAmong) {
    CheckFiles files;
    files.write_dose_file();
    files.write_plan_file("RP2.dcm", [](DcmItem& root) { test::put(root, DCM_RTPlanName, "other"); });
    const CheckInput input = files.read();
    EXPECT_EQ(input.problems.front().id, "missing-plan");
    EXPECT_FALSE(input.plan);
}

TEST(CheckInput, AFileThatIsCutShortIsNamed) {
    CheckFiles files;
    files.write_dose_file();
    std::filesystem::resize_file(files / "RS.dcm", std::filesystem::file_size(files / "RS.dcm") - 40);
    const CheckInput input = files.read();
    ASSERT_FALSE(input.problems.empty());
    EXPECT_TRUE(std::any_of(input.problems.begin(), input.problems.end(), [](const Row& row) {
        return row.verdict == Verdict::not_checked && row.subject == "RS.dcm";
    })) << reason(input);
    EXPECT_FALSE(input.structures);
    EXPECT_TRUE(input.plan);
}

TEST(CheckInput, ADamagedFileBesideACompleteCaseIsNamed) {
    CheckFiles files;
    files.write_dose_file();
    files.write_plan_file("RP2.dcm", [](DcmItem& root) {
        test::put(root, DCM_SOPInstanceUID, "1.2.3.42");
        test::put(root, DCM_RTPlanDescription, std::string(900, 'x'));
    });
    std::filesystem::resize_file(files / "RP2.dcm", 900);
    const CheckInput input = files.read();  // it may be the plan that is meant
    EXPECT_EQ(problems(input), Found{"file-unreadable NOT CHECKED"});
    EXPECT_EQ(input.problems.front().subject, "RP2.dcm");
}

TEST(CheckInput, ADoseOfAnotherPlanIsNotUsed) {
    CheckFiles files;
    files.write_dose_file({.plan = "1.2.3.555"});
    const CheckInput input = files.read();
    EXPECT_EQ(problems(input), Found{"dose-of-another-plan FAIL"});
    EXPECT_NE(reason(input).find("1.2.3.555"), std::string::npos) << reason(input);
    EXPECT_NE(reason(input).find(test::plan_uid), std::string::npos) << reason(input);
    EXPECT_FALSE(input.planned);
    EXPECT_EQ(input.dose_facts.size(), 1u);
}

TEST(CheckInput, ADoseThatRefersToNoPlanIsNotUsed) {
    CheckFiles files;
    files.write_dose_file({.plan = ""});
    const CheckInput input = files.read();
    EXPECT_EQ(problems(input), Found{"dose-without-plan NOT CHECKED"});
    EXPECT_FALSE(input.planned);
}

TEST(CheckInput, ADoseOfAPlanThatIsThereTooIsSimplyNotThisPlans) {
    CheckFiles files;
    files.write_plan_file("RP2.dcm", [](DcmItem& root) { test::put(root, DCM_SOPInstanceUID, "1.2.3.42"); });
    files.write_dose_file({.plan = "1.2.3.42"});
    Selection selection;
    selection.plan = test::plan_uid;
    EXPECT_EQ(problems(files.read(selection)), Found{"missing-dose NOT CHECKED"});
}

TEST(CheckInput, SeveralDosesOfThePlanAreNotGuessedAmong) {
    CheckFiles files;
    files.write_dose_file();
    files.write_dose_file({.file = "RD2.dcm", .gy = 41});
    const CheckInput input = files.read();
    EXPECT_EQ(problems(input), Found{"several-doses NOT CHECKED"});
    EXPECT_NE(reason(input).find("RD.dcm"), std::string::npos) << reason(input);
    EXPECT_NE(reason(input).find("RD2.dcm"), std::string::npos) << reason(input);
    EXPECT_FALSE(input.planned);
}

// The plan has 20 fractions.
TEST(CheckInput, ADoseOfOneFractionIsScaledToTheCourse) {
    CheckFiles files;
    files.write_dose_file({.summation = DoseSummation::fraction, .gy = 2});
    const CheckInput input = files.read();
    EXPECT_EQ(problems(input), Found{});
    ASSERT_TRUE(input.planned);
    EXPECT_FLOAT_EQ(input.planned->gy.values[0], 40);
    EXPECT_EQ(input.planned->summation, DoseSummation::plan);
    EXPECT_TRUE(std::any_of(input.notes.begin(), input.notes.end(), [](const std::string& note) {
        return note.find("times 20 fractions") != std::string::npos;
    }));
}

TEST(CheckInput, DosesOfAllBeamsAreTheDoseOfTheCourse) {
    CheckFiles files;
    files.write_plan_file("RP.dcm", {}, {test::static_beam(1, "one"), test::static_beam(2, "two")});
    files.write_dose_file({.file = "RD1.dcm", .summation = DoseSummation::beam, .beam = 1, .gy = 0.5});
    EXPECT_EQ(problems(files.read()), Found{"missing-dose NOT CHECKED"});  // of beam 2 there is none
    files.write_dose_file({.file = "RD2.dcm", .summation = DoseSummation::beam, .beam = 2, .gy = 1.5});
    CheckInput input = files.read();
    EXPECT_EQ(problems(input), Found{}) << reason(input);
    ASSERT_TRUE(input.planned);
    EXPECT_FLOAT_EQ(input.planned->gy.values[0], 40);  // (0.5 + 1.5) x 20
    EXPECT_EQ(input.planned_beams.size(), 2u);
    // A dose of the plan goes before their sum.
    files.write_dose_file({.gy = 39});
    input = files.read();
    EXPECT_FLOAT_EQ(input.planned->gy.values[0], 39);
    EXPECT_EQ(input.planned_beams.size(), 2u);
}

TEST(CheckInput, TwoDosesOfOneBeamAreNotGuessedAmong) {
    CheckFiles files;
    files.write_dose_file();
    files.write_dose_file({.file = "RD1.dcm", .summation = DoseSummation::beam, .beam = 1, .gy = 2});
    files.write_dose_file({.file = "RD2.dcm", .summation = DoseSummation::beam, .beam = 1, .gy = 3});
    const CheckInput input = files.read();
    EXPECT_EQ(problems(input), Found{"several-doses NOT CHECKED"});
    EXPECT_TRUE(input.planned);
    EXPECT_TRUE(input.planned_beams.empty());
}

}  // namespace libdose::check
