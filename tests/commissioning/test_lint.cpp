// The linter: each finding by a curve that has just that fault.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "libdose/error.h"
#include "libdose/measurement.h"

using namespace libdose;

namespace {

using Severity = Finding::Severity;

/// Build-up to a maximum at 15 mm, then 5.6 % per cm: about 6 MV.
MeasuredCurve depth_dose(double side, double scale = 1) {
    MeasuredCurve c;
    c.kind = CurveKind::depth_dose;
    c.name = "depth dose " + std::to_string(static_cast<int>(side));
    c.side_x_mm = c.side_y_mm = side;
    c.ssd_mm = 1000;
    for (int d = 0; d <= 300; d += 5) {
        c.position_mm.push_back(scale * d);
        c.value.push_back(100 * std::exp(-0.0056 * d) * (1 - 0.5 * std::exp(-d / 4.0)));
    }
    return c;
}

MeasuredCurve outputs() {
    MeasuredCurve c;
    c.kind = CurveKind::output_factor;
    c.name = "output factors";
    c.ssd_mm = 900;
    c.depth_mm = 100;
    c.normalised = true;
    c.normalisation_mm = 100;
    c.position_mm = c.side_y_of_mm = {30, 40, 60, 100, 200};
    c.value = {0.842, 0.878, 0.930, 1, 1.10};
    return c;
}

MeasuredCurve profile(double width, double centre = 0, double slope = 0) {
    MeasuredCurve c;
    c.kind = CurveKind::profile;
    c.name = "profile";
    c.side_x_mm = c.side_y_mm = 100;
    c.ssd_mm = 900;
    c.depth_mm = 100;
    for (int x = -90; x <= 90; ++x) {
        c.position_mm.push_back(x);
        c.value.push_back(
            50 * (std::erf((x - centre + 0.5 * width) / 4) - std::erf((x - centre - 0.5 * width) / 4)) *
            (1 + slope * x));
    }
    return c;
}

MeasurementSet complete() {
    MeasurementSet set;
    set.nominal_energy_mv = 6;
    set.fluence_mode = "STANDARD";
    set.curves = {depth_dose(40), depth_dose(100), depth_dose(200), outputs(), profile(100)};
    set.absolute = AbsoluteDose{0.01, 1000, 15, 100};
    return set;
}

/// Worst finding whose text holds the word; null when there is none.
const Finding* found(const std::vector<Finding>& findings, const std::string& word) {
    const Finding* worst = nullptr;
    for (const Finding& f : findings)
        if (f.text.find(word) != std::string::npos && (!worst || f.severity > worst->severity)) worst = &f;
    return worst;
}

void expect(const MeasurementSet& set, const std::string& word, Severity severity) {
    const auto findings = lint(set);
    const Finding* finding = found(findings, word);
    ASSERT_NE(finding, nullptr) << word;
    EXPECT_EQ(static_cast<int>(finding->severity), static_cast<int>(severity)) << finding->text;
}

}  // namespace

TEST(Lint, ACompleteSetHasNoErrorAndNoWarning) {
    const MeasurementSet set = complete();
    EXPECT_NO_THROW(set.check());
    for (const Finding& f : lint(set))
        EXPECT_EQ(static_cast<int>(f.severity), static_cast<int>(Severity::note))
            << f.curve << ": " << f.text;
}

TEST(Lint, DepthsInTheWrongUnit) {
    MeasurementSet set = complete();
    set.curves[1] = depth_dose(100, 0.1);
    expect(set, "cm read as mm", Severity::error);
    set.curves[1] = depth_dose(100, 10);
    expect(set, "smaller unit", Severity::error);
}

TEST(Lint, DepthRunningUpwards) {
    MeasurementSet set = complete();
    std::reverse(set.curves[1].value.begin(), set.curves[1].value.end());
    expect(set, "does not fall with depth", Severity::error);
}

TEST(Lint, ACurveBehindTheMaximumIsNotOfAnotherEnergy) {
    MeasurementSet set = complete();
    MeasuredCurve& c = set.curves[1];
    c.position_mm.erase(c.position_mm.begin(), c.position_mm.begin() + 10);
    c.value.erase(c.value.begin(), c.value.begin() + 10);
    expect(set, "begins at 50 mm", Severity::warning);
    EXPECT_EQ(found(lint(set), "has it from"), nullptr);
}

TEST(Lint, CornersOfALargeFieldAreRounded) {
    MeasurementSet set = complete();
    set.curves[4] = profile(100);
    MeasuredCurve& c = set.curves[4];
    c.axis = ProfileAxis::diagonal;
    c.side_x_mm = c.side_y_mm = 400;
    for (double& x : c.position_mm) x *= 4.5;  // 450 mm long, not 566
    EXPECT_EQ(found(lint(set), "mm wide"), nullptr);
    c.side_x_mm = c.side_y_mm = 200;
    expect(set, "stated 200 mm", Severity::error);
}

