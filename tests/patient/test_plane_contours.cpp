// Contours of one plane: copies count once, one within another is a hole, overlapping ones are one area.
// Areas are derived by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <random>

#include "libdose/error.h"
#include "libdose/structure.h"
#include "patient/contour_report.h"
#include "patient/plane_outlines.h"

namespace libdose {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Points = std::vector<std::pair<double, double>>;

Points square(double x0, double y0, double x1, double y1) { return {{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}; }
Points reversed(Points points) {
    std::reverse(points.begin(), points.end());
    return points;
}
Points rolled(Points points, int by) {
    std::rotate(points.begin(), points.begin() + by, points.end());
    return points;
}
Points closed(Points points) {
    points.push_back(points.front());
    return points;
}
Points joined(Points a, const Points& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}
Points circle(double x, double y, double radius, int count = 500) {
    Points points;
    for (int i = 0; i < count; ++i) {
        const double angle = 2 * std::numbers::pi * i / count;
        points.emplace_back(x + radius * std::cos(angle), y + radius * std::sin(angle));
    }
    return points;
}

Contour contour(const Points& points, double z = 0) {
    Contour result;
    for (const auto& [x, y] : points) result.points_mm.emplace_back(x, y, z);
    return result;
}

Structure in_one_plane(const std::vector<Points>& polygons) {
    Structure structure;
    structure.name = "test";
    for (const Points& points : polygons) structure.contours.push_back(contour(points));
    structure.plane_spacing_mm = 1;
    return structure;
}

/// Pixels of 1 mm from 0 to 60, one slice of 1 mm.
Grid pixels() { return {{60, 60, 1}, Vec3::Ones(), Vec3(0.5, 0.5, 0)}; }

Volume<float> mask_of(const std::vector<Points>& polygons) {
    return coverage_mask(in_one_plane(polygons), pixels());
}
double area(const Structure& structure) {
    const Volume<float> mask = coverage_mask(structure, pixels());
    return std::accumulate(mask.values.begin(), mask.values.end(), 0.0);
}
double area(const std::vector<Points>& polygons) { return area(in_one_plane(polygons)); }

std::vector<std::string> notes(const std::vector<Points>& polygons) {
    return contour_notes(in_one_plane(polygons));
}

TEST(PlaneContours, CopyCountsOnceHoweverItIsWritten) {
    const Points one = square(10, 10, 50, 50);
    Points shifted = one, wider = square(9.95, 9.95, 50.05, 50.05), more = one, again = one;
    for (auto& [x, y] : shifted) {
        x += 0.001;
        y -= 0.001;
    }
    more.insert(more.begin() + 1, {30, 10});                // a point on the line
    again.insert(again.begin() + 2, {again[1], again[1]});  // a point three times over
    for (const Points& copy : {one, rolled(one, 1), rolled(one, 3), reversed(one), closed(one),
                               closed(rolled(reversed(one), 2)), shifted, more, again}) {
        EXPECT_NEAR(area({one, copy}), 1600, 0.2);
        EXPECT_NEAR(area({copy, one}), 1600, 0.2);
        EXPECT_THAT(notes({one, copy}), Contains(AllOf(HasSubstr("1 contour left out"),
                                                       HasSubstr("the same contour is there already"))));
    }
    // 0.05 mm all around: of the two the larger one, 40.1².
    EXPECT_NEAR(area({one, wider}), 1608.01, 0.01);
    EXPECT_NEAR(area({wider, one}), 1608.01, 0.01);
    EXPECT_NEAR(area({one, rolled(one, 1), reversed(one)}), 1600, 1e-4);
    EXPECT_THAT(notes({one, rolled(one, 1), reversed(one)}), Contains(HasSubstr("2 contours left out")));
}

TEST(PlaneContours, OutlineThatIsTracedTwiceInOneContourIsOneOutline) {
    const Points one = square(10, 10, 50, 50);
    EXPECT_NEAR(area({joined(one, one)}), 1600, 1e-4);
    EXPECT_NEAR(area({joined(closed(one), closed(one))}), 1600, 1e-4);
    EXPECT_NEAR(area({joined(one, joined(one, one))}), 1600, 1e-4);
}

TEST(PlaneContours, CopyOfASmallContourCountsOnceToo) {
    // A circle of 1 mm radius and one of 0.95 mm.
    const double disc = std::numbers::pi;
    EXPECT_NEAR(area({circle(30, 30, 1), circle(30, 30, 0.95)}), disc, 0.001 * disc);
    EXPECT_NEAR(area({circle(30, 30, 0.95), circle(30, 30, 1)}), disc, 0.001 * disc);
}

TEST(PlaneContours, CopiesInPlanesAHundredthOfAMillimetreApartCountOnce) {
    Structure structure;
    structure.name = "test";
    for (const double z : {0.0, 5.0, 10.0})
        for (const double off : {0.0, 0.01})
            structure.contours.push_back(contour(square(10, 10, 50, 50), z + off));
    const Grid grid{{60, 60, 20}, Vec3::Ones(), Vec3(0.5, 0.5, -4.5)};
    const Volume<float> mask = coverage_mask(structure, grid);
    EXPECT_NEAR(std::accumulate(mask.values.begin(), mask.values.end(), 0.0), 1600 * 15, 1);
}

TEST(PlaneContours, WallsAreNoCopies) {
    // A rind of 0.5 mm on 40 x 40 mm: 1600 − 39².
    EXPECT_NEAR(area({square(10, 10, 50, 50), square(10.5, 10.5, 49.5, 49.5)}), 1600 - 39 * 39, 1e-3);
}

TEST(PlaneContours, NestingDecidesHoweverDeep) {
    const std::vector<Points> nested{square(5, 5, 55, 55), square(10, 10, 50, 50), square(15, 15, 45, 45),
                                     square(20, 20, 40, 40)};
    EXPECT_NEAR(area({nested[0], nested[1]}), 2500 - 1600, 1e-4);
    EXPECT_NEAR(area({nested[2], nested[0], nested[1]}), 2500 - 1600 + 900, 1e-4);
    EXPECT_NEAR(area(nested), 2500 - 1600 + 900 - 400, 1e-4);
    std::vector<Points> twice = nested;
    for (const Points& points : nested) twice.push_back(closed(rolled(reversed(points), 1)));
    EXPECT_NEAR(area(twice), 2500 - 1600 + 900 - 400, 1e-4);
    EXPECT_THAT(notes(nested), IsEmpty());
}

TEST(PlaneContours, OverlappingPartsAreOneArea) {
    const auto mask = mask_of({square(0, 0, 2, 2), square(1, 1, 3, 3)});
    EXPECT_EQ(mask.at(1, 1, 0), 1);
    EXPECT_EQ(std::accumulate(mask.values.begin(), mask.values.end(), 0.0), 4 + 4 - 1);
    // [0, 6] x [0, 4] of two, and [1, 5] x [4, 6] of the third.
    EXPECT_NEAR(area({square(0, 0, 4, 4), square(2, 0, 6, 4), square(1, 2, 5, 6)}), 24 + 8, 1e-5);
    EXPECT_THAT(
        notes({square(0, 0, 40, 40), square(30, 0, 50, 40)}),
        Contains(AllOf(HasSubstr("contours overlap in 1 plane at z = 0.0 mm"), HasSubstr("0.40 cm3"))));
}

TEST(PlaneContours, UnionOfDiscsIsExact) {
    // Two discs of radius r whose middles are r apart share r² (2π/3 − √3/2). Polygons of 500 corners lack
    // (2π/500)²/6 of a disc.
    const double r = 12.3, disc = std::numbers::pi * r * r,
                 lens = r * r * (2 * std::numbers::pi / 3 - std::sqrt(3.0) / 2);
    EXPECT_NEAR(area({circle(20.2, 25.7, r), circle(20.2 + r, 25.7, r)}), 2 * disc - lens, 1e-4 * disc);
    // Every pixel is what the union of the exact fractions is where only one disc is: at most full.
    for (const float value : mask_of({circle(20.2, 25.7, r), circle(20.2 + r, 25.7, r)}).values)
        EXPECT_TRUE(value >= 0 && value <= 1);
}

TEST(PlaneContours, HoleOfOnePartIsFilledWhereAnotherPartCoversIt) {
    const Points a = square(0, 0, 20, 20), b = square(15, 0, 30, 20);
    // A hole in A that B covers in part: 4 x 10 of its 8 x 10 stay open.
    EXPECT_NEAR(area({a, b, square(11, 5, 19, 15)}), 600 - 4 * 10, 1e-4);
    // A hole where both are is a hole.
    EXPECT_NEAR(area({a, b, square(16, 5, 19, 15)}), 600 - 30, 1e-4);
    // And an island in it is solid.
    EXPECT_NEAR(area({a, b, square(16, 5, 19, 15), square(17, 9, 18, 11)}), 600 - 30 + 2, 1e-4);
    // Holes that overlap are one hole.
    EXPECT_NEAR(area({square(0, 0, 40, 40), square(5, 5, 15, 15), square(10, 5, 20, 15)}), 1600 - 150, 1e-4);
}

TEST(PlaneContours, PartsThatTouchAreOneAreaWithoutANote) {
    EXPECT_NEAR(area({square(0, 0, 10, 20), square(10, 0, 30, 20)}), 600, 1e-4);
    EXPECT_NEAR(area({square(0, 0, 10, 10), square(10, 10, 20, 20)}), 200, 1e-4);
    const std::vector<Points> rounded{square(0, 0, 10.02, 20), square(10, 0, 30, 20)};
    EXPECT_NEAR(area(rounded), 600, 1e-4);
    EXPECT_THAT(notes(rounded), IsEmpty());
}

TEST(PlaneContours, HoleThatTouchesTheOutlineIsAHole) {
    EXPECT_NEAR(area({square(0, 0, 40, 40), square(0, 10, 10, 20)}), 1500, 1e-4);
    EXPECT_NEAR(area({square(0, 0, 40, 40), {{0, 20}, {10, 10}, {10, 30}}}), 1500, 1e-4);
    // It sticks out by 0.05 mm: still a hole, and nothing outside.
    const auto mask = mask_of({square(10, 10, 50, 50), square(9.95, 20, 20, 30)});
    EXPECT_NEAR(std::accumulate(mask.values.begin(), mask.values.end(), 0.0), 1500, 1e-4);
    EXPECT_EQ(mask.at(9, 25, 0), 0);
}

struct Disc {
    double x, y, r;
    bool holds(const Disc& other) const { return std::hypot(x - other.x, y - other.y) + other.r < r; }
    bool holds(double u, double v) const { return std::hypot(x - u, y - v) <= r; }
    /// 0 where two discs touch, 1 where the smaller one lies within the other.
    double overlap(const Disc& other) const {
        return (r + other.r - std::hypot(x - other.x, y - other.y)) / (2 * std::min(r, other.r));
    }
};

int depth_of(const Disc& disc, const std::vector<Disc>& all) {
    int depth = 0;
    for (const Disc& outer : all)
        if (outer.holds(disc)) depth = std::max(depth, depth_of(outer, all) + 1);
    return depth;
}

/// The rule, point by point.
bool is_inside(const std::vector<Disc>& all, double u, double v) {
    for (const Disc& disc : all) {
        if (!disc.holds(u, v) || depth_of(disc, all) % 2 == 1) continue;
        if (std::none_of(all.begin(), all.end(),
                         [&](const Disc& inner) { return inner.holds(u, v) && disc.holds(inner); }))
            return true;
    }
    return false;
}

TEST(PlaneContours, AnyDiscsAreAsTheRuleSaysPointByPoint) {
    std::mt19937 random(7);
    const auto between = [&](double low, double high) {
        return std::uniform_real_distribution<double>(low, high)(random);
    };
    for (int trial = 0; trial < 40; ++trial) {
        std::vector<Disc> discs;
        std::vector<Points> polygons;
        while (discs.size() < 6) {
            const double r = between(3, 25);
            const Disc next{between(r, 60 - r), between(r, 60 - r), r};
            // Discs that share less than a twentieth of their area only touch, those that share all but a
            // tenth lie within: leave both out.
            if (std::any_of(discs.begin(), discs.end(), [&](const Disc& disc) {
                    const double overlap = disc.overlap(next);
                    return (overlap > 0 && overlap < 0.25) || (overlap > 0.75 && overlap < 1);
                }))
                continue;
            discs.push_back(next);
            polygons.push_back(circle(next.x, next.y, next.r));
        }
        constexpr int n = 300;
        int inside = 0;
        for (int i = 0; i < n; ++i)
            for (int j = 0; j < n; ++j)
                inside += is_inside(discs, 60 * (i + 0.5) / n, 60 * (j + 0.5) / n) ? 1 : 0;
        EXPECT_NEAR(area(polygons), 3600.0 * inside / (n * n), 3) << "trial " << trial;
    }
}

TEST(PlaneContours, XorIsWhatAnOddNumberEncloses) {
    Structure structure = in_one_plane({square(0, 0, 20, 20), square(10, 0, 30, 20)});
    structure.xor_contours = true;
    EXPECT_NEAR(area(structure), 400, 1e-4);
    EXPECT_THAT(contour_notes(structure),
                Contains(AllOf(HasSubstr("CLOSEDPLANAR_XOR"), HasSubstr("0.20 cm3"))));
    structure = in_one_plane({square(0, 0, 20, 20), square(5, 5, 15, 15)});
    structure.xor_contours = true;
    EXPECT_NEAR(area(structure), 300, 1e-4);
    EXPECT_THAT(contour_notes(structure), IsEmpty());
    structure = in_one_plane({square(0, 0, 20, 20), rolled(square(0, 0, 20, 20), 1)});
    structure.xor_contours = true;
    EXPECT_EQ(area(structure), 0);
}

TEST(PlaneContours, KeyHolesKeepTheirHoleInEitherSense) {
    const Points outer{{10, 10}, {50, 10}, {50, 30}},
        inner{{40, 30}, {40, 20}, {20, 20}, {20, 40}, {40, 40}, {40, 30}}, rest{{50, 30}, {50, 50}, {10, 50}};
    for (const Points& hole : {inner, reversed(inner)}) {
        const Points key_hole = joined(joined(outer, hole), rest);
        EXPECT_NEAR(area({key_hole}), 1600 - 400, 1e-4);
        EXPECT_NEAR(area({key_hole, key_hole}), 1600 - 400, 1e-4);
        EXPECT_THAT(notes({key_hole}), IsEmpty());
        EXPECT_EQ(report_contours(in_one_plane({key_hole}), 1).lost_cm3, 0);
    }
}

TEST(PlaneContours, FigureOfEightHasTwoLoopsAndANote) {
    // Two triangles of 40 x 20 / 2 that meet in the middle.
    const Points eight{{10, 10}, {50, 10}, {10, 50}, {50, 50}};
    EXPECT_NEAR(area({eight}), 800, 1e-3);
    EXPECT_THAT(notes({eight}), Contains(HasSubstr("1 contour crosses itself at z = 0.0 mm")));
}

TEST(PlaneContours, AreaThatAnOutlineGoesRoundTwiceIsReportedAsLost) {
    // 40 x 40 mm with a loop of 10 x 10 mm inside that runs in the same sense.
    const Points looped{{10, 10}, {50, 10}, {50, 50}, {10, 50}, {10, 20}, {20, 20}, {20, 30}, {10, 30}};
    const ContourReport report = report_contours(in_one_plane({looped}), 1);
    EXPECT_NEAR(report.covered_cm3, 1.5, 1e-9);
    EXPECT_NEAR(report.lost_cm3, 0.1, 1e-9);
}

TEST(PlaneContours, ReportTellsHolesFromWhatIsFilled) {
    const ContourReport report =
        report_contours(in_one_plane({square(0, 0, 40, 40), square(10, 10, 30, 30)}), 1);
    EXPECT_NEAR(report.covered_cm3, 1.2, 1e-9);
    EXPECT_NEAR(report.filled_cm3, 1.6, 1e-9);
    EXPECT_EQ(report.lost_cm3, 0);
}

TEST(PlaneContours, ContoursMayTiltByATenthOfAMillimetre) {
    const auto tilted = [](double by) {
        Structure structure = in_one_plane({square(10, 10, 50, 50)});
        structure.contours[0].points_mm[2][2] = by;
        return structure;
    };
    EXPECT_NEAR(area(tilted(0.02)), 1600, 40);  // its plane is at 0.01 mm
    EXPECT_NEAR(area(tilted(0.1)), 1600 * 0.95, 1);
    EXPECT_THROW(area(tilted(0.11)), Error);
}

TEST(PlaneContours, NotesNameGaps) {
    Structure structure;
    for (const double z : {0.0, 3.0, 6.0, 21.0})
        structure.contours.push_back(contour(square(10, 10, 50, 50), z));
    EXPECT_THAT(contour_notes(structure), Contains(AllOf(HasSubstr("z = 6.0"), HasSubstr("21.0"))));
}

TEST(StructureSet, NameOfSeveralStructuresIsRefusedWhereItIsAskedFor) {
    StructureSet set;
    set.structures.resize(3);
    for (int n = 0; n < 3; ++n) {
        set.structures[static_cast<std::size_t>(n)].number = n + 1;
        set.structures[static_cast<std::size_t>(n)].name = "PTV";
    }
    set.structures[1].contours.push_back(contour(square(0, 0, 1, 1)));
    EXPECT_EQ(set.named("PTV", "test").number, 2);  // the only one with contours
    EXPECT_EQ(set.find("PTV")->number, 2);
    set.structures[2].contours.push_back(contour(square(0, 0, 1, 1)));
    try {
        set.named("PTV", "test");
        FAIL() << "an ambiguous name was taken";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(),
                    AllOf(HasSubstr("2 structures have the name \"PTV\""), HasSubstr("\"#2\", \"#3\"")));
    }
    EXPECT_THROW(set.named("ptv", "test"), Error);
}

}  // namespace
}  // namespace libdose
