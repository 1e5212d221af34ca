// Kinds of RTDOSE that planning systems write: summations, types, pixels, frames, orientations. Every file is
// written, then changed by hand.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "libdose/io/dicom.h"
#include "libdose/io/hdf5.h"
#include "support/temporary_folder.h"

using namespace libdose;
using test::message_of;
using testing::HasSubstr;

namespace {

/// 5 x 4 x 3 voxels of 2.5 x 3 x 4 mm from (-10, 20, -30) mm: 0.25 Gy more along x, 1 Gy along y, 4 Gy along
/// z.
Dose ramp() {
    Dose dose;
    dose.gy = Volume<float>(Grid{{5, 4, 3}, Vec3(2.5, 3, 4), Vec3(-10, 20, -30)});
    for (int k = 0; k < 3; ++k)
        for (int j = 0; j < 4; ++j)
            for (int i = 0; i < 5; ++i)
                dose.gy.at(i, j, k) =
                    0.25f * static_cast<float>(i) + static_cast<float>(j) + 4.0f * static_cast<float>(k);
    dose.frame_of_reference_uid = "1.2.3.9";
    return dose;
}

class RtDoseKinds : public testing::Test {
protected:
    void write(const Dose& dose = ramp()) {
        CtImage ct;
        ct.patient_id = "P1";
        io::write_dose(dose, ct, file());
    }
    void change(const std::function<void(DcmDataset&)>& action,
                E_TransferSyntax syntax = EXS_LittleEndianExplicit) {
        DcmFileFormat format;
        ASSERT_TRUE(format.loadFile(file().c_str()).good());
        format.loadAllDataIntoMemory();
        action(*format.getDataset());
        ASSERT_TRUE(format.saveFile(file().c_str(), syntax).good());
    }
    void set(DcmTagKey tag, const char* value) {
        change([&](DcmDataset& d) { d.putAndInsertString(tag, value); });
    }
    Dose read() { return io::read_dose(file()); }
    std::string error() {
        return message_of([&] { read(); });
    }
    std::string text(DcmTagKey tag) {
        DcmFileFormat format;
        format.loadFile(file().c_str());
        OFString value;
        format.getDataset()->findAndGetOFStringArray(tag, value);
        return value.c_str();
    }
    std::filesystem::path file() { return folder_ / "d.dcm"; }

    test::TemporaryFolder folder_;
};

}  // namespace

TEST_F(RtDoseKinds, TheNumberOfFractionsIsNotKnown) {
    write();
    EXPECT_FALSE(read().fractions.has_value());
    EXPECT_EQ(read().patient_id, "P1");
}

TEST_F(RtDoseKinds, Summations) {
    write();
    for (const char* name : {"PLAN", "MULTI_PLAN", "FRACTION", "BEAM"}) {
        set(DCM_DoseSummationType, name);
        EXPECT_EQ(to_string(read().summation), name);
        EXPECT_FALSE(read().fractions.has_value());
    }
    // One session is one fraction.
    set(DCM_DoseSummationType, "FRACTION_SESSION");
    EXPECT_EQ(read().summation, DoseSummation::fraction);
    EXPECT_EQ(read().fractions, 1);
    set(DCM_DoseSummationType, "BEAM_SESSION");
    EXPECT_EQ(read().summation, DoseSummation::beam);
    EXPECT_EQ(read().fractions, 1);
    for (const char* name : {"CONTROL_POINT", "RECORD", "BRACHY", "PLAN_OVERVIEW"}) {
        set(DCM_DoseSummationType, name);
        EXPECT_THAT(error(), HasSubstr("(3004,000a)"));
    }
}

TEST_F(RtDoseKinds, SeveralPlansComeBack) {
    Dose dose = ramp();
    dose.summation = DoseSummation::multi_plan;
    dose.referenced_plan_uid = "6.1";
    dose.further_plan_uids = {"6.2", "6.3"};
    write(dose);
    EXPECT_EQ(read().summation, DoseSummation::multi_plan);
    EXPECT_EQ(read().referenced_plan_uid, "6.1");
    EXPECT_EQ(read().further_plan_uids, dose.further_plan_uids);
    io::write_doses_hdf5(dose, {}, folder_ / "d.h5");
    const Dose back = io::read_dose_hdf5(folder_ / "d.h5");
    EXPECT_EQ(back.summation, DoseSummation::multi_plan);
    EXPECT_EQ(back.further_plan_uids, dose.further_plan_uids);
    EXPECT_FALSE(back.fractions.has_value());
}

