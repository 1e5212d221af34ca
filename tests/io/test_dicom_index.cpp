#include <gtest/gtest.h>

#include <fstream>

#include "libdose/io/dicom.h"
#include "support/ct_fixture.h"
#include "support/temporary_folder.h"

using namespace libdose;
using test::message_of;

namespace {

void write_object(const std::filesystem::path& file, const char* sop_class, const std::string& uid,
                  const char* modality, const std::function<void(DcmDataset&)>& change) {
    DcmFileFormat format;
    DcmDataset& d = *format.getDataset();
    d.putAndInsertString(DCM_SOPClassUID, sop_class);
    d.putAndInsertString(DCM_SOPInstanceUID, uid.c_str());
    d.putAndInsertString(DCM_Modality, modality);
    d.putAndInsertString(DCM_PatientID, "P1");
    d.putAndInsertString(DCM_SeriesInstanceUID, (uid + ".0").c_str());
    change(d);
    format.saveFile(file.c_str(), EXS_LittleEndianExplicit);
}

void write_plan(const std::filesystem::path& file, const std::string& uid, const char* label,
                const char* structures) {
    write_object(file, UID_RTPlanStorage, uid, "RTPLAN", [&](DcmDataset& d) {
        d.putAndInsertString(DCM_RTPlanLabel, label);
        d.putAndInsertString(DCM_FrameOfReferenceUID, "1.2.3.9");
        DcmItem* item = nullptr;
        d.findOrCreateSequenceItem(DCM_ReferencedStructureSetSequence, item, 0);
        item->putAndInsertString(DCM_ReferencedSOPInstanceUID, structures);
    });
}

void write_structures(const std::filesystem::path& file, const std::string& uid, const char* series) {
    write_object(file, UID_RTStructureSetStorage, uid, "RTSTRUCT", [&](DcmDataset& d) {
        d.putAndInsertString(DCM_StructureSetLabel, "SET");
        DcmItem *frame = nullptr, *study = nullptr, *item = nullptr;
        d.findOrCreateSequenceItem(DCM_ReferencedFrameOfReferenceSequence, frame, 0);
        frame->putAndInsertString(DCM_FrameOfReferenceUID, "1.2.3.9");
        frame->findOrCreateSequenceItem(DCM_RTReferencedStudySequence, study, 0);
        study->findOrCreateSequenceItem(DCM_RTReferencedSeriesSequence, item, 0);
        item->putAndInsertString(DCM_SeriesInstanceUID, series);
    });
}

}  // namespace

TEST(DicomIndex, PicksByReferencesAmongMixedFiles) {
    test::TemporaryFolder folder;
    std::filesystem::create_directories(folder / "deep/er");
    test::CtOptions wanted, other;
    wanted.series = "7.7";
    other.series = "8.8";
    for (int k = 0; k < 3; ++k) {
        test::write_slice(folder / ("deep/er/" + std::to_string(k)), 3.0 * k, wanted);
        test::write_slice(folder / ("x" + std::to_string(k)), 3.0 * k, other);
    }
    write_structures(folder / "a", "5.1", "7.7");
    write_structures(folder / "b", "5.2", "8.8");
    write_plan(folder / "c", "6.1", "first", "5.1");
    write_plan(folder / "d", "6.2", "second", "5.2");
    std::ofstream(folder / "readme.txt") << "not DICOM";
    const io::DicomIndex index = io::index_dicom({folder.path()});
    EXPECT_EQ(index.entries.size(), 10u);
    ASSERT_EQ(index.not_dicom.size(), 1u);
    const io::DicomCase first = io::select_case(index, "first");
    EXPECT_EQ(first.plan.front().sop_instance_uid, "6.1");
    EXPECT_EQ(first.structures.front().sop_instance_uid, "5.1");
    ASSERT_EQ(first.ct.size(), 3u);
    EXPECT_EQ(first.ct.front().series_uid, "7.7");
    EXPECT_EQ(io::select_case(index, "6.2").ct.front().series_uid, "8.8");
    EXPECT_NE(message_of([&] { io::select_case(index); }).find("several plans"), std::string::npos);
    EXPECT_NE(message_of([&] { io::select_case(index, "third"); }).find("\"second\""), std::string::npos);
}

