// Coverage of voxels by structures: areas and volumes derived by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "libdose/error.h"
#include "libdose/structure.h"
#include "patient/contour_planes.h"

namespace libdose {
namespace {

using Points = std::vector<std::pair<double, double>>;

Contour contour(const Points& points, double z) {
    Contour result;
    for (const auto& [x, y] : points) result.points_mm.emplace_back(x, y, z);
    return result;
}

Points square(double x0, double y0, double x1, double y1) { return {{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}; }

Structure in_one_plane(const std::vector<Points>& polygons) {
    Structure structure;
    structure.name = "test";
    for (const Points& points : polygons) structure.contours.push_back(contour(points, 0));
    return structure;
}

/// The same polygon on several planes.
Structure stack(const Points& points, const std::vector<double>& planes) {
    Structure structure;
    structure.name = "test";
    for (double z : planes) structure.contours.push_back(contour(points, z));
    return structure;
}

/// Pixels of 1 mm whose edges are at whole millimetres from 0; one slice of 1 mm around z = 0.
Grid unit_pixels(int columns, int rows) { return {{columns, rows, 1}, Vec3::Ones(), Vec3(0.5, 0.5, 0)}; }

/// One column of 1 mm voxels along z, edges at first … first + slices.
Grid column(int slices, double first) { return {{1, 1, slices}, Vec3::Ones(), Vec3(0.5, 0.5, first + 0.5)}; }

double sum(const Volume<float>& mask) { return std::accumulate(mask.values.begin(), mask.values.end(), 0.0); }

TEST(Coverage, SquareOffTheGridCoversQuartersHalvesAndWholes) {
    const auto mask = coverage_mask(in_one_plane({square(0.5, 0.5, 2.5, 2.5)}), unit_pixels(4, 4));
    const std::vector<float> expected{0.25f, 0.5f, 0.25f, 0, 0.5f, 1, 0.5f, 0,
                                      0.25f, 0.5f, 0.25f, 0, 0,    0, 0,    0};
    EXPECT_EQ(mask.values, expected);
}

TEST(Coverage, SquareOnTheGridLeavesNoTraceOutside) {
    const auto mask = coverage_mask(in_one_plane({square(1, 1, 3, 2)}), unit_pixels(4, 3));
    EXPECT_EQ(mask.values, (std::vector<float>{0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0}));
}

TEST(Coverage, TriangleAcrossPixels) {
    // Below the line from (0, 0) to (4, 2): pixel (c, 0) holds ((c + 1)² − c²) / 4 for c < 2.
    const auto mask = coverage_mask(in_one_plane({{{0, 0}, {4, 0}, {4, 2}}}), unit_pixels(4, 2));
    const std::vector<float> expected{0.25f, 0.75f, 1, 1, 0, 0, 0.25f, 0.75f};
    EXPECT_EQ(mask.values, expected);
}

TEST(Coverage, DirectionOfAContourDoesNotMatter) {
    const Structure forward = in_one_plane({{{0, 0}, {4, 0}, {4, 2}}}),
                    backward = in_one_plane({{{4, 2}, {4, 0}, {0, 0}}});
    EXPECT_EQ(coverage_mask(forward, unit_pixels(4, 2)).values,
              coverage_mask(backward, unit_pixels(4, 2)).values);
}

TEST(Coverage, InnerContourIsAHoleInEitherDirection) {
    Points inner = square(2, 2, 4, 4);
    for (int turn = 0; turn < 2; ++turn) {
        const auto mask = coverage_mask(in_one_plane({square(1, 1, 5, 5), inner}), unit_pixels(6, 6));
        EXPECT_EQ(mask.at(2, 2, 0), 0);
        EXPECT_EQ(mask.at(3, 3, 0), 0);
        EXPECT_EQ(mask.at(1, 1, 0), 1);
        EXPECT_EQ(mask.at(4, 3, 0), 1);
        EXPECT_EQ(sum(mask), 16 - 4);
        std::reverse(inner.begin(), inner.end());
    }
}

TEST(Coverage, IslandInAHole) {
    const auto mask = coverage_mask(
        in_one_plane({square(0, 0, 7, 7), square(1, 1, 6, 6), square(3, 3, 4, 4)}), unit_pixels(7, 7));
    EXPECT_EQ(sum(mask), 49 - 25 + 1);
    EXPECT_EQ(mask.at(3, 3, 0), 1);
}

TEST(Coverage, KeyHoleIsAHole) {
    // Along the outer square, in through a channel of no width at y = 3, around the hole, and out again.
    const Points key_hole{{1, 1}, {5, 1}, {5, 3}, {4, 3}, {4, 2}, {2, 2},
                          {2, 4}, {4, 4}, {4, 3}, {5, 3}, {5, 5}, {1, 5}};
    const auto key = coverage_mask(in_one_plane({key_hole}), unit_pixels(6, 6));
    const auto ring =
        coverage_mask(in_one_plane({square(1, 1, 5, 5), square(2, 2, 4, 4)}), unit_pixels(6, 6));
    EXPECT_EQ(key.values, ring.values);
}

TEST(Coverage, TwoIslandsInASlice) {
    const auto mask =
        coverage_mask(in_one_plane({square(0, 0, 1.5, 1), square(3, 1, 4, 1.25)}), unit_pixels(4, 2));
    EXPECT_EQ(mask.values, (std::vector<float>{1, 0.5f, 0, 0, 0, 0, 0, 0.25f}));
}

TEST(Coverage, PolygonThatCrossesItselfGoesByEvenOdd) {
    // A bow tie: two triangles of height 2 and base 4 that meet at (2, 2); area 4 + 4.
    const auto tie = coverage_mask(in_one_plane({{{0, 0}, {4, 0}, {0, 4}, {4, 4}}}), unit_pixels(4, 4));
    EXPECT_NEAR(sum(tie), 8, 1e-6);
    EXPECT_NEAR(tie.at(0, 0, 0), 0.5, 1e-7);
    EXPECT_EQ(tie.at(0, 1, 0), 0);
    EXPECT_EQ(tie.at(1, 0, 0), 1);
}

TEST(Coverage, CrossingInsideAPixel) {
    // The bow tie of half the size: the pixel that holds the crossing is exactly half covered.
    const auto mask = coverage_mask(in_one_plane({{{0, 0}, {1, 0}, {0, 1}, {1, 1}}}), unit_pixels(1, 1));
    EXPECT_NEAR(mask.values[0], 0.5, 1e-7);
}

TEST(Coverage, PartsOutsideTheGridAreCutOff) {
    const auto mask = coverage_mask(in_one_plane({square(-5, -3, 1.5, 1.5)}), unit_pixels(3, 2));
    EXPECT_EQ(mask.values, (std::vector<float>{1, 0.5f, 0, 0.5f, 0.25f, 0}));
    EXPECT_EQ(sum(coverage_mask(in_one_plane({square(-5, 0, -1, 2)}), unit_pixels(3, 2))), 0);
    EXPECT_EQ(sum(coverage_mask(in_one_plane({square(3, 0, 9, 2)}), unit_pixels(3, 2))), 0);
    EXPECT_EQ(sum(coverage_mask(in_one_plane({square(-9, -9, 9, 9)}), unit_pixels(3, 2))), 6);
}

TEST(Coverage, AnisotropicGridWithAnOffset) {
    // Voxels 2 x 4 mm with lower edges at (9, -22): the square covers half of the first and all of the
    // second.
    const Grid grid{{2, 1, 1}, Vec3(2, 4, 3), Vec3(10, -20, 100)};
    Structure structure;
    structure.contours.push_back(contour(square(10, -22, 13, -18), 100));
    EXPECT_EQ(coverage_mask(structure, grid).values, (std::vector<float>{0.5f, 1}));
}

TEST(Coverage, EndsReachHalfTheUsualSpacing) {
    // Planes at 0, 3, 6: from -1.5 to 7.5.
    const auto mask = coverage_mask(stack(square(0, 0, 1, 1), {6, 0, 3}), column(12, -3));
    EXPECT_EQ(mask.at(0, 0, 0), 0);     // -3 … -2
    EXPECT_EQ(mask.at(0, 0, 1), 0.5f);  // -2 … -1
    for (int k = 2; k < 10; ++k) EXPECT_EQ(mask.at(0, 0, k), 1) << k;
    EXPECT_EQ(mask.at(0, 0, 10), 0.5f);  // 7 … 8
    EXPECT_EQ(mask.at(0, 0, 11), 0);
}

TEST(Coverage, PlanesMeetHalfWay) {
    // A full square at z = 0 and half of it at z = 3: they meet at 1.5, so the voxel 1 … 2 holds 0.5 +
    // 0.5·0.5.
    Structure structure = stack(square(0, 0, 1, 1), {0});
    structure.contours.push_back(contour(square(0, 0, 0.5, 1), 3));
    const auto mask = coverage_mask(structure, column(3, 0));
    EXPECT_EQ(mask.values, (std::vector<float>{1, 0.75f, 0.5f}));
}

TEST(Coverage, MissingPlanesAreAGap) {
    // 0, 3, 6, [9 … 15 missing], 18, 21: pieces -1.5 … 7.5 and 16.5 … 22.5.
    const Structure structure = stack(square(0, 0, 1, 1), {0, 3, 6, 18, 21});
    const auto mask = coverage_mask(structure, column(30, -4));
    EXPECT_FLOAT_EQ(static_cast<float>(sum(mask)), 9 + 6);
    EXPECT_EQ(mask.at(0, 0, 4 + 7), 0.5f);
    EXPECT_EQ(mask.at(0, 0, 4 + 12), 0);
    const ContourStack planes = stack_contours(structure, 1);
    ASSERT_EQ(planes.gaps_mm.size(), 1u);
    EXPECT_EQ(planes.gaps_mm[0], (std::pair{6.0, 18.0}));
}

TEST(Coverage, OneMissingPlaneIsAGapToo) {
    EXPECT_FLOAT_EQ(
        static_cast<float>(sum(coverage_mask(stack(square(0, 0, 1, 1), {0, 3, 9, 12, 15}), column(30, -4)))),
        15);
}

TEST(Coverage, SeparateSingleSlicesStayThin) {
    EXPECT_FLOAT_EQ(static_cast<float>(sum(coverage_mask(stack(square(0, 0, 1, 1), {0, 3, 6, 18, 30, 33, 36}),
                                                         column(60, -10)))),
                    21);
}

TEST(Coverage, CoarserPartOfAScanIsNotAGap) {
    // 3 mm slices, then 9 mm slices: from -1.5 to 9 + 3·9 + 4.5.
    const Structure structure = stack(square(0, 0, 1, 1), {0, 3, 6, 9, 12, 15, 24, 33, 42});
    EXPECT_FLOAT_EQ(static_cast<float>(sum(coverage_mask(structure, column(60, -5)))), 1.5f + 42 + 4.5f);
    EXPECT_TRUE(stack_contours(structure, 1).gaps_mm.empty());
}

TEST(Coverage, SinglePlaneIsAsThickAsTheSetSays) {
    Structure structure = stack(square(0, 0, 1, 1), {0});
    EXPECT_EQ(sum(coverage_mask(structure, column(20, -10))), 1);  // the grid's own spacing
    structure.plane_spacing_mm = 3;
    EXPECT_FLOAT_EQ(static_cast<float>(sum(coverage_mask(structure, column(20, -10)))), 3);
}

TEST(Coverage, TwoPlanesFarApartAreTwoSlicesWhenTheSetIsFiner) {
    Structure structure = stack(square(0, 0, 1, 1), {0, 12});
    EXPECT_FLOAT_EQ(static_cast<float>(sum(coverage_mask(structure, column(40, -10)))), 24);
    structure.plane_spacing_mm = 3;
    EXPECT_FLOAT_EQ(static_cast<float>(sum(coverage_mask(structure, column(40, -10)))), 6);
}

TEST(Coverage, PlanesWithinRoundingAreOnePlane) {
    // The hole is written 0.01 mm higher than the outline.
    Structure structure = stack(square(0, 0, 2, 1), {0});
    structure.contours.push_back(contour(square(0, 0, 1, 1), 0.01));
    const auto mask = coverage_mask(structure, {{2, 1, 1}, Vec3::Ones(), Vec3(0.5, 0.5, 0)});
    EXPECT_EQ(mask.values, (std::vector<float>{0, 1}));
}

TEST(Coverage, VolumeOfACylinder) {
    // A regular polygon of n corners on a circle of radius r: n/2·r²·sin(2π/n) per plane; 41 planes of 2 mm.
    constexpr int corners = 180;
    constexpr double radius = 47.3;
    Points circle;
    for (int i = 0; i < corners; ++i) {
        const double angle = 2 * std::numbers::pi * i / corners;
        circle.emplace_back(3.1 + radius * std::cos(angle), -2.7 + radius * std::sin(angle));
    }
    std::vector<double> planes;
    for (int i = 0; i <= 40; ++i) planes.push_back(2.0 * i);
    const auto mask =
        coverage_mask(stack(circle, planes), {{60, 50, 40}, Vec3(2.5, 2.5, 2.7), Vec3(-70, -60, -10)});
    const double expected_cm3 =
        0.5 * corners * radius * radius * std::sin(2 * std::numbers::pi / corners) * 82 * 1e-3;
    EXPECT_NEAR(sum(mask) * mask.grid.voxel_volume_cm3(), expected_cm3, 1e-5 * expected_cm3);
    EXPECT_NEAR(expected_cm3, std::numbers::pi * radius * radius * 82 * 1e-3, 3e-4 * expected_cm3);
    for (float value : mask.values) ASSERT_TRUE(value >= 0 && value <= 1);
}

TEST(Coverage, AreaOfAnIrregularOutlineEqualsTheShoelaceFormula) {
    Points star;
    for (int i = 0; i < 97; ++i) {
        const double angle = 2 * std::numbers::pi * i / 97,
                     radius = 20 + 9 * std::sin(13.0 * angle) + (i % 2 ? 3.3 : 0.0);
        star.emplace_back(40 + radius * std::cos(angle), 40 + radius * std::sin(angle));
    }
    double twice_area = 0;
    for (std::size_t i = 0; i < star.size(); ++i) {
        const auto& [x0, y0] = star[i];
        const auto& [x1, y1] = star[(i + 1) % star.size()];
        twice_area += x0 * y1 - x1 * y0;
    }
    EXPECT_NEAR(sum(coverage_mask(in_one_plane({star}), unit_pixels(80, 80))), 0.5 * twice_area, 1e-4);
}

TEST(Coverage, NothingFromNoContours) {
    Structure structure;
    EXPECT_EQ(sum(coverage_mask(structure, unit_pixels(2, 2))), 0);
    structure.contours.push_back(contour({{0, 0}, {2, 2}}, 0));  // two points enclose nothing
    EXPECT_EQ(sum(coverage_mask(structure, unit_pixels(2, 2))), 0);
}

TEST(Coverage, RefusesContoursThatAreNotAxial) {
    Structure structure = in_one_plane({square(0, 0, 1, 1)});
    structure.contours[0].points_mm[2][2] = 0.11;
    try {
        coverage_mask(structure, unit_pixels(2, 2));
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::bad_input);
        EXPECT_NE(std::string(error.what()).find("structure test"), std::string::npos);
    }
    structure.contours[0].points_mm[2][2] = 0.005;  // rounding: a plane at 0.0025
    EXPECT_NEAR(sum(coverage_mask(structure, unit_pixels(2, 2))), 1, 0.0026);
}

TEST(Coverage, RefusesNotANumber) {
    for (double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
        for (int axis = 0; axis < 3; ++axis) {
            Structure structure = in_one_plane({square(0, 0, 1, 1)});
            structure.contours[0].points_mm[1][axis] = bad;
            EXPECT_THROW(coverage_mask(structure, unit_pixels(2, 2)), Error);
        }
}

TEST(Coverage, BodyOnAFullScanIsFast) {
    Points outline;
    for (int i = 0; i < 300; ++i) {
        const double angle = 2 * std::numbers::pi * i / 300;
        outline.emplace_back(190 * std::cos(angle), (120 + 4 * std::sin(9 * angle)) * std::sin(angle));
    }
    std::vector<double> planes;
    for (int i = 0; i < 150; ++i) planes.push_back(3.0 * i);
    const Grid grid{{512, 512, 150}, Vec3(0.9765625, 0.9765625, 3), Vec3(-250, -250, 0)};
    const auto start = std::chrono::steady_clock::now();
    const auto mask = coverage_mask(stack(outline, planes), grid);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    EXPECT_EQ(mask.at(256, 256, 75), 1);
    RecordProperty("seconds", std::to_string(seconds));
    EXPECT_LT(seconds, 5) << "about 0.2 s on one core; generous for a loaded machine and for sanitizers";
}

TEST(StructureSet, FindsByNameAndExternalByType) {
    StructureSet set;
    set.structures.resize(3);
    set.structures[0].name = "body without contours";
    set.structures[0].type = "EXTERNAL";
    set.structures[1].name = "Lung";
    set.structures[1].type = "ORGAN";
    set.structures[2].name = "Body";
    set.structures[2].type = "EXTERNAL";
    EXPECT_EQ(set.external(), nullptr);
    set.structures[2].contours.push_back(contour(square(0, 0, 1, 1), 0));
    EXPECT_EQ(set.external(), &set.structures[2]);
    EXPECT_EQ(set.find("Lung"), &set.structures[1]);
    EXPECT_EQ(set.find("lung"), nullptr);
}

}  // namespace
}  // namespace libdose
