#include <dcmtk/dcmdata/dcrleerg.h>
#include <gtest/gtest.h>

#include <fstream>

#include "libdose/io/dicom.h"
#include "support/ct_fixture.h"
#include "support/temporary_folder.h"

using namespace libdose;
using test::CtOptions;
using test::message_of;
using test::write_slice;

namespace {

class CtReading : public ::testing::Test {
protected:
    std::vector<std::filesystem::path> files;
    test::TemporaryFolder folder;
    void add(double z, const CtOptions& options = {}) {
        files.push_back(folder / ("image" + std::to_string(files.size())));
        write_slice(files.back(), z, options);
    }
    std::string error() {
        return message_of([&] { io::read_ct(files); });
    }
};

}  // namespace

TEST_F(CtReading, PlainSeriesInAnyOrder) {
    for (const double z : {6.0, 0.0, 3.0}) {
        CtOptions o;
        o.stored = [z](int i, int j) { return 1024 + static_cast<int>(z) * 10 + i + 10 * j; };
        add(z, o);
    }
    const CtImage ct = io::read_ct(files);
    EXPECT_EQ(ct.hu.grid.size, (std::array<int, 3>{6, 5, 3}));
    EXPECT_TRUE(ct.hu.grid.spacing_mm.isApprox(Vec3(2, 3, 3)));
    EXPECT_TRUE(ct.hu.grid.origin_mm.isApprox(Vec3(-10, -20, 0)));
    EXPECT_EQ(ct.hu.at(4, 2, 1), 30 + 4 + 20);
    EXPECT_EQ(ct.position, PatientPosition::hfs);
    EXPECT_EQ(ct.patient_id, "P1");
    EXPECT_EQ(ct.sop_instance_uids.size(), 3u);
}

// For every orientation that axial scanners write: the pixel (column 4, row 1) must land where its
// coordinates say.
TEST_F(CtReading, EveryAxialOrientationIsReordered) {
    const struct {
        const char* orientation;
        Vec3 row, column;
    } cases[] = {
        {"1\\0\\0\\0\\1\\0", Vec3(1, 0, 0), Vec3(0, 1, 0)},
        {"-1\\0\\0\\0\\-1\\0", Vec3(-1, 0, 0), Vec3(0, -1, 0)},
        {"-1\\0\\0\\0\\1\\0", Vec3(-1, 0, 0), Vec3(0, 1, 0)},
        {"1\\0\\0\\0\\-1\\0", Vec3(1, 0, 0), Vec3(0, -1, 0)},
        {"0\\1\\0\\-1\\0\\0", Vec3(0, 1, 0), Vec3(-1, 0, 0)},
        {"0\\-1\\0\\1\\0\\0", Vec3(0, -1, 0), Vec3(1, 0, 0)},
        {"0\\1\\0\\1\\0\\0", Vec3(0, 1, 0), Vec3(1, 0, 0)},
        {"0\\-1\\0\\-1\\0\\0", Vec3(0, -1, 0), Vec3(-1, 0, 0)},
    };
    for (const auto& c : cases) {
        SCOPED_TRACE(c.orientation);
        files.clear();
        CtOptions o;
        o.orientation = c.orientation;
        for (const double z : {0.0, 4.0}) add(z, o);
        const CtImage ct = io::read_ct(files);
        for (const auto& [i, j] : {std::pair{4, 1}, std::pair{0, 0}, std::pair{5, 4}}) {
            const Vec3 at = Vec3(-10, -20, 4) + i * 2 * c.row + j * 3 * c.column;
            const Vec3 index = ct.hu.grid.continuous_index(at);
            EXPECT_EQ(
                ct.hu.at(static_cast<int>(std::lround(index[0])), static_cast<int>(std::lround(index[1])), 1),
                1000 + 10 * i + 100 * j - 1024);
        }
    }
}

TEST_F(CtReading, EveryPatientPositionIsKept) {
    for (const char* position : {"HFS", "HFP", "FFS", "FFP", "HFDR", "HFDL", "FFDR", "FFDL"}) {
        files.clear();
        CtOptions o;
        o.patient_position = position;
        add(0, o);
        add(2, o);
        EXPECT_EQ(to_string(io::read_ct(files).position), position);
    }
}

TEST_F(CtReading, RescaleOfEverySliceIsItsOwn) {
    CtOptions a, b;
    a.slope = 2;
    a.intercept = -1000;
    b.slope = 0.5;
    b.intercept = 100;
    add(0, a);
    add(3, b);
    const CtImage ct = io::read_ct(files);
    EXPECT_EQ(ct.hu.at(0, 0, 0), 1000);
    EXPECT_EQ(ct.hu.at(0, 0, 1), 600);
}

