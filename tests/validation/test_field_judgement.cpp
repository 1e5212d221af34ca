// Criteria on lines through a field, by lines of which the answer is known.
#include <gtest/gtest.h>

#include <cmath>

#include "validation/field_judgement.h"

using namespace libdose;

namespace {

/// A field of 100 mm whose edges take 8 mm, falling by `slant` of its middle per mm.
double dose_at(double x, double shift = 0, double slant = 0) {
    return 0.5 * (std::erf((x - shift + 50) / 4) - std::erf((x - shift - 50) / 4)) * (1 - slant * x);
}

FieldLine line_of(double scale, double shift, double tail = 0, double slant = 0) {
    FieldLine line;
    for (double x = -100; x <= 100; x += 1) {
        line.position_mm.push_back(x);
        line.reference.push_back(dose_at(x, 0, slant));
        line.calculated.push_back(scale * dose_at(x, shift, slant) + (std::abs(x) > 60 ? tail : 0));
    }
    return line;
}

}  // namespace

TEST(FieldJudgement, EachCriterionFailsByItself) {
    const auto verdicts = [](const FieldLine& line) {
        std::string text;
        for (const SuiteRow& row : judge_lines({line}, 1.0, 2)) text += row.passed ? 'p' : 'F';
        return text;
    };
    EXPECT_EQ(verdicts(line_of(1, 0)), "ppp");
    EXPECT_EQ(verdicts(line_of(1.03, 0)), "Fpp");
    EXPECT_EQ(verdicts(line_of(1, 3))[1], 'F');
    EXPECT_EQ(verdicts(line_of(1, 1.9))[1], 'p');
    EXPECT_EQ(verdicts(line_of(1, 0, 0.04)), "ppF");
}

TEST(FieldJudgement, ValuesAreThoseOfTheLines) {
    const auto rows = judge_lines({line_of(1.015, 0, 0.02)}, 0.5, 2);
    EXPECT_NEAR(rows[0].value, 1.5, 1e-6);
    EXPECT_NEAR(rows[2].value, 4, 1e-3) << "of the maximum, which is 0.5";
    EXPECT_NEAR(judge_lines({line_of(1, -1.5)}, 1, 2)[1].value, 1.5, 0.05);
}

TEST(FieldJudgement, ASlantIsNoEdge) {
    // Half a percent per millimetre: 80 % is crossed at +40 mm, where 1 % of dose would be a shift of 1.6 mm.
    const auto rows = judge_lines({line_of(1.015, 0, 0, 0.005)}, 1, 2);
    EXPECT_LT(rows[1].value, 0.5);
}

TEST(FieldJudgement, AMissingFieldIsNotPassedOver) {
    FieldLine empty = line_of(1, 0);
    empty.calculated.assign(empty.calculated.size(), 0.0);
    const auto rows = judge_lines({empty}, 1, 2);
    EXPECT_FALSE(rows[0].passed);
    EXPECT_FALSE(rows[1].passed);
    for (const SuiteRow& row : judge_lines({}, 1, 2)) EXPECT_FALSE(row.passed) << "nothing was judged";
}

TEST(FieldJudgement, DownTheMiddleBuildUpIsLeftOut) {
    FieldLine line{false, {5, 20, 100}, {2, 1, 1}, {1, 1, 1}};
    EXPECT_EQ(judge_lines({line}, 1, 2)[0].value, 0);
    line.calculated[2] = 1.04;
    EXPECT_NEAR(judge_lines({line}, 1, 2)[0].value, 4, 1e-9);
}
