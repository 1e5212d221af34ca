// Verdicts of rows.
#include <gtest/gtest.h>

#include <cmath>

#include "libdose/check/row.h"

namespace libdose::check {

TEST(Row, TheWorstRowDecides) {
    std::vector<Row> rows(3);
    rows[0].verdict = Verdict::pass;
    rows[1].verdict = Verdict::look;
    rows[2].verdict = Verdict::pass;
    EXPECT_EQ(worst(rows), Verdict::look);
    rows[2].verdict = Verdict::not_checked;  // never hidden behind a LOOK
    EXPECT_EQ(worst(rows), Verdict::not_checked);
    rows[0].verdict = Verdict::fail;
    EXPECT_EQ(worst(rows), Verdict::fail);
}

TEST(Row, NothingCheckedIsNotAPass) { EXPECT_EQ(worst({}), Verdict::not_checked); }

TEST(Row, LimitsAreOfTheMagnitude) {
    EXPECT_EQ(judge(-2.0, 2, 3), Verdict::pass);
    EXPECT_EQ(judge(2.001, 2, 3), Verdict::look);
    EXPECT_EQ(judge(-3.0, 2, 3), Verdict::look);
    EXPECT_EQ(judge(-3.001, 2, 3), Verdict::fail);
    EXPECT_EQ(judge(std::nan(""), 2, 3), Verdict::not_checked);
}

}  // namespace libdose::check
