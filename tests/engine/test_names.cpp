// Names of what can be chosen, and the words of before.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libdose/engine.h"
#include "libdose/error.h"
#include "libdose/measurement.h"

namespace libdose {
namespace {

TEST(Names, OfGroupings) {
    for (const Grouping grouping : {Grouping::automatic, Grouping::shared, Grouping::per_geometry})
        EXPECT_EQ(grouping_from_string(to_string(grouping)), grouping);
    EXPECT_EQ(to_string(Grouping::per_geometry), "per-geometry");
    EXPECT_EQ(grouping_from_string("one"), Grouping::shared);
    EXPECT_EQ(grouping_from_string("each"), Grouping::per_geometry);
    EXPECT_THROW(grouping_from_string("all"), Error);
}

TEST(Names, OfBeforeAreSynonyms) {
    EXPECT_EQ(Transport::one, Grouping::shared);
    EXPECT_EQ(Transport::each, Grouping::per_geometry);
    EXPECT_EQ(ProfileAxis::crossline, ProfileAxis::crossplane);
    EXPECT_EQ(ProfileAxis::inline_axis, ProfileAxis::inplane);
    EXPECT_EQ(to_string(ProfileAxis::inline_axis), "inplane");
}

}  // namespace
}  // namespace libdose
