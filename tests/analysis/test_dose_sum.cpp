// Sums of doses, and which doses may be compared. All values by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "libdose/comparable.h"
#include "libdose/error.h"
#include "libdose/gamma.h"

namespace libdose {
namespace {

using testing::HasSubstr;

template <class Body>
std::string message(const Body& body) {
    try {
        body();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::bad_input);
        return error.what();
    }
    return "nothing was thrown";
}

Dose flat(float gy, const Grid& grid = Grid{{4, 3, 2}, Vec3(2, 3, 5), Vec3(-3, -3, 0)}) {
    Dose dose;
    dose.gy = Volume<float>(grid, gy);
    dose.fractions = 30;
    dose.frame_of_reference_uid = "1.2.3";
    dose.referenced_plan_uid = "6.1";
    dose.provenance.engine = "collapsed-cone";
    dose.provenance.settings["grid_mm"] = "2.5";
    return dose;
}

Structure box() {
    Structure s;
    s.name = "BOX";
    s.frame_of_reference_uid = "1.2.3";
    s.plane_spacing_mm = 5;
    for (const double z : {0.0, 5.0})
        s.contours.push_back({{Vec3(-1, -1, z), Vec3(1, -1, z), Vec3(1, 1, z), Vec3(-1, 1, z)}});
    return s;
}

TEST(DoseSum, KeepsWhatTheDosesHaveInCommon) {
    Dose a = flat(2), b = flat(3);
    b.provenance.settings["grid_mm"] = "3";
    b.provenance.model_hashes["generic-6MV"] = "abc";
    b.frame_of_reference_uid = "";
    const Dose sum = sum_of_doses({&a, &b}, {1, 0.5});
    for (const float value : sum.gy.values) EXPECT_EQ(value, 3.5f);
    EXPECT_EQ(sum.type, "PHYSICAL");
    EXPECT_EQ(sum.summation, DoseSummation::plan);
    EXPECT_EQ(sum.fractions, 30);
    EXPECT_EQ(sum.frame_of_reference_uid, "1.2.3");
    EXPECT_EQ(sum.referenced_plan_uid, "6.1");
    EXPECT_EQ(sum.provenance.engine, "collapsed-cone");
    EXPECT_EQ(sum.provenance.settings.at("grid_mm"), "2.5; 3");
    EXPECT_EQ(sum.provenance.model_hashes.at("generic-6MV"), "abc");
    EXPECT_EQ(sum.provenance.settings.at("sum"), "1 x dose of plan 6.1 + 0.5 x dose of plan 6.1");
    b.fractions = 25;
    EXPECT_FALSE(sum_of_doses({&a, &b}).fractions.has_value());
}

TEST(DoseSum, OfSeveralPlansSaysSo) {
    Dose a = flat(2), b = flat(3);
    b.referenced_plan_uid = "6.2";
    const Dose sum = sum_of_doses({&a, &b});
    EXPECT_EQ(sum.summation, DoseSummation::multi_plan);
    EXPECT_EQ(sum.referenced_plan_uid, "6.1");
    EXPECT_EQ(sum.further_plan_uids, std::vector<std::string>{"6.2"});
    EXPECT_FALSE(sum.fractions.has_value());
    Dose c = flat(1);
    c.referenced_plan_uid = "6.3";
    EXPECT_EQ(sum_of_doses({&sum, &c}).further_plan_uids, (std::vector<std::string>{"6.2", "6.3"}));
}

TEST(DoseSum, ADifferenceIsOfTypeError) {
    const Dose a = flat(2), b = flat(3);
    const Dose difference = difference_of_doses(a, b);
    EXPECT_EQ(difference.type, "ERROR");
    EXPECT_EQ(difference.gy.values[0], -1.0f);
    EXPECT_EQ(sum_of_doses({&difference, &b}).type, "ERROR");
    EXPECT_EQ(sum_of_doses({&difference, &b}).gy.values[0], 2.0f);
    EXPECT_EQ(scaled_dose(a, 1.5).gy.values[0], 3.0f);
    EXPECT_EQ(scaled_dose(a, 1.5).type, "PHYSICAL");
    EXPECT_EQ(scaled_dose(a, -1).type, "ERROR");
}

TEST(DoseSum, TheWholeCourseOfOneFraction) {
    Dose fraction = flat(2);
    fraction.summation = DoseSummation::fraction;
    fraction.fractions.reset();
    const Dose course = whole_course(fraction, 30);
    EXPECT_EQ(course.gy.values[0], 60.0f);
    EXPECT_EQ(course.summation, DoseSummation::plan);
    EXPECT_EQ(course.fractions, 30);
    Dose beam = flat(1);
    beam.summation = DoseSummation::beam;
    beam.fractions = 1;
    beam.beam_number = 2;
    EXPECT_EQ(whole_course(beam, 25).summation, DoseSummation::beam);
    EXPECT_EQ(whole_course(beam, 25).fractions, 25);
    EXPECT_THAT(message([&] { whole_course(whole_course(beam, 25), 25); }),
                HasSubstr("25 fractions already"));
    EXPECT_THAT(message([&] { whole_course(flat(1), 30); }), HasSubstr("whole course already"));
    EXPECT_THAT(message([&] { whole_course(fraction, 0); }), HasSubstr("fractions is 0"));
}

TEST(DoseSum, RefusesWhatDoesNotAddUp) {
    const Dose a = flat(2);
    const auto with = [&](const std::function<void(Dose&)>& change) {
        Dose b = flat(3);
        change(b);
        return message([&] { sum_of_doses({&a, &b}); });
    };
    EXPECT_THAT(with([](Dose& d) { d.frame_of_reference_uid = "9"; }), HasSubstr("frames of reference"));
    EXPECT_THAT(with([](Dose& d) { d.summation = DoseSummation::fraction; }), HasSubstr("PLAN and FRACTION"));
    EXPECT_THAT(with([](Dose& d) { d.summation = DoseSummation::beam; }), HasSubstr("(3004,000a)"));
    EXPECT_THAT(with([](Dose& d) { d.type = "EFFECTIVE"; }), HasSubstr("(3004,0004)"));
    EXPECT_THAT(with([](Dose& d) { d.gy.grid.origin_mm[0] += 1; }), HasSubstr("different grids"));
    EXPECT_THAT(with([](Dose& d) { d.gy.grid.spacing_mm[2] = 4; }), HasSubstr("different grids"));
    EXPECT_THAT(with([](Dose& d) { d.plane = true; }), HasSubstr("plane"));
    EXPECT_THAT(message([&] { sum_of_doses({}); }), HasSubstr("no dose"));
    EXPECT_THAT(message([&] { sum_of_doses({&a}, {1, 2}); }), HasSubstr("2 weights"));
    EXPECT_THAT(message([&] { sum_of_doses({&a}, {std::nan("")}); }), HasSubstr("finite"));
    EXPECT_THAT(message([&] { scaled_dose(a, 1e39); }), HasSubstr("finite"));
    Dose one = flat(1), other = flat(1);
    one.patient_id = "A";
    other.patient_id = "B";
    EXPECT_THAT(message([&] { sum_of_doses({&one, &other}); }), HasSubstr("patients A and B"));
}

// A ramp along x is kept by trilinear interpolation. The first grid reaches from -3 to 3 mm (centres), the
// second from -1.5 to 1.5.
TEST(DoseSum, GridsThatDiffer) {
    const auto ramp = [](const Grid& grid) {
        Dose dose = flat(0, grid);
        for (int k = 0; k < grid.size[2]; ++k)
            for (int j = 0; j < grid.size[1]; ++j)
                for (int i = 0; i < grid.size[0]; ++i)
                    dose.gy.at(i, j, k) = static_cast<float>(10 + grid.centre_mm(i, j, k)[0]);
        return dose;
    };
    const Dose wide = ramp(Grid{{4, 3, 2}, Vec3(2, 3, 5), Vec3(-3, -3, 0)}),
               narrow = ramp(Grid{{4, 9, 9}, Vec3(1, 1, 1), Vec3(-1.5, -4, -1.5)});
    const Dose sum = sum_of_doses({&narrow, &wide}, {}, SumGrid::first);
    EXPECT_EQ(sum.gy.grid, narrow.gy.grid);
    EXPECT_NEAR(sum.gy.at(3, 4, 4), 2 * 11.5, 1e-5);
    EXPECT_THAT(sum.provenance.settings.at("sum_grid"), HasSubstr("interpolated"));
    EXPECT_THAT(message([&] {
                    sum_of_doses({&wide, &narrow}, {}, SumGrid::first);
                }),
                HasSubstr("does not cover"));
    // Centres of the wide grid within the faces of the narrow one (-2 to 2, -4.5 to 4.5, -2 to 7): x -1 and
    // 1, y all, z all.
    const Dose common = sum_of_doses({&wide, &narrow}, {}, SumGrid::common);
    EXPECT_EQ(common.gy.grid.size, (std::array<int, 3>{2, 3, 2}));
    EXPECT_NEAR(common.gy.grid.origin_mm[0], -1, 1e-12);
    EXPECT_NEAR(common.gy.at(1, 2, 1), 2 * 11, 1e-5);
    Dose far = narrow;
    far.gy.grid.origin_mm[0] = 100;
    EXPECT_THAT(message([&] {
                    sum_of_doses({&wide, &far}, {}, SumGrid::common);
                }),
                HasSubstr("no voxel in common"));
    // Positions that differ by rounding are one grid.
    Dose rounded = wide;
    rounded.gy.grid.origin_mm[0] += 1e-4;
    EXPECT_EQ(sum_of_doses({&wide, &rounded}).gy.values[0], 14.0f);
}

TEST(DoseAt, IsNotANumberOutside) {
    const Dose dose = flat(2);
    const std::vector<double> values =
        dose_at(dose, {Vec3(0, 0, 0), Vec3(-4, 0, 0), Vec3(-4.1, 0, 0), Vec3(0, 0, 7.4), Vec3(0, 0, 7.6)});
    EXPECT_EQ(values[0], 2);
    EXPECT_EQ(values[1], 2);
    EXPECT_TRUE(std::isnan(values[2]));
    EXPECT_EQ(values[3], 2);
    EXPECT_TRUE(std::isnan(values[4]));
    EXPECT_TRUE(dose_at(dose, {}).empty());
}

TEST(Comparable, DosesOfOneKind) {
    const Dose plan = flat(2);
    const auto against = [&](const std::function<void(Dose&)>& change) {
        Dose other = flat(2);
        change(other);
        return message([&] { gamma_index(plan, other, {}); });
    };
    EXPECT_EQ(gamma_index(plan, plan, {}).pass_rate_percent, 100);
    EXPECT_THAT(against([](Dose& d) { d.frame_of_reference_uid = "9"; }), HasSubstr("frames of reference"));
    EXPECT_THAT(against([](Dose& d) { d.type = "ERROR"; }), HasSubstr("(3004,0004)"));
    EXPECT_THAT(against([](Dose& d) { d.type = "EFFECTIVE"; }), HasSubstr("(3004,0004)"));
    EXPECT_THAT(against([](Dose& d) { d.summation = DoseSummation::fraction; }), HasSubstr("FRACTION"));
    EXPECT_THAT(against([](Dose& d) { d.summation = DoseSummation::beam; }), HasSubstr("(3004,000a)"));
    Dose fraction = flat(2), beam = flat(2);
    fraction.summation = DoseSummation::fraction;
    beam.summation = DoseSummation::beam;
    EXPECT_THAT(message([&] { check_comparable(beam, fraction); }),
                HasSubstr("BEAM is compared with one of FRACTION"));
    EXPECT_TRUE(check_comparable(beam, beam).empty());
    Dose one = beam;
    one.fractions = 1;
    EXPECT_THAT(message([&] { check_comparable(beam, one); }), HasSubstr("30 fractions and 1 fractions"));
    // An unknown frame of reference or number of fractions hinders nothing, but is said.
    one.fractions.reset();
    one.frame_of_reference_uid.clear();
    EXPECT_THAT(check_comparable(beam, one),
                testing::ElementsAre(HasSubstr("an unknown number of fractions")));
}

TEST(Comparable, NotesWhatMayBeAMistake) {
    Dose plan = flat(2), sum = flat(2);
    sum.summation = DoseSummation::multi_plan;
    plan.patient_id = "A";
    sum.patient_id = "B";
    const GammaResult result = gamma_index(plan, sum, {});
    ASSERT_EQ(result.notes.size(), 2u);
    EXPECT_THAT(result.notes[0], HasSubstr("MULTI_PLAN"));
    EXPECT_THAT(result.notes[1], HasSubstr("A and B"));
}

TEST(Comparable, DoseAndStructure) {
    EXPECT_NEAR(dose_volume_histogram(flat(2), box()).mean_gy, 2, 1e-6);
    const auto with = [](const std::function<void(Dose&)>& change) {
        Dose dose = flat(2);
        change(dose);
        return message([&] { dose_volume_histogram(dose, box()); });
    };
    EXPECT_THAT(with([](Dose& d) { d.frame_of_reference_uid = "9"; }), HasSubstr("BOX"));
    EXPECT_THAT(with([](Dose& d) { d.type = "ERROR"; }), HasSubstr("(3004,0004)"));
    EXPECT_THAT(with([](Dose& d) { d.type = "EFFECTIVE"; }), HasSubstr("biological"));
    EXPECT_THAT(with([](Dose& d) { d.plane = true; }), HasSubstr("(0018,0050)"));
    Dose multi = flat(2);
    multi.summation = DoseSummation::multi_plan;
    multi.patient_id = "A";
    StructureSet set;
    set.patient_id = "B";
    EXPECT_THAT(check_histogram(multi, set), testing::ElementsAre(HasSubstr("A and B")));
    set.patient_id = "A";
    EXPECT_TRUE(check_histogram(multi, set).empty());
    set.frame_of_reference_uid = "9";
    EXPECT_THAT(message([&] { check_histogram(multi, set); }), HasSubstr("frames of reference"));
}

// Reference voxels at 0, 2, ..., 10 mm along x; the evaluated dose, the same everywhere, covers 1 to 7 mm.
TEST(GammaOptions, TheMarginLeavesOut) {
    const Dose reference = flat(2, Grid{{6, 1, 1}, Vec3(2, 2, 2), Vec3(0, 0, 0)});
    const Dose evaluated = flat(2, Grid{{6, 9, 9}, Vec3(1, 1, 1), Vec3(1.5, -4, -4)});
    GammaOptions o;
    GammaResult r = gamma_index(reference, evaluated, o);
    EXPECT_EQ(r.evaluated, 6u);
    EXPECT_EQ(r.outside, 3u);  // 0, 8 and 10 mm
    EXPECT_EQ(r.left_out, 0u);
    o.margin_mm = 0.5;
    r = gamma_index(reference, evaluated, o);
    EXPECT_EQ(r.evaluated, 3u);
    EXPECT_EQ(r.outside, 0u);
    EXPECT_EQ(r.left_out, 3u);
    EXPECT_EQ(r.pass_rate_percent, 100);
    o.margin_mm = 1.5;  // 2 and 6 mm are 1 mm from the faces
    r = gamma_index(reference, evaluated, o);
    EXPECT_EQ(r.evaluated, 1u);
    EXPECT_TRUE(std::isnan(r.gamma.values[1]));
    o.margin_mm = 3.5;
    EXPECT_THAT(message([&] { gamma_index(reference, evaluated, o); }), HasSubstr("margin leaves out every"));
    o.margin_mm = -1;
    EXPECT_THAT(message([&] { gamma_index(reference, evaluated, o); }), HasSubstr("margin"));
}

TEST(GammaOptions, ThreadsAndNormalisation) {
    const Dose dose = flat(2);
    GammaOptions o;
    EXPECT_EQ(gamma_index(dose, dose, o).normalisation_gy, 2);
    o.normalisation_gy = 4;
    o.threads = 2;
    EXPECT_EQ(gamma_index(dose, dose, o).normalisation_gy, 4);
    o.threads = -1;
    EXPECT_THAT(message([&] { gamma_index(dose, dose, o); }), HasSubstr("threads"));
}

}  // namespace
}  // namespace libdose
