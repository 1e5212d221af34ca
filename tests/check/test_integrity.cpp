// Integrity rows of a case with nothing wrong, and of one where nothing could be read.
#include <gtest/gtest.h>

#include <set>

#include "libdose/error.h"
#include "support/clean_check.h"

namespace libdose::check {

using test::clean_input;
using test::clean_options;

TEST(Integrity, ACleanCasePasses) {
    const std::vector<Row> rows = test::integrity(clean_input(), clean_options());
    EXPECT_GE(rows.size(), 25u);
    for (const Row& row : rows) {
        EXPECT_EQ(row.verdict, Verdict::pass) << row.id << ": " << row.reason;
        EXPECT_EQ(row.section, "integrity");
        EXPECT_FALSE(row.id.empty());
        EXPECT_FALSE(row.name.empty());
    }
}

TEST(Integrity, WhatCouldNotBeReadIsNeverAPass) {
    const std::vector<Row> rows = test::integrity(CheckInput{}, clean_options());
    ASSERT_FALSE(rows.empty());
    for (const Row& row : rows) {
        EXPECT_EQ(row.verdict, Verdict::not_checked) << row.id;
        EXPECT_FALSE(row.reason.empty()) << row.id;
    }
}

TEST(Integrity, RemovingOneObjectLeavesARowNotCheckedForIt) {
    const auto not_checked = [](const CheckInput& input) {
        std::set<std::string> ids;
        for (const Row& row : test::integrity(input, clean_options()))
            if (row.verdict == Verdict::not_checked) ids.insert(row.id);
        return ids;
    };
    CheckInput input = clean_input();
    input.plan.reset();
    input.plan_facts.reset();
    EXPECT_TRUE(not_checked(input).contains("beam-mu"));
    input = clean_input();
    input.structures.reset();
    input.structure_facts.reset();
    EXPECT_TRUE(not_checked(input).contains("plan-structure-set"));
    input = clean_input();
    input.ct.reset();
    EXPECT_TRUE(not_checked(input).contains("hu-table"));
    input = clean_input();
    input.planned.reset();
    EXPECT_TRUE(not_checked(input).contains("prescription"));
}

TEST(Integrity, AnErrorInOneRowLeavesTheOthers) {
    const std::vector<Row> rows = integrity_rows(
        clean_input(), clean_options(),
        [](const Beam&) -> const BeamModel& { throw refused_plan("there is no beam model", "beam 1"); });
    const std::vector<Row> model = test::rows_of(rows, "beam-model");
    ASSERT_EQ(model.size(), 1u);
    EXPECT_EQ(model.front().verdict, Verdict::not_checked);
    EXPECT_EQ(model.front().reason, "there is no beam model [beam 1]");
    EXPECT_EQ(test::rows_of(rows, "beam-mu").front().verdict, Verdict::pass);
}

}  // namespace libdose::check
