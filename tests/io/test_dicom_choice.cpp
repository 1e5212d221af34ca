// Which object is used: copies, two contents of one UID, several CT series, links, broken files.
#include <dcmtk/dcmdata/dcrleerg.h>
#include <gtest/gtest.h>

#include <fstream>

#include "libdose/io/dicom.h"
#include "support/ct_fixture.h"
#include "support/temporary_folder.h"

using namespace libdose;
using test::message_of;

namespace {

/// Three slices of series 7.7, its structure set and a plan; what is named and how often is up to each test.
class Choice : public ::testing::Test {
protected:
    test::TemporaryFolder folder;
    void object(const std::string& name, const char* sop_class, const std::string& uid,
                const std::function<void(DcmDataset&)>& change,
                E_TransferSyntax syntax = EXS_LittleEndianExplicit) {
        DcmFileFormat format;
        DcmDataset& d = *format.getDataset();
        d.putAndInsertString(DCM_SOPClassUID, sop_class);
        d.putAndInsertString(DCM_SOPInstanceUID, uid.c_str());
        d.putAndInsertString(DCM_PatientID, "P1");
        d.putAndInsertString(DCM_FrameOfReferenceUID, "1.2.3.9");
        change(d);
        format.saveFile((folder / name).c_str(), syntax);
    }
    void plan(const std::string& name, const char* label = "plan",
              E_TransferSyntax syntax = EXS_LittleEndianExplicit) {
        object(
            name, UID_RTPlanStorage, "6.1",
            [&](DcmDataset& d) {
                d.putAndInsertString(DCM_RTPlanLabel, label);
                DcmItem* item = nullptr;
                d.findOrCreateSequenceItem(DCM_ReferencedStructureSetSequence, item, 0);
                item->putAndInsertString(DCM_ReferencedSOPInstanceUID, "5.1");
            },
            syntax);
    }
    void structures(const std::vector<std::string>& series, const std::string& image = {}) {
        object("RS", UID_RTStructureSetStorage, "5.1", [&](DcmDataset& d) {
            DcmItem *frame = nullptr, *study = nullptr, *item = nullptr, *named = nullptr;
            d.findOrCreateSequenceItem(DCM_ReferencedFrameOfReferenceSequence, frame, 0);
            frame->putAndInsertString(DCM_FrameOfReferenceUID, "1.2.3.9");
            frame->findOrCreateSequenceItem(DCM_RTReferencedStudySequence, study, 0);
            for (const std::string& uid : series) {
                study->findOrCreateSequenceItem(DCM_RTReferencedSeriesSequence, item, -2);
                item->putAndInsertString(DCM_SeriesInstanceUID, uid.c_str());
                if (image.empty()) continue;
                item->findOrCreateSequenceItem(DCM_ContourImageSequence, named, 0);
                named->putAndInsertString(DCM_ReferencedSOPInstanceUID, image.c_str());
            }
        });
    }
    void slices(const std::string& series, const std::string& uid,
                E_TransferSyntax syntax = EXS_LittleEndianExplicit, int brighter = 0) {
        for (int k = 0; k < 3; ++k) {
            test::CtOptions o;
            o.series = series;
            o.syntax = syntax;
            o.stored = [=](int i, int j) { return 1000 + brighter + i + 10 * j; };
            o.change = [&](DcmDataset& d) {
                d.putAndInsertString(DCM_SOPInstanceUID, (uid + "." + std::to_string(k)).c_str());
            };
            const std::string name = "CT" + series + std::to_string(static_cast<int>(syntax)) +
                                     std::to_string(brighter) + "-" + std::to_string(k);
            test::write_slice(folder / name, 3.0 * k, o);
        }
    }
    io::DicomCase chosen(const std::string& series = {}) {
        return io::select_case(io::index_dicom({folder.path()}), {}, series);
    }
    std::string error(const std::string& series = {}) {
        return message_of([&] { chosen(series); });
    }
    static std::string text(const io::DicomCase& found) {
        std::string all;
        for (const std::string& note : found.notes) all += note + "\n";
        return all;
    }
};

}  // namespace

