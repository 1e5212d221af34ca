// What the engine does not model. To refuse one more element, add a row.
#include <cmath>

#include "io/dicom_plan_parts.h"

namespace libdose::io {
namespace {

enum class Test {
    has_items,  ///< a sequence with at least one item
    count,      ///< a number above 0
    not_zero,   ///< a number that is not 0
    not_one     ///< a factor that is not 1
};

constexpr double table_tolerance_mm = 0.1;  // read-out of the table

struct Row {
    DcmTagKey tag;
    Test test;
    const char* reason;
};

// Younger than the dictionary of DCMTK 3.6.7.
const DcmTagKey enhanced_device_sequence(0x3008, 0x00a1), enhanced_opening_sequence(0x3008, 0x00a2);

const Row plan_rows[] = {
    {DCM_ApplicationSetupSequence, Test::has_items, "brachytherapy is not modelled"},
    {DCM_IonBeamSequence, Test::has_items, "ion beams are not modelled"},
};

const Row fraction_group_rows[] = {
    {DCM_NumberOfBrachyApplicationSetups, Test::count, "brachytherapy is not modelled"},
    {DCM_ReferencedBrachyApplicationSetupSequence, Test::has_items, "brachytherapy is not modelled"},
};

const Row beam_rows[] = {
    {DCM_NumberOfBlocks, Test::count, "blocks are not modelled"},
    {DCM_BlockSequence, Test::has_items, "blocks are not modelled"},
    {DCM_TotalBlockTrayFactor, Test::not_one, "a block tray attenuates the beam and is not modelled"},
    {DCM_TotalBlockTrayWaterEquivalentThickness, Test::not_zero, "a block tray attenuates the beam and is not modelled"},
    {DCM_NumberOfCompensators, Test::count, "compensators are not modelled"},
    {DCM_CompensatorSequence, Test::has_items, "compensators are not modelled"},
    {DCM_TotalCompensatorTrayFactor, Test::not_one, "a compensator tray attenuates the beam and is not modelled"},
    {DCM_NumberOfBoli, Test::count, "bolus that belongs to single beams is not modelled"},
    {DCM_ReferencedBolusSequence, Test::has_items, "bolus that belongs to single beams is not modelled"},
    {DCM_ApplicatorSequence, Test::has_items, "applicators and cones are not modelled"},
    {DCM_GeneralAccessorySequence, Test::has_items, "what the accessory does to the beam is not known"},
    {DCM_TotalWedgeTrayWaterEquivalentThickness, Test::not_zero, "a wedge tray attenuates the beam and is not modelled"},
    {enhanced_device_sequence, Test::has_items, "beam limiting devices in the enhanced form are not read"},
};

const Row control_point_rows[] = {
    {DCM_GantryPitchAngle, Test::not_zero, "a pitched gantry is not modelled"},
    {DCM_TableTopPitchAngle, Test::not_zero, "a pitched table top is not modelled"},
    {DCM_TableTopRollAngle, Test::not_zero, "a rolled table top is not modelled"},
    {DCM_TableTopEccentricAngle, Test::not_zero, "an eccentric rotation of the table top is not modelled"},
    {enhanced_opening_sequence, Test::has_items, "beam limiting devices in the enhanced form are not read"},
};

Error refusal(const DicomItem& item, DcmTagKey tag, const std::string& value, const std::string& reason) {
    return refused_plan(value + ": " + reason, item.at(tag), "The plan cannot be calculated with it");
}

/// What is there, in words, when the test of the row fires; empty when it does not.
std::string found(const DicomItem& item, const Row& row) {
    if (row.test == Test::has_items) {
        const auto items = item.items(row.tag, "item");
        return items.empty() ? "" : std::to_string(items.size()) + " item(s)";
    }
    const auto value = item.optional_number(row.tag);
    if (!value) return {};
    const bool fires = row.test == Test::count ? *value > 0 : row.test == Test::not_zero ? *value != 0 : *value != 1;
    return fires ? "the value is " + item.text(row.tag) : "";
}

template <std::size_t n>
void apply(const Row (&rows)[n], const DicomItem& item) {
    for (const Row& row : rows)
        if (const std::string value = found(item, row); !value.empty()) throw refusal(item, row.tag, value, row.reason);
}

/// A wedge that every control point leaves OUT (carried forward from the first) does nothing.
void refuse_wedges(const DicomItem& beam, const std::vector<DicomItem>& points, std::vector<std::string>& notes) {
    const bool declared = beam.optional_integer(DCM_NumberOfWedges).value_or(0) > 0 || !beam.items(DCM_WedgeSequence, "wedge").empty();
    bool out_at_start = false;
    for (std::size_t i = 0; i < points.size(); ++i)
        for (const DicomItem& wedge : points[i].items(DCM_WedgePositionSequence, "wedge")) {
            const std::string position = wedge.text(DCM_WedgePosition);
            if (position != "OUT") throw refusal(wedge, DCM_WedgePosition, "the value is " + position, "wedges are not modelled");
            out_at_start = out_at_start || i == 0;
        }
    if (!declared) return;
    if (!out_at_start) throw refusal(beam, DCM_NumberOfWedges, "the beam has a wedge", "wedges are not modelled");
    notes.push_back(beam.place() + ": has a wedge that is OUT in every control point");
}

void refuse_radiation_type(const DicomItem& beam) {
    const std::string type = beam.text(DCM_RadiationType);
    if (type != "PHOTON") throw refusal(beam, DCM_RadiationType, "the value is " + type, "only photon beams are modelled");
}

/// A table that moves during the beam moves the patient through it.
void refuse_moving_table(const std::vector<DicomItem>& points) {
    for (DcmTagKey tag : {DCM_TableTopVerticalPosition, DCM_TableTopLongitudinalPosition, DCM_TableTopLateralPosition}) {
        std::optional<double> before;
        for (const DicomItem& point : points) {
            const auto here = point.optional_number(tag);
            if (here && before && std::abs(*here - *before) > table_tolerance_mm)
                throw refusal(point, tag, "the table top moves within the beam", "a moving table top is not modelled");
            if (here) before = here;
        }
    }
}

/// Belongs to ion beams; in a photon beam it must say the same as the Source-Axis Distance.
void refuse_virtual_source(const DicomItem& beam) {
    const auto axis = beam.optional_number(DCM_SourceAxisDistance);
    for (double distance : beam.optional_numbers(DCM_VirtualSourceAxisDistances))
        if (!axis || std::abs(distance - *axis) > 0.5)
            throw refusal(beam, DCM_VirtualSourceAxisDistances, "a distance differs from the source-axis distance",
                          "only one point-like source position is modelled");
}

}  // namespace

void refuse_unmodelled_plan(const DicomItem& plan) { apply(plan_rows, plan); }

void refuse_unmodelled_fraction_group(const DicomItem& group) { apply(fraction_group_rows, group); }

void refuse_unmodelled_beam(const DicomItem& beam, std::vector<std::string>& notes) {
    const auto points = beam.items(DCM_ControlPointSequence, "control point");
    refuse_radiation_type(beam);
    apply(beam_rows, beam);
    for (const DicomItem& point : points) apply(control_point_rows, point);
    refuse_wedges(beam, points, notes);
    refuse_moving_table(points);
    refuse_virtual_source(beam);
}

}  // namespace libdose::io
