#include "phantom_dicom.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <cmath>
#include <cstdio>
#include <functional>
#include <numbers>
#include <stdexcept>

#include "phantom_anatomy.h"

namespace phantom {

namespace {

// Made once for this phantom (UUID-derived root, PS3.5 B.2); fixed numbers below it name the objects.
const std::string uid_root = "2.25.313263411862436570829478123560712341";
const std::string study_uid = uid_root + ".1", frame_uid = uid_root + ".2", ct_series_uid = uid_root + ".3",
                  structure_uid = uid_root + ".4";
std::string slice_uid(int k) { return ct_series_uid + "." + std::to_string(k + 1); }

std::string decimal(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.8g", value);
    return text;
}

template <class Values>
std::string joined(const Values& values) {
    std::string text;
    for (const double value : values) text += (text.empty() ? "" : "\\") + decimal(value);
    return text;
}

class Item {
public:
    explicit Item(DcmItem& item) : item_(item) {}
    Item& set(DcmTagKey tag, const std::string& value) {
        check(item_.putAndInsertString(tag, value.c_str()));
        return *this;
    }
    Item& set(DcmTagKey tag, Uint16 value) {
        check(item_.putAndInsertUint16(tag, value));
        return *this;
    }
    Item add(DcmTagKey sequence) {
        DcmItem* inner = nullptr;
        check(item_.findOrCreateSequenceItem(sequence, inner, -2));
        return Item(*inner);
    }
    DcmItem& raw() { return item_; }

private:
    static void check(const OFCondition& status) {
        if (status.bad()) throw std::runtime_error(status.text());
    }
    DcmItem& item_;
};

void common(Item out, const char* sop_class, const std::string& instance, const char* modality,
            const std::string& series) {
    out.set(DCM_SpecificCharacterSet, "ISO_IR 100")
        .set(DCM_SOPClassUID, sop_class)
        .set(DCM_SOPInstanceUID, instance)
        .set(DCM_StudyDate, "20260101")
        .set(DCM_StudyTime, "120000");
    out.set(DCM_AccessionNumber, "")
        .set(DCM_Modality, modality)
        .set(DCM_Manufacturer, "libdose")
        .set(DCM_ReferringPhysicianName, "")
        .set(DCM_StationName, "phantom");
    out.set(DCM_ManufacturerModelName, "thorax phantom")
        .set(DCM_SoftwareVersions, "1")
        .set(DCM_PatientName, "Phantom^Thorax")
        .set(DCM_PatientID, "LIBDOSE-THORAX");
    out.set(DCM_PatientBirthDate, "")
        .set(DCM_PatientSex, "O")
        .set(DCM_StudyInstanceUID, study_uid)
        .set(DCM_SeriesInstanceUID, series)
        .set(DCM_StudyID, "1")
        .set(DCM_SeriesNumber, "1");
    out.set(DCM_FrameOfReferenceUID, frame_uid)
        .set(DCM_PositionReferenceIndicator, "")
        .set(DCM_OperatorsName, "");
}

void save(DcmFileFormat& format, const std::filesystem::path& file) {
    const OFCondition status = format.saveFile(file.c_str(), EXS_LittleEndianExplicit);
    if (status.bad()) throw std::runtime_error("cannot write " + file.string() + ": " + status.text());
}

}  // namespace

void write_ct(const libdose::Grid& grid, const std::filesystem::path& folder) {
    std::vector<Uint16> pixels(static_cast<std::size_t>(grid.size[0]) *
                               static_cast<std::size_t>(grid.size[1]));
    for (int k = 0; k < grid.size[2]; ++k) {
        DcmFileFormat format;
        Item out(*format.getDataset());
        common(out, UID_CTImageStorage, slice_uid(k), "CT", ct_series_uid);
        const libdose::Vec3 first = grid.centre_mm(0, 0, k);
        out.set(DCM_ImageType, "ORIGINAL\\PRIMARY\\AXIAL")
            .set(DCM_SeriesDescription, "Thorax phantom")
            .set(DCM_ContentDate, "20260101")
            .set(DCM_ContentTime, "120000");
        out.set(DCM_BodyPartExamined, "CHEST")
            .set(DCM_AcquisitionNumber, "1")
            .set(DCM_KVP, "120")
            .set(DCM_PatientPosition, "HFS")
            .set(DCM_InstanceNumber, std::to_string(k + 1));
        out.set(DCM_ImagePositionPatient, joined(std::vector<double>{first[0], first[1], first[2]}))
            .set(DCM_ImageOrientationPatient, "1\\0\\0\\0\\1\\0");
        out.set(DCM_SliceThickness, decimal(grid.spacing_mm[2]))
            .set(DCM_PixelSpacing, joined(std::vector<double>{grid.spacing_mm[1], grid.spacing_mm[0]}));
        out.set(DCM_SamplesPerPixel, Uint16{1})
            .set(DCM_PhotometricInterpretation, "MONOCHROME2")
            .set(DCM_Rows, static_cast<Uint16>(grid.size[1]))
            .set(DCM_Columns, static_cast<Uint16>(grid.size[0]));
        out.set(DCM_BitsAllocated, Uint16{16})
            .set(DCM_BitsStored, Uint16{16})
            .set(DCM_HighBit, Uint16{15})
            .set(DCM_PixelRepresentation, Uint16{0});
        out.set(DCM_RescaleIntercept, "-1024").set(DCM_RescaleSlope, "1").set(DCM_RescaleType, "HU");
        for (int j = 0; j < grid.size[1]; ++j)
            for (int i = 0; i < grid.size[0]; ++i)
                pixels[static_cast<std::size_t>(j) * static_cast<std::size_t>(grid.size[0]) +
                       static_cast<std::size_t>(i)] =
                    static_cast<Uint16>(hounsfield(grid.centre_mm(i, j, k)) + 1024);
        out.raw().putAndInsertUint16Array(DCM_PixelData, pixels.data(),
                                          static_cast<unsigned long>(pixels.size()));
        char name[32];
        std::snprintf(name, sizeof name, "CT_%03d.dcm", k);
        save(format, folder / name);
    }
}

namespace {

/// What one region of the structure set is, and its outline at a z.
struct Region {
    std::string name, type;
    std::array<int, 3> colour;
    std::function<std::vector<std::array<double, 2>>(double)> outline;
    std::string relative_mass_density;  ///< empty: as in the CT
};

std::vector<std::array<double, 2>> ellipse(const Solid& solid, double z) {
    std::vector<std::array<double, 2>> outline;
    const auto half = solid.section(z);
    const int points =
        half[0] > 0 ? std::max(24, static_cast<int>(2 * std::numbers::pi * std::max(half[0], half[1]) / 3))
                    : 0;
    for (int p = 0; p < points; ++p) {
        const double angle = 2 * std::numbers::pi * p / points;
        outline.push_back(
            {solid.centre[0] + half[0] * std::cos(angle), solid.centre[1] + half[1] * std::sin(angle)});
    }
    return outline;
}

std::vector<Region> regions() {
    std::vector<Region> all;
    for (const Organ& organ : organs())
        all.push_back({organ.name, organ.type, organ.colour,
                       [organ](double z) { return ellipse(organ.solid, z); }, ""});
    all.push_back({bolus_name, "BOLUS", {255, 128, 255}, bolus_outline, "1.0"});
    return all;
}

/// Numbers of the regions: 1, 2, … in this order.
int number_of(const std::string& name) {
    int number = 1;
    for (const Region& region : regions()) {
        if (region.name == name) return number;
        ++number;
    }
    throw std::runtime_error("no region " + name);
}

void write_region(Item out, const Region& region, const libdose::Grid& grid) {
    const std::string roi = std::to_string(number_of(region.name));
    out.add(DCM_StructureSetROISequence)
        .set(DCM_ROINumber, roi)
        .set(DCM_ReferencedFrameOfReferenceUID, frame_uid)
        .set(DCM_ROIName, region.name)
        .set(DCM_ROIGenerationAlgorithm, "AUTOMATIC");
    Item contours = out.add(DCM_ROIContourSequence);
    contours.set(DCM_ROIDisplayColor, joined(region.colour)).set(DCM_ReferencedROINumber, roi);
    for (int k = 0; k < grid.size[2]; ++k) {
        const double z = grid.centre_mm(0, 0, k)[2];
        const auto outline = region.outline(z);
        if (outline.empty()) continue;
        std::vector<double> data;
        for (const auto& point : outline)
            for (const double c : {point[0], point[1], z}) data.push_back(std::round(c * 1000) / 1000);
        Item contour = contours.add(DCM_ContourSequence);
        contour.add(DCM_ContourImageSequence)
            .set(DCM_ReferencedSOPClassUID, UID_CTImageStorage)
            .set(DCM_ReferencedSOPInstanceUID, slice_uid(k));
        contour.set(DCM_ContourGeometricType, "CLOSED_PLANAR")
            .set(DCM_NumberOfContourPoints, std::to_string(outline.size()))
            .set(DCM_ContourData, joined(data));
    }
    Item observation = out.add(DCM_RTROIObservationsSequence);
    observation.set(DCM_ObservationNumber, roi)
        .set(DCM_ReferencedROINumber, roi)
        .set(DCM_RTROIInterpretedType, region.type)
        .set(DCM_ROIInterpreter, "");
    if (!region.relative_mass_density.empty())
        observation.add(DCM_ROIPhysicalPropertiesSequence)
            .set(DCM_ROIPhysicalProperty, "REL_MASS_DENSITY")
            .set(DCM_ROIPhysicalPropertyValue, region.relative_mass_density);
}

}  // namespace

void write_structures(const libdose::Grid& grid, const std::filesystem::path& folder) {
    DcmFileFormat format;
    Item out(*format.getDataset());
    common(out, UID_RTStructureSetStorage, structure_uid, "RTSTRUCT", uid_root + ".5");
    out.set(DCM_StructureSetLabel, "THORAX")
        .set(DCM_StructureSetDate, "20260101")
        .set(DCM_StructureSetTime, "120000")
        .set(DCM_InstanceNumber, "1");
    Item frame = out.add(DCM_ReferencedFrameOfReferenceSequence);
    frame.set(DCM_FrameOfReferenceUID, frame_uid);
    Item study = frame.add(DCM_RTReferencedStudySequence);
    study.set(DCM_ReferencedSOPClassUID, "1.2.840.10008.3.1.2.3.1")
        .set(DCM_ReferencedSOPInstanceUID, study_uid);
    Item series = study.add(DCM_RTReferencedSeriesSequence);
    series.set(DCM_SeriesInstanceUID, ct_series_uid);
    for (int k = 0; k < grid.size[2]; ++k)
        series.add(DCM_ContourImageSequence)
            .set(DCM_ReferencedSOPClassUID, UID_CTImageStorage)
            .set(DCM_ReferencedSOPInstanceUID, slice_uid(k));
    for (const Region& region : regions()) write_region(out, region, grid);
    out.set(DCM_ApprovalStatus, "UNAPPROVED");
    save(format, folder / "RS.dcm");
}

namespace {

/// Wedges, bolus, jaws and leaves of a beam.
void write_devices(Item& b, const PlanBeam& beam) {
    for (std::size_t w = 0; w < beam.wedges.size(); ++w)
        b.add(DCM_WedgeSequence)
            .set(DCM_WedgeNumber, std::to_string(w + 1))
            .set(DCM_WedgeType, beam.wedges[w].type)
            .set(DCM_WedgeID, beam.wedges[w].id)
            .set(DCM_WedgeAngle, decimal(beam.wedges[w].angle_deg))
            .set(DCM_WedgeFactor, "")
            .set(DCM_WedgeOrientation, decimal(beam.wedges[w].orientation_deg));
    if (beam.bolus)
        b.add(DCM_ReferencedBolusSequence)
            .set(DCM_ReferencedROINumber, std::to_string(number_of(bolus_name)))
            .set(DCM_BolusID, bolus_name);
    for (const std::string& type : {beam.x_jaws, beam.y_jaws})
        b.add(DCM_BeamLimitingDeviceSequence)
            .set(DCM_RTBeamLimitingDeviceType, type)
            .set(DCM_NumberOfLeafJawPairs, "1");
    for (const Collimator& collimator : beam.collimators)
        b.add(DCM_BeamLimitingDeviceSequence)
            .set(DCM_RTBeamLimitingDeviceType, collimator.type)
            .set(DCM_NumberOfLeafJawPairs, std::to_string(collimator.boundaries_mm.size() - 1))
            .set(DCM_LeafPositionBoundaries, joined(collimator.boundaries_mm));
}

/// What does not move: collimator, couch, isocentre.
void write_standing_axes(Item& c, const Point& point) {
    const libdose::Vec3 centre = isocentre();
    c.set(DCM_BeamLimitingDeviceAngle, decimal(point.collimator_deg))
        .set(DCM_BeamLimitingDeviceRotationDirection, "NONE")
        .set(DCM_PatientSupportAngle, "0")
        .set(DCM_PatientSupportRotationDirection, "NONE");
    c.set(DCM_TableTopEccentricAngle, "0")
        .set(DCM_TableTopEccentricRotationDirection, "NONE")
        .set(DCM_TableTopVerticalPosition, "")
        .set(DCM_TableTopLongitudinalPosition, "")
        .set(DCM_TableTopLateralPosition, "");
    c.set(DCM_IsocenterPosition, joined(std::vector<double>{centre[0], centre[1], centre[2]}));
}

void write_control_point(Item& b, const PlanBeam& beam, std::size_t i) {
    const Point& point = beam.points[i];
    Item c = b.add(DCM_ControlPointSequence);
    c.set(DCM_ControlPointIndex, std::to_string(i));
    if (i == 0) c.set(DCM_NominalBeamEnergy, "6").set(DCM_DoseRateSet, "600");
    for (std::size_t w = 0; w < beam.wedges.size() && i == 0; ++w)
        c.add(DCM_WedgePositionSequence)
            .set(DCM_WedgePosition, "IN")
            .set(DCM_ReferencedWedgeNumber, std::to_string(w + 1));
    const auto device = [&](const std::string& type, const std::vector<double>& positions) {
        if (!positions.empty())
            c.add(DCM_BeamLimitingDevicePositionSequence)
                .set(DCM_RTBeamLimitingDeviceType, type)
                .set(DCM_LeafJawPositions, joined(positions));
    };
    device(beam.x_jaws, point.x_jaws);
    device(beam.y_jaws, point.y_jaws);
    for (std::size_t m = 0; m < point.leaves.size(); ++m) device(beam.collimators[m].type, point.leaves[m]);
    if (i == 0 || beam.arc) {
        const bool turns = beam.arc && i + 1 < beam.points.size();
        c.set(DCM_GantryAngle, decimal(point.gantry_deg))
            .set(DCM_GantryRotationDirection, turns ? "CW" : "NONE");
    }
    if (i == 0) write_standing_axes(c, point);
    c.set(DCM_CumulativeMetersetWeight, decimal(point.weight));
}

void write_beam(Item& out, const PlanBeam& beam, const std::string& id) {
    Item b = out.add(DCM_BeamSequence);
    b.set(DCM_Manufacturer, "Varian Medical Systems")
        .set(DCM_BeamNumber, id)
        .set(DCM_BeamName, beam.name)
        .set(DCM_BeamType, beam.dynamic ? "DYNAMIC" : "STATIC")
        .set(DCM_RadiationType, "PHOTON")
        .set(DCM_TreatmentMachineName, "LIBDOSE-DEMO")
        .set(DCM_PrimaryDosimeterUnit, "MU");
    Item fluence = b.add(DCM_PrimaryFluenceModeSequence);
    fluence.set(DCM_FluenceMode, beam.flattening_filter ? "STANDARD" : "NON_STANDARD");
    if (!beam.flattening_filter) fluence.set(DCM_FluenceModeID, "FFF");
    b.set(DCM_SourceAxisDistance, "1000")
        .set(DCM_TreatmentDeliveryType, "TREATMENT")
        .set(DCM_NumberOfWedges, std::to_string(beam.wedges.size()))
        .set(DCM_NumberOfCompensators, "0")
        .set(DCM_NumberOfBoli, beam.bolus ? "1" : "0")
        .set(DCM_NumberOfBlocks, "0");
    write_devices(b, beam);
    b.set(DCM_FinalCumulativeMetersetWeight, decimal(beam.points.back().weight))
        .set(DCM_NumberOfControlPoints, std::to_string(beam.points.size()))
        .set(DCM_ReferencedPatientSetupNumber, "1");
    for (std::size_t i = 0; i < beam.points.size(); ++i) write_control_point(b, beam, i);
}

/// Beam Dose at the isocentre.
void write_beam_dose(Item& group_beam, const PlanBeam& beam) {
    const libdose::Vec3 centre = isocentre();
    group_beam
        .set(DCM_RETIRED_BeamDoseSpecificationPoint,
             joined(std::vector<double>{centre[0], centre[1], centre[2]}))
        .set(DCM_BeamDose, decimal(beam.isocentre_gy));
}

/// What the plan prescribes to the target.
void write_prescription(Item& out, double prescription_gy) {
    out.add(DCM_DoseReferenceSequence)
        .set(DCM_ReferencedROINumber, std::to_string(number_of(target_name)))
        .set(DCM_DoseReferenceNumber, "1")
        .set(DCM_DoseReferenceStructureType, "VOLUME")
        .set(DCM_DoseReferenceDescription, target_name)
        .set(DCM_DoseReferenceType, "TARGET")
        .set(DCM_TargetPrescriptionDose, decimal(prescription_gy));
}

}  // namespace

void write_plan(const PlanDescription& plan, int number, const std::filesystem::path& folder) {
    DcmFileFormat format;
    Item out(*format.getDataset());
    const std::string base = uid_root + "." + std::to_string(10 + number);
    common(out, UID_RTPlanStorage, base + ".1", "RTPLAN", base);
    out.set(DCM_InstanceNumber, "1")
        .set(DCM_RTPlanLabel, plan.label)
        .set(DCM_RTPlanName, plan.name)
        .set(DCM_RTPlanDate, "20260101")
        .set(DCM_RTPlanTime, "120000")
        .set(DCM_PlanIntent, "RESEARCH")
        .set(DCM_RTPlanGeometry, "PATIENT");
    if (plan.prescription_gy > 0) write_prescription(out, plan.prescription_gy);
    Item group = out.add(DCM_FractionGroupSequence);
    group.set(DCM_FractionGroupNumber, "1")
        .set(DCM_NumberOfFractionsPlanned, std::to_string(plan.fractions))
        .set(DCM_NumberOfBeams, std::to_string(plan.beams.size()))
        .set(DCM_NumberOfBrachyApplicationSetups, "0");
    int beam_number = 0;
    for (const PlanBeam& beam : plan.beams) {
        const std::string id = std::to_string(++beam_number);
        Item of_group = group.add(DCM_ReferencedBeamSequence);
        if (beam.isocentre_gy > 0) write_beam_dose(of_group, beam);
        of_group.set(DCM_BeamMeterset, decimal(beam.meterset_mu)).set(DCM_ReferencedBeamNumber, id);
        write_beam(out, beam, id);
    }
    out.add(DCM_PatientSetupSequence)
        .set(DCM_PatientPosition, "HFS")
        .set(DCM_PatientSetupNumber, "1")
        .set(DCM_SetupTechnique, "ISOCENTRIC");
    out.add(DCM_ReferencedStructureSetSequence)
        .set(DCM_ReferencedSOPClassUID, UID_RTStructureSetStorage)
        .set(DCM_ReferencedSOPInstanceUID, structure_uid);
    out.set(DCM_ApprovalStatus, plan.prescription_gy > 0 ? "APPROVED" : "UNAPPROVED");
    if (plan.prescription_gy > 0)
        out.set(DCM_ReviewDate, "20260101").set(DCM_ReviewTime, "120000").set(DCM_ReviewerName, "Phantom");
    save(format, folder / ("RP_" + plan.label + ".dcm"));
}

}  // namespace phantom
