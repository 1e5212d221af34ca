// Blocks, trays and boluses, put into a beam or on the patient (wedges: dicom_plan_wedges.cpp). DICOM
// PS3.3 C.8.8.14.
#include <algorithm>

#include "io/dicom/dicom_plan_parts.h"

namespace libdose::io {
namespace {

const char* const in_the_plan = "It has to be in the plan";

/// One of two texts; what is empty leaves two meanings open.
bool is_first(const DicomItem& item, DcmTagKey tag, const std::string& first, const std::string& second,
              const std::string& what) {
    const auto text = item.optional_text(tag);
    if (!text) throw refused_plan(what + " is not known", item.at(tag), in_the_plan);
    if (*text != first && *text != second)
        throw bad_input("'" + *text + "' is neither " + first + " nor " + second, item.at(tag));
    return *text == first;
}

double not_negative(const DicomItem& item, DcmTagKey tag, const std::string& what) {
    const double value = item.optional_number(tag).value_or(0);
    if (value < 0) throw bad_input("the " + what + " is negative", item.at(tag));
    return value;
}

/// Corners on the isocentre plane, beam-limiting-device frame. A last corner that repeats the first is left
/// out.
void read_outline(const DicomItem& item, Block& block) {
    const int points = item.optional_integer(DCM_BlockNumberOfPoints).value_or(0);
    if (points == 0)
        throw refused_plan("the outline of the block is not known", item.at(DCM_BlockNumberOfPoints),
                           in_the_plan);
    if (points < 3)
        throw bad_input(
            "the outline of the block has " + std::to_string(points) + " points: at least 3 belong",
            item.at(DCM_BlockNumberOfPoints));
    const auto xy = item.numbers(DCM_BlockData, 2 * static_cast<std::size_t>(points));
    for (std::size_t i = 0; i < xy.size(); i += 2) {
        block.x_mm.push_back(xy[i]);
        block.y_mm.push_back(xy[i + 1]);
    }
    if (block.x_mm.front() == block.x_mm.back() && block.y_mm.front() == block.y_mm.back()) {
        block.x_mm.pop_back();
        block.y_mm.pop_back();
        if (block.x_mm.size() < 3)
            throw bad_input("the outline of the block has 2 different points: at least 3 belong",
                            item.at(DCM_BlockData));
    }
}

/// Where the sides of a block that does not follow the rays lie goes by its tray, thickness and side.
void read_place(const DicomItem& item, const Beam& beam, Block& block) {
    block.tray_distance_mm = not_negative(item, DCM_SourceToBlockTrayDistance, "distance of the block tray");
    block.thickness_mm = not_negative(item, DCM_BlockThickness, "thickness of the block");
    if (block.divergent && !item.optional_text(DCM_BlockMountingPosition)) return;
    block.source_side = is_first(item, DCM_BlockMountingPosition, "SOURCE_SIDE", "PATIENT_SIDE",
                                 "the side of the tray, in a block without divergence,");
    if (block.divergent) return;
    if (block.tray_distance_mm == 0)
        throw refused_plan("the distance of the tray of a block without divergence is not known",
                           item.at(DCM_SourceToBlockTrayDistance), in_the_plan);
    if (block.tray_distance_mm >= beam.source_axis_distance_mm)
        throw bad_input("the block tray is not between source and isocentre",
                        item.at(DCM_SourceToBlockTrayDistance));
    if (block.thickness_mm == 0)
        throw refused_plan("the thickness of a block without divergence is not known",
                           item.at(DCM_BlockThickness), in_the_plan);
}

Block read_block(const DicomItem& item, const Beam& beam) {
    Block block;
    block.number = item.integer(DCM_BlockNumber);
    block.name = item.text_or_empty(DCM_BlockName);
    block.aperture = is_first(item, DCM_BlockType, "APERTURE", "SHIELDING",
                              "whether the block is an aperture or shielding");
    block.divergent = is_first(item, DCM_BlockDivergence, "PRESENT", "ABSENT",
                               "whether the sides of the block follow the rays");
    read_place(item, beam, block);
    const auto transmission = item.optional_number(DCM_BlockTransmission);
    if (!transmission)
        throw refused_plan("the transmission of the block is not known", item.at(DCM_BlockTransmission),
                           in_the_plan);
    if (*transmission < 0 || *transmission > 1)
        throw bad_input("the transmission " + item.text(DCM_BlockTransmission) + " is not between 0 and 1",
                        item.at(DCM_BlockTransmission));
    block.transmission = *transmission;
    read_outline(item, block);
    return block;
}

void read_blocks(const DicomItem& item, Beam& beam) {
    const auto items = item.items(DCM_BlockSequence, "block");
    require_count(item, DCM_NumberOfBlocks, items.size(), "blocks");
    for (const DicomItem& one : items) {
        Block block = read_block(one, beam);
        for (const Block& other : beam.blocks)
            if (other.number == block.number)
                throw bad_input("two blocks have the number " + std::to_string(block.number),
                                one.at(DCM_BlockNumber));
        beam.blocks.push_back(std::move(block));
    }
}

void read_block_tray(const DicomItem& item, Beam& beam, std::vector<std::string>& notes) {
    const auto factor = item.optional_number(DCM_TotalBlockTrayFactor);
    const auto water = item.optional_number(DCM_TotalBlockTrayWaterEquivalentThickness);
    if (factor && (*factor <= 0 || *factor > 1))
        throw bad_input(
            "the tray factor " + item.text(DCM_TotalBlockTrayFactor) + " is not above 0 and at most 1",
            item.at(DCM_TotalBlockTrayFactor));
    const double thickness =
        not_negative(item, DCM_TotalBlockTrayWaterEquivalentThickness, "thickness of the tray");
    if (factor)
        beam.tray_factor = *factor;
    else
        beam.tray_water_mm += thickness;
    if (!factor && !water && !beam.blocks.empty())
        notes.push_back(item.place() +
                        ": gives neither factor nor thickness of the block tray: it is taken as nothing");
    if (beam.blocks.empty() && (beam.tray_factor != 1 || beam.tray_water_mm > 0))
        notes.push_back(item.place() + ": has a block tray without blocks, which attenuates the beam");
}

/// The tray of a wedge is in the beam with it: which it is must not be open.
void read_wedge_tray(const DicomItem& item, Beam& beam) {
    const double thickness =
        not_negative(item, DCM_TotalWedgeTrayWaterEquivalentThickness, "thickness of the tray");
    if (thickness == 0) return;
    const auto always_one = [](const ControlPoint& point) {
        return std::find(point.wedge_in.begin(), point.wedge_in.end(), true) != point.wedge_in.end();
    };
    if (!std::all_of(beam.control_points.begin(), beam.control_points.end(), always_one))
        throw refused_plan(
            "a wedge tray in a beam that is not wedged all the time: whether the tray is in is not known",
            item.at(DCM_TotalWedgeTrayWaterEquivalentThickness));
    beam.tray_water_mm += thickness;
}

void read_boluses(const DicomItem& item, Beam& beam) {
    const auto items = item.items(DCM_ReferencedBolusSequence, "bolus");
    const auto count = item.optional_integer(DCM_NumberOfBoli);
    if (count.value_or(0) > 0 && items.empty())
        throw refused_plan("the beam says " + std::to_string(*count) + " bolus and not which structure it is",
                           item.at(DCM_NumberOfBoli), in_the_plan);
    if (count) require_count(item, DCM_NumberOfBoli, items.size(), "boluses");
    for (const DicomItem& one : items) {
        const BeamBolus bolus{one.integer(DCM_ReferencedROINumber), one.text_or_empty(DCM_BolusID)};
        for (const BeamBolus& other : beam.boluses)
            if (other.structure_number == bolus.structure_number)
                throw bad_input("the structure " + std::to_string(bolus.structure_number) +
                                    " is a bolus of this beam twice",
                                one.at(DCM_ReferencedROINumber));
        beam.boluses.push_back(bolus);
    }
}

}  // namespace

void require_count(const DicomItem& beam, DcmTagKey count, std::size_t items, const std::string& what) {
    if (items == 0 && !beam.optional_text(count)) return;
    if (const int declared = beam.integer(count); declared != static_cast<int>(items))
        throw bad_input(
            "the beam says " + std::to_string(declared) + " " + what + " and holds " + std::to_string(items),
            beam.at(count));
}

void read_accessories(const DicomItem& item, Beam& beam, std::vector<std::string>& notes) {
    read_wedges(item, beam, notes);
    read_blocks(item, beam);
    read_block_tray(item, beam, notes);
    read_wedge_tray(item, beam);
    read_boluses(item, beam);
}

}  // namespace libdose::io