TEST_F(Choice, CopiesCountOnceWhateverTheirEncoding) {
    DcmRLEEncoderRegistration::registerCodecs();
    plan("RP");
    plan("RP2", "plan", EXS_LittleEndianImplicit);
    plan("RP3", "plan", EXS_BigEndianExplicit);
    structures({"7.7"});
    slices("7.7", "8");
    slices("7.7", "8", EXS_RLELossless);
    const io::DicomCase found = chosen();
    EXPECT_EQ(found.ct.size(), 3u);
    EXPECT_NE(text(found).find("5 are copies of others"), std::string::npos) << text(found);
}

TEST_F(Choice, OneUidWithTwoContentsIsRefusedByItsFiles) {
    plan("RP");
    plan("RP2", "plam");
    structures({"7.7"});
    slices("7.7", "8");
    EXPECT_NE(error().find("6.1"), std::string::npos) << error();
    EXPECT_NE(error().find("RP and "), std::string::npos) << error();
    EXPECT_NE(error().find("RP2"), std::string::npos) << error();
    std::filesystem::remove(folder / "RP2");
    slices("7.7", "8", EXS_LittleEndianExplicit, 1);
    EXPECT_NE(error().find("CT7.7"), std::string::npos) << error();
    EXPECT_NE(error().find("8.0"), std::string::npos) << error();
}

TEST_F(Choice, OfSeveralSeriesNoneIsTakenUnasked) {
    plan("RP");
    structures({"7.7", "7.8"});
    slices("7.7", "8");
    EXPECT_EQ(chosen().ct.front().series_uid, "7.7");  // the other is not there, and no other one
    slices("7.8", "9");
    EXPECT_NE(error().find("names several CT series"), std::string::npos) << error();
    for (const char* uid : {"7.7", "7.8"}) {
        EXPECT_NE(error().find(uid), std::string::npos) << error();
        EXPECT_EQ(chosen(uid).ct.front().series_uid, uid);
    }
    EXPECT_NE(error("7.9").find("no CT series 7.9"), std::string::npos) << error("7.9");
    structures({"7.9", "7.7"});
    EXPECT_NE(error().find("7.9, which is not among the files"), std::string::npos) << error();
    structures({"7.8"});
    EXPECT_EQ(chosen().ct.front().series_uid, "7.8");
    EXPECT_EQ(chosen("7.7").ct.front().series_uid, "7.7");
}

TEST_F(Choice, LinksAreFollowedAndEndInACircle) {
    test::TemporaryFolder elsewhere;
    plan("RP");
    structures({"7.7"});
    slices("7.7", "8");
    std::filesystem::create_directory_symlink(folder.path(), elsewhere / "patient");
    std::filesystem::create_directory_symlink(elsewhere.path(), folder / "up");
    std::filesystem::create_symlink("/nonexistent", folder / "nowhere");
    EXPECT_EQ(io::index_dicom({elsewhere.path()}).entries.size(), 5u);
    EXPECT_EQ(io::index_dicom({folder.path(), elsewhere.path(), folder / "RP"}).entries.size(), 5u);
}

TEST_F(Choice, ABrokenFileIsAnErrorWhereItIsNeeded) {
    const auto cut = [&](const std::string& name) {
        std::filesystem::resize_file(folder / name, std::filesystem::file_size(folder / name) - 10);
    };
    const auto spoil = [&](const std::string& name) {
        std::ofstream(folder / name) << std::string(128, '\0') << "DICM" << std::string(40, '\xff');
    };
    plan("RP");
    structures({"7.7"}, "8.1");
    slices("7.7", "8");
    spoil("noise");
    EXPECT_NE(text(chosen()).find("noise cannot be read"), std::string::npos) << text(chosen());
    spoil("CT7.720-1");  // the image that the set names: whose the two nameless files are nobody knows
    EXPECT_NE(error().find("cannot be read"), std::string::npos) << error();
    slices("7.7", "8");
    cut("RS");
    EXPECT_NE(error().find("RS"), std::string::npos) << error();
    structures({"7.7"}, "8.7");
    std::filesystem::remove(folder / "noise");
    EXPECT_NE(text(chosen()).find("1 of the 1 images"), std::string::npos) << text(chosen());
    cut("RP");
    EXPECT_NE(error().find("RP"), std::string::npos) << error();
}
