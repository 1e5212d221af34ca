// Integrity rows: structures, densities, and the grid of the planned dose.
#include <gtest/gtest.h>

#include "support/clean_check.h"

namespace libdose::check {

using test::centimetres;
using test::clean_input;
using test::clean_options;
using test::row_of;

TEST(DoseGridRows, AGridThatCutsTheTargetFails) {
    CheckInput input = clean_input();
    input.planned->gy = Volume<float>(centimetres(10, 10, 1), 60.0f);  // z from -15 to 15 mm; target ±25
    const Row row = row_of(input, "dose-grid-target");
    EXPECT_EQ(row.verdict, Verdict::fail);
    EXPECT_EQ(row.subject, "PTV");
    EXPECT_NE(row.reason.find("40 % of its 80 cm3 are outside"), std::string::npos) << row.reason;
}

TEST(DoseGridRows, AGridThatMissesTheTargetFails) {
    CheckInput input = clean_input();
    input.planned->gy.grid.origin_mm[2] += 400;
    EXPECT_EQ(row_of(input, "dose-grid-target").verdict, Verdict::fail);
}

TEST(DoseGridRows, AGridThatEndsInTheBodyIsLookedAtWhereTheDoseIsHigh) {
    CheckInput input = clean_input();
    input.planned->gy = Volume<float>(centimetres(10, 10, 3), 60.0f);  // z to ±35 mm; body to ±55
    EXPECT_EQ(row_of(input, "dose-grid-body").verdict, Verdict::look);
    EXPECT_EQ(row_of(input, "dose-grid-target").verdict, Verdict::pass);
    Volume<float>& gy = input.planned->gy;
    for (int j = 0; j < gy.grid.size[1]; ++j)
        for (int i = 0; i < gy.grid.size[0]; ++i)
            for (const int k : {0, 6}) gy.at(i, j, k) = 5.9f;  // 9.8 % of the maximum
    EXPECT_EQ(row_of(input, "dose-grid-body").verdict, Verdict::pass);
}

TEST(DoseGridRows, EverySideOfTheGridIsLookedAt) {
    for (int axis = 0; axis < 3; ++axis)
        for (const double shift_mm : {-40.0, 40.0}) {
            CheckInput input = clean_input();  // the grid ends at 105, 105 and 85 mm, the body at 80, 80, 55
            EXPECT_EQ(row_of(input, "dose-grid-body").verdict, Verdict::pass);
            input.planned->gy.grid.origin_mm[axis] += shift_mm;
            EXPECT_EQ(row_of(input, "dose-grid-body").verdict, Verdict::look) << axis << " " << shift_mm;
        }
}

TEST(StructureRows, WithoutABodyTheWholeCtCounts) {
    CheckInput input = clean_input();
    input.structures->structures[0].type = "ORGAN";
    EXPECT_EQ(row_of(input, "body").verdict, Verdict::look);
    EXPECT_EQ(row_of(input, "isocentre-in-body").verdict, Verdict::not_checked);
    input = clean_input();
    input.structures->structures.push_back(test::cuboid(3, "SKIN", "EXTERNAL", 80, -50, 50));
    EXPECT_EQ(row_of(input, "body").reason,
              "several structures are of type EXTERNAL, and the first is the body: BODY, SKIN");
}

TEST(StructureRows, EmptyStructuresThatAreAskedForAreLookedAt) {
    CheckInput input = clean_input();
    Structure empty;
    empty.number = 3;
    empty.name = "Cord";
    empty.type = "ORGAN";
    input.structures->structures.push_back(empty);
    CheckOptions options = clean_options();
    EXPECT_EQ(row_of(input, "empty-structures", options).verdict, Verdict::pass);  // nobody asks for it
    options.protocol.goals.push_back({"CORD", "D0.1cc", true, 45, 50, false, "the test"});
    EXPECT_EQ(row_of(input, "empty-structures", options).reason, "structures without contours: Cord");
    input.plan_facts->prescriptions[0].structure_number = 3;
    EXPECT_EQ(row_of(input, "empty-structures").verdict, Verdict::look);
    input = clean_input();
    empty.type = "CTV";
    input.structures->structures.push_back(empty);
    EXPECT_EQ(row_of(input, "empty-structures").verdict, Verdict::look);
}

TEST(StructureRows, GapsOfTheTargetAreLookedAt) {
    CheckInput input = clean_input();
    Structure& target = input.structures->structures[1];
    target.contours.erase(target.contours.begin() + 2);  // z = 0 of -20, -10, 0, 10, 20
    const Row row = row_of(input, "contour-gaps");
    EXPECT_EQ(row.verdict, Verdict::look);
    EXPECT_EQ(row.subject, "PTV");
    EXPECT_NE(row.reason.find("no contours between z = -"), std::string::npos) << row.reason;
}

TEST(StructureRows, DensitiesInPlaceOfTheCtAreLookedAt) {
    CheckInput input = clean_input();
    Structure bolus = test::cuboid(3, "Bolus", "BOLUS", 10, -20, 20);
    bolus.relative_mass_density = 1;
    input.structures->structures.push_back(bolus);
    EXPECT_EQ(row_of(input, "density-overrides").verdict, Verdict::pass);  // no CT shows it
    bolus.type = "ORGAN";
    bolus.name = "Contrast";
    input.structures->structures.push_back(bolus);
    EXPECT_EQ(row_of(input, "density-overrides").reason,
              "densities are assumed in place of the CT's: Contrast (mass density 1 of water)");
    CheckOptions options = clean_options();
    options.engine.overrides.push_back({"PTV", 1.0, ""});
    EXPECT_EQ(row_of(clean_input(), "density-overrides", options).verdict, Verdict::look);
}

TEST(StructureRows, ACouchIsThereWhereTheProtocolExpectsOne) {
    CheckInput input = clean_input();
    CheckOptions options = clean_options();
    options.protocol.couch_expected = true;
    EXPECT_EQ(row_of(input, "couch", options).verdict, Verdict::look);
    options.couch = "carbon";
    EXPECT_EQ(row_of(input, "couch", options).verdict, Verdict::pass);
    options.couch.clear();
    input.structures->structures.push_back(test::cuboid(3, "CouchSurface", "SUPPORT", 10, -50, 50));
    EXPECT_EQ(row_of(input, "couch", options).verdict, Verdict::pass);
}

// The default table ends at -1000 and 3071 HU.
TEST(DensityRows, VoxelsBeyondTheHuTableAreLookedAtInsideTheBody) {
    CheckInput input = clean_input();
    Volume<float>& hu = input.ct->hu;
    hu.at(0, 0, 5) = 4000;  // outside the body
    EXPECT_EQ(row_of(input, "hu-table").verdict, Verdict::pass);
    hu.at(10, 10, 5) = 3071;  // the end of the table is in it
    hu.at(9, 10, 5) = -1049;  // noise of air
    EXPECT_EQ(row_of(input, "hu-table").verdict, Verdict::pass);
    hu.at(10, 10, 5) = 3072;
    const Row row = row_of(input, "hu-table");
    EXPECT_EQ(row.verdict, Verdict::look);
    EXPECT_NE(row.reason.find("1 CT voxels (1 cm3) are above its end"), std::string::npos) << row.reason;
    hu.at(10, 10, 5) = -1051;  // one voxel of 1 cm³
    EXPECT_EQ(row_of(input, "hu-table").verdict, Verdict::look);
}

TEST(DensityRows, TheTableOfTheCalculationCounts) {
    CheckInput input = clean_input();
    input.ct->hu.at(10, 10, 5) = 1500;
    EXPECT_EQ(row_of(input, "hu-table").verdict, Verdict::pass);
    CheckOptions options = clean_options();
    options.engine.hu_curve = HuCurve("short", {-1000, 1400}, {0, 2});
    EXPECT_EQ(row_of(input, "hu-table", options).verdict, Verdict::look);
}

}  // namespace libdose::check