TEST(DicomIndex, TheStructureSetOfThePlanHasToBeThereUnlessItIsLeftOut) {
    test::TemporaryFolder folder;
    test::write_slice(folder / "a", 0);
    test::write_slice(folder / "b", 3);
    write_plan(folder / "p", "6.1", "plan", "5.9");
    write_structures(folder / "s", "5.1", "1.2.3.4");
    const io::DicomIndex index = io::index_dicom({folder.path()});
    const std::string absent = message_of([&] { io::select_case(index); });
    EXPECT_NE(absent.find("the structure set that the plan refers to, 5.9, is not among the files"),
              std::string::npos)
        << absent;
    EXPECT_NE(absent.find("5.1 (s)"), std::string::npos) << "another one is listed, not taken: " << absent;
    EXPECT_NE(absent.find("--without-structures"), std::string::npos) << absent;
    const io::DicomCase selected = io::select_case(index, "", "", io::StructureUse::left_out);
    EXPECT_TRUE(selected.structures.empty());
    EXPECT_EQ(selected.ct.size(), 2u);
    std::string notes;
    for (const auto& note : selected.notes) notes += note + "\n";
    EXPECT_NE(notes.find("left out, as asked for"), std::string::npos);
    EXPECT_NE(notes.find("frame of reference"), std::string::npos);
}

TEST(DicomIndex, APlanWithoutReferenceTakesTheOnlyStructureSet) {
    test::TemporaryFolder folder;
    test::write_slice(folder / "a", 0);
    test::write_slice(folder / "b", 3);
    write_object(folder / "p", UID_RTPlanStorage, "6.1", "RTPLAN",
                 [](DcmDataset& d) { d.putAndInsertString(DCM_FrameOfReferenceUID, "1.2.3.9"); });
    const std::string none = message_of([&] { io::select_case(io::index_dicom({folder.path()})); });
    EXPECT_NE(none.find("there is no structure set of the plan"), std::string::npos) << none;
    EXPECT_EQ(io::select_case(io::index_dicom({folder.path()}), "", "", io::StructureUse::left_out).ct.size(),
              2u);
    write_structures(folder / "s", "5.1", "7.7");
    EXPECT_EQ(io::select_case(io::index_dicom({folder.path()})).structures.front().sop_instance_uid, "5.1");
    write_structures(folder / "t", "5.2", "7.7");
    EXPECT_NE(
        message_of([&] { io::select_case(io::index_dicom({folder.path()})); }).find("several would fit"),
        std::string::npos);
    EXPECT_TRUE(io::select_case(io::index_dicom({folder.path()}), "", "", io::StructureUse::left_out)
                    .structures.empty());
}

TEST(DicomIndex, StructuresThatAreLeftOutStillSayWhichCtIsMeant) {
    test::TemporaryFolder folder;
    test::CtOptions wanted, other;
    wanted.series = "7.7";
    other.series = "8.8";
    for (int k = 0; k < 2; ++k) {
        test::write_slice(folder / ("w" + std::to_string(k)), 3.0 * k, wanted);
        test::write_slice(folder / ("o" + std::to_string(k)), 3.0 * k, other);
    }
    write_structures(folder / "s", "5.1", "8.8");
    write_plan(folder / "p", "6.1", "plan", "5.1");
    const io::DicomCase selected =
        io::select_case(io::index_dicom({folder.path()}), "", "", io::StructureUse::left_out);
    EXPECT_TRUE(selected.structures.empty());
    EXPECT_EQ(selected.ct.front().series_uid, "8.8");
}

TEST(DicomIndex, ErrorsNameThePath) {
    test::TemporaryFolder folder;
    EXPECT_NE(message_of([&] { io::index_dicom({folder / "nothing"}); }).find("nothing"), std::string::npos);
    EXPECT_TRUE(io::index_dicom({folder.path()}).entries.empty());
    EXPECT_NE(message_of([&] { io::select_case(io::index_dicom({folder.path()})); }).find("no RTPLAN"),
              std::string::npos);
    write_plan(folder / "p", "6.1", "plan", "5.1");
    write_structures(folder / "s", "5.1", "7.7");
    EXPECT_NE(message_of([&] { io::select_case(io::index_dicom({folder.path()})); }).find("no CT"),
              std::string::npos);
    test::write_slice(folder / "cut", 0);
    std::filesystem::resize_file(folder / "cut", 300);  // within the meta header
    const io::DicomIndex index = io::index_dicom({folder.path()});
    ASSERT_EQ(index.broken.size(), 1u);
    EXPECT_EQ(index.broken.front().file.filename(), "cut");
    EXPECT_FALSE(index.broken.front().problem.empty());
}
