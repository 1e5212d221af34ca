// Protocols: what a file may say, and what is refused with the path of the key.
#include <gtest/gtest.h>

#include <fstream>

#include "libdose/check/protocol.h"
#include "libdose/error.h"
#include "support/temporary_folder.h"

namespace libdose::check {
namespace {

const std::string small = R"({
  "format": "libdose-protocol 1", "name": "small", "version": "1",
  "general": {
    "target_differences": [{"metric": "Dmean", "look_percent": 2, "fail_percent": 3, "source": "test"}],
    "goals": [{"structure": "Cord", "metric": "D0.1cc",
               "at_most": {"look": 45, "fail": 50}, "source": "test"}],
    "points": {"plan": {"look_percent": 3, "fail_percent": 5, "source": "test"},
               "beam_doses_required": false},
    "gamma": [{"dose_percent": 3, "distance_mm": 2, "threshold_percent": 10, "region": "body",
               "look_rate_percent": 95, "fail_rate_percent": 90, "source": "test"}],
    "prescription": {"look_percent": 3, "fail_percent": 5, "source": "test"},
    "integrity": {"approval_required": false}
  },
  "sites": {"lung": {"points": {"beam": {"look_percent": 4, "fail_percent": 6, "source": "test"}},
                     "goals": [], "integrity": {"couch_expected": true}}}
})";

Protocol read_text(const std::string& text, const std::string& site = {}) {
    const test::TemporaryFolder folder;
    const std::filesystem::path file = folder.path() / "own.json";
    std::ofstream(file) << text;
    return read_protocol(file.string(), site);
}

/// The small protocol with a part of its text replaced.
std::string changed(const std::string& part, const std::string& other) {
    std::string text = small;
    const std::size_t at = text.find(part);
    EXPECT_NE(at, std::string::npos) << part;
    return text.replace(at, part.size(), other);
}

/// The message for a text that is refused; empty where it is taken.
std::string refusal(const std::string& text) {
    try {
        read_text(text);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::bad_input);
        return error.what();
    }
    return {};
}

TEST(Protocol, TheDefaultHasASourceForEveryLimit) {
    const Protocol protocol = read_protocol();
    ASSERT_EQ(protocol.target_criteria.size(), 4u);
    for (const TargetCriterion& one : protocol.target_criteria) {
        EXPECT_EQ(one.difference_percent.look, 2);
        EXPECT_EQ(one.difference_percent.fail, 3);
        EXPECT_NE(one.difference_percent.source, "");
    }
    ASSERT_EQ(protocol.gamma.size(), 1u);
    EXPECT_EQ(protocol.gamma[0].dose_percent, 3);
    EXPECT_EQ(protocol.gamma[0].distance_mm, 2);
    EXPECT_EQ(protocol.gamma[0].look_rate_percent, 95);
    EXPECT_EQ(protocol.gamma[0].fail_rate_percent, 90);
    EXPECT_EQ(protocol.point_plan_percent->fail, 5);
    EXPECT_EQ(protocol.hash.size(), 64u);
    for (const std::string& site : protocol_sites()) EXPECT_EQ(read_protocol("default", site).site, site);
}

TEST(Protocol, TheSchemaIsNoProtocol) { EXPECT_EQ(protocol_names(), std::vector<std::string>{"default"}); }

// A site replaces what it states; keys that it does not state keep their general values.
TEST(Protocol, ASiteReplacesWhatItStates) {
    const Protocol general = read_text(small);
    EXPECT_FALSE(general.beam_doses_required);
    EXPECT_FALSE(general.point_beam_percent);
    EXPECT_EQ(general.goals.size(), 1u);
    const Protocol lung = read_text(small, "lung");
    EXPECT_EQ(lung.site, "lung");
    EXPECT_TRUE(lung.goals.empty());
    EXPECT_EQ(lung.point_beam_percent->fail, 6);
    EXPECT_EQ(lung.point_plan_percent->fail, 5);
    EXPECT_FALSE(lung.beam_doses_required);
    EXPECT_FALSE(lung.approval_required);
    EXPECT_TRUE(lung.couch_expected);
    EXPECT_EQ(lung.gamma.size(), 1u);
    EXPECT_THROW(read_text(small, "skin"), Error);
}

TEST(Protocol, RefusesWithThePathOfTheKey) {
    struct Case {
        std::string part, other, expected;
    };
    const std::vector<Case> cases{
        {"\"name\"", "\"titel\": 1, \"name\"", "\"titel\" is not a key"},
        {"\"look_percent\": 2,", "\"look_percent\": 4,", "\"general.target_differences[0].look_percent\""},
        {"\"look_percent\": 2,", "\"look_percent\": -2,", "\"general.target_differences[0].look_percent\""},
        {"\"look_percent\": 2,", "\"look_percent\": 1e999,", "not JSON"},
        {"\"look_percent\": 2,", "\"look_percent\": NaN,", "not JSON"},
        {"\"look_percent\": 2,", "\"look_percent\": 1, \"look_percent\": 2,", "stands twice"},
        {"\"fail_percent\": 3, \"source\": \"test\"", "\"fail_percent\": 3", "[0].source\" is missing"},
        {"\"fail_percent\": 3, \"source\": \"test\"", "\"fail_percent\": 3, \"source\": \" \"",
         "[0].source\""},
        {"\"Dmean\"", "\"Dmost\"", "[0].metric\" is not understood"},
        {"{\"look\": 45, \"fail\": 50}", "{\"look\": 55, \"fail\": 50}", "general.goals[0].at_most.look"},
        {"\"look_rate_percent\": 95", "\"look_rate_percent\": 85", "general.gamma[0].look_rate_percent"},
        {"\"couch_expected\": true", "\"couch\": true", "\"sites.lung.integrity.couch\""},
        {"\"goals\": [], ", "\"gamma\": [], ", "\"sites.lung.gamma\""},
        {"libdose-protocol 1", "libdose-protocol 2", "\"format\""},
    };
    for (const Case& one : cases)
        EXPECT_NE(refusal(changed(one.part, one.other)).find(one.expected), std::string::npos)
            << one.other << ": " << refusal(changed(one.part, one.other));
}

}  // namespace
}  // namespace libdose::check
