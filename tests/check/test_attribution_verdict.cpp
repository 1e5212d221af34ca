// What causes amount to, on differences of a few samples whose parts are worked out by hand.
#include <gmock/gmock.h>

#include "check/attribution_verdict.h"

namespace libdose::check {
namespace {

using ::testing::HasSubstr;

Candidate candidate(const std::string& kind, const std::string& name, const Field& field) {
    Candidate made;
    made.cause = {kind, name, 0, "%", 0};
    made.fields = field;
    made.largest = 100;
    return made;
}

Attribution judged(std::vector<Candidate> candidates, const Field& difference) {
    for (Candidate& each : candidates) fit(each, difference);
    Attribution attribution;
    judge_causes(attribution, candidates, difference);
    return attribution;
}

// Difference (3, 0.1): the first cause explains 9 / 9.01.
TEST(AttributionVerdict, OneCause) {
    const Attribution found = judged(
        {candidate("shift", "b", Eigen::Vector2d(0.1, 1)), candidate("output", "a", Eigen::Vector2d(1, 0))},
        Eigen::Vector2d(3, 0.1));
    EXPECT_EQ(found.verdict, "output");
    EXPECT_EQ(found.sentence, "A +3.0 %: explains 100 % of the difference.");
    ASSERT_EQ(found.causes.size(), 2u);
    EXPECT_NEAR(found.causes[0].explained, 9 / 9.01, 1e-12);
    EXPECT_NEAR(found.causes[0].size, 3, 1e-12);
}

// Difference (4, 3): causes at right angles explain 16 / 25 and 9 / 25, together all: they add up.
TEST(AttributionVerdict, TwoThatAddUpAreSeveral) {
    const Attribution found = judged({candidate("output", "a", Eigen::Vector3d(1, 0, 0)),
                                      candidate("shift", "b", Eigen::Vector3d(0, 1, 0))},
                                     Eigen::Vector3d(4, 3, 0));
    EXPECT_EQ(found.verdict, "several");
    EXPECT_EQ(
        found.sentence,
        "No single cause: a +4.0 % (alone 64 %) and b +3.0 % (alone 36 %) explain 100 % of the difference "
        "together.");
}

// Difference (1, 1, 0). Causes (1, 0.2, 0) and (0.2, 1, 0): each alone explains 1.2² / (1.04 · 2) = 69 %,
// together all. 138 % is not 100 %. Together each has the size 1 / 1.2.
TEST(AttributionVerdict, TwoThatDoNotAddUpInteract) {
    const Attribution found = judged({candidate("output", "a", Eigen::Vector3d(1, 0.2, 0)),
                                      candidate("shift", "b", Eigen::Vector3d(0.2, 1, 0))},
                                     Eigen::Vector3d(1, 1, 0));
    EXPECT_EQ(found.verdict, "interaction");
    EXPECT_THAT(found.sentence, HasSubstr("a +0.8 % (alone 69 %) and b +0.8 % (alone 69 %) explain 100 %"));
    EXPECT_THAT(found.sentence, HasSubstr("do not add up"));
}

// Difference (1, 2, 2): the cause explains 1 / 9.
TEST(AttributionVerdict, UnexplainedBelowHalf) {
    const Attribution found =
        judged({candidate("output", "a", Eigen::Vector3d(1, 0, 0))}, Eigen::Vector3d(1, 2, 2));
    EXPECT_EQ(found.verdict, "unexplained");
    EXPECT_THAT(found.sentence, HasSubstr("the best explains 11 %: a +1.0 %."));
}

TEST(AttributionVerdict, OfTwoThatAreNearlyEqualTheFirstIsNamed) {
    const Attribution found = judged({candidate("aperture", "specific", Eigen::Vector2d(1, 0.05)),
                                      candidate("shift", "general", Eigen::Vector2d(1, 0))},
                                     Eigen::Vector2d(2, 0));
    EXPECT_EQ(found.verdict, "aperture");
}

// Another energy is there or not. Its field (2, 0) makes half of the difference (4, 0): 1 − 4 / 16 = 75 %.
TEST(AttributionVerdict, AChoiceHasNoSize) {
    Candidate energy = candidate("energy", "10 MV instead of 6 MV", Eigen::Vector2d(2, 0));
    energy.choice = true;
    const Attribution found = judged({energy}, Eigen::Vector2d(4, 0));
    EXPECT_EQ(found.causes[0].size, 1);
    EXPECT_NEAR(found.causes[0].explained, 0.75, 1e-12);
    EXPECT_EQ(found.sentence, "10 MV instead of 6 MV: explains 75 % of the difference.");
}

TEST(AttributionVerdict, ASizeAtItsLimitIsSaidToBeSo) {
    Candidate bank = candidate("aperture", "bank opened by", Eigen::Vector2d(1, 0));
    bank.largest = 10;
    EXPECT_THAT(judged({bank}, Eigen::Vector2d(12, 0)).sentence,
                HasSubstr("Bank opened by +10.0 % or more: "));
}

// A difference that grows faster than the size s, with s + s²/10: 3.9 at 3. The linear fit says 3.9;
// recalculations lead back.
TEST(AttributionVerdict, RecalculationsCorrectTheSize) {
    Candidate leaf = candidate("aperture", "bank", Eigen::Vector2d(1, 0.5));
    const auto at = [](double size) -> Field { return Eigen::Vector2d(1, 0.5) * (size + 0.1 * size * size); };
    leaf.recalculated = [&](const Sizes& sizes) { return at(sizes[0]); };
    const Field difference = at(3);
    fit(leaf, difference);
    EXPECT_NEAR(leaf.sizes[0], 3.9, 1e-9);
    refine(leaf, difference);
    EXPECT_NEAR(leaf.sizes[0], 3, 0.1);
    EXPECT_NEAR(leaf.cause.explained, 1, 1e-9);
}

// 1000 samples; those of a percent may differ more, rounding included.
TEST(AttributionVerdict, SmallDifferencesHaveNoCause) {
    Field difference = Field::Constant(1000, 0.05);
    EXPECT_EQ(size_of(difference, 100).verdict, "none");
    EXPECT_NEAR(size_of(difference, 100).difference_percent, 0.05, 1e-12);
    EXPECT_EQ(size_of(difference, 40).verdict, "");  // 0.125 %
    difference = Field::Zero(1000);
    difference.head(20).setConstant(0.6);  // 0.085 % root mean square, but a region of 0.6 %
    EXPECT_EQ(size_of(difference, 100).verdict, "");
}

}  // namespace
}  // namespace libdose::check
