// Dose rows: targets, goals, points and MU, on doses whose figures are known by hand.
#include <gtest/gtest.h>

#include "check/dose_rows.h"
#include "support/clean_check.h"

namespace libdose::check {
namespace {

using test::centimetres;
using test::clean_input;
using test::cuboid;
using test::rows_of;

/// Limits 2 and 3 %; points and MU 3 and 5 %.
Protocol protocol() {
    Protocol p;
    for (const char* metric : {"Dmean", "D98%", "D2%"}) p.target_criteria.push_back({metric, {2, 3, "test"}});
    p.point_plan_percent = p.point_beam_percent = p.mu_percent = Limits{3, 5, "test"};
    return p;
}

/// A recalculation of `gy` everywhere, and 2 Gy of the beam.
CalculationResult calculated(double gy, double beam_gy = 2) {
    CalculationResult result;
    result.plan.gy = Volume<float>(centimetres(10, 10, 8), static_cast<float>(gy));
    Dose beam;
    beam.beam_number = 1;
    beam.gy = Volume<float>(centimetres(10, 10, 8), static_cast<float>(beam_gy));
    result.beams = {beam};
    return result;
}

Row only(const CheckInput& input, const CalculationResult& calculation, const Protocol& p,
         const std::string& id) {
    const std::vector<Row> found = rows_of(compare_doses(input, calculation, p).rows, id);
    EXPECT_EQ(found.size(), 1u) << id;
    return found.empty() ? Row{} : found.front();
}

TEST(DoseRows, DifferencesArePercentOfThePlannedDose) {
    EXPECT_EQ(only(clean_input(), calculated(60), protocol(), "target-dmean").verdict, Verdict::pass);
    const Row look = only(clean_input(), calculated(61.5), protocol(), "target-dmean");  // +2.5 %
    EXPECT_EQ(look.verdict, Verdict::look);
    EXPECT_NEAR(*look.value, 2.5, 1e-4);
    const Row fail = only(clean_input(), calculated(57.6), protocol(), "target-dmean");  // -4 %
    EXPECT_EQ(fail.verdict, Verdict::fail);
    EXPECT_NEAR(*fail.value, -4, 1e-4);
}

// Planned: 60 + x / 10 Gy over a target from x = -20 to 20 mm: D98% = 58 + 0.02 · 4 = 58.08 Gy, D2% = 61.92
// Gy.
TEST(DoseRows, RampHasAnalyticFigures) {
    CheckInput input = clean_input();
    Volume<float>& gy = input.planned->gy;
    for (int k = 0; k < gy.grid.size[2]; ++k)
        for (int j = 0; j < gy.grid.size[1]; ++j)
            for (int i = 0; i < gy.grid.size[0]; ++i)
                gy.at(i, j, k) = static_cast<float>(60 + gy.grid.centre_mm(i, j, k)[0] / 10);
    const auto rows = compare_doses(input, calculated(60), protocol()).rows;
    EXPECT_NEAR(*rows_of(rows, "target-dmean")[0].value, 0, 0.01);
    EXPECT_NEAR(*rows_of(rows, "target-d98%")[0].value, 100 * (60 / 58.08 - 1), 0.05);  // +3.3 %
    EXPECT_EQ(rows_of(rows, "target-d98%")[0].verdict, Verdict::fail);
    EXPECT_NEAR(*rows_of(rows, "target-d2%")[0].value, 100 * (60 / 61.92 - 1), 0.05);  // -3.1 %
}

TEST(DoseRows, WithoutAPlannedDoseNothingPasses) {
    CheckInput input = clean_input();
    input.planned.reset();
    for (const char* id : {"target-dmean", "target-d98%", "point-plan"}) {
        const Row row = only(input, calculated(60), protocol(), id);
        EXPECT_EQ(row.verdict, Verdict::not_checked);
        EXPECT_NE(row.reason, "");
    }
}

TEST(DoseRows, ANamedTargetThatIsAbsentIsNotChecked) {
    Protocol p = protocol();
    p.targets = {"ptv", "PTV boost"};
    const Row row = only(clean_input(), calculated(60), p, "target");
    EXPECT_EQ(row.verdict, Verdict::not_checked);
    EXPECT_EQ(row.subject, "PTV boost");
    EXPECT_EQ(only(clean_input(), calculated(60), p, "target-dmean").verdict, Verdict::pass);
}

TEST(DoseRows, AFigureThatATargetCannotHaveIsNotChecked) {
    Protocol p = protocol();
    p.target_criteria = {{"D100cc", {2, 3, "test"}}};  // of 80 cm3
    EXPECT_EQ(only(clean_input(), calculated(60), p, "target-d100cc").verdict, Verdict::not_checked);
}

TEST(DoseRows, GoalsAreJudgedByTheRecalculatedDose) {
    Protocol p = protocol();
    p.goals = {{"PTV", "Dmean", true, 61, 63, false, "test"}};
    EXPECT_EQ(only(clean_input(), calculated(60), p, "goal").verdict, Verdict::pass);
    const Row look = only(clean_input(), calculated(62), p, "goal");
    EXPECT_EQ(look.verdict, Verdict::look);
    EXPECT_NE(look.reason.find("the planned dose meets it"), std::string::npos) << look.reason;
    EXPECT_EQ(only(clean_input(), calculated(64), p, "goal").verdict, Verdict::fail);
    p.goals[0].at_most = false;  // at least 57, fail below 55
    p.goals[0].look = 57;
    p.goals[0].fail = 55;
    EXPECT_EQ(only(clean_input(), calculated(56), p, "goal").verdict, Verdict::look);
    EXPECT_EQ(only(clean_input(), calculated(54), p, "goal").verdict, Verdict::fail);
}

TEST(DoseRows, AGoalOfAnAbsentStructureIsLeftOutUnlessRequired) {
    Protocol p = protocol();
    p.goals = {{"Cord", "Dmean", true, 45, 50, false, "test"}};
    EXPECT_TRUE(rows_of(compare_doses(clean_input(), calculated(60), p).rows, "goal").empty());
    p.goals[0].required = true;
    EXPECT_EQ(only(clean_input(), calculated(60), p, "goal").verdict, Verdict::not_checked);
}

TEST(DoseRows, AGoalOfAnAmbiguousStructureIsNotChecked) {
    CheckInput input = clean_input();
    input.structures->structures.push_back(cuboid(3, "Cord", "ORGAN", 10, -20, 20));
    input.structures->structures.push_back(cuboid(4, "Cord", "ORGAN", 12, -20, 20));
    Protocol p = protocol();
    p.goals = {{"Cord", "Dmean", true, 45, 50, false, "test"}};
    EXPECT_EQ(only(input, calculated(60), p, "goal").verdict, Verdict::not_checked);
}

// 2 Gy planned and 1.9 Gy recalculated with 200 MU: -5 %; the planned dose needs 200 · 2 / 1.9 = 210.5 MU.
TEST(DoseRows, PointAndMuOfABeam) {
    const CalculationResult calculation = calculated(60, 1.9);
    const Row point = only(clean_input(), calculation, protocol(), "point-beam");
    EXPECT_NEAR(*point.value, -5, 1e-4);
    const Row mu = only(clean_input(), calculation, protocol(), "mu-beam");
    EXPECT_NEAR(*mu.value, 100 * (2 / 1.9 - 1), 1e-4);
    EXPECT_EQ(mu.calculated, "210.5 MU");
    EXPECT_EQ(mu.verdict, Verdict::fail);  // 5.3 %, in a uniform dose
}

TEST(DoseRows, ABeamWithoutAPlannedDose) {
    CheckInput input = clean_input();
    input.plan->beams[0].dose_point_gy.reset();
    EXPECT_EQ(only(input, calculated(60), protocol(), "point-beam").verdict, Verdict::not_checked);
    EXPECT_EQ(only(input, calculated(60), protocol(), "mu-beam").verdict, Verdict::not_checked);
    Protocol p = protocol();
    p.beam_doses_required = false;
    EXPECT_TRUE(rows_of(compare_doses(input, calculated(60), p).rows, "point-beam").empty());
}

TEST(DoseRows, APointInAGradientOrOutsideTheFieldIsNoWorseThanLook) {
    CalculationResult steep = calculated(60, 1);  // -50 %
    Volume<float>& gy = steep.beams[0].gy;
    for (std::size_t v = 0; v < gy.values.size(); v += static_cast<std::size_t>(gy.grid.size[0]))
        for (std::size_t i = 11; i < 21; ++i) gy.values[v + i] = 2;  // +1 Gy within 10 mm, 30 % within 3
    const Row row = only(clean_input(), steep, protocol(), "point-beam");
    EXPECT_EQ(row.verdict, Verdict::look);
    EXPECT_NE(row.reason.find("within 3 mm"), std::string::npos) << row.reason;
    EXPECT_EQ(only(clean_input(), steep, protocol(), "mu-beam").verdict, Verdict::look);
    CalculationResult outside = calculated(60, 1);
    outside.beams[0].gy.at(0, 0, 0) = 6;  // the point has 17 % of it
    EXPECT_EQ(only(clean_input(), outside, protocol(), "point-beam").verdict, Verdict::look);
    EXPECT_EQ(only(clean_input(), calculated(60, 1), protocol(), "point-beam").verdict, Verdict::fail);
}

}  // namespace
}  // namespace libdose::check
