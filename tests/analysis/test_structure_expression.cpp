#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "libdose/dvh.h"
#include "libdose/error.h"
#include "libdose/structure_expression.h"

namespace libdose {
namespace {

constexpr double pi = 3.14159265358979323846;

/// A box from z = -10 to 10, planes every `dz` mm.
Structure box(int number, const std::string& name, double x0, double x1, double y0, double y1,
              double dz = 2) {
    Structure s;
    s.number = number;
    s.name = name;
    s.plane_spacing_mm = dz;
    for (double z = -10 + dz / 2; z < 10; z += dz)
        s.contours.push_back({{{x0, y0, z}, {x1, y0, z}, {x1, y1, z}, {x0, y1, z}}});
    return s;
}

Structure cylinder(int number, const std::string& name, double radius, double x, double dz) {
    Structure s = box(number, name, 0, 1, 0, 1, dz);
    for (Contour& contour : s.contours) {
        const double z = contour.points_mm.front()[2];
        contour.points_mm.clear();
        for (int n = 0; n < 720; ++n)
            contour.points_mm.emplace_back(x + radius * std::cos(n * pi / 360),
                                           radius * std::sin(n * pi / 360), z);
    }
    return s;
}

StructureSet set_of(std::vector<Structure> structures) {
    StructureSet set;
    set.structures = std::move(structures);
    return set;
}

Volume<float> ramp() {
    Volume<float> dose({{41, 41, 41}, Vec3::Constant(2.5), Vec3(-50.1, -49.7, -50.3)});
    for (int k = 0; k < 41; ++k)
        for (int j = 0; j < 41; ++j)
            for (int i = 0; i < 41; ++i)
                dose.at(i, j, k) = static_cast<float>(60 + dose.grid.centre_mm(i, j, k)[0]);
    return dose;
}

DoseVolumeHistogram of(const std::string& text, const StructureSet& set) {
    return dose_volume_histogram(ramp(), parse_structure_expression(text, set));
}

std::string error_of(const std::string& text, const StructureSet& set) {
    try {
        parse_structure_expression(text, set);
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

// A -20 ... 10, B -5 ... 20 along x, both 20 mm along y and z: 12 and 10 cm3, 6 cm3 in both.
TEST(StructureExpression, BoxesThatOverlap) {
    const auto set = set_of({box(1, "A", -20, 10, -10, 10), box(2, "B", -5, 20, -10, 10, 2.5)});
    EXPECT_NEAR(of("A or B", set).volume_cm3, 16, 1e-4);
    EXPECT_NEAR(of("A and B", set).volume_cm3, 6, 1e-4);
    EXPECT_NEAR(of("A minus B", set).volume_cm3, 6, 1e-4);
    EXPECT_NEAR(of("B minus A", set).volume_cm3, 4, 1e-4);
    EXPECT_NEAR(of("(A minus B) or (B minus A)", set).volume_cm3, 10,
                1e-3);                          // an estimate where outlines cross in a pixel
    EXPECT_THROW(of("A minus A", set), Error);  // no volume
}

// x from -20 to -5: D98 and D2 of the difference lie at its own ends.
TEST(StructureExpression, DoseOfADifference) {
    const auto set = set_of({box(1, "A", -20, 10, -10, 10), box(2, "B", -5, 20, -10, 10)});
    const auto h = of("A minus B", set);
    for (const double p : {98.0, 50.0, 2.0})
        EXPECT_NEAR(h.dose_at_volume_percent(p), 40 + 15 * (1 - p / 100), 0.05) << p;
    EXPECT_EQ(h.structure, "A minus B");
    EXPECT_EQ(h.structure_number, 0);
    EXPECT_EQ(of("A", set).structure_number, 1);
}

// Outlines that are one inside a pixel: shared by a nested pair, and by neighbours.
TEST(StructureExpression, OutlinesThatCoincide) {
    const auto set =
        set_of({box(1, "ALL", -20.13, 20.13, -10.2, 10.2), box(2, "LEFT", -20.13, 0.31, -10.2, 10.2),
                box(3, "RIGHT", 0.31, 20.13, -10.2, 10.2)});
    const double all = 40.26 * 20.4 * 20e-3, left = 20.44 * 20.4 * 20e-3;
    EXPECT_NEAR(of("LEFT or RIGHT", set).volume_cm3, all, 1e-3);
    EXPECT_NEAR(of("ALL minus LEFT", set).volume_cm3, all - left, 1e-3);
    EXPECT_NEAR(of("ALL and LEFT", set).volume_cm3, left, 1e-3);
    EXPECT_THAT(error_of("LEFT and", set), testing::HasSubstr("missing"));
    EXPECT_THROW(of("LEFT and RIGHT", set), Error);  // no volume
}

// Two circles of radius 12, 12 apart, in planes of different distance: the lens is r² (2 pi / 3 - sqrt(3) /
// 2) times 20 mm.
TEST(StructureExpression, CirclesThatCross) {
    const auto set = set_of({cylinder(1, "A", 12, -6, 2), cylinder(2, "B", 12, 6, 2.5)});
    const double lens = 144 * (2 * pi / 3 - std::sqrt(3.0) / 2) * 20e-3, one = pi * 144 * 20e-3;
    EXPECT_NEAR(of("A and B", set).volume_cm3, lens, 1e-3 * lens);
    EXPECT_NEAR(of("A or B", set).volume_cm3, 2 * one - lens, 1e-3 * one);
    EXPECT_NEAR(of("A minus B", set).volume_cm3, one - lens, 1e-3 * one);
}

TEST(StructureExpression, NamesOfEveryKind) {
    const auto set = set_of({box(4, "PTV", 0, 10, 0, 10), box(5, "PTV", 0, 20, 0, 10),
                             box(6, "A or B", 0, 1, 0, 1), box(7, "Lung (R)", 0, 1, 0, 1),
                             box(8, "say \"x\"", 0, 1, 0, 1), box(9, "Bolus 5 mm", 0, 1, 0, 1),
                             box(10, "Spin\u00e9", 0, 1, 0, 1), box(11, "#4", 0, 1, 0, 1)});
    EXPECT_EQ(parse_structure_expression("#5", set).structure.number, 5);
    EXPECT_EQ(parse_structure_expression("A or B", set).structure.number, 6);
    EXPECT_EQ(parse_structure_expression("Lung (R)", set).structure.number, 7);
    EXPECT_EQ(parse_structure_expression("\"Lung (R)\"", set).structure.number, 7);
    EXPECT_EQ(parse_structure_expression("say \"x\"", set).structure.number, 8);
    const auto both = parse_structure_expression("\"say \"\"x\"\"\" OR (Bolus 5 mm minus #5)", set);
    EXPECT_EQ(both.operation, StructureOperation::unite);
    EXPECT_EQ(both.a->structure.number, 8);
    EXPECT_EQ(both.b->a->structure.number, 9);
    EXPECT_EQ(both.b->b->structure.number, 5);
    EXPECT_EQ(parse_structure_expression("Spin\u00e9 or \"A or B\"", set).a->structure.number, 10);

    auto with_empty = set;
    with_empty.structures[0].contours.clear();
    EXPECT_EQ(parse_structure_expression("PTV", with_empty).structure.number, 5);
    EXPECT_THAT(error_of("PTV", set),
                testing::AllOf(testing::HasSubstr("2 structures"), testing::HasSubstr("\"#4\", \"#5\"")));
    EXPECT_THAT(error_of("Bolus 5 mm or PTV", set), testing::HasSubstr("\"#4\", \"#5\""));
    EXPECT_THAT(error_of("#4", set), testing::HasSubstr("2 structures"));  // one by name, one by number
    EXPECT_THAT(error_of("ptv", set),
                testing::AllOf(testing::HasSubstr("no structure \"ptv\""), testing::HasSubstr("Lung (R)")));
    EXPECT_THAT(error_of("#5 or #6 minus #7", set), testing::HasSubstr("without brackets"));
    EXPECT_EQ(error_of("#5 minus #6 minus #7", set), "");
    for (const char* wrong :
         {"", " ", "or", "#5 or", "(#5", "#5)", "#5 (", "\"#5", "#5 minus (#6 or)", "#5 \"#6\"", "()"})
        EXPECT_NE(error_of(wrong, set), "") << wrong;
    EXPECT_NE(error_of(std::string(100000, '('), set), "");
}

}  // namespace
}  // namespace libdose