TEST(Lint, AnotherEnergy) {
    MeasurementSet set = complete();
    set.nominal_energy_mv = 15;
    expect(set, "15 MV has it from", Severity::warning);
    expect(set, "TPR 20,10 is", Severity::error);
}

TEST(Lint, ProfilesOfAnotherFieldOffCentreOrBehindAWedge) {
    MeasurementSet set = complete();
    set.curves[4] = profile(120);
    expect(set, "stated 100 mm", Severity::error);
    set.curves[4] = profile(103);
    expect(set, "stated 100 mm", Severity::warning);
    set.curves[4] = profile(100, 12);
    expect(set, "centred at 12", Severity::error);
    set.curves[4] = profile(100, 2);
    expect(set, "centred at 2", Severity::warning);
    set.curves[4] = profile(100, 0, 0.003);
    expect(set, "is there a wedge", Severity::error);
}

TEST(Lint, NormalisationAndPercent) {
    MeasurementSet set = complete();
    for (double& value : set.curves[3].value) value *= 100;
    expect(set, "not 1", Severity::error);
    set = complete();
    for (double& value : set.curves[3].value) value *= 1.01;
    expect(set, "not 1", Severity::warning);
}

TEST(Lint, NoiseFromPointToPoint) {
    MeasurementSet set = complete();
    for (std::size_t i = 0; i < set.curves[1].value.size(); ++i)
        set.curves[1].value[i] *= i % 2 ? 1.03 : 0.97;
    expect(set, "noise of", Severity::warning);
}

TEST(Lint, OneCurveIsNotEnough) {
    MeasurementSet set = complete();
    set.curves = {depth_dose(100)};
    expect(set, "at least three are needed", Severity::error);
    expect(set, "fewer than three output factors", Severity::error);
}

TEST(Lint, ContradictingTables) {
    MeasurementSet set = complete();
    MeasuredCurve other = outputs();
    other.name = "output factors at another depth";
    other.depth_mm = 50;
    other.value = {0.70, 0.878, 0.930, 1, 1.10};
    set.curves.push_back(other);
    expect(set, "and 0.7 in", Severity::error);
    MeasuredCurve ratio = depth_dose(100);
    ratio.kind = CurveKind::tissue_phantom_ratio;
    ratio.name = "tpr";
    ratio.ssd_mm = 0;
    ratio.normalised = true;
    ratio.normalisation_mm = 100;
    for (double& value : ratio.value) value = std::pow(value, 0.5);
    const double at = ratio.value[20];
    for (double& value : ratio.value) value /= at;
    set = complete();
    set.curves.push_back(ratio);
    expect(set, "are both of one beam", Severity::error);
}

TEST(Lint, PublishedSpread) {
    MeasurementSet set = complete();
    set.curves[3].value[1] = 0.80;  // published 0.878
    expect(set, "published 0.878", Severity::warning);
    set.leaf_transmission = 0.05;
    expect(set, "transmission of the leaves", Severity::warning);
    MeasuredCurve fluence;
    fluence.kind = CurveKind::primary_fluence;
    fluence.name = "primary fluence";
    fluence.normalised = true;
    for (int r = 0; r <= 250; r += 10) {
        fluence.position_mm.push_back(r);
        fluence.value.push_back(std::exp(-0.003 * r));
    }
    set.curves.push_back(fluence);
    expect(set, "with flattening filter does not have", Severity::error);
}

namespace {

MeasuredCurve wedge_factors(double angle, std::vector<double> values, const std::string& kind = "physical") {
    MeasuredCurve c;
    c.kind = CurveKind::wedge_factor;
    c.wedge = MeasuredWedge{kind, angle, "", std::nullopt};
    c.name = "wedge factors, " + c.wedge->words();
    c.ssd_mm = 900;
    c.depth_mm = 100;
    c.position_mm = c.side_y_of_mm = {50, 100, 200};
    c.value = std::move(values);
    return c;
}

/// Readings of gaps with a dosimetric leaf gap, by hand: t + (1 - t) (gap + dosimetric) / travel, less the
/// second order in t.
MeasuredCurve leaf_gaps(double dosimetric, double t = 0.012, double travel = 120) {
    MeasuredCurve c;
    c.kind = CurveKind::leaf_gap;
    c.name = "sweeping gaps";
    c.leaves = "varian-millennium-120";
    c.travel_mm = travel;
    c.ssd_mm = 900;
    c.depth_mm = 100;
    c.side_x_mm = c.side_y_mm = 100;
    c.position_mm = {2, 4, 6, 10, 14, 20};
    for (const double gap : c.position_mm)
        c.value.push_back(t * (1 - gap / travel) + (gap + dosimetric) / travel);
    return c;
}

}  // namespace

