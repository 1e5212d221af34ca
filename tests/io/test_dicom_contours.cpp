// Contours of RT Structure Sets as planning systems leave them behind: loose items, empty and tilted
// contours, XOR.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "libdose/error.h"
#include "libdose/io/dicom.h"
#include "support/rt_fixture.h"

namespace libdose {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
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

ContourSpec contour(const std::string& data, const std::string& type = "CLOSED_PLANAR") {
    return {data, type, ""};
}
/// The square of square_contour(), from another corner and closed by it.
ContourSpec again(const std::string& z) {
    return contour("10\\0\\" + z + "\\10\\10\\" + z + "\\0\\10\\" + z + "\\0\\0\\" + z + "\\10\\0\\" + z);
}

/// Volume in mm³ on voxels of 1 mm.
double volume(const Structure& structure) {
    const auto mask = coverage_mask(structure, {{40, 40, 20}, Vec3::Ones(), Vec3(-9.5, -9.5, -9.5)});
    return std::accumulate(mask.values.begin(), mask.values.end(), 0.0);
}

DcmItem& item_of(DcmItem& root, DcmTagKey sequence, unsigned long number) {
    DcmItem* item = nullptr;
    EXPECT_TRUE(root.findAndGetSequenceItem(sequence, item, static_cast<signed long>(number)).good());
    return *item;
}

TEST(DicomContours, CopyWithAnotherFirstPointCountsOnceWithANote) {
    StructureSpec spec;
    spec.rois = {roi(2, "T", {square_contour(0), again("0"), square_contour(3), again("3")})};
    const StructureSet set = read(spec);
    EXPECT_NEAR(volume(set.structures[0]), 600, 1e-3);
    EXPECT_THAT(set.notes,
                Contains(AllOf(HasSubstr("'T'"), HasSubstr("2 contours left out at z = 0.0 to 3.0 mm"))));
}

TEST(DicomContours, OverlapIsOneVolumeWithANote) {
    StructureSpec spec;
    spec.rois = {roi(
        2, "T", {square_contour(0), contour("5\\0\\0\\15\\0\\0\\15\\10\\0\\5\\10\\0"), square_contour(3)})};
    const StructureSet set = read(spec);
    EXPECT_NEAR(volume(set.structures[0]), (150 + 100) * 3, 1e-3);
    EXPECT_THAT(set.notes, Contains(AllOf(HasSubstr("'T'"), HasSubstr("contours overlap in 1 plane"),
                                          HasSubstr("0.15 cm3"))));
}

TEST(DicomContours, XorIsKept) {
    StructureSpec spec;
    const std::string type = "CLOSEDPLANAR_XOR";
    spec.rois = {
        roi(2, "T",
            {contour(square_contour(0).data, type), contour("5\\0\\0\\15\\0\\0\\15\\10\\0\\5\\10\\0", type),
             contour(square_contour(3).data, type)})};
    StructureSet set = read(spec);
    EXPECT_TRUE(set.structures[0].xor_contours);
    EXPECT_NEAR(volume(set.structures[0]), (100 + 100) * 3, 1e-3);
    spec.rois[0].contours[1].type = "CLOSED_PLANAR";
    set = read(spec);
    EXPECT_TRUE(set.structures[0].xor_contours);
    EXPECT_THAT(set.notes,
                Contains(AllOf(HasSubstr("'T'"),
                               HasSubstr("some contours are of type CLOSEDPLANAR_XOR and some are not"))));
}

TEST(DicomContours, ContourWithoutPointsIsLeftOut) {
    StructureSpec spec;
    spec.rois = {roi(2, "T", {square_contour(0), square_contour(3), contour("")})};
    spec.rois[0].contours[2].count = "0";
    EXPECT_THAT(read(spec).notes,
                Contains(AllOf(HasSubstr("'T'"), HasSubstr("1 contours left out: fewer than three points"))));
    // Its points were lost: that is no empty contour.
    spec.rois[0].contours[2].count = "4";
    EXPECT_THROW(read(spec), Error);
}

TEST(DicomContours, PointsNeedNotBeCounted) {
    StructureSpec spec;
    spec.rois = {roi(2, "T", {square_contour(0)})};
    spec.edit = [](DcmItem& root) {
        DcmItem& contours = item_of(root, DCM_ROIContourSequence, 0);
        item_of(contours, DCM_ContourSequence, 0).findAndDeleteElement(DCM_NumberOfContourPoints);
    };
    const StructureSet set = read(spec);
    EXPECT_EQ(set.structures[0].contours.size(), 1u);
    EXPECT_THAT(set.notes, Contains(AllOf(HasSubstr("'T'"), HasSubstr("(3006,0046)"))));
}

TEST(DicomContours, ItemsOfAnRoiThatIsNotThereAreLeftOut) {
    StructureSpec spec;
    spec.rois = {roi(1, "kept", {square_contour(0)}), roi(2, "gone", {square_contour(0)})};
    spec.edit = [](DcmItem& root) {
        DcmSequenceOfItems* rois = nullptr;
        ASSERT_TRUE(root.findAndGetSequence(DCM_StructureSetROISequence, rois).good());
        delete rois->remove(1ul);
    };
    const StructureSet set = read(spec);
    ASSERT_EQ(set.structures.size(), 1u);
    EXPECT_EQ(set.structures[0].contours.size(), 1u);
    EXPECT_THAT(set.notes,
                Contains(AllOf(HasSubstr("contours left out"), HasSubstr("no ROI with the number 2"))));
    EXPECT_THAT(set.notes,
                Contains(AllOf(HasSubstr("observation left out"), HasSubstr("no ROI with the number 2"))));
}

TEST(DicomContours, SagittalStructureIsReadAndRefusedWhereItIsUsed) {
    StructureSpec spec;
    spec.rois = {roi(1, "T", {square_contour(0), square_contour(3)}),
                 roi(5, "Help_sag", {contour("0\\0\\0\\0\\10\\0\\0\\10\\10\\0\\0\\10")})};
    const StructureSet set = read(spec);
    EXPECT_THAT(set.notes, Contains(AllOf(HasSubstr("ROI 5 'Help_sag'"), HasSubstr("not axial"),
                                          HasSubstr("cannot be used"))));
    EXPECT_EQ(set.find("T")->plane_spacing_mm, 3);
    EXPECT_NEAR(volume(*set.find("T")), 600, 1e-3);
    EXPECT_THROW(volume(*set.find("Help_sag")), Error);
}

TEST(DicomContours, TiltByRoundingIsTaken) {
    StructureSpec spec;
    spec.rois = {roi(1, "T", {contour("0\\0\\0\\10\\0\\0.02\\10\\10\\0.1\\0\\10\\0"), square_contour(3)})};
    const StructureSet set = read(spec);
    EXPECT_THAT(set.notes, Not(Contains(HasSubstr("not axial"))));
    EXPECT_NEAR(volume(set.structures[0]), 100 * 5.9, 1);  // planes at 0.05 and 3 mm
}

TEST(DicomContours, UntypedBodyIsPointedOut) {
    StructureSpec spec;
    spec.rois = {roi(1, "Body", {square_contour(0)}, ""), roi(2, "PTV", {square_contour(0)}, "PTV")};
    EXPECT_THAT(read(spec).notes,
                Contains(AllOf(HasSubstr("'Body'"), HasSubstr("no type"), HasSubstr("EXTERNAL"))));
    spec.rois.push_back(roi(3, "Outer", {square_contour(0)}, "EXTERNAL"));
    EXPECT_THAT(read(spec).notes, Not(Contains(HasSubstr("no type"))));
}

}  // namespace
}  // namespace libdose
