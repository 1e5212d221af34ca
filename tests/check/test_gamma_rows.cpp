// Gamma rows: counts of regions, verdicts by rate.
#include <gtest/gtest.h>

#include "check/gamma_rows.h"
#include "support/clean_check.h"

namespace libdose::check {
namespace {

using test::centimetres;
using test::clean_input;

GammaCriterion criterion(double percent, double mm, const std::string& region, bool local = false) {
    GammaCriterion c;
    c.dose_percent = percent;
    c.distance_mm = mm;
    c.local = local;
    c.region = region;
    c.source = "test";
    return c;
}

CalculationResult calculated(float gy) {
    CalculationResult result;
    result.plan.gy = Volume<float>(centimetres(10, 10, 8), gy);
    result.plan.frame_of_reference_uid = "1.9";
    result.plan.referenced_plan_uid = "1.1";
    return result;
}

GammaComparison compare(const CheckInput& input, const CalculationResult& calculation,
                        std::vector<GammaCriterion> criteria) {
    Protocol protocol;
    protocol.gamma = std::move(criteria);
    return compare_gamma(input, calculation, protocol, 1);
}

// Voxels of 10 mm, centres at multiples of 10. Target ±20 mm in x and y, ±25 mm in z: coverage of half or
// more at x, y = -20 … 20 has corners of a quarter: 5 · 5 - 4 = 21 a plane, 5 planes. Body ±80, ±55: 17² - 4,
// 11 planes.
TEST(GammaRows, CountsAddUpToTheVoxelsOfTheRegion) {
    CheckInput input = clean_input();
    for (std::size_t v = 0; v < input.planned->gy.values.size(); v += 2) input.planned->gy.values[v] = 3;
    for (const auto& [percent, mm] : std::vector<std::pair<double, double>>{{3, 3}, {1, 1}, {2, 20}}) {
        const auto result = compare(input, calculated(60),
                                    {criterion(percent, mm, "all"), criterion(percent, mm, "PTV", true),
                                     criterion(percent, mm, "targets")});
        ASSERT_EQ(result.gammas.size(), 4u);
        const std::vector<std::size_t> voxels{(17 * 17 - 4) * 11, 21 * 21 * 17 - (17 * 17 - 4) * 11, 21 * 5,
                                              21 * 5};
        for (std::size_t n = 0; n < 4; ++n) {
            const ComparedGamma& g = result.gammas[n];
            EXPECT_EQ(g.passed + g.failed + g.not_evaluated, voxels[n]) << g.region;
            EXPECT_GT(g.not_evaluated, 0u);  // half of the voxels have 5 % of the dose
        }
        EXPECT_EQ(result.gammas[1].region, "outside the body");
        EXPECT_EQ(result.rows.size(), 3u);  // outside the body nothing is judged
        EXPECT_EQ(result.map->values.size(), 21u * 21 * 17);
    }
}

TEST(GammaRows, ADoseAtTheCriterionPassesAndBeyondItFails) {
    EXPECT_EQ(compare(clean_input(), calculated(61.8f), {criterion(3, 5, "body")}).rows[0].verdict,
              Verdict::pass);  // 3 % of 60 Gy: gamma 1
    const Row row = compare(clean_input(), calculated(61.9f), {criterion(3, 5, "body")}).rows[0];
    EXPECT_EQ(row.verdict, Verdict::fail);
    EXPECT_EQ(*row.value, 0);
}

TEST(GammaRows, LookBetweenTheRates) {
    CheckInput input = clean_input();
    // 6 of the 105 voxels of the target are wrong: 94.3 % pass.
    for (int i = 8; i <= 10; ++i)
        for (const int j : {9, 10}) input.planned->gy.at(i, j, 8) = 50;
    const Row row = compare(input, calculated(60), {criterion(3, 5, "targets")}).rows[0];
    EXPECT_NEAR(*row.value, 100.0 * 99 / 105, 1e-9);
    EXPECT_EQ(row.verdict, Verdict::look);
}

TEST(GammaRows, ADistanceBelowHalfASliceIsSaid) {
    const Row fine = compare(clean_input(), calculated(60), {criterion(3, 5, "body")}).rows[0];
    EXPECT_EQ(fine.reason, "");
    const Row row = compare(clean_input(), calculated(60), {criterion(3, 4.9, "body")}).rows[0];
    EXPECT_EQ(row.verdict, Verdict::pass);
    EXPECT_NE(row.reason.find("below half the slice spacing of 10 mm"), std::string::npos) << row.reason;
}

TEST(GammaRows, WhatCannotBeComparedIsNotChecked) {
    CheckInput input = clean_input();
    EXPECT_EQ(compare(input, calculated(60), {criterion(3, 3, "Cord")}).rows[0].verdict,
              Verdict::not_checked);
    input.structures->structures.pop_back();
    const Row targets = compare(input, calculated(60), {criterion(3, 3, "targets")}).rows[0];
    EXPECT_EQ(targets.verdict, Verdict::not_checked);
    EXPECT_NE(targets.reason.find("no target"), std::string::npos) << targets.reason;
    input.planned.reset();
    EXPECT_EQ(compare(input, calculated(60), {criterion(3, 3, "all")}).rows[0].verdict, Verdict::not_checked);
}

}  // namespace
}  // namespace libdose::check