TEST(Lint, WedgeFactors) {
    MeasurementSet set = complete();
    set.device_curves = {wedge_factors(15, {0.76, 0.77, 0.78}), wedge_factors(60, {0.39, 0.40, 0.41}),
                         wedge_factors(60, {0.45, 0.65, 0.8}, "enhanced")};
    EXPECT_NO_THROW(set.check());
    for (const Finding& f : lint(set))
        EXPECT_EQ(static_cast<int>(f.severity), static_cast<int>(Severity::note))
            << f.curve << ": " << f.text;
    set.device_curves[0].value = {1.31, 1.30, 1.28};
    expect(set, "open over wedged", Severity::error);
    set.device_curves[0].value = {0.30, 0.31, 0.32};
    expect(set, "are the wedges exchanged", Severity::error);
    set.device_curves[0].value = {0.70, 0.77, 0.79};
    expect(set, "varies by 12.857 %", Severity::warning);
    set.device_curves[0].value = {0.93, 0.94, 0.95};
    expect(set, "outside of 0.15 to 0.92", Severity::warning);
}

TEST(Lint, AWedgesThinEndIsTheOneWithMoreDose) {
    MeasurementSet set = complete();
    MeasuredCurve c = profile(100, 0, 0.005);
    c.axis = ProfileAxis::inplane;
    c.wedge = MeasuredWedge{"physical", 60, "", 0.0};
    c.name = "wedged profile";
    set.device_curves = {c};
    EXPECT_EQ(found(lint(set), "thin end"), nullptr);
    set.device_curves[0].wedge->orientation_deg = 180;
    expect(set, "falls towards the thin end", Severity::error);
    set.device_curves[0].wedge->orientation_deg = 90;  // across the wedge
    EXPECT_EQ(found(lint(set), "thin end"), nullptr);
}

TEST(Lint, LeafGaps) {
    MeasurementSet set = complete();
    set.device_curves = {leaf_gaps(1.8)};
    EXPECT_NO_THROW(set.check());
    expect(set, "gaps do not tell the offset", Severity::error);
    set.leaf_transmission = 0.012;
    EXPECT_EQ(found(lint(set), "leaf gap"), nullptr);
    set.device_curves = {leaf_gaps(4)};
    expect(set, "dosimetric leaf gap is 4 mm", Severity::warning);
    set.device_curves = {leaf_gaps(7)};
    expect(set, "dosimetric leaf gap is 7 mm", Severity::error);
    set.device_curves = {leaf_gaps(1.8)};
    set.device_curves[0].travel_mm = 200;
    expect(set, "is the travel, the unit of the gaps", Severity::error);
    for (double& value : set.device_curves[0].value) value *= 100;
    expect(set, "above that of the open field", Severity::error);
}