TEST_F(RtDoseKinds, ADifferenceComesBackSigned) {
    Dose dose = ramp();
    for (float& value : dose.gy.values) value -= 6;  // -6 to 6 Gy
    EXPECT_THAT(message_of([&] { write(dose); }), HasSubstr("negative"));
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
    dose.type = "ERROR";
    write(dose);
    EXPECT_EQ(text(DCM_DoseType), "ERROR");
    EXPECT_EQ(text(DCM_PixelRepresentation), "1");
    const Dose back = read();
    EXPECT_EQ(back.type, "ERROR");
    for (std::size_t v = 0; v < dose.gy.values.size(); ++v)
        EXPECT_NEAR(back.gy.values[v], dose.gy.values[v], 1e-6);
    // Only rounding below zero is taken away from a physical dose.
    dose = ramp();
    dose.gy.values[7] = -1e-6f;
    write(dose);
    EXPECT_EQ(read().gy.values[7], 0.0f);
    EXPECT_EQ(text(DCM_PixelRepresentation), "0");
}

TEST_F(RtDoseKinds, TypesAreKept) {
    write();
    set(DCM_DoseType, "EFFECTIVE");
    EXPECT_EQ(read().type, "EFFECTIVE");
    set(DCM_DoseType, "SOMETHING");
    EXPECT_THAT(error(), HasSubstr("(3004,0004)"));
}

// 31 of 32 bits are in use: the sign changes nothing. With the highest bit, a physical dose of signed pixels
// would be negative or not.
TEST_F(RtDoseKinds, SignedPixelsOfAPhysicalDose) {
    write();
    change([](DcmDataset& d) { d.putAndInsertUint16(DCM_PixelRepresentation, 1); });
    EXPECT_NEAR(read().gy.at(4, 3, 2), 12, 1e-5);
    change([](DcmDataset& d) {
        std::vector<Uint16> words(120, 0);
        words[1] = 0x8000;
        d.putAndInsertUint16Array(DCM_PixelData, words.data(), 120);
    });
    EXPECT_THAT(error(), HasSubstr("(0028,0103)"));
    // Unsigned it is a large dose: 2^31 times the scaling.
    change([](DcmDataset& d) {
        d.putAndInsertUint16(DCM_PixelRepresentation, 0);
        d.putAndInsertString(DCM_DoseGridScaling, "1e-9");
    });
    EXPECT_NEAR(read().gy.values[0], 2.147483648, 1e-6);
    // A difference that does not say whether it is signed.
    set(DCM_DoseType, "ERROR");
    EXPECT_THAT(error(), HasSubstr("(0028,0103)"));
}

TEST_F(RtDoseKinds, SixteenBits) {
    write();
    const auto words = [&](Uint16 first, Uint16 is_signed, const char* type) {
        change([&](DcmDataset& d) {
            d.putAndInsertUint16(DCM_BitsAllocated, 16);
            d.putAndInsertUint16(DCM_BitsStored, 16);
            d.putAndInsertUint16(DCM_HighBit, 15);
            d.putAndInsertUint16(DCM_PixelRepresentation, is_signed);
            d.putAndInsertString(DCM_DoseType, type);
            d.putAndInsertString(DCM_DoseGridScaling, "0.001");
            std::vector<Uint16> pixels(60, 0);
            pixels[0] = first;
            d.putAndInsertUint16Array(DCM_PixelData, pixels.data(), 60);
        });
    };
    words(65000, 0, "PHYSICAL");
    EXPECT_NEAR(read().gy.values[0], 65, 1e-5);
    words(65000, 1, "ERROR");  // 65000 - 65536
    EXPECT_NEAR(read().gy.values[0], -0.536, 1e-6);
    words(65000, 1, "PHYSICAL");
    EXPECT_THAT(error(), HasSubstr("(0028,0103)"));
    // Twelve of the bits, and a value that needs more.
    words(4000, 0, "PHYSICAL");
    change([](DcmDataset& d) {
        d.putAndInsertUint16(DCM_BitsStored, 12);
        d.putAndInsertUint16(DCM_HighBit, 11);
    });
    EXPECT_NEAR(read().gy.values[0], 4, 1e-6);
    change([](DcmDataset& d) {
        std::vector<Uint16> pixels(60, 5000);
        d.putAndInsertUint16Array(DCM_PixelData, pixels.data(), 60);
    });
    EXPECT_THAT(error(), HasSubstr("(0028,0101)"));
    // The order of bytes of the file does not matter.
    words(258, 0, "PHYSICAL");
    change([](DcmDataset&) {}, EXS_BigEndianExplicit);
    EXPECT_NEAR(read().gy.values[0], 0.258, 1e-6);
    words(258, 0, "PHYSICAL");
    change([](DcmDataset&) {}, EXS_LittleEndianImplicit);
    EXPECT_NEAR(read().gy.values[0], 0.258, 1e-6);
}