TEST_F(CtReading, SignedPixelsOfTwelveBits) {
    CtOptions o;
    o.intercept = 0;
    o.stored = [](int i, int) { return (i - 3) & 0xfff; };  // -3 … 2 in twelve bits
    o.change = [](DcmDataset& d) {
        d.putAndInsertUint16(DCM_BitsStored, 12);
        d.putAndInsertUint16(DCM_HighBit, 11);
        d.putAndInsertUint16(DCM_PixelRepresentation, 1);
    };
    add(0, o);
    add(3, o);
    const CtImage ct = io::read_ct(files);
    EXPECT_EQ(ct.hu.at(0, 0, 0), -3);
    EXPECT_EQ(ct.hu.at(5, 0, 0), 2);
}

TEST_F(CtReading, PaddingIsAirAndIsSaid) {
    CtOptions o;
    o.change = [](DcmDataset& d) {
        d.putAndInsertUint16(DcmTag(DCM_PixelPaddingValue, EVR_US), 1000);
    };  // the pixel (0, 0)
    add(0, o);
    add(3, o);
    const CtImage ct = io::read_ct(files);
    EXPECT_EQ(ct.hu.at(0, 0, 0), -1000);
    EXPECT_EQ(ct.hu.at(1, 0, 0), 1010 - 1024);
    EXPECT_NE(ct.notes.front().find("2 padding pixels"), std::string::npos);
}

TEST_F(CtReading, UnevenSpacingIsInterpolated) {
    for (const double z : {0.0, 2.0, 4.0, 7.0, 10.0}) {
        CtOptions o;
        o.stored = [z](int, int) { return 1024 + static_cast<int>(10 * z); };
        add(z, o);
    }
    const CtImage ct = io::read_ct(files);
    EXPECT_EQ(ct.hu.grid.size[2], 6);
    for (int k = 0; k < 6; ++k) EXPECT_NEAR(ct.hu.at(1, 1, k), 20.0f * static_cast<float>(k), 1e-3f);
    EXPECT_NE(ct.notes.front().find("interpolated"), std::string::npos);
}

TEST_F(CtReading, AMissingSliceIsRefusedByItsPlace) {
    for (const double z : {0.0, 3.0, 6.0, 12.0, 15.0}) add(z);
    EXPECT_NE(error().find("missing between z = 6.000 and 12.000"), std::string::npos) << error();
}

TEST_F(CtReading, DuplicateSlices) {
    for (const double z : {0.0, 3.0, 3.0, 6.0}) add(z);
    EXPECT_EQ(io::read_ct(files).hu.grid.size[2], 3);
    CtOptions other;
    other.stored = [](int, int) { return 7; };
    add(6, other);
    EXPECT_NE(error().find("z = 6.000"), std::string::npos);
}

TEST_F(CtReading, TiltAndObliqueAreRefused) {
    CtOptions o;
    o.orientation = "1\\0\\0\\0\\0.9848078\\-0.1736482";
    add(0, o);
    add(3, o);
    EXPECT_NE(error().find("10.000 degrees"), std::string::npos) << error();
    files.clear();
    CtOptions sagittal;
    sagittal.orientation = "0\\1\\0\\0\\0\\-1";
    add(0, sagittal);
    add(3, sagittal);
    EXPECT_NE(error().find("not axial"), std::string::npos) << error();
    files.clear();
    CtOptions shifted;
    add(0);
    shifted.position[1] += 1;
    add(3, shifted);
    EXPECT_NE(error().find("shifted"), std::string::npos) << error();
}

// Images that were straightened keep the tilt of their scan in the header.
TEST_F(CtReading, ATiltInTheHeaderOfStraightImagesIsSaid) {
    CtOptions o;
    o.change = [](DcmDataset& d) { d.putAndInsertString(DCM_GantryDetectorTilt, "12"); };
    add(0, o);
    add(3, o);
    EXPECT_NE(io::read_ct(files).notes.front().find("12.000 degrees (0018,1120)"), std::string::npos);
    CtOptions sheared = o;
    sheared.position[1] += 6 * 0.2126;  // tan 12 degrees
    add(6, sheared);
    EXPECT_NE(error().find("shifted"), std::string::npos) << error();
}

// 0.02 mm is rounding: one slice, of the two positions the one that makes the stack even.
TEST_F(CtReading, NearlyOnePlaceIsOneSlice) {
    for (const double z : {0.0, 3.0, 2.98, 6.0, 9.0}) add(z);
    const CtImage ct = io::read_ct(files);
    EXPECT_EQ(ct.hu.grid.size[2], 4);
    EXPECT_DOUBLE_EQ(ct.hu.grid.spacing_mm[2], 3);
    EXPECT_NE(ct.notes.front().find("twice"), std::string::npos);
    CtOptions other;
    other.stored = [](int, int) { return 7; };
    add(9.02, other);
    EXPECT_NE(error().find("slices at z = 9.000 and 9.020"), std::string::npos) << error();
    EXPECT_NE(error().find("image4 and image5"), std::string::npos) << error();
}

