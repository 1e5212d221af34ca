#include "commissioning/head_key.h"

namespace libdose::commission {

namespace {

// Each structure is taken apart by a structured binding: one with a new member does not compile until the
// member is here as well.

void add(HeadKey& key, double number) { key.numbers.push_back(number); }
void add(HeadKey& key, const std::string& text) { key.texts.push_back(text); }

/// A list with its length, so that what one list ends with is not what the next begins with.
void add(HeadKey& key, const std::vector<double>& list) {
    add(key, static_cast<double>(list.size()));
    key.numbers.insert(key.numbers.end(), list.begin(), list.end());
}

void add(HeadKey& key, const ExtrafocalSource& source) {
    const auto& [amplitude, sigma_mm, distance_mm] = source;
    for (const double number : {amplitude, sigma_mm, distance_mm}) add(key, number);
}

void add(HeadKey& key, const ElectronContamination& electrons) {
    const auto& [amplitude_gy_cm2, sigma_mm, attenuation_cm2_g, range_g_cm2] = electrons;
    for (const double number : {amplitude_gy_cm2, sigma_mm, attenuation_cm2_g, range_g_cm2}) add(key, number);
}

void add(HeadKey& key, const WedgeModel& wedge) {
    const auto& [id, kind, angle_deg, position_mm, water_g_cm2, high_z_g_cm2] = wedge;
    add(key, id);
    add(key, kind);
    add(key, angle_deg);
    for (const auto* list : {&position_mm, &water_g_cm2, &high_z_g_cm2}) add(key, *list);
}

void add(HeadKey& key, const DynamicWedgeModel& wedge) {
    const auto& [golden_position_mm, golden_fraction, closest_gap_mm, virtual_attenuation_per_mm] = wedge;
    for (const auto* list : {&golden_position_mm, &golden_fraction}) add(key, *list);
    for (const double number : {closest_gap_mm, virtual_attenuation_per_mm}) add(key, number);
}

}  // namespace

HeadKey key_of(const HeadModel& head) {
    const auto& [spot_fwhm_x_mm, spot_fwhm_y_mm, source_collimator_distance_mm, jaw_x_distance_mm,
                 jaw_y_distance_mm, jaw_transmission, leaf_transmission, maximum_field_radius_mm,
                 profile_radius_mm, profile, softening_radius_mm, softening_g_cm2, extrafocal, electrons,
                 monitor_backscatter_x, monitor_backscatter_y, output_side_mm, output_correction, wedges,
                 dynamic_wedge, leaf_design, leaf_offset_mm] = head;
    HeadKey key;
    for (const double number :
         {spot_fwhm_x_mm, spot_fwhm_y_mm, source_collimator_distance_mm, jaw_x_distance_mm, jaw_y_distance_mm,
          jaw_transmission, leaf_transmission, maximum_field_radius_mm, monitor_backscatter_x,
          monitor_backscatter_y, leaf_offset_mm})
        add(key, number);
    for (const auto* list : {&profile_radius_mm, &profile, &softening_radius_mm, &softening_g_cm2,
                             &output_side_mm, &output_correction})
        add(key, *list);
    add(key, extrafocal);
    add(key, electrons);
    add(key, static_cast<double>(wedges.size()));
    for (const WedgeModel& wedge : wedges) add(key, wedge);
    add(key, dynamic_wedge);
    add(key, leaf_design);
    return key;
}

}  // namespace libdose::commission