TEST_F(RtDoseKinds, ThirtyTwoBitsInBigEndianAreRefused) {
    write();
    change([](DcmDataset&) {}, EXS_BigEndianExplicit);
    EXPECT_THAT(error(), HasSubstr("big endian"));
}

TEST_F(RtDoseKinds, ATurnIsReadOnlyWhereItMovesNoVoxel) {
    write();
    const auto turned = [&](double angle) {
        char cosines[100];
        std::snprintf(cosines, sizeof cosines, "%.8f\\%.8f\\0\\%.8f\\%.8f\\0", std::cos(angle),
                      std::sin(angle), -std::sin(angle), std::cos(angle));
        set(DCM_ImageOrientationPatient, cosines);
    };
    // The columns are 9 mm long and stray along x, where a twentieth of a voxel is 0.125 mm: at 0.0139 rad.
    // The rows are 10 mm long and stray along y, 0.15 mm at 0.015 rad.
    turned(0.013);
    EXPECT_NEAR(read().gy.at(4, 3, 2), 12, 1e-5);
    turned(0.0145);
    EXPECT_THAT(error(), HasSubstr("(0020,0037)"));
    EXPECT_THAT(error(), HasSubstr("turned"));
    // About x: the frames reach 8 mm, and stray by 0.16 mm along y.
    set(DCM_ImageOrientationPatient, "1\\0\\0\\0\\0.9998\\0.02");
    EXPECT_THAT(error(), HasSubstr("(0020,0037)"));
    set(DCM_ImageOrientationPatient, "2\\0\\0\\0\\2\\0");
    EXPECT_THAT(error(), HasSubstr("unit vectors"));
}

// DICOM PS3.3 C.8.8.3.2: z of the patient (option b) is for frames towards the head. z of the planes by hand.
TEST_F(RtDoseKinds, OffsetsThatBeginWithZ) {
    write();
    for (const char* cosines : {"1\\0\\0\\0\\1\\0", "-1\\0\\0\\0\\-1\\0"}) {
        set(DCM_ImageOrientationPatient, cosines);
        set(DCM_GridFrameOffsetVector, "-30\\-26\\-22");
        EXPECT_NEAR(read().gy.grid.origin_mm[2], -30, 1e-9);
        set(DCM_GridFrameOffsetVector, "-30\\-34\\-38");
        EXPECT_NEAR(read().gy.grid.origin_mm[2], -38, 1e-9);
        EXPECT_NEAR(read().gy.at(0, 0, 2) - read().gy.at(0, 0, 0), -8, 1e-5);
    }
    for (const char* cosines : {"-1\\0\\0\\0\\1\\0", "1\\0\\0\\0\\-1\\0", "1\\0\\0\\0\\0\\-1"}) {
        set(DCM_ImageOrientationPatient, cosines);
        for (const char* offsets : {"-30\\-26\\-22", "-30\\-34\\-38"}) {
            set(DCM_GridFrameOffsetVector, offsets);
            EXPECT_THAT(error(), HasSubstr("(3004,000c)"));
        }
    }
    // Relative ones go along the normal, here to the feet: z from -30 down to -38.
    set(DCM_ImageOrientationPatient, "-1\\0\\0\\0\\1\\0");
    set(DCM_GridFrameOffsetVector, "0\\4\\8");
    EXPECT_NEAR(read().gy.grid.origin_mm[2], -38, 1e-9);
    EXPECT_NEAR(read().gy.at(0, 0, 2) - read().gy.at(0, 0, 0), -8, 1e-5);
}

TEST_F(RtDoseKinds, OffsetsWithFewDigits) {
    write();
    set(DCM_ImagePositionPatient, "-10\\20\\-30.004");
    set(DCM_GridFrameOffsetVector, "-30\\-26\\-22");
    EXPECT_NEAR(read().gy.grid.origin_mm[2], -30.004, 1e-9);
    // A twentieth of a voxel beside the even grid, and more. Steps of 4: 0.2 mm.
    set(DCM_GridFrameOffsetVector, "0\\4.1\\8");
    EXPECT_NEAR(read().gy.grid.spacing_mm[2], 4, 1e-9);
    set(DCM_GridFrameOffsetVector, "0\\4.3\\8");
    EXPECT_THAT(error(), HasSubstr("evenly"));
    EXPECT_THAT(error(), HasSubstr("(3004,000c)"));
    set(DCM_GridFrameOffsetVector, "0\\0\\0");
    EXPECT_THAT(error(), HasSubstr("(3004,000c)"));
}