// One small step says nothing of the rest: 3 mm slices and one of 0.15 are not 200 layers.
TEST_F(CtReading, OneSmallStepDoesNotMakeAFineGrid) {
    for (const double z : {0.0, 3.0, 6.0, 9.0, 9.15, 12.15, 15.15, 18.15}) {
        CtOptions o;
        o.stored = [z](int, int) { return 1024 + static_cast<int>(std::lround(100 * z)); };
        add(z, o);
    }
    const CtImage ct = io::read_ct(files);
    EXPECT_EQ(ct.hu.grid.size[2], 26);  // 18.15 mm in steps of at most 0.75
    for (int k = 0; k < 26; ++k)
        EXPECT_NEAR(ct.hu.at(1, 1, k), 100 * 18.15f / 25 * static_cast<float>(k), 1e-2f);
}

TEST_F(CtReading, SpacingsThatAreRoundedOtherwiseAreOne) {
    CtOptions rounded, other;
    rounded.change = [](DcmDataset& d) {
        d.putAndInsertString(DCM_PixelSpacing, "3.0002\\2.01");
    };  // 6 columns: 0.06 mm
    other.change = [](DcmDataset& d) {
        d.putAndInsertString(DCM_PixelSpacing, "3\\2.05");
    };  // 6 columns: 0.3 mm
    add(0, rounded);
    add(3);
    add(6);
    const CtImage ct = io::read_ct(files);
    EXPECT_TRUE(ct.hu.grid.spacing_mm.isApprox(Vec3(2, 3, 3)));
    EXPECT_NE(ct.notes.front().find("1 slices have a pixel spacing"), std::string::npos) << ct.notes.front();
    add(9, other);
    EXPECT_NE(error().find("pixel spacing [image1 and image3]"), std::string::npos) << error();
}

// What can be no slice is left out by name, broken or not; a broken slice is an error.
TEST_F(CtReading, OtherPicturesOfTheSeries) {
    CtOptions sagittal, scout, screen;
    sagittal.orientation = "0\\1\\0\\0\\0\\-1";
    scout.change = [](DcmDataset& d) { d.putAndInsertString(DCM_ImageType, "ORIGINAL\\PRIMARY\\LOCALIZER"); };
    screen.columns = 9;
    screen.change = [](DcmDataset& d) { d.putAndInsertString(DCM_ImageType, "DERIVED\\SECONDARY\\REPORT"); };
    add(0);
    add(3);
    add(6);
    add(50, sagittal);
    add(60, scout);
    add(70, screen);
    std::filesystem::resize_file(files[4], std::filesystem::file_size(files[4]) - 20);
    const CtImage ct = io::read_ct(files);
    EXPECT_EQ(ct.hu.grid.size[2], 3);
    std::string notes;
    for (const std::string& note : ct.notes) notes += note + "\n";
    for (const char* words :
         {"1 not axial images are left out (image3)", "1 localizer images are left out (image4)",
          "1 derived images are left out (image5)"})
        EXPECT_NE(notes.find(words), std::string::npos) << notes;
}

TEST_F(CtReading, LocalizersAreLeftOut) {
    CtOptions scout;
    scout.change = [](DcmDataset& d) { d.putAndInsertString(DCM_ImageType, "ORIGINAL\\PRIMARY\\LOCALIZER"); };
    add(50, scout);
    add(0);
    add(3);
    const CtImage ct = io::read_ct(files);
    EXPECT_EQ(ct.hu.grid.size[2], 2);
    EXPECT_NE(ct.notes.front().find("localizer"), std::string::npos);
}

TEST_F(CtReading, CompressedRle) {
    DcmRLEEncoderRegistration::registerCodecs();
    CtOptions o;
    o.syntax = EXS_RLELossless;
    add(0, o);
    add(3, o);
    EXPECT_EQ(io::read_ct(files).hu.at(4, 2, 1), 1000 + 40 + 200 - 1024);
}

