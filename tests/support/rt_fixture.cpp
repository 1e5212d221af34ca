#include "support/rt_fixture.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace libdose::test {
namespace {

void demand(const OFCondition& condition, const std::string& what) {
    if (condition.bad()) throw std::runtime_error("fixture: " + what + ": " + condition.text());
}

std::filesystem::path save(DcmFileFormat& format, const std::string& kind, E_TransferSyntax syntax) {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string(info->test_suite_name()) + "." + info->name();
    std::replace(name.begin(), name.end(), '/', '_');
    const auto folder =
        std::filesystem::path(testing::TempDir()) / ("libdose-rt-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    const auto file = folder / (name + "." + kind + ".dcm");
    demand(format.saveFile(file.c_str(), syntax, EET_UndefinedLength), "write " + file.string());
    return file;
}

void put_common(DcmItem& root, const std::string& sop_class, const std::string& modality) {
    put(root, DCM_SOPClassUID, sop_class);
    put(root, DCM_SOPInstanceUID, "1.2.3.99");
    put(root, DCM_Modality, modality);
    put(root, DCM_PatientID, "P1");
}

void put_point(DcmItem& beam, const PointSpec& point, std::size_t index) {
    DcmItem& item = add_item(beam, DCM_ControlPointSequence);
    put(item, DCM_ControlPointIndex, std::to_string(index));
    put(item, DCM_CumulativeMetersetWeight, point.weight);
    put(item, DCM_NominalBeamEnergy, point.energy);
    put(item, DCM_GantryAngle, point.gantry);
    put(item, DCM_GantryRotationDirection, point.gantry_direction);
    put(item, DCM_BeamLimitingDeviceAngle, point.collimator);
    put(item, DCM_PatientSupportAngle, point.couch);
    put(item, DCM_IsocenterPosition, point.isocentre);
    for (const auto& [type, positions] : point.positions) {
        DcmItem& device = add_item(item, DCM_BeamLimitingDevicePositionSequence);
        put(device, DCM_RTBeamLimitingDeviceType, type);
        put(device, DCM_LeafJawPositions, positions);
    }
    for (const auto& [number, position] : point.wedges) {
        DcmItem& wedge = add_item(item, DCM_WedgePositionSequence);
        put(wedge, DCM_ReferencedWedgeNumber, number);
        put(wedge, DCM_WedgePosition, position);
    }
    if (point.edit) point.edit(item);
}

void put_accessories(DcmItem& beam, const BeamSpec& spec) {
    put(beam, DCM_NumberOfWedges, std::to_string(spec.wedges.size()));
    for (const WedgeSpec& wedge : spec.wedges) {
        DcmItem& item = add_item(beam, DCM_WedgeSequence);
        put(item, DCM_WedgeNumber, wedge.number);
        put(item, DCM_WedgeType, wedge.type);
        put(item, DCM_WedgeID, wedge.id);
        put(item, DCM_WedgeAngle, wedge.angle);
        put(item, DCM_WedgeFactor, wedge.factor);
        put(item, DCM_WedgeOrientation, wedge.orientation);
        if (wedge.edit) wedge.edit(item);
    }
    put(beam, DCM_NumberOfBlocks, std::to_string(spec.blocks.size()));
    for (const BlockSpec& block : spec.blocks) {
        DcmItem& item = add_item(beam, DCM_BlockSequence);
        put(item, DCM_SourceToBlockTrayDistance, block.tray_distance);
        put(item, DCM_BlockType, block.type);
        put(item, DCM_BlockDivergence, block.divergence);
        put(item, DCM_BlockMountingPosition, block.mounting);
        put(item, DCM_BlockNumber, block.number);
        put(item, DCM_BlockName, block.name);
        put(item, DCM_BlockThickness, block.thickness);
        put(item, DCM_BlockTransmission, block.transmission);
        put(item, DCM_BlockNumberOfPoints, block.points);
        put(item, DCM_BlockData, block.data);
        if (block.edit) block.edit(item);
    }
    put(beam, DCM_NumberOfBoli, std::to_string(spec.boluses.size()));
    for (const auto& [structure, id] : spec.boluses) {
        DcmItem& item = add_item(beam, DCM_ReferencedBolusSequence);
        put(item, DCM_ReferencedROINumber, structure);
        put(item, DCM_BolusID, id);
    }
    put(beam, DCM_NumberOfCompensators, "0");
}

void put_beam(DcmItem& root, const BeamSpec& spec) {
    DcmItem& beam = add_item(root, DCM_BeamSequence);
    put(beam, DCM_BeamNumber, std::to_string(spec.number));
    put(beam, DCM_BeamName, spec.name);
    put(beam, DCM_TreatmentMachineName, "linac");
    put(beam, DCM_RadiationType, spec.radiation);
    put(beam, DCM_TreatmentDeliveryType, spec.delivery);
    put(beam, DCM_PrimaryDosimeterUnit, spec.unit);
    put(beam, DCM_SourceAxisDistance, spec.axis_distance);
    put(beam, DCM_ReferencedPatientSetupNumber, spec.setup);
    put(beam, DCM_Manufacturer, spec.manufacturer);
    put(beam, DCM_ManufacturerModelName, spec.model);
    put_accessories(beam, spec);
    if (!spec.fluence_mode.empty()) {
        DcmItem& mode = add_item(beam, DCM_PrimaryFluenceModeSequence);
        put(mode, DCM_FluenceMode, spec.fluence_mode);
        put(mode, DCM_FluenceModeID, spec.fluence_mode_id);
    }
    for (const DeviceSpec& device : spec.devices) {
        DcmItem& item = add_item(beam, DCM_BeamLimitingDeviceSequence);
        put(item, DCM_RTBeamLimitingDeviceType, device.type);
        put(item, DCM_NumberOfLeafJawPairs, device.pairs);
        put(item, DCM_LeafPositionBoundaries, device.boundaries);
    }
    put(beam, DCM_FinalCumulativeMetersetWeight, spec.final_weight);
    put(beam, DCM_NumberOfControlPoints, std::to_string(spec.points.size()));
    for (std::size_t i = 0; i < spec.points.size(); ++i) put_point(beam, spec.points[i], i);
    if (spec.edit) spec.edit(beam);
}

void put_group(DcmItem& root, const GroupSpec& spec) {
    DcmItem& group = add_item(root, DCM_FractionGroupSequence);
    put(group, DCM_FractionGroupNumber, std::to_string(spec.number));
    put(group, DCM_NumberOfFractionsPlanned, spec.fractions);
    put(group, DCM_NumberOfBeams, std::to_string(spec.references.size()));
    put(group, DCM_NumberOfBrachyApplicationSetups, "0");
    for (const ReferenceSpec& reference : spec.references) {
        DcmItem& item = add_item(group, DCM_ReferencedBeamSequence);
        put(item, DCM_RETIRED_BeamDoseSpecificationPoint, reference.dose_point);
        put(item, DCM_BeamDose, reference.dose);
        put(item, DCM_BeamMeterset, reference.meterset);
        put(item, DCM_ReferencedBeamNumber, std::to_string(reference.beam));
    }
    if (spec.edit) spec.edit(group);
}

}  // namespace

DcmItem& add_item(DcmItem& parent, DcmTagKey sequence) {
    DcmItem* item = nullptr;
    demand(parent.findOrCreateSequenceItem(sequence, item, -2), "sequence item");
    return *item;
}

void put(DcmItem& item, DcmTagKey tag, const std::string& value) {
    if (!value.empty()) demand(item.putAndInsertString(tag, value.c_str()), DcmTag(tag).getTagName());
}

BeamSpec static_beam(int number, const std::string& name) {
    BeamSpec beam;
    beam.number = number;
    beam.name = name;
    beam.devices = {{"ASYMX", "1", ""}, {"ASYMY", "1", ""}};
    PointSpec first;
    first.weight = "0";
    first.positions = {{"ASYMX", "-50\\40"}, {"ASYMY", "-30\\20"}};
    first.gantry = "90";
    first.collimator = "15";
    first.couch = "10";
    first.isocentre = "1\\2\\3.5";
    first.energy = "6";
    first.gantry_direction = "NONE";
    PointSpec last;
    last.weight = "1";
    beam.points = {first, last};
    return beam;
}

BeamSpec mlc_beam(int number, const std::string& name) {
    BeamSpec beam = static_beam(number, name);
    beam.devices.push_back({"MLCX", "2", "-10\\0\\10"});
    beam.points[0].positions.emplace_back("MLCX", "-5\\-6\\7\\8");
    return beam;
}

PlanSpec plan_of(std::vector<BeamSpec> beams) {
    PlanSpec plan;
    GroupSpec group;
    for (const BeamSpec& beam : beams) group.references.push_back({beam.number, "100", "", ""});
    plan.beams = std::move(beams);
    plan.groups = {group};
    return plan;
}

ContourSpec square_contour(double z) {
    const std::string level = "\\" + std::to_string(z);
    return {"0\\0" + level + "\\10\\0" + level + "\\10\\10" + level + "\\0\\10" + level, "CLOSED_PLANAR", ""};
}

std::filesystem::path write_plan(const PlanSpec& spec, E_TransferSyntax syntax) {
    DcmFileFormat format;
    DcmItem& root = *format.getDataset();
    put_common(root, spec.sop_class, "RTPLAN");
    put(root, DCM_RTPlanLabel, "label");
    put(root, DCM_RTPlanName, "name");
    put(root, DCM_RTPlanGeometry, "PATIENT");
    put(root, DCM_FrameOfReferenceUID, "1.2.3.4");
    put(root, DCM_ApprovalStatus, "UNAPPROVED");
    put(add_item(root, DCM_ReferencedStructureSetSequence), DCM_ReferencedSOPInstanceUID, "1.2.3.6");
    for (const auto& [number, position] : spec.setups) {
        DcmItem& setup = add_item(root, DCM_PatientSetupSequence);
        put(setup, DCM_PatientSetupNumber, number);
        put(setup, DCM_PatientPosition, position);
    }
    for (const GroupSpec& group : spec.groups) put_group(root, group);
    for (const BeamSpec& beam : spec.beams) put_beam(root, beam);
    if (spec.edit) spec.edit(root);
    return save(format, "plan", syntax);
}

std::filesystem::path write_structures(const StructureSpec& spec, E_TransferSyntax syntax) {
    DcmFileFormat format;
    DcmItem& root = *format.getDataset();
    put_common(root, spec.sop_class, "RTSTRUCT");
    put(root, DCM_StructureSetLabel, "label");
    DcmItem& frame = add_item(root, DCM_ReferencedFrameOfReferenceSequence);
    put(frame, DCM_FrameOfReferenceUID, spec.frame);
    DcmItem& study = add_item(frame, DCM_RTReferencedStudySequence);
    for (const std::string& series : spec.series)
        put(add_item(study, DCM_RTReferencedSeriesSequence), DCM_SeriesInstanceUID, series);
    for (const RoiSpec& roi : spec.rois) {
        const std::string number = std::to_string(roi.number);
        DcmItem& item = add_item(root, DCM_StructureSetROISequence);
        put(item, DCM_ROINumber, number);
        put(item, DCM_ROIName, roi.name);
        put(item, DCM_ReferencedFrameOfReferenceUID, roi.frame);
        DcmItem& observation = add_item(root, DCM_RTROIObservationsSequence);
        put(observation, DCM_ReferencedROINumber, number);
        put(observation, DCM_RTROIInterpretedType, roi.type);
        for (const auto& [name, value] : roi.properties) {
            DcmItem& property = add_item(observation, DCM_ROIPhysicalPropertiesSequence);
            put(property, DCM_ROIPhysicalProperty, name);
            put(property, DCM_ROIPhysicalPropertyValue, value);
        }
        if (roi.contours.empty()) continue;
        DcmItem& contours = add_item(root, DCM_ROIContourSequence);
        put(contours, DCM_ReferencedROINumber, number);
        for (const ContourSpec& contour : roi.contours) {
            DcmItem& one = add_item(contours, DCM_ContourSequence);
            put(one, DCM_ContourGeometricType, contour.type);
            const auto values = 1 + std::count(contour.data.begin(), contour.data.end(), '\\');
            put(one, DCM_NumberOfContourPoints,
                contour.count.empty() ? std::to_string(values / 3) : contour.count);
            put(one, DCM_ContourData, contour.data);
        }
    }
    if (spec.edit) spec.edit(root);
    return save(format, "structures", syntax);
}

}  // namespace libdose::test