TEST(Measurement, SetsThatCannotBeUsedAreRefused) {
    const auto problem = [](auto&& change) {
        MeasurementSet set = complete();
        change(set);
        try {
            set.check();
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("no error");
    };
    EXPECT_NE(problem([](auto& s) { s.curves[0].value[3] = std::nan(""); }).find("not a number"),
              std::string::npos);
    EXPECT_NE(
        problem([](auto& s) { s.curves[0].position_mm[3] = s.curves[0].position_mm[2]; }).find("there twice"),
        std::string::npos);
    EXPECT_NE(problem([](auto& s) {
                  std::swap(s.curves[0].position_mm[3], s.curves[0].position_mm[2]);
              }).find("do not ascend"),
              std::string::npos);
    EXPECT_NE(problem([](auto& s) { s.curves[0].ssd_mm = 0; }).find("source-surface"), std::string::npos);
    EXPECT_NE(problem([](auto& s) { s.curves[1].name = s.curves[0].name; }).find("two curves"),
              std::string::npos);
    EXPECT_NE(problem([](auto& s) { s.fluence_mode.clear(); }).find("fluence mode"), std::string::npos);
    EXPECT_NE(problem([](auto& s) { s.absolute->gy_per_mu = 1; }).find("Gy/MU"), std::string::npos);
    EXPECT_NE(problem([](auto& s) { s.curves.clear(); }).find("no curve"), std::string::npos);
}

namespace {

MeasuredCurve of_leaves(MeasuredCurve c, double jaw = 100) {
    c.leaves = "varian-millennium-120";
    c.jaw_x_mm = c.jaw_y_mm = jaw;
    c.name += " by MLC";
    return c;
}

/// 40 x 40 mm of leaves in 100 x 100 mm jaws, as wide as said.
MeasuredCurve leaf_profile(double width, double jaw = 100) {
    MeasuredCurve c = of_leaves(profile(width), jaw);
    c.side_x_mm = c.side_y_mm = 40;
    return c;
}

MeasuredCurve leaf_outputs() {
    MeasuredCurve c = of_leaves(outputs(), 200);
    c.position_mm = c.side_y_of_mm = {30, 40, 60};
    c.value = {0.846, 0.885, 0.94};
    return c;
}

}  // namespace

TEST(Lint, FieldsOfLeaves) {
    MeasurementSet set = complete();
    set.device_curves = {leaf_profile(40.8), leaf_outputs()};
    EXPECT_NO_THROW(set.check());
    for (const Finding& f : lint(set))
        EXPECT_EQ(static_cast<int>(f.severity), static_cast<int>(Severity::note))
            << f.curve << ": " << f.text;

    set.device_curves = {leaf_profile(43)};
    expect(set, "43 mm wide", Severity::warning);
    set.device_curves = {leaf_profile(100)};
    expect(set, "100 mm wide at the isocentre plane, stated 40 mm", Severity::error);
    set.device_curves = {leaf_profile(40)};
    for (double& x : set.device_curves[0].position_mm) x *= 0.1;
    expect(set, "wrong unit", Severity::error);
    // Jaws beside the leaves: whose edge it is cannot be told.
    set.device_curves = {leaf_profile(40.8, 48)};
    expect(set, "the jaws stand within 5 mm", Severity::warning);

    // More than the jaws alone let through (1.10 of 200 mm), and much less than jaws in the place of the
    // leaves (0.93 of 60 mm).
    set.device_curves = {leaf_outputs()};
    set.device_curves[0].value.back() = 1.15;
    expect(set, "that of their jaws without leaves 1.1", Severity::error);
    set.device_curves[0].value.back() = 0.83;
    expect(set, "that of jaws in their place 0.93", Severity::warning);
    set.device_curves[0].value = {84.6, 88.5, 94};
    expect(set, "percent, or another quantity", Severity::error);
    // A field of leaves that is stated to be 1.
    set.device_curves = {leaf_outputs()};
    set.device_curves[0].unity_of_leaves = true;
    set.device_curves[0].normalisation_mm = 60;
    expect(set, "the value at 60 mm is 0.94, not 1", Severity::error);
}

TEST(Lint, EdgesOfLeavesAgainstTheirGaps) {
    MeasurementSet set = complete();
    set.leaf_transmission = 0.015;
    MeasuredCurve gaps;
    gaps.kind = CurveKind::leaf_gap;
    gaps.name = "gaps";
    gaps.leaves = "varian-millennium-120";
    gaps.travel_mm = 120;
    gaps.side_x_mm = gaps.side_y_mm = 100;
    gaps.ssd_mm = 900;
    gaps.depth_mm = 100;
    for (const double gap : {2.0, 6.0, 10.0, 20.0}) {
        // A dosimetric leaf gap of 1.5 mm.
        gaps.position_mm.push_back(gap);
        gaps.value.push_back(0.015 * (1 - gap / 120) + (gap + 1.5) / 120);
    }
    set.device_curves = {gaps, leaf_profile(40.8)};
    EXPECT_EQ(found(lint(set), "wider than the leaves stand"), nullptr);
    set.device_curves[1] = leaf_profile(39);
    expect(set, "-1 mm wider than the leaves stand, the gaps say 1.5 mm", Severity::warning);
}

TEST(Lint, BadFieldsOfLeaves) {
    MeasurementSet set = complete();
    const auto problem = [&](const MeasuredCurve& curve) {
        set.device_curves = {curve};
        try {
            set.check();
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("no error");
    };
    MeasuredCurve curve = leaf_profile(40);
    EXPECT_EQ(problem(curve), "no error");
    curve.jaw_y_mm = 0;
    EXPECT_NE(problem(curve).find("opening of the jaws along y is 0 mm"), std::string::npos);
    curve.jaw_y_mm = 30;
    EXPECT_NE(problem(curve).find("the leaves are 40 mm open along y, the jaws 30 mm"), std::string::npos);
    curve = leaf_outputs();
    curve.unity_of_leaves = true;
    curve.normalisation_mm = 250;
    EXPECT_NE(problem(curve).find("the leaves are 250 mm open along x, the jaws 200 mm"), std::string::npos);
    curve = leaf_profile(40);
    curve.wedge = MeasuredWedge{"virtual", 60, "", 0.0};
    EXPECT_NE(problem(curve).find("virtual wedges are not calculated"), std::string::npos);
    set.device_curves.clear();
    set.curves.push_back(leaf_profile(40));
    EXPECT_THROW(set.check(), Error) << "among the open fields";
}