TEST_F(CtReading, EnhancedMultiFrame) {
    CtOptions o;
    o.rows = 10;  // two frames of five rows
    o.change = [](DcmDataset& d) {
        d.putAndInsertString(DCM_SOPClassUID, UID_EnhancedCTImageStorage);
        d.putAndInsertUint16(DCM_Rows, 5);
        d.putAndInsertString(DCM_NumberOfFrames, "2");
        for (const DcmTagKey& tag : {DCM_ImagePositionPatient, DCM_ImageOrientationPatient, DCM_PixelSpacing,
                                     DCM_RescaleSlope, DCM_RescaleIntercept})
            d.findAndDeleteElement(tag);
        DcmItem *shared = nullptr, *item = nullptr, *frame = nullptr;
        d.findOrCreateSequenceItem(DCM_SharedFunctionalGroupsSequence, shared, 0);
        shared->findOrCreateSequenceItem(DCM_PixelMeasuresSequence, item, 0);
        item->putAndInsertString(DCM_PixelSpacing, "3\\2");
        shared->findOrCreateSequenceItem(DCM_PlaneOrientationSequence, item, 0);
        item->putAndInsertString(DCM_ImageOrientationPatient, "1\\0\\0\\0\\1\\0");
        for (int f = 0; f < 2; ++f) {
            d.findOrCreateSequenceItem(DCM_PerFrameFunctionalGroupsSequence, frame, -2);
            frame->findOrCreateSequenceItem(DCM_PlanePositionSequence, item, 0);
            item->putAndInsertString(DCM_ImagePositionPatient, f == 0 ? "-10\\-20\\5" : "-10\\-20\\0");
            frame->findOrCreateSequenceItem(DCM_PixelValueTransformationSequence, item, 0);
            item->putAndInsertString(DCM_RescaleSlope, "1");
            item->putAndInsertString(DCM_RescaleIntercept, f == 0 ? "-1000" : "-2000");
            item->putAndInsertString(DCM_RescaleType, "HU");
        }
    };
    add(0, o);
    const CtImage ct = io::read_ct(files);
    EXPECT_EQ(ct.hu.grid.size, (std::array<int, 3>{6, 5, 2}));
    EXPECT_EQ(ct.hu.at(1, 0, 1), 1010 - 1000);  // first frame, higher up
    EXPECT_EQ(ct.hu.at(1, 0, 0), 1510 - 2000);  // second frame: rows 5 … 9
}

TEST_F(CtReading, BadInputNamesFileAndTag) {
    const struct {
        const char* name;
        DcmTagKey tag;
    } required[] = {{"(0020,0032)", DCM_ImagePositionPatient},
                    {"(0020,0037)", DCM_ImageOrientationPatient},
                    {"(0028,0030)", DCM_PixelSpacing},
                    {"(0028,0010)", DCM_Rows},
                    {"(7fe0,0010)", DCM_PixelData},
                    {"(0028,1053)", DCM_RescaleSlope},
                    {"(0028,0100)", DCM_BitsAllocated},
                    {"(0020,0052)", DCM_FrameOfReferenceUID}};
    for (const auto& r : required) {
        files.clear();
        CtOptions o;
        o.change = [&](DcmDataset& d) { d.findAndDeleteElement(r.tag); };
        add(0);
        add(3, o);
        EXPECT_NE(error().find(r.name), std::string::npos) << error();
        EXPECT_NE(error().find("image1"), std::string::npos) << error();
    }
    const auto changed = [&](DcmTagKey tag, const char* text) {
        files.clear();
        CtOptions o;
        o.change = [=](DcmDataset& d) { d.putAndInsertString(tag, text); };
        add(0, o);
        add(3, o);
        return error();
    };
    EXPECT_NE(changed(DCM_PixelSpacing, "nan\\1").find("(0028,0030)"), std::string::npos);
    EXPECT_NE(changed(DCM_PixelSpacing, "-1\\1").find("not positive"), std::string::npos);
    EXPECT_NE(changed(DCM_RescaleType, "OD").find("not HU"), std::string::npos);
    EXPECT_NE(changed(DCM_PhotometricInterpretation, "MONOCHROME1").find("MONOCHROME1"), std::string::npos);
    EXPECT_NE(changed(DCM_PatientPosition, "SITTING").find("SITTING"), std::string::npos);
    EXPECT_NE(changed(DCM_ImageOrientationPatient, "1\\0\\0\\1\\0\\0").find("right angles"),
              std::string::npos);
}

TEST_F(CtReading, MixedSeriesAndSizesAreRefused) {
    CtOptions other;
    other.series = "9.9";
    add(0);
    add(3, other);
    EXPECT_NE(error().find("different CT series"), std::string::npos);
    files.clear();
    CtOptions wide;
    wide.columns = 7;
    add(0);
    add(3, wide);
    EXPECT_NE(error().find("differ in size"), std::string::npos);
    files.clear();
    add(0);
    EXPECT_NE(error().find("single slice"), std::string::npos);
    files.clear();
    EXPECT_NE(error().find("no CT"), std::string::npos);
}

TEST_F(CtReading, TruncatedPixelsAreNoticed) {
    add(0);
    add(3);
    std::filesystem::resize_file(files[1], std::filesystem::file_size(files[1]) - 20);
    EXPECT_NE(error().find("image1"), std::string::npos) << error();
}
