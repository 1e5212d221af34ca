// What plans, structure sets, doses and CT slices say of themselves: DICOM PS3.3 C.7.1.1, C.8.8.3, C.8.8.5,
// C.8.8.9 to C.8.8.16.
#include "libdose/io/dicom_facts.h"

#include <set>

#include "io/dicom/dicom_item.h"

namespace libdose::io {

namespace {

// A fact that cannot be read is none: the readers of the objects say what is wrong with them.

std::string text_of(const DicomItem& item, DcmTagKey tag) {
    try {
        return item.text_or_empty(tag);
    } catch (const Error&) {
        return {};
    }
}

std::optional<double> number_of(const DicomItem& item, DcmTagKey tag) {
    try {
        return item.optional_number(tag);
    } catch (const Error&) {
        return std::nullopt;
    }
}

std::optional<int> integer_of(const DicomItem& item, DcmTagKey tag) {
    try {
        return item.optional_integer(tag);
    } catch (const Error&) {
        return std::nullopt;
    }
}

std::vector<DicomItem> items_of(const DicomItem& item, DcmTagKey tag) {
    try {
        return item.items(tag, "item");
    } catch (const Error&) {
        return {};
    }
}

/// Referenced SOP Instance UID of the first item of a sequence.
std::string first_reference(const DicomItem& item, DcmTagKey sequence) {
    for (const DicomItem& one : items_of(item, sequence))
        if (const std::string uid = text_of(one, DCM_ReferencedSOPInstanceUID); !uid.empty()) return uid;
    return {};
}

void require_class(const DicomItem& root, const std::string& uid, const std::string& kind) {
    const std::string found = text_of(root, DCM_SOPClassUID);
    if (found != uid)
        throw bad_input(
            "this is not " + kind + " but " + std::string(dcmFindNameOfUID(found.c_str(), found.c_str())),
            root.at(DCM_SOPClassUID), "Give the file of " + kind);
}

PatientFacts patient_of(const DicomItem& root) {
    return {text_of(root, DCM_PatientID), text_of(root, DCM_PatientName), text_of(root, DCM_PatientBirthDate),
            text_of(root, DCM_PatientSex), text_of(root, DCM_StudyInstanceUID)};
}

Prescription prescription_of(const DicomItem& item) {
    Prescription result;
    result.number = integer_of(item, DCM_DoseReferenceNumber).value_or(0);
    result.description = text_of(item, DCM_DoseReferenceDescription);
    result.structure_type = text_of(item, DCM_DoseReferenceStructureType);
    result.type = text_of(item, DCM_DoseReferenceType);
    result.structure_number = integer_of(item, DCM_ReferencedROINumber).value_or(0);
    result.target_dose_gy = number_of(item, DCM_TargetPrescriptionDose);
    result.maximum_dose_gy =
        number_of(item, result.type == "ORGAN_AT_RISK" ? DCM_OrganAtRiskMaximumDose : DCM_TargetMaximumDose);
    return result;
}

FractionGroupFacts fraction_group_of(const DicomItem& item) {
    FractionGroupFacts group;
    group.number = integer_of(item, DCM_FractionGroupNumber).value_or(0);
    group.fractions = integer_of(item, DCM_NumberOfFractionsPlanned);
    group.stated_beams = integer_of(item, DCM_NumberOfBeams).value_or(0);
    for (const DicomItem& beam : items_of(item, DCM_ReferencedBeamSequence)) {
        const auto number = integer_of(beam, DCM_ReferencedBeamNumber);
        if (!number) continue;
        group.beams.push_back(*number);
        if (const auto mu = number_of(beam, DCM_BeamMeterset)) group.beam_mu[*number] = *mu;
        if (const auto gy = number_of(beam, DCM_BeamDose)) group.beam_dose_gy[*number] = *gy;
    }
    return group;
}

void add_once(std::vector<std::string>& list, std::set<std::string>& seen, const std::string& one) {
    if (!one.empty() && seen.insert(one).second) list.push_back(one);
}

}  // namespace

PlanFacts read_plan_facts(const std::filesystem::path& path) {
    const DicomFile file(path);
    const DicomItem root = file.root();
    require_class(root, UID_RTPlanStorage, "an RT Plan");
    PlanFacts facts;
    facts.patient = patient_of(root);
    facts.sop_instance_uid = text_of(root, DCM_SOPInstanceUID);
    facts.label = text_of(root, DCM_RTPlanLabel);
    facts.name = text_of(root, DCM_RTPlanName);
    facts.date = text_of(root, DCM_RTPlanDate);
    facts.time = text_of(root, DCM_RTPlanTime);
    facts.intent = text_of(root, DCM_PlanIntent);
    facts.approval = text_of(root, DCM_ApprovalStatus);
    facts.reviewer = text_of(root, DCM_ReviewerName);
    facts.review_date = text_of(root, DCM_ReviewDate);
    facts.manufacturer = text_of(root, DCM_Manufacturer);
    facts.model = text_of(root, DCM_ManufacturerModelName);
    facts.software = text_of(root, DCM_SoftwareVersions);
    facts.structure_set_uid = first_reference(root, DCM_ReferencedStructureSetSequence);
    for (const DicomItem& dose : items_of(root, DCM_ReferencedDoseSequence))
        if (const std::string uid = text_of(dose, DCM_ReferencedSOPInstanceUID); !uid.empty())
            facts.dose_uids.push_back(uid);
    facts.frame_of_reference_uid = text_of(root, DCM_FrameOfReferenceUID);
    for (const DicomItem& item : items_of(root, DCM_DoseReferenceSequence))
        facts.prescriptions.push_back(prescription_of(item));
    for (const DicomItem& item : items_of(root, DCM_FractionGroupSequence))
        facts.fraction_groups.push_back(fraction_group_of(item));
    for (const DicomItem& beam : items_of(root, DCM_BeamSequence))
        if (const auto number = integer_of(beam, DCM_BeamNumber))
            facts.beam_types[*number] = text_of(beam, DCM_TreatmentDeliveryType);
    return facts;
}

StructureFacts read_structure_facts(const std::filesystem::path& path) {
    const DicomFile file(path);
    const DicomItem root = file.root();
    require_class(root, UID_RTStructureSetStorage, "an RT Structure Set");
    StructureFacts facts;
    facts.patient = patient_of(root);
    facts.sop_instance_uid = text_of(root, DCM_SOPInstanceUID);
    facts.label = text_of(root, DCM_StructureSetLabel);
    facts.date = text_of(root, DCM_StructureSetDate);
    facts.approval = text_of(root, DCM_ApprovalStatus);
    facts.manufacturer = text_of(root, DCM_Manufacturer);
    facts.model = text_of(root, DCM_ManufacturerModelName);
    std::set<std::string> frames, all_series, images, drawn_on;
    for (const DicomItem& frame : items_of(root, DCM_ReferencedFrameOfReferenceSequence)) {
        add_once(facts.frame_of_reference_uids, frames, text_of(frame, DCM_FrameOfReferenceUID));
        for (const DicomItem& study : items_of(frame, DCM_RTReferencedStudySequence))
            for (const DicomItem& series : items_of(study, DCM_RTReferencedSeriesSequence)) {
                const std::string uid = text_of(series, DCM_SeriesInstanceUID);
                add_once(facts.series_uids, all_series, uid);
                for (const DicomItem& image : items_of(series, DCM_ContourImageSequence))
                    add_once(facts.series_images[uid], images, text_of(image, DCM_ReferencedSOPInstanceUID));
            }
    }
    for (const DicomItem& structure : items_of(root, DCM_ROIContourSequence))
        for (const DicomItem& contour : items_of(structure, DCM_ContourSequence))
            for (const DicomItem& image : items_of(contour, DCM_ContourImageSequence))
                add_once(facts.contour_image_uids, drawn_on, text_of(image, DCM_ReferencedSOPInstanceUID));
    return facts;
}

DoseFacts read_dose_facts(const std::filesystem::path& path) {
    const DicomFile file(path);
    const DicomItem root = file.root();
    require_class(root, UID_RTDoseStorage, "an RT Dose");
    DoseFacts facts;
    facts.file = path;
    facts.patient = patient_of(root);
    facts.sop_instance_uid = text_of(root, DCM_SOPInstanceUID);
    facts.date = text_of(root, DCM_ContentDate);
    if (facts.date.empty()) facts.date = text_of(root, DCM_StudyDate);
    facts.summation = text_of(root, DCM_DoseSummationType);
    facts.units = text_of(root, DCM_DoseUnits);
    facts.type = text_of(root, DCM_DoseType);
    facts.manufacturer = text_of(root, DCM_Manufacturer);
    facts.model = text_of(root, DCM_ManufacturerModelName);
    facts.software = text_of(root, DCM_SoftwareVersions);
    facts.plan_uid = first_reference(root, DCM_ReferencedRTPlanSequence);
    // As the reader of doses has it: planning systems name the set in the RT DVH module.
    facts.structure_set_uid = first_reference(root, DCM_ReferencedStructureSetSequence);
    for (const DicomItem& item : items_of(root, DCM_ReferencedInstanceSequence))
        if (facts.structure_set_uid.empty() &&
            text_of(item, DCM_ReferencedSOPClassUID) == UID_RTStructureSetStorage)
            facts.structure_set_uid = text_of(item, DCM_ReferencedSOPInstanceUID);
    facts.frame_of_reference_uid = text_of(root, DCM_FrameOfReferenceUID);
    int beams = 0;
    for (const DicomItem& plan : items_of(root, DCM_ReferencedRTPlanSequence)) {
        if (text_of(plan, DCM_ReferencedSOPInstanceUID) != facts.plan_uid) continue;
        for (const DicomItem& group : items_of(plan, DCM_ReferencedFractionGroupSequence)) {
            facts.fraction_group = integer_of(group, DCM_ReferencedFractionGroupNumber).value_or(0);
            for (const DicomItem& beam : items_of(group, DCM_ReferencedBeamSequence))
                facts.beam_number = ++beams == 1 ? integer_of(beam, DCM_ReferencedBeamNumber).value_or(0) : 0;
        }
    }
    return facts;
}

CtFacts read_ct_facts(const std::filesystem::path& path) {
    const DicomFile file(path);
    const DicomItem root = file.root();
    const std::string sop_class = text_of(root, DCM_SOPClassUID);
    if (sop_class != UID_EnhancedCTImageStorage) require_class(root, UID_CTImageStorage, "a CT image");
    CtFacts facts;
    facts.patient = patient_of(root);
    facts.series_uid = text_of(root, DCM_SeriesInstanceUID);
    facts.frame_of_reference_uid = text_of(root, DCM_FrameOfReferenceUID);
    facts.date = text_of(root, DCM_AcquisitionDate);
    if (facts.date.empty()) facts.date = text_of(root, DCM_ContentDate);
    if (facts.date.empty()) facts.date = text_of(root, DCM_StudyDate);
    facts.manufacturer = text_of(root, DCM_Manufacturer);
    facts.model = text_of(root, DCM_ManufacturerModelName);
    facts.station = text_of(root, DCM_StationName);
    facts.kernel = text_of(root, DCM_ConvolutionKernel);
    facts.tube_kv = number_of(root, DCM_KVP);
    return facts;
}

}  // namespace libdose::io
