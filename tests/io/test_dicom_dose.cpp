#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcspchrs.h>
#include <dcmtk/dcmdata/dctk.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/utf8.h"
#include "libdose/io/dicom.h"
#include "support/temporary_folder.h"

using namespace libdose;
using test::message_of;

namespace {

Dose some_dose() {
    Dose dose;
    dose.gy = Volume<float>(Grid{{5, 4, 3}, Vec3(2.5, 3, 4), Vec3(-10.123456, 20, -30)});
    for (std::size_t v = 0; v < dose.gy.values.size(); ++v) dose.gy.values[v] = 0.37f * static_cast<float>(v);
    dose.frame_of_reference_uid = "1.2.3.9";
    dose.referenced_plan_uid = "6.1";
    dose.referenced_structure_set_uid = "5.1";
    dose.provenance.engine = "collapsed-cone";
    dose.provenance.engine_version = "0.1.0";
    dose.provenance.model_hashes["generic-6MV"] = std::string(64, 'a');
    dose.provenance.settings["grid_mm"] = "2.5";
    dose.provenance.hu_curve_hash = std::string(64, 'b');
    return dose;
}

CtImage some_ct() {
    CtImage ct;
    ct.patient_id = "P1";
    ct.patient_name = "Test^Patient";
    ct.study_uid = "1.2.3";
    ct.frame_of_reference_uid = "1.2.3.9";
    return ct;
}

/// Rewrites one element of a dose file.
void change(const std::filesystem::path& file, const std::function<void(DcmDataset&)>& action) {
    DcmFileFormat format;
    format.loadFile(file.c_str());
    format.loadAllDataIntoMemory();
    action(*format.getDataset());
    format.saveFile(file.c_str(), EXS_LittleEndianExplicit);
}

}  // namespace