TEST_F(RtDoseKinds, OneFrameWithoutThicknessIsAPlane) {
    Dose dose = ramp();
    dose.gy.grid.size[2] = 1;
    dose.gy.values.resize(20);
    write(dose);
    EXPECT_FALSE(read().plane);
    EXPECT_NEAR(read().gy.grid.spacing_mm[2], 4, 1e-9);
    change([](DcmDataset& d) {
        d.putAndInsertString(DCM_SliceThickness, "");
        delete d.remove(DCM_GridFrameOffsetVector);
        delete d.remove(DCM_FrameIncrementPointer);
        delete d.remove(DCM_NumberOfFrames);
    });
    const Dose plane = read();
    EXPECT_TRUE(plane.plane);
    EXPECT_EQ(plane.gy.grid.size, (std::array<int, 3>{5, 4, 1}));
    EXPECT_NEAR(plane.gy.at(4, 3, 0), 4, 1e-5);
    EXPECT_NEAR(dose_at(plane, {Vec3(-5, 26, -30)}).front(), 2.5, 1e-6);
    EXPECT_TRUE(std::isnan(dose_at(plane, {Vec3(-5, 26, -25)}).front()));
    // It is written as one, too.
    write(plane);
    EXPECT_TRUE(read().plane);
    io::write_doses_hdf5(plane, {}, folder_ / "d.h5");
    EXPECT_TRUE(io::read_dose_hdf5(folder_ / "d.h5").plane);
    // A coronal plane: rows along x, columns to the feet.
    set(DCM_ImageOrientationPatient, "1\\0\\0\\0\\0\\-1");
    EXPECT_EQ(read().gy.grid.size, (std::array<int, 3>{5, 1, 4}));
    EXPECT_NEAR(read().gy.grid.origin_mm[2], -30 - 3 * 3, 1e-9);
    EXPECT_NEAR(read().gy.at(0, 0, 0), 3, 1e-5);
    EXPECT_THAT(message_of([&] { write(read()); }), HasSubstr("not axial"));
}

TEST_F(RtDoseKinds, SeveralFramesNeedTheirOffsets) {
    write();
    change([](DcmDataset& d) { delete d.remove(DCM_GridFrameOffsetVector); });
    EXPECT_THAT(error(), HasSubstr("(3004,000c)"));
}

TEST_F(RtDoseKinds, TheDoseOfSeveralBeamsIsOfNoneInParticular) {
    Dose dose = ramp();
    dose.summation = DoseSummation::beam;
    dose.referenced_plan_uid = "6.1";
    dose.beam_number = 3;
    write(dose);
    EXPECT_EQ(read().beam_number, 3);
    change([](DcmDataset& d) {
        DcmItem *plan = nullptr, *group = nullptr, *beam = nullptr;
        ASSERT_TRUE(d.findAndGetSequenceItem(DCM_ReferencedRTPlanSequence, plan).good());
        ASSERT_TRUE(plan->findAndGetSequenceItem(DCM_ReferencedFractionGroupSequence, group).good());
        ASSERT_TRUE(group->findOrCreateSequenceItem(DCM_ReferencedBeamSequence, beam, -2).good());
        beam->putAndInsertString(DCM_ReferencedBeamNumber, "4");
    });
    EXPECT_EQ(read().beam_number, 0);
}

TEST_F(RtDoseKinds, TheMediumOfTheCommentComesBack) {
    Dose dose = ramp();
    dose.medium = DoseMedium::water;
    dose.comment = "B1";
    write(dose);
    EXPECT_EQ(text(DCM_DoseComment), "dose to water, B1");
    EXPECT_EQ(read().medium, DoseMedium::water);
    EXPECT_EQ(read().comment, "B1");
}

TEST_F(RtDoseKinds, PatientAndStudyOfAnyFile) {
    write();
    EXPECT_EQ(io::read_patient(file()).patient_id, "P1");
    EXPECT_EQ(io::read_patient(file()).study_uid, text(DCM_StudyInstanceUID));
    EXPECT_TRUE(io::read_patient(file()).hu.values.empty());
}
