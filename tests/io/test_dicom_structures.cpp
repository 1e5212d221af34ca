// RT Structure Sets: contours, types, overrides, references, and what is refused or left out by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "libdose/error.h"
#include "libdose/io/dicom.h"
#include "support/rt_fixture.h"

namespace libdose {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using namespace test;

StructureSet read(const StructureSpec& spec) { return io::read_structures(write_structures(spec)); }

RoiSpec roi(int number, const std::string& name, std::vector<ContourSpec> contours,
            const std::string& type = "ORGAN") {
    RoiSpec spec;
    spec.number = number;
    spec.name = name;
    spec.type = type;
    spec.contours = std::move(contours);
    return spec;
}

StructureSpec set_of(std::vector<RoiSpec> rois) {
    StructureSpec spec;
    spec.rois = std::move(rois);
    return spec;
}

ContourSpec contour(const std::string& data) { return {data, "CLOSED_PLANAR", ""}; }

void expect_refused(const StructureSpec& spec, const std::vector<std::string>& parts) {
    try {
        read(spec);
        FAIL() << "the structure set was accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::bad_input);
        for (const std::string& part : parts) EXPECT_THAT(error.what(), HasSubstr(part));
    }
}

TEST(DicomStructures, ReadsContoursTypesAndReferences) {
    const StructureSet set =
        read(set_of({roi(3, "Body", {square_contour(0), square_contour(3)}, "EXTERNAL"),
                     roi(1, "Couch", {square_contour(0)}, "SUPPORT"), roi(2, "empty", {}, "")}));
    EXPECT_EQ(set.sop_instance_uid, "1.2.3.99");
    EXPECT_EQ(set.frame_of_reference_uid, "1.2.3.4");
    EXPECT_EQ(set.referenced_series_uid, "1.2.3.5");
    EXPECT_EQ(set.label, "label");
    EXPECT_EQ(set.patient_id, "P1");
    ASSERT_EQ(set.structures.size(), 3u);
    ASSERT_NE(set.external(), nullptr);
    EXPECT_EQ(set.external()->number, 3);
    EXPECT_EQ(set.find("Couch")->type, "SUPPORT");
    EXPECT_TRUE(set.find("empty")->contours.empty());
    ASSERT_EQ(set.find("Body")->contours.size(), 2u);
    ASSERT_EQ(set.find("Body")->contours[1].points_mm.size(), 4u);
    EXPECT_EQ(set.find("Body")->contours[1].points_mm[2], Vec3(10, 10, 3));
    EXPECT_EQ(set.find("Couch")->plane_spacing_mm, 3);  // as the body shows
    EXPECT_TRUE(set.notes.empty());
}

TEST(DicomStructures, RingByInnerContourFromTheFile) {
    // 10 x 10 mm with a hole of 4 x 4, two planes of 3 mm: (100 − 16) · 6 mm³.
    std::vector<ContourSpec> contours;
    for (const std::string z : {"0", "3"}) {
        contours.push_back(contour("0\\0\\" + z + "\\10\\0\\" + z + "\\10\\10\\" + z + "\\0\\10\\" + z));
        contours.push_back(contour("3\\3\\" + z + "\\7\\3\\" + z + "\\7\\7\\" + z + "\\3\\7\\" + z));
    }
    const StructureSet set = read(set_of({roi(1, "ring", contours)}));
    const auto mask = coverage_mask(set.structures[0], {{20, 20, 20}, Vec3::Ones(), Vec3(-4.5, -4.5, -9.5)});
    EXPECT_NEAR(std::accumulate(mask.values.begin(), mask.values.end(), 0.0), 84 * 6, 1e-4);
}

TEST(DicomStructures, DensityOverrides) {
    StructureSpec spec = set_of({roi(1, "implant", {square_contour(0)}), roi(2, "gel", {square_contour(0)})});
    spec.rois[0].properties = {{"REL_MASS_DENSITY", "4.5"}, {"REL_ELEC_DENSITY", "3.74"}};
    spec.rois[1].properties = {{"EFFECTIVE_Z", "7.4"}};
    const StructureSet set = read(spec);
    EXPECT_EQ(set.structures[0].relative_mass_density, 4.5);
    EXPECT_EQ(set.structures[0].relative_electron_density, 3.74);
    EXPECT_FALSE(set.structures[1].relative_mass_density);
    EXPECT_THAT(set.notes,
                Contains(AllOf(HasSubstr("'gel'"), HasSubstr("EFFECTIVE_Z 7.4"), HasSubstr("not used"))));
    spec.rois[0].properties = {{"REL_MASS_DENSITY", "-1"}};
    expect_refused(spec, {"below 0", "'implant'"});
    spec.rois[0].properties = {{"REL_MASS_DENSITY", "1"}, {"REL_MASS_DENSITY", "2"}};
    expect_refused(spec, {"two values of REL_MASS_DENSITY", "'implant'"});
    spec.rois[0].properties = {{"REL_ELEC_DENSITY", "NaN"}};
    expect_refused(spec, {"not a finite number", "'implant'", "(3006,00b4)"});
}

TEST(DicomStructures, PointsAndOpenLinesAreLeftOutWithANote) {
    ContourSpec point = contour("1\\2\\3"), line = square_contour(0), two = contour("0\\0\\0\\1\\1\\0");
    point.type = "POINT";
    line.type = "OPEN_PLANAR";
    const StructureSet set = read(set_of({roi(1, "marks", {point, line, two, square_contour(0)})}));
    EXPECT_EQ(set.structures[0].contours.size(), 1u);
    EXPECT_THAT(set.notes, Contains(AllOf(HasSubstr("'marks'"),
                                          HasSubstr("2 contours left out: points or open lines"))));
    EXPECT_THAT(set.notes,
                Contains(AllOf(HasSubstr("'marks'"), HasSubstr("1 contours left out: fewer than three"))));
}

TEST(DicomStructures, ContourThatIsWrittenTwiceCountsOnce) {
    const StructureSet set = read(set_of({roi(1, "twice", {square_contour(0), square_contour(0)})}));
    EXPECT_EQ(set.structures[0].contours.size(), 1u);
    EXPECT_THAT(set.notes, Contains(HasSubstr("the same contour is there already")));
}

TEST(DicomStructures, GapsAreNoted) {
    const StructureSet set = read(set_of(
        {roi(1, "nodes", {square_contour(0), square_contour(3), square_contour(6), square_contour(21)})}));
    EXPECT_THAT(set.notes, Contains(AllOf(HasSubstr("'nodes'"), HasSubstr("z = 6.0"), HasSubstr("21.0"))));
}

TEST(DicomStructures, TwoSlicesFarApartInAFinerSetAreAGap) {
    const StructureSet set =
        read(set_of({roi(1, "two", {square_contour(0), square_contour(12)}),
                     roi(2, "body", {square_contour(0), square_contour(3), square_contour(6)})}));
    EXPECT_THAT(set.notes,
                Contains(AllOf(HasSubstr("'two'"), HasSubstr("12.0"), HasSubstr("separate pieces"))));
}

TEST(DicomStructures, SeveralBodiesAreNoted) {
    const StructureSet set = read(set_of(
        {roi(1, "skin", {square_contour(0)}, "EXTERNAL"), roi(2, "body", {square_contour(0)}, "EXTERNAL")}));
    EXPECT_EQ(set.external()->name, "skin");
    EXPECT_THAT(set.notes, Contains(AllOf(HasSubstr("'skin', 'body'"), HasSubstr("EXTERNAL"))));
}

TEST(DicomStructures, NamesBecomeUtf8) {
    StructureSpec spec = set_of({roi(1, "M\xe4nnlein", {square_contour(0)})});
    spec.edit = [](DcmItem& root) { put(root, DCM_SpecificCharacterSet, "ISO_IR 100"); };
    EXPECT_NE(read(spec).find("M\xc3\xa4nnlein"), nullptr);
}

TEST(DicomStructures, UnknownContourTypeIsRefused) {
    ContourSpec odd = square_contour(0);
    odd.type = "CLOSED_NONPLANAR";
    expect_refused(set_of({roi(5, "odd", {odd})}), {"CLOSED_NONPLANAR", "ROI 5 'odd'"});
}

TEST(DicomStructures, BadCoordinates) {
    expect_refused(set_of({roi(2, "lung", {contour("0\\0\\0\\1\\0\\0\\1\\1")})}),
                   {"8 coordinates", "ROI 2 'lung'", "(3006,0050)"});
    expect_refused(set_of({roi(2, "lung", {contour("0\\0\\0\\1\\nan\\0\\1\\1\\0")})}),
                   {"'nan' is not a finite number", "ROI 2 'lung'"});
    expect_refused(set_of({roi(2, "lung", {contour("0\\0\\0\\1\\\\0\\1\\1\\0")})}),
                   {"'' is not a finite number", "ROI 2 'lung'"});
    ContourSpec short_one = square_contour(0);
    short_one.count = "5";
    expect_refused(set_of({roi(2, "lung", {short_one})}), {"says 5 points and holds 4", "ROI 2 'lung'"});
}

TEST(DicomStructures, NumbersThatDoNotAgree) {
    expect_refused(set_of({roi(2, "a", {square_contour(0)}), roi(2, "b", {})}),
                   {"two ROIs have the number 2", "'b'"});
    StructureSpec spec = set_of({roi(2, "a", {square_contour(0)})});
    spec.edit = [](DcmItem& root) {
        put(add_item(root, DCM_StructureSetROISequence), DCM_ROIName, "nameless");
    };
    expect_refused(spec, {"missing", "'nameless'", "(3006,0022)"});
}

TEST(DicomStructures, OneFrameOfReferenceForAllContours) {
    StructureSpec spec = set_of({roi(1, "ct", {square_contour(0)}), roi(2, "mr", {square_contour(0)})});
    spec.rois[1].frame = "9.9";
    expect_refused(spec, {"9.9", "ROI 2 'mr'"});
    spec.rois[1].contours.clear();
    EXPECT_EQ(read(spec).frame_of_reference_uid, "1.2.3.4");
}

TEST(DicomStructures, SeveralSeriesMeanNoneInParticular) {
    StructureSpec spec = set_of({roi(1, "ct", {square_contour(0)})});
    spec.series = {"1.1", "1.2"};
    const StructureSet set = read(spec);
    EXPECT_EQ(set.referenced_series_uid, "");
    EXPECT_THAT(set.notes, Contains(HasSubstr("2 series")));
}

TEST(DicomStructures, ContourDataOfUnknownRepresentationIsRead) {
    // Data above 64 kB cannot be DS in explicit files; systems write them as UN.
    StructureSpec spec = set_of({roi(1, "body", {square_contour(0)})});
    spec.edit = [](DcmItem& root) {
        DcmItem *roi_item = nullptr, *item = nullptr;
        ASSERT_TRUE(root.findAndGetSequenceItem(DCM_ROIContourSequence, roi_item, 0).good());
        ASSERT_TRUE(roi_item->findAndGetSequenceItem(DCM_ContourSequence, item, 0).good());
        const std::string data = "0\\0\\2.5\\4\\0\\2.5\\4\\4\\2.5\\0\\4\\2.5 ";
        item->findAndDeleteElement(DCM_ContourData);
        auto* element = new DcmOtherByteOtherWord(DcmTag(DCM_ContourData, DcmVR(EVR_UN)));
        ASSERT_TRUE(element->putUint8Array(reinterpret_cast<const Uint8*>(data.data()), data.size()).good());
        ASSERT_TRUE(item->insert(element).good());
    };
    EXPECT_EQ(read(spec).structures[0].contours.at(0).points_mm.at(2), Vec3(4, 4, 2.5));
}

TEST(DicomStructures, OtherObjectsAreRefusedByName) {
    StructureSpec spec = set_of({roi(1, "a", {})});
    spec.sop_class = "1.2.840.10008.5.1.4.1.1.481.5";
    expect_refused(spec, {"not an RT Structure Set", "RTPlanStorage"});
}

TEST(DicomStructures, TruncatedFileIsAnErrorWhereverItIsCut) {
    for (E_TransferSyntax syntax :
         {EXS_LittleEndianExplicit, EXS_LittleEndianImplicit, EXS_BigEndianExplicit}) {
        const auto whole = write_structures(
            set_of({roi(1, "a", {square_contour(0), square_contour(3)}), roi(2, "b", {square_contour(0)})}),
            syntax);
        const auto size = std::filesystem::file_size(whole);
        ASSERT_EQ(io::read_structures(whole).structures.size(), 2u);
        const auto cut = whole.parent_path() / "cut-structures.dcm";
        for (std::uintmax_t length = 0; length < size; ++length) {
            std::filesystem::copy_file(whole, cut, std::filesystem::copy_options::overwrite_existing);
            std::filesystem::resize_file(cut, length);
            EXPECT_THROW(io::read_structures(cut), Error)
                << "cut to " << length << " of " << size << " bytes";
        }
    }
}

TEST(DicomStructures, ContoursAndObservationsAreRequired) {
    for (DcmTagKey tag : {DCM_ROIContourSequence, DCM_RTROIObservationsSequence}) {
        StructureSpec spec = set_of({roi(1, "a", {square_contour(0)})});
        spec.edit = [tag](DcmItem& root) { root.findAndDeleteElement(tag); };
        expect_refused(spec, {"a required sequence is missing"});
    }
}

}  // namespace
}  // namespace libdose