TEST(RtDose, WhatIsWrittenIsReadBack) {
    test::TemporaryFolder folder;
    const Dose dose = some_dose();
    const std::string uid = io::write_dose(dose, some_ct(), folder / "d.dcm");
    const Dose back = io::read_dose(folder / "d.dcm");
    EXPECT_EQ(back.sop_instance_uid, uid);
    EXPECT_EQ(back.gy.grid.size, dose.gy.grid.size);
    EXPECT_LT((back.gy.grid.origin_mm - dose.gy.grid.origin_mm).norm(), 1e-9);
    EXPECT_TRUE(back.gy.grid.spacing_mm.isApprox(dose.gy.grid.spacing_mm));
    for (std::size_t v = 0; v < dose.gy.values.size(); ++v)
        EXPECT_NEAR(back.gy.values[v], dose.gy.values[v], 1e-5);
    EXPECT_EQ(back.summation, DoseSummation::plan);
    EXPECT_EQ(back.type, "PHYSICAL");
    EXPECT_EQ(back.referenced_plan_uid, "6.1");
    EXPECT_EQ(back.referenced_structure_set_uid, "5.1");
    // Nothing else stays in the folder.
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(RtDose, NamesAreWrittenInUtf8) {
    test::TemporaryFolder folder;
    Dose dose = some_dose();
    CtImage ct = some_ct();
    ct.patient_name = "Größe^左肺";
    dose.comment = std::string(45, '-') + "ööööööööööööööööööööööööööööööö";
    io::write_dose(dose, ct, folder / "d.dcm");
    DcmFileFormat format;
    ASSERT_TRUE(format.loadFile((folder / "d.dcm").c_str()).good());
    OFString set, name, comment;
    format.getDataset()->findAndGetOFString(DCM_SpecificCharacterSet, set);
    format.getDataset()->findAndGetOFString(DCM_PatientName, name);
    format.getDataset()->findAndGetOFString(DCM_DoseComment, comment);
    EXPECT_EQ(set, "ISO_IR 192");
    EXPECT_EQ(name, "Größe^左肺");
    EXPECT_TRUE(is_utf8(comment.c_str())) << comment;
    EXPECT_EQ(DcmSpecificCharacterSet::countCharactersInUTF8String(comment), 64u)
        << "the limit is in characters";
}

TEST(RtDose, ElementsByHand) {
    test::TemporaryFolder folder;
    Dose dose = some_dose();
    dose.summation = DoseSummation::beam;
    dose.beam_number = 7;
    dose.fraction_group = 2;
    io::write_dose(dose, some_ct(), folder / "d.dcm");
    DcmFileFormat format;
    ASSERT_TRUE(format.loadFile((folder / "d.dcm").c_str()).good());
    DcmDataset& d = *format.getDataset();
    const auto text = [&](DcmItem& item, DcmTagKey tag) {
        OFString value;
        item.findAndGetOFStringArray(tag, value);
        return std::string(value.c_str());
    };
    EXPECT_EQ(text(d, DCM_DoseUnits), "GY");
    EXPECT_EQ(text(d, DCM_DoseType), "PHYSICAL");
    EXPECT_EQ(text(d, DCM_DoseSummationType), "BEAM");
    EXPECT_EQ(text(d, DCM_GridFrameOffsetVector), "0\\4\\8");
    EXPECT_EQ(text(d, DCM_PixelSpacing), "3\\2.5");  // rows (y) first
    EXPECT_EQ(text(d, DCM_PatientID), "P1");
    EXPECT_EQ(text(d, DCM_FrameOfReferenceUID), "1.2.3.9");
    Uint16 bits = 0;
    d.findAndGetUint16(DCM_BitsAllocated, bits);
    EXPECT_EQ(bits, 32);
    DcmItem *plan = nullptr, *group = nullptr, *beam = nullptr, *equipment = nullptr;
    ASSERT_TRUE(d.findAndGetSequenceItem(DCM_ReferencedRTPlanSequence, plan).good());
    ASSERT_TRUE(plan->findAndGetSequenceItem(DCM_ReferencedFractionGroupSequence, group).good());
    EXPECT_EQ(text(*group, DCM_ReferencedFractionGroupNumber), "2");
    ASSERT_TRUE(group->findAndGetSequenceItem(DCM_ReferencedBeamSequence, beam).good());
    EXPECT_EQ(text(*beam, DCM_ReferencedBeamNumber), "7");
    ASSERT_TRUE(d.findAndGetSequenceItem(DCM_ContributingEquipmentSequence, equipment).good());
    const std::string provenance = text(*equipment, DCM_ContributionDescription);
    EXPECT_NE(provenance.find(std::string(64, 'a')), std::string::npos);
    EXPECT_NE(provenance.find(std::string(64, 'b')), std::string::npos);
    EXPECT_NE(provenance.find("grid_mm = 2.5"), std::string::npos);
    const Dose back = io::read_dose(folder / "d.dcm");
    EXPECT_EQ(back.beam_number, 7);
    EXPECT_EQ(back.fraction_group, 2);
}

TEST(RtDose, FramesAndAxesInAnyOrder) {
    test::TemporaryFolder folder;
    Dose dose = some_dose();
    io::write_dose(dose, some_ct(), folder / "d.dcm");
    // Frames downwards: the same pixels belong to mirrored z.
    change(folder / "d.dcm",
           [](DcmDataset& d) { d.putAndInsertString(DCM_GridFrameOffsetVector, "0\\-4\\-8"); });
    Dose back = io::read_dose(folder / "d.dcm");
    EXPECT_NEAR(back.gy.grid.origin_mm[2], -38, 1e-9);
    EXPECT_NEAR(back.gy.at(1, 2, 2), dose.gy.at(1, 2, 0), 1e-5);
    // Absolute offsets.
    change(folder / "d.dcm",
           [](DcmDataset& d) { d.putAndInsertString(DCM_GridFrameOffsetVector, "-30\\-26\\-22"); });
    back = io::read_dose(folder / "d.dcm");
    EXPECT_NEAR(back.gy.grid.origin_mm[2], -30, 1e-9);
    EXPECT_NEAR(back.gy.at(1, 2, 2), dose.gy.at(1, 2, 2), 1e-5);
    // x and y mirrored (head first prone): column 0 is at the largest x.
    change(folder / "d.dcm", [](DcmDataset& d) {
        d.putAndInsertString(DCM_GridFrameOffsetVector, "0\\4\\8");
        d.putAndInsertString(DCM_ImageOrientationPatient, "-1\\0\\0\\0\\-1\\0");
    });
    back = io::read_dose(folder / "d.dcm");
    EXPECT_NEAR(back.gy.grid.origin_mm[0], -10.123456 - 4 * 2.5, 1e-6);
    EXPECT_NEAR(back.gy.at(4, 3, 0), dose.gy.at(0, 0, 0), 1e-5);
    EXPECT_NEAR(back.gy.at(3, 3, 1), dose.gy.at(1, 0, 1), 1e-5);
}

TEST(RtDose, SixteenBits) {
    test::TemporaryFolder folder;
    io::write_dose(some_dose(), some_ct(), folder / "d.dcm");
    change(folder / "d.dcm", [](DcmDataset& d) {
        d.putAndInsertUint16(DCM_BitsAllocated, 16);
        d.putAndInsertString(DCM_DoseGridScaling, "0.001");
        std::vector<Uint16> pixels(60);
        for (std::size_t p = 0; p < 60; ++p) pixels[p] = static_cast<Uint16>(1000 + p);
        d.putAndInsertUint16Array(DCM_PixelData, pixels.data(), 60);
    });
    EXPECT_NEAR(io::read_dose(folder / "d.dcm").gy.at(4, 3, 2), 1.059, 1e-6);
}

TEST(RtDose, BadInputNamesTheTag) {
    test::TemporaryFolder folder;
    const auto error_after = [&](const std::function<void(DcmDataset&)>& action) {
        io::write_dose(some_dose(), some_ct(), folder / "d.dcm");
        change(folder / "d.dcm", action);
        return message_of([&] { io::read_dose(folder / "d.dcm"); });
    };
    EXPECT_NE(error_after([](DcmDataset& d) {
                  d.putAndInsertString(DCM_DoseUnits, "RELATIVE");
              }).find("(3004,0002)"),
              std::string::npos);
    EXPECT_NE(
        error_after([](DcmDataset& d) { d.findAndDeleteElement(DCM_DoseGridScaling); }).find("(3004,000e)"),
        std::string::npos);
    EXPECT_NE(error_after([](DcmDataset& d) {
                  d.putAndInsertString(DCM_DoseGridScaling, "0");
              }).find("not positive"),
              std::string::npos);
    EXPECT_NE(error_after([](DcmDataset& d) {
                  d.putAndInsertString(DCM_GridFrameOffsetVector, "0\\4\\9");
              }).find("evenly"),
              std::string::npos);
    EXPECT_NE(error_after([](DcmDataset& d) {
                  d.putAndInsertString(DCM_GridFrameOffsetVector, "0\\4");
              }).find("(3004,000c)"),
              std::string::npos);
    EXPECT_NE(error_after([](DcmDataset& d) {
                  d.putAndInsertString(DCM_GridFrameOffsetVector, "100\\104\\108");
              }).find("first frame offset"),
              std::string::npos);
    EXPECT_NE(error_after([](DcmDataset& d) { d.putAndInsertUint16(DCM_Rows, 99); }).find("shorter"),
              std::string::npos);
    EXPECT_NE(error_after([](DcmDataset& d) { d.findAndDeleteElement(DCM_PixelData); }).find("(7fe0,0010)"),
              std::string::npos);
    EXPECT_NE(error_after([](DcmDataset& d) {
                  d.putAndInsertString(DCM_ImageOrientationPatient, "0.8\\0.6\\0\\-0.6\\0.8\\0");
              }).find("turned"),
              std::string::npos);
    EXPECT_NE(error_after([](DcmDataset& d) {
                  d.putAndInsertString(DCM_DoseSummationType, "CONTROL_POINT");
              }).find("CONTROL_POINT"),
              std::string::npos);
    EXPECT_NE(message_of([&] { io::read_dose(folder / "none.dcm"); }).find("none.dcm"), std::string::npos);
}

TEST(RtDose, NothingIsLeftOfAFailedWrite) {
    test::TemporaryFolder folder;
    Dose broken = some_dose();
    broken.gy.values[7] = std::nanf("");
    EXPECT_NE(message_of([&] { io::write_dose(broken, some_ct(), folder / "d.dcm"); }).find("not finite"),
              std::string::npos);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    EXPECT_NE(message_of([&] {
                  io::write_dose(some_dose(), some_ct(), folder / "absent/d.dcm");
              }).find("cannot be written"),
              std::string::npos);
}
