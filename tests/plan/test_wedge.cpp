// Which wedge of a plan is which of the model, and every reason to refuse one.
#include <gtest/gtest.h>

#include "libdose/error.h"
#include "plan/wedge.h"

using namespace libdose;

namespace {

WedgeModel model_of(const std::string& kind, double angle, const std::string& id) {
    return {id, kind, angle, {-100, 100}, {1, 2}, {0, 0}};
}
Wedge wedge_of(Wedge::Kind kind, double angle, const std::string& id) { return {1, kind, id, angle, 0, {}}; }

std::string refusal_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::refused_plan);
        return error.what();
    }
    return {};
}

#define EXPECT_HAS(text, word) EXPECT_NE((text).find(word), std::string::npos) << (text)

}  // namespace

TEST(Wedge, IsFoundByKindAngleAndId) {
    HeadModel head;
    head.wedges = {model_of("physical", 30, ""), model_of("physical", 30, "W30L"),
                   model_of("motorised", 60, "")};
    const auto index = [&](const Wedge& wedge) { return &wedge_model_for(wedge, head) - head.wedges.data(); };
    EXPECT_EQ(index(wedge_of(Wedge::Kind::physical, 30.05, "W30L")), 1);
    EXPECT_EQ(index(wedge_of(Wedge::Kind::physical, 30, "another")), 0);
    EXPECT_EQ(index(wedge_of(Wedge::Kind::motorised, 60, "")), 2);
    const std::string text = refusal_of([&] { index(wedge_of(Wedge::Kind::physical, 60, "W60")); });
    EXPECT_HAS(text, "physical 60 degrees \"W60\"");
    EXPECT_HAS(text, "It has: physical 30 degrees, physical 30 degrees \"W30L\", motorised 60 degrees");
    EXPECT_NE(refusal_of([&] { index(wedge_of(Wedge::Kind::physical, 30.2, "")); }), "");
    head.wedges.erase(head.wedges.begin());
    EXPECT_NE(refusal_of([&] { index(wedge_of(Wedge::Kind::physical, 30, "another")); }), "")
        << "the model's is another one of that angle";
}

TEST(Wedge, DynamicKindByIdThenByMaker) {
    Beam beam;
    EXPECT_EQ(dynamic_wedge_kind(beam, wedge_of(Wedge::Kind::dynamic, 60, "EDW60IN")),
              DynamicWedgeKind::enhanced);
    EXPECT_EQ(dynamic_wedge_kind(beam, wedge_of(Wedge::Kind::dynamic, 60, "vw60")),
              DynamicWedgeKind::virtual_wedge);
    EXPECT_HAS(refusal_of([&] { dynamic_wedge_kind(beam, wedge_of(Wedge::Kind::dynamic, 60, "W1")); }),
               "which kind of dynamic wedge it is cannot be told");
    beam.manufacturer = "Varian Medical Systems";
    EXPECT_EQ(dynamic_wedge_kind(beam, wedge_of(Wedge::Kind::dynamic, 60, "W1")), DynamicWedgeKind::enhanced);
    EXPECT_EQ(dynamic_wedge_kind(beam, wedge_of(Wedge::Kind::dynamic, 60, "VW60")),
              DynamicWedgeKind::virtual_wedge);
    beam.manufacturer = "SIEMENS";
    EXPECT_EQ(dynamic_wedge_kind(beam, wedge_of(Wedge::Kind::dynamic, 60, "")),
              DynamicWedgeKind::virtual_wedge);
    beam.manufacturer = "Elekta";
    EXPECT_NE(refusal_of([&] { dynamic_wedge_kind(beam, wedge_of(Wedge::Kind::dynamic, 60, "")); }), "");
}

TEST(Wedge, RefusedWhatTheModelLacks) {
    Beam beam;
    beam.number = 4;
    beam.name = "left";
    BeamModel model;
    model.name = "mine";
    const auto refusal = [&](const Wedge& wedge) {
        return refusal_of([&] { require_wedge(beam, wedge, model); });
    };
    const std::string physical = refusal(wedge_of(Wedge::Kind::physical, 45, ""));
    EXPECT_HAS(physical, "beam 4 \"left\", wedge 1");
    EXPECT_HAS(physical, "(mine)");
    EXPECT_HAS(refusal(wedge_of(Wedge::Kind::dynamic, 30, "EDW30IN")),
               "mine knows no enhanced dynamic wedge");
    EXPECT_HAS(refusal(wedge_of(Wedge::Kind::dynamic, 30, "VW30")), "mine knows no virtual wedge");
    model.head.wedges = {model_of("physical", 45, "")};
    model.head.dynamic_wedge.golden_position_mm = {-100, 100};
    model.head.dynamic_wedge.virtual_attenuation_per_mm = 0.005;
    for (const Wedge& wedge :
         {wedge_of(Wedge::Kind::physical, 45, ""), wedge_of(Wedge::Kind::dynamic, 60, "EDW60OUT"),
          wedge_of(Wedge::Kind::dynamic, 30, "VW30")})
        EXPECT_EQ(refusal(wedge), "") << wedge.id;
    EXPECT_HAS(refusal(wedge_of(Wedge::Kind::dynamic, 61, "EDW61IN")), "61 degrees is not modelled");
}
