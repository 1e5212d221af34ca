// What DICOM objects say of themselves.
#include <gtest/gtest.h>

#include "libdose/dose.h"
#include "libdose/error.h"
#include "libdose/io/dicom.h"
#include "libdose/io/dicom_facts.h"
#include "support/ct_fixture.h"
#include "support/rt_fixture.h"
#include "support/temporary_folder.h"

namespace libdose::io {

using test::add_item;
using test::put;

void put_patient(DcmItem& root) {
    put(root, DCM_SpecificCharacterSet, "ISO_IR 100");
    put(root, DCM_PatientName, "M\xfcller^Anna ");  // Latin-1
    put(root, DCM_PatientBirthDate, "19600102");
    put(root, DCM_PatientSex, "F");
    put(root, DCM_StudyInstanceUID, "1.2.3");
}

void expect_patient(const PatientFacts& patient) {
    EXPECT_EQ(patient.id, "P1");
    EXPECT_EQ(patient.name, "M\xc3\xbcller^Anna");  // UTF-8
    EXPECT_EQ(patient.birth_date, "19600102");
    EXPECT_EQ(patient.sex, "F");
    EXPECT_EQ(patient.study_uid, "1.2.3");
}

test::PlanSpec plan_spec() {
    test::BeamSpec setup = test::static_beam(7, "setup");
    setup.delivery = "SETUP";
    test::PlanSpec spec = test::plan_of({test::static_beam(3, "anterior"), setup});
    spec.groups[0].references[0].meterset = "123.5";
    spec.groups[0].references[0].dose = "1.8";
    spec.groups[0].references[1].meterset = "";
    return spec;
}

TEST(PlanFacts, SayWhatThePlanStates) {
    test::PlanSpec spec = plan_spec();
    spec.edit = [](DcmItem& root) {
        put_patient(root);
        put(root, DCM_ApprovalStatus, "APPROVED");
        put(root, DCM_ReviewerName, "Physicist");
        put(root, DCM_ReviewDate, "20260101");
        put(add_item(root, DCM_ReferencedDoseSequence), DCM_ReferencedSOPInstanceUID, "1.2.3.51");
        DcmItem& target = add_item(root, DCM_DoseReferenceSequence);
        put(target, DCM_DoseReferenceNumber, "1");
        put(target, DCM_DoseReferenceStructureType, "VOLUME");
        put(target, DCM_DoseReferenceDescription, "PTV");
        put(target, DCM_DoseReferenceType, "TARGET");
        put(target, DCM_ReferencedROINumber, "5");
        put(target, DCM_TargetPrescriptionDose, "+36.0 ");
        put(target, DCM_TargetMaximumDose, "40");
        DcmItem& organ = add_item(root, DCM_DoseReferenceSequence);
        put(organ, DCM_DoseReferenceNumber, "2");
        put(organ, DCM_DoseReferenceType, "ORGAN_AT_RISK");
        put(organ, DCM_OrganAtRiskMaximumDose, "45");
    };
    const PlanFacts facts = read_plan_facts(test::write_plan(spec));
    expect_patient(facts.patient);
    EXPECT_EQ(facts.sop_instance_uid, "1.2.3.99");
    EXPECT_EQ(facts.label, "label");
    EXPECT_EQ(facts.approval, "APPROVED");
    EXPECT_EQ(facts.reviewer, "Physicist");
    EXPECT_EQ(facts.review_date, "20260101");
    EXPECT_EQ(facts.structure_set_uid, "1.2.3.6");
    EXPECT_EQ(facts.frame_of_reference_uid, "1.2.3.4");
    EXPECT_EQ(facts.dose_uids, std::vector<std::string>{"1.2.3.51"});
    ASSERT_EQ(facts.prescriptions.size(), 2u);
    EXPECT_EQ(facts.prescriptions[0].number, 1);
    EXPECT_EQ(facts.prescriptions[0].structure_number, 5);
    EXPECT_EQ(facts.prescriptions[0].structure_type, "VOLUME");
    EXPECT_EQ(facts.prescriptions[0].target_dose_gy, 36.0);
    EXPECT_EQ(facts.prescriptions[0].maximum_dose_gy, 40.0);
    EXPECT_EQ(facts.prescriptions[1].type, "ORGAN_AT_RISK");
    EXPECT_FALSE(facts.prescriptions[1].target_dose_gy);
    EXPECT_EQ(facts.prescriptions[1].maximum_dose_gy, 45.0);
    ASSERT_EQ(facts.fraction_groups.size(), 1u);
    EXPECT_EQ(facts.fraction_groups[0].fractions, 20);
    EXPECT_EQ(facts.fraction_groups[0].stated_beams, 2);
    EXPECT_EQ(facts.fraction_groups[0].beams, (std::vector<int>{3, 7}));
    EXPECT_EQ(facts.fraction_groups[0].beam_mu, (std::map<int, double>{{3, 123.5}}));
    EXPECT_EQ(facts.fraction_groups[0].beam_dose_gy, (std::map<int, double>{{3, 1.8}}));
    EXPECT_EQ(facts.beam_types, (std::map<int, std::string>{{3, "TREATMENT"}, {7, "SETUP"}}));
}

TEST(PlanFacts, WhatIsNoNumberIsEmpty) {
    test::PlanSpec spec = plan_spec();
    spec.groups[0].references[0].dose = "1.8 Gy";
    spec.groups[0].fractions = "20.5";
    const PlanFacts facts = read_plan_facts(test::write_plan(spec));
    EXPECT_TRUE(facts.fraction_groups[0].beam_dose_gy.empty());
    EXPECT_FALSE(facts.fraction_groups[0].fractions);
    EXPECT_TRUE(facts.prescriptions.empty());
    EXPECT_TRUE(facts.dose_uids.empty());
    EXPECT_EQ(facts.reviewer, "");
}

TEST(StructureFacts, SayWhichImagesAreNamed) {
    test::StructureSpec spec;
    spec.rois = {{1, "BODY", "EXTERNAL", {test::square_contour(0), test::square_contour(3)}, {}}};
    spec.edit = [](DcmItem& root) {
        put_patient(root);
        put(root, DCM_ApprovalStatus, "UNAPPROVED");
        DcmItem *frame = nullptr, *study = nullptr, *series = nullptr, *roi = nullptr, *contour = nullptr;
        root.findAndGetSequenceItem(DCM_ReferencedFrameOfReferenceSequence, frame);
        frame->findAndGetSequenceItem(DCM_RTReferencedStudySequence, study);
        study->findAndGetSequenceItem(DCM_RTReferencedSeriesSequence, series);
        for (const char* uid : {"1.5.1", "1.5.2", "1.5.2"})
            put(add_item(*series, DCM_ContourImageSequence), DCM_ReferencedSOPInstanceUID, uid);
        root.findAndGetSequenceItem(DCM_ROIContourSequence, roi);
        for (const long i : {0L, 1L}) {
            roi->findAndGetSequenceItem(DCM_ContourSequence, contour, i);
            put(add_item(*contour, DCM_ContourImageSequence), DCM_ReferencedSOPInstanceUID, "1.5.1");
        }
    };
    const StructureFacts facts = read_structure_facts(test::write_structures(spec));
    expect_patient(facts.patient);
    EXPECT_EQ(facts.sop_instance_uid, "1.2.3.99");
    EXPECT_EQ(facts.label, "label");
    EXPECT_EQ(facts.approval, "UNAPPROVED");
    EXPECT_EQ(facts.series_uids, std::vector<std::string>{"1.2.3.5"});
    EXPECT_EQ(facts.frame_of_reference_uids, std::vector<std::string>{"1.2.3.4"});
    ASSERT_TRUE(facts.series_images.contains("1.2.3.5"));
    EXPECT_EQ(facts.series_images.at("1.2.3.5"), (std::vector<std::string>{"1.5.1", "1.5.2"}));
    EXPECT_EQ(facts.contour_image_uids, std::vector<std::string>{"1.5.1"});
}

TEST(DoseFacts, SayWhatTheDoseIsOf) {
    const test::TemporaryFolder folder;
    Dose dose;
    dose.gy.grid = {{2, 2, 2}, Vec3::Constant(3), Vec3::Zero()};
    dose.gy.values.assign(8, 1.0f);
    dose.summation = DoseSummation::beam;
    dose.beam_number = 4;
    dose.fraction_group = 2;
    dose.frame_of_reference_uid = "1.9";
    dose.referenced_plan_uid = "1.1";
    dose.referenced_plan_class_uid = UID_RTPlanStorage;
    dose.referenced_structure_set_uid = "1.2";
    CtImage patient;
    patient.patient_id = "P1";
    patient.study_uid = "1.2.3";
    const std::string uid = write_dose(dose, patient, folder / "RD.dcm");
    const DoseFacts facts = read_dose_facts(folder / "RD.dcm");
    EXPECT_EQ(facts.file, folder / "RD.dcm");
    EXPECT_EQ(facts.patient.id, "P1");
    EXPECT_EQ(facts.sop_instance_uid, uid);
    EXPECT_EQ(facts.summation, "BEAM");
    EXPECT_EQ(facts.units, "GY");
    EXPECT_EQ(facts.type, "PHYSICAL");
    EXPECT_EQ(facts.plan_uid, "1.1");
    EXPECT_EQ(facts.structure_set_uid, "1.2");
    EXPECT_EQ(facts.frame_of_reference_uid, "1.9");
    EXPECT_EQ(facts.beam_number, 4);
    EXPECT_EQ(facts.fraction_group, 2);
}

TEST(CtFacts, SayWhichScannerAndTube) {
    const test::TemporaryFolder folder;
    test::CtOptions options;
    options.change = [](DcmDataset& d) {
        put_patient(d);
        put(d, DCM_Manufacturer, "Maker");
        put(d, DCM_ManufacturerModelName, "Scanner 7");
        put(d, DCM_StationName, "CT1");
        put(d, DCM_ConvolutionKernel, "Br38");
        put(d, DCM_KVP, "120");
        put(d, DCM_AcquisitionDate, "20251224");
    };
    test::write_slice(folder / "CT.dcm", 0, options);
    const CtFacts facts = read_ct_facts(folder / "CT.dcm");
    expect_patient(facts.patient);
    EXPECT_EQ(facts.series_uid, "1.2.3.4");
    EXPECT_EQ(facts.frame_of_reference_uid, "1.2.3.9");
    EXPECT_EQ(facts.manufacturer, "Maker");
    EXPECT_EQ(facts.model, "Scanner 7");
    EXPECT_EQ(facts.station, "CT1");
    EXPECT_EQ(facts.kernel, "Br38");
    EXPECT_EQ(facts.date, "20251224");
    EXPECT_EQ(facts.tube_kv, 120.0);
}

TEST(Facts, AFileOfAnotherKindIsRefused) {
    const test::TemporaryFolder folder;
    test::write_slice(folder / "CT.dcm", 0);
    for (const auto& read : {+[](const std::filesystem::path& file) { read_plan_facts(file); },
                             +[](const std::filesystem::path& file) { read_structure_facts(file); },
                             +[](const std::filesystem::path& file) { read_dose_facts(file); }})
        EXPECT_NE(test::message_of([&] { read(folder / "CT.dcm"); }).find("this is not an RT "),
                  std::string::npos);
    EXPECT_NE(test::message_of([&] {
                  read_ct_facts(test::write_plan(plan_spec()));
              }).find("this is not a CT image but RTPlanStorage"),
              std::string::npos);
    EXPECT_THROW(read_plan_facts(folder / "nothing.dcm"), Error);
}

}  // namespace libdose::io
