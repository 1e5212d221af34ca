// Heads that differ in one member have different keys, and fields are made anew for another head.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <vector>

#include "commissioning/head_key.h"
#include "commissioning/predict.h"
#include "libdose/data.h"
#include "libdose/io/hdf5.h"

using namespace libdose;
using namespace libdose::commission;

namespace {

using Change = std::function<void(HeadModel&)>;

/// A head with one wedge and a number or two in every list.
HeadModel some_head() {
    HeadModel head;
    for (auto* list : {&head.profile_radius_mm, &head.profile, &head.softening_radius_mm,
                       &head.softening_g_cm2, &head.output_side_mm, &head.output_correction,
                       &head.dynamic_wedge.golden_position_mm, &head.dynamic_wedge.golden_fraction})
        *list = {1, 2};
    head.wedges = {{"W30", "physical", 30, {-1, 1}, {0, 1}, {0, 2}}};
    return head;
}

/// A change of one number of the head, by a pointer to its member.
Change of(double HeadModel::*member) {
    return [member](HeadModel& head) { head.*member += 0.25; };
}

/// A number and the length of a list, each by itself.
std::vector<Change> of(const std::function<std::vector<double>&(HeadModel&)>& list) {
    return {[list](HeadModel& head) { list(head).back() += 0.25; },
            [list](HeadModel& head) { list(head).push_back(2); }};
}

std::vector<Change> changes_of_numbers() {
    return {of(&HeadModel::spot_fwhm_x_mm),
            of(&HeadModel::spot_fwhm_y_mm),
            of(&HeadModel::source_collimator_distance_mm),
            of(&HeadModel::jaw_x_distance_mm),
            of(&HeadModel::jaw_y_distance_mm),
            of(&HeadModel::jaw_transmission),
            of(&HeadModel::leaf_transmission),
            of(&HeadModel::maximum_field_radius_mm),
            of(&HeadModel::monitor_backscatter_x),
            of(&HeadModel::monitor_backscatter_y),
            of(&HeadModel::leaf_offset_mm),
            [](HeadModel& head) { head.extrafocal.amplitude += 0.25; },
            [](HeadModel& head) { head.extrafocal.sigma_mm += 0.25; },
            [](HeadModel& head) { head.extrafocal.distance_mm += 0.25; },
            [](HeadModel& head) { head.electrons.amplitude_gy_cm2 += 0.25; },
            [](HeadModel& head) { head.electrons.sigma_mm += 0.25; },
            [](HeadModel& head) { head.electrons.attenuation_cm2_g += 0.25; },
            [](HeadModel& head) { head.electrons.range_g_cm2 += 0.25; },
            [](HeadModel& head) { head.wedges[0].angle_deg += 0.25; },
            [](HeadModel& head) { head.dynamic_wedge.closest_gap_mm += 0.25; },
            [](HeadModel& head) { head.dynamic_wedge.virtual_attenuation_per_mm += 0.25; }};
}

std::vector<Change> changes_of_lists() {
    std::vector<Change> changes;
    for (const auto& list : std::vector<std::function<std::vector<double>&(HeadModel&)>>{
             [](HeadModel& head) -> auto& { return head.profile_radius_mm;
}
, [](HeadModel& head) -> auto& { return head.profile; }
, [](HeadModel& head) -> auto& { return head.softening_radius_mm; }
, [](HeadModel& head) -> auto& { return head.softening_g_cm2; }
, [](HeadModel& head) -> auto& { return head.output_side_mm; }
, [](HeadModel& head) -> auto& { return head.output_correction; }
, [](HeadModel& head) -> auto& { return head.wedges[0].position_mm; }
, [](HeadModel& head) -> auto& { return head.wedges[0].water_g_cm2; }
, [](HeadModel& head) -> auto& { return head.wedges[0].high_z_g_cm2; }
, [](HeadModel& head) -> auto& { return head.dynamic_wedge.golden_position_mm; }
, [](HeadModel& head) -> auto& { return head.dynamic_wedge.golden_fraction; }
}  // namespace
)
        for (const Change& change : of(list)) changes.push_back(change);
return changes;
}

std::vector<Change> changes_of_texts_and_wedges() {
    return {[](HeadModel& head) { head.wedges[0].id += "a"; },
            [](HeadModel& head) { head.wedges[0].kind = "motorised"; },
            [](HeadModel& head) { head.leaf_design += "a"; }, [](HeadModel& head) { head.wedges.clear(); },
            [](HeadModel& head) { head.wedges.push_back(head.wedges[0]); },
            // A number that goes from the end of one list to the begin of the next.
            [](HeadModel& head) {
                head.profile.push_back(2);
                head.softening_radius_mm.erase(head.softening_radius_mm.begin());
            }};
}

void expect_other_keys(const std::vector<Change>& changes) {
    std::vector<HeadKey> keys{key_of(some_head())};
    for (std::size_t c = 0; c < changes.size(); ++c) {
        HeadModel head = some_head();
        changes[c](head);
        const HeadKey key = key_of(head);
        for (const HeadKey& other : keys) EXPECT_FALSE(key == other) << "change " << c;
        keys.push_back(key);
    }
}

}  // namespace

TEST(HeadKey, EveryNumberOfAHeadIsInIt) { expect_other_keys(changes_of_numbers()); }

TEST(HeadKey, EveryListIsInItWithItsLength) { expect_other_keys(changes_of_lists()); }

TEST(HeadKey, TextsAndWedgesAreInIt) { expect_other_keys(changes_of_texts_and_wedges()); }

TEST(HeadKey, TheSameHeadHasTheSameKey) { EXPECT_EQ(key_of(some_head()), key_of(some_head())); }

TEST(FieldCache, AnotherHeadHasFieldsOfItsOwn) {
    HeadModel head = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5").head;
    const std::array<double, 3> square{100, 100, 1000};
    FieldCache cache;
    cache.prepare(head, {square});
    const std::vector<float> before = cache.field(square).values;
    cache.prepare(head, {square});
    EXPECT_EQ(cache.field(square).values, before);
    head.jaw_transmission += 0.01;
    cache.prepare(head, {square});
    EXPECT_NE(cache.field(square).values, before);
}
