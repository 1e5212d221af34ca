// Leaves and wedges from readings of known ones: closed forms where there are any, then a model's own dose.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "commissioning/device_fit.h"
#include "commissioning/leaf_field.h"
#include "engine/jaw_field.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "fluence/head_equations.h"
#include "libdose/data.h"
#include "libdose/error.h"
#include "libdose/io/hdf5.h"
#include "terma/terma_table.h"
#include "validation/point_dose.h"

using namespace libdose;
using namespace libdose::commission;

namespace {

/// The generic model without what a gap would change beside the leaves: extrafocal source, electrons, and the
/// size of the focal spot.
BeamModel bare_model() {
    BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    model.head.extrafocal.amplitude = 0;
    model.head.electrons.amplitude_gy_cm2 = 0;
    model.head.spot_fwhm_x_mm = model.head.spot_fwhm_y_mm = 0;
    model.head.monitor_backscatter_x = model.head.monitor_backscatter_y = 0;
    return model;
}

MeasuredCurve gaps(const std::string& leaves, double travel, std::vector<double> widths) {
    MeasuredCurve c;
    c.kind = CurveKind::leaf_gap;
    c.name = "gaps";
    c.leaves = leaves;
    c.travel_mm = travel;
    c.side_x_mm = c.side_y_mm = 100;
    c.ssd_mm = 900;
    c.depth_mm = 100;
    c.position_mm = std::move(widths);
    return c;
}

const FittedParameter& parameter(const DeviceFit& fit, const std::string& name) {
    for (const FittedParameter& p : fit.parameters)
        if (p.name.find(name) != std::string::npos) return p;
    throw std::runtime_error("no parameter " + name);
}

std::string problem_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

const auto no_progress = [](double) {};

}  // namespace

TEST(LeafFit, FindsOffsetAndTransmissionOfReadingsByHand) {
    BeamModel model = bare_model();
    const auto designs = read_leaf_designs(data_folder() / "mlc");
    const auto design = std::find_if(designs.begin(), designs.end(),
                                     [](const LeafDesign& d) { return d.name == "varian-millennium-120"; });
    ASSERT_NE(design, designs.end());
    // Between the tangents, whose ways are the plan's gap and twice the offset, all comes through; the ends
    // add 4 / b²; the rest is the leaf.
    const double b = physics::tip_decay(design->attenuation_per_mm(model.spectrum), design->tip_radius_mm,
                                        design->source_distance_mm, 1000);
    const double offset = 0.2, transmission = 0.0150, travel = 120;
    MeasurementSet set;
    set.leaf_transmission = 0.0145;  // a measurement that is 3 % off
    set.device_curves = {gaps(design->name, travel, {2, 4, 6, 10, 14, 20})};
    std::mt19937 random(5);
    std::normal_distribution<double> noise(0, 0.003);
    for (const double gap : set.device_curves[0].position_mm)
        set.device_curves[0].value.push_back(
            (transmission + (1 - transmission) * (gap + 2 * offset + 4 / (b * b)) / travel) *
            (1 + noise(random)));
    const DeviceFit fit = fit_leaves(model, set, designs, no_progress);
    const FittedParameter &found = parameter(fit, "leaf offset"),
                          &through = parameter(fit, "leaf transmission");
    EXPECT_TRUE(fit.converged);
    EXPECT_LT(found.sigma, 0.1);
    EXPECT_NEAR(found.value, offset, 3 * found.sigma);
    EXPECT_NEAR(through.value, transmission, 3 * through.sigma);
    EXPECT_EQ(model.head.leaf_design, design->name);
    EXPECT_EQ(model.head.leaf_offset_mm, found.value);
    EXPECT_EQ(model.head.leaf_transmission, through.value);
    ASSERT_EQ(fit.curves.size(), 2u);
    for (const CurveComparison& c : fit.curves) EXPECT_LT(c.max_abs_percent, 1.5) << c.engine;
    EXPECT_EQ(fit.correlation.rows(), 2);
    // A gap that is measured wider by an offset too little: offset and transmission pull against each other.
    EXPECT_LT(fit.correlation(0, 1), -0.3);
}

TEST(LeafFit, SaysWhatIsMissing) {
    BeamModel model = bare_model();
    const auto designs = read_leaf_designs(data_folder() / "mlc");
    MeasurementSet set;
    EXPECT_TRUE(fit_leaves(model, set, designs, no_progress).parameters.empty());
    EXPECT_EQ(model.head.leaf_design, "");
    set.device_curves = {gaps("acme", 120, {2, 4, 6})};
    set.device_curves[0].value = {0.04, 0.06, 0.08};
    EXPECT_NE(problem_of([&] {
                  fit_leaves(model, set, designs, no_progress);
              }).find("there are no leaves \"acme\""),
              std::string::npos);
    set.device_curves[0].leaves = "varian-hd120";
    EXPECT_NE(problem_of([&] { fit_leaves(model, set, designs, no_progress); }).find("leaf_transmission"),
              std::string::npos);
    set.device_curves.push_back(gaps("elekta-agility", 120, {2, 4, 6}));
    EXPECT_NE(problem_of([&] { fit_leaves(model, set, designs, no_progress); }).find("two kinds of leaves"),
              std::string::npos);
}

TEST(LeafField, ARectangleIsMadeOfWholeLeaves) {
    const auto designs = read_leaf_designs(data_folder() / "mlc");
    const auto design = std::find_if(designs.begin(), designs.end(),
                                     [](const LeafDesign& d) { return d.name == "varian-millennium-120"; });
    ASSERT_NE(design, designs.end());
    // 60 pairs: ten of 10 mm from -200 to -100 mm, forty of 5 mm, ten of 10 mm. 30 mm are the six pairs from
    // -15 to 15 mm.
    const LeafPositions ends = rectangle_of_leaves(*design, 42, 30, 100, "here");
    ASSERT_EQ(ends.lower_mm.size(), 60u);
    for (std::size_t p = 0; p < 60; ++p) {
        const bool open = p >= 27 && p < 33;
        EXPECT_EQ(ends.lower_mm[p], open ? -21 : -70) << p;
        EXPECT_EQ(ends.upper_mm[p], open ? 21 : -70) << "closed behind the jaw at -50 mm, pair " << p;
    }
    const std::string odd = problem_of([&] { rectangle_of_leaves(*design, 42, 42, 100, "here"); });
    EXPECT_NE(odd.find("do not end at 21 mm"), std::string::npos) << odd;
    EXPECT_NE(odd.find("the nearest is 40 mm along y"), std::string::npos) << odd;
    EXPECT_NE(
        problem_of([&] { rectangle_of_leaves(*design, 42, 500, 100, "here"); }).find("the nearest is 400 mm"),
        std::string::npos);
}

TEST(LeafField, WhatComesThroughIsTheOpeningWithItsEndsByHand) {
    // Fluence along the leaves' travel: all of the opening between the tangents, the ends' 2 / b² on either
    // side, the leaf's transmission up to the jaws.
    BeamModel model = bare_model();
    model.head.profile.assign(model.head.profile.size(), 1);
    model.head.jaw_transmission = 0;
    model.head.leaf_design = "varian-millennium-120";
    model.head.leaf_transmission = 0.01;
    model.head.leaf_offset_mm = 0.3;
    const auto designs = read_leaf_designs(data_folder() / "mlc");
    const auto design = std::find_if(designs.begin(), designs.end(),
                                     [](const LeafDesign& d) { return d.name == "varian-millennium-120"; });
    const LeafPositions ends = rectangle_of_leaves(*design, 40, 60, 100, "here");
    const FluenceMap map = field_of_leaves(model, *design, 100, 100, 1000, ends, ends);
    const double b = physics::tip_decay(design->attenuation_per_mm(model.spectrum), design->tip_radius_mm,
                                        design->source_distance_mm, 1000);
    // Across the middle of a leaf.
    const int v = static_cast<int>((2.5 - map.lower_v_mm) / map.pixel_mm);
    double sum = 0;
    for (int u = 0; u < map.size_u; ++u) sum += static_cast<double>(map.at(u, v)) * map.pixel_mm;
    const double opening = 40 + 2 * 0.3, through = 0.01;
    EXPECT_NEAR(sum, opening + (1 - through) * 4 / (b * b) + through * (100 - opening), 0.1);
}

namespace {

/// Leaves of a known offset and transmission, and what a model says of fields that they shape.
struct KnownLeaves {
    BeamModel start = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5"), truth = start;
    std::vector<LeafDesign> designs = read_leaf_designs(data_folder() / "mlc");
    LeafDesign design = *std::find_if(designs.begin(), designs.end(),
                                      [](const LeafDesign& d) { return d.name == "varian-millennium-120"; });
    std::vector<MeasuredCurve> curves;  ///< two profiles, a depth dose, output factors

    KnownLeaves() {
        truth.head.leaf_design = design.name;
        truth.head.leaf_offset_mm = -0.35;
        truth.head.leaf_transmission = 0.014;
        for (const double side : {40.0, 80.0}) {
            std::vector<double> positions;
            for (double x = -0.5 * side - 12; x <= 0.5 * side + 12.01; x += 2) positions.push_back(x);
            curves.push_back(of_leaves(CurveKind::profile, side, positions));
        }
        curves.push_back(of_leaves(CurveKind::depth_dose, 40, {15, 50, 100, 200}));
        curves.push_back(of_leaves(CurveKind::output_factor, 0, {20, 40}));
        curves.back().side_y_of_mm = {20, 40};
        curves.back().normalised = true;
        curves.back().normalisation_mm = 100;
        measure();
    }

    /// The readings of gaps that the same leaves give.
    MeasuredCurve swept() const {
        MeasuredCurve curve = gaps(design.name, 120, {4, 10, 20});
        const PointDose dose(truth.spectrum, truth.cone_kernel, truth.pencil_kernel, truth.head.electrons);
        const WaterPoint at{900, 100, 0, 0};
        const auto parked = all_pairs(design, -200, 200);
        const double open =
            dose.collapsed_cone(field_of_leaves(truth, design, 100, 100, 1000, parked, parked), at);
        for (const double gap : curve.position_mm)
            curve.value.push_back(
                dose.collapsed_cone(field_of_leaves(truth, design, 100, 100, 1000,
                                                    all_pairs(design, -60 - gap / 2, -60 + gap / 2),
                                                    all_pairs(design, 60 - gap / 2, 60 + gap / 2)),
                                    at) /
                open);
        return curve;
    }

private:
    MeasuredCurve of_leaves(CurveKind kind, double side, std::vector<double> positions) const {
        MeasuredCurve c;
        c.kind = kind;
        c.name = to_string(kind) + " " + std::to_string(side);
        c.leaves = design.name;
        c.jaw_x_mm = c.jaw_y_mm = 120;
        c.side_x_mm = c.side_y_mm = side;
        c.ssd_mm = 900;
        c.depth_mm = 100;
        c.position_mm = std::move(positions);
        return c;
    }

    /// Profiles have a scale of their own, and a scanner whose zero is elsewhere.
    void measure() {
        std::mt19937 random(11);
        std::normal_distribution<double> noise(0, 0.003);
        for (MeasuredCurve& c : curves) {
            c.value.assign(c.position_mm.size(), 1);
            c.value = predict_leaf_fields(truth, design, {all_points(c)}, Algorithm::collapsed_cone).front();
            if (c.kind != CurveKind::profile) continue;
            for (std::size_t i = 0; i < c.value.size(); ++i) {
                c.value[i] *= 70 * (1 + noise(random));
                c.position_mm[i] += 0.4;
            }
        }
    }
};

}  // namespace

TEST(LeafFit, FindsTheOffsetOfEdgesAndGapsOfAModelsOwnDose) {
    const KnownLeaves leaves;
    MeasurementSet set;
    set.device_curves = leaves.curves;
    BeamModel model = leaves.start;
    const DeviceFit by_edges = fit_leaves(model, set, leaves.designs, no_progress);
    ASSERT_EQ(by_edges.parameters.size(), 1u) << "edges do not tell what comes through the leaf";
    const FittedParameter offset = by_edges.parameters[0];
    EXPECT_TRUE(by_edges.converged);
    // 0.3 mm of width are 0.15 mm of an end, within a prior of 0.5 mm.
    EXPECT_NEAR(offset.sigma, 1 / std::sqrt(1 / (0.15 * 0.15) + 1 / (0.5 * 0.5)), 0.02);
    EXPECT_NEAR(offset.value, -0.35 * (0.5 * 0.5) / (0.5 * 0.5 + 0.15 * 0.15), 0.05)
        << "less what the prior keeps";
    EXPECT_EQ(model.head.leaf_offset_mm, offset.value);
    EXPECT_EQ(model.head.leaf_design, leaves.design.name);
    ASSERT_EQ(by_edges.curves.size(), 8u) << "four of each engine";
    for (const CurveComparison& c : by_edges.curves) {
        EXPECT_FALSE(c.position_mm.empty()) << c.name;
        if (c.engine == "collapsed-cone" && c.kind != CurveKind::profile) {
            EXPECT_LT(c.max_abs_percent, 0.5) << c.name;
        }
    }

    // With gaps the same offset, closer.
    set.leaf_transmission = 0.014;
    set.device_curves.push_back(leaves.swept());
    model = leaves.start;
    const DeviceFit both = fit_leaves(model, set, leaves.designs, no_progress);
    ASSERT_EQ(both.parameters.size(), 2u);
    EXPECT_LT(both.parameters[0].sigma, offset.sigma);
    EXPECT_NEAR(both.parameters[0].value, -0.35, 0.03);
    EXPECT_NEAR(both.parameters[1].value, 0.014, 0.0003);
}

TEST(LeafFit, WithoutEdgesAndGapsTheLeavesStayThoseOfTheDesign) {
    const KnownLeaves leaves;
    MeasurementSet set;
    set.leaf_transmission = 0.014;
    set.device_curves = {leaves.curves[2], leaves.curves[3]};
    BeamModel model = leaves.start;
    const DeviceFit none = fit_leaves(model, set, leaves.designs, no_progress);
    EXPECT_TRUE(none.parameters.empty());
    EXPECT_EQ(model.head.leaf_design, "");
    EXPECT_EQ(none.curves.size(), 4u);
    // A scan across the leaves, and jaws beside them, tell nothing either.
    set.device_curves = {leaves.curves[0]};
    set.device_curves[0].axis = ProfileAxis::inplane;
    EXPECT_TRUE(fit_leaves(model, set, leaves.designs, no_progress).parameters.empty());
    set.device_curves[0].axis = ProfileAxis::crossplane;
    set.device_curves[0].jaw_x_mm = 44;
    EXPECT_TRUE(fit_leaves(model, set, leaves.designs, no_progress).parameters.empty());
}

TEST(LeafFit, LeavesThatCannotMakeAFieldAreRefusedAtOnce) {
    const auto designs = read_leaf_designs(data_folder() / "mlc");
    MeasurementSet set;
    MeasuredCurve c = gaps("elekta-mlci", 0, {0});
    c.kind = CurveKind::profile;
    c.jaw_x_mm = c.jaw_y_mm = 100;
    c.side_x_mm = 40;
    c.side_y_mm = 50;
    c.value = {1};
    set.device_curves = {c};
    EXPECT_NE(problem_of([&] { measured_leaves(set, designs); }).find("do not end at 25 mm"),
              std::string::npos)
        << "leaves of 10 mm, one edge on the axis";
    set.device_curves[0].side_y_mm = 40;
    ASSERT_NE(measured_leaves(set, designs), nullptr);
    EXPECT_EQ(measured_leaves(set, designs)->name, "elekta-mlci");
    set.device_curves = {};
    EXPECT_EQ(measured_leaves(set, designs), nullptr);
}

namespace {

/// The generic physical wedge of 30 degrees with 20 % more steel on the axis and 10 % less slope.
WedgeModel known_wedge(const WedgeModel& start) {
    const double water = physics::table_value(start.position_mm, start.water_g_cm2, 0),
                 high_z = physics::table_value(start.position_mm, start.high_z_g_cm2, 0);
    WedgeModel wedge = start;
    for (std::size_t i = 0; i < wedge.position_mm.size(); ++i) {
        wedge.water_g_cm2[i] = 1.2 * water + 0.9 * (start.water_g_cm2[i] - water);
        wedge.high_z_g_cm2[i] = 1.2 * high_z + 0.9 * (start.high_z_g_cm2[i] - high_z);
    }
    return wedge;
}

/// Doses of a model's square fields 100 mm deep, with and without a wedge whose thin end is at -x.
class WedgedDose {
public:
    explicit WedgedDose(const BeamModel& truth)
        : truth_(truth),
          terma_(truth.spectrum),
          dose_(truth.spectrum, truth.cone_kernel, truth.pencil_kernel, truth.head.electrons) {}

    double wedged(double side, double x) const {
        Beam beam = jaw_beam(side, side);
        Wedge in;
        in.angle_deg = 30;
        in.orientation_deg = 90;
        beam.wedges = {in};
        return of(beam, x);
    }
    double open(double side, double x) const { return of(jaw_beam(side, side), x); }

private:
    double of(Beam beam, double x) const {
        for (ControlPoint& point : beam.control_points)
            point.wedge_in = std::vector<bool>(beam.wedges.size(), true);
        FluenceOptions options;
        options.terma = &terma_;
        WaterPoint at{900, 100, x, 0};
        at.mirrored = false;
        return dose_.collapsed_cone(field_along_axis(beam, truth_.head, options), at);
    }

    const BeamModel& truth_;
    TermaTable terma_;
    PointDose dose_;
};

/// Two wedge factors and a profile along the wedge, with noise of 0.3 %.
MeasurementSet measured_wedge(const BeamModel& truth) {
    const WedgedDose dose(truth);
    std::mt19937 random(7);
    std::normal_distribution<double> noise(0, 0.003);
    MeasuredCurve factors, profile;
    factors.kind = CurveKind::wedge_factor;
    factors.name = "factors";
    factors.ssd_mm = 900;
    factors.depth_mm = 100;
    factors.wedge = MeasuredWedge{"physical", 30, "", std::nullopt};
    for (const double side : {60.0, 100.0}) {
        factors.position_mm.push_back(side);
        factors.side_y_of_mm.push_back(side);
        factors.value.push_back(dose.wedged(side, 0) / dose.open(side, 0) * (1 + noise(random)));
    }
    profile.kind = CurveKind::profile;
    profile.name = "profile";
    profile.ssd_mm = 900;
    profile.depth_mm = 100;
    profile.side_x_mm = profile.side_y_mm = 150;
    profile.wedge = MeasuredWedge{"physical", 30, "", 90.0};
    for (double x = -70; x <= 70; x += 10) {
        profile.position_mm.push_back(x);
        profile.value.push_back(1e12 * dose.wedged(150, x) * (1 + noise(random)));
    }
    MeasurementSet set;
    set.device_curves = {factors, profile};
    return set;
}

}  // namespace

TEST(WedgeFit, FindsAKnownWedgeAgain) {
    BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    const std::vector<WedgeModel> generic = model.head.wedges;
    const auto start = std::find_if(generic.begin(), generic.end(), [](const WedgeModel& w) {
        return w.kind == "physical" && w.angle_deg == 30;
    });
    ASSERT_NE(start, generic.end());
    BeamModel truth = model;
    truth.head.wedges = {known_wedge(*start)};
    const MeasurementSet set = measured_wedge(truth);
    const MeasuredCurve& profile = set.device_curves.back();
    EXPECT_GT(profile.value.front(), profile.value.back()) << "the thin end is at -x";
    const DeviceFit fit = fit_wedges(model, set, no_progress);
    const FittedParameter &axis = parameter(fit, "thickness"), &slope = parameter(fit, "slope"),
                          &curvature = parameter(fit, "curvature");
    EXPECT_TRUE(fit.converged);
    EXPECT_LT(axis.sigma, 0.03);
    EXPECT_NEAR(axis.value, 1.2, 3 * axis.sigma);
    EXPECT_LT(slope.sigma, 0.1);
    EXPECT_NEAR(slope.value, 0.9, 3 * slope.sigma);
    EXPECT_NEAR(curvature.value, 0, 3 * curvature.sigma);
    ASSERT_EQ(model.head.wedges.size(), 1u) << "only what was measured stays";
    const double high_z = physics::table_value(start->position_mm, start->high_z_g_cm2, 0);
    EXPECT_NEAR(physics::table_value(model.head.wedges[0].position_mm, model.head.wedges[0].high_z_g_cm2, 0),
                1.2 * high_z, 0.05 * high_z);
    for (const CurveComparison& c : fit.curves)
        if (c.engine == "collapsed-cone") {
            EXPECT_LT(c.max_abs_percent, 1.5) << c.name;
        }
}

TEST(WedgeFit, SaysWhatIsMissing) {
    BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    MeasurementSet set;
    MeasuredCurve profile;
    profile.kind = CurveKind::profile;
    profile.name = "profile";
    profile.side_x_mm = profile.side_y_mm = 100;
    profile.ssd_mm = 900;
    profile.depth_mm = 100;
    profile.axis = ProfileAxis::inplane;
    profile.position_mm = {-20, 0, 20};
    profile.value = {0.8, 1, 1.2};
    profile.wedge = MeasuredWedge{"physical", 30, "", 0.0};
    set.device_curves = {profile};
    EXPECT_NE(problem_of([&] {
                  fit_wedges(model, set, no_progress);
              }).find("no wedge factor of the physical wedge 30 degrees"),
              std::string::npos);
    MeasuredCurve factors;
    factors.kind = CurveKind::wedge_factor;
    factors.name = "factors";
    factors.ssd_mm = 900;
    factors.depth_mm = 100;
    factors.position_mm = factors.side_y_of_mm = {100};
    factors.value = {0.4};
    factors.wedge = MeasuredWedge{"physical", 60, "", std::nullopt};
    set.device_curves = {factors};
    model.head.wedges.clear();
    EXPECT_NE(
        problem_of([&] { fit_wedges(model, set, no_progress); }).find("no physical wedge in generic-6MV"),
        std::string::npos);
    set.device_curves[0].wedge->kind = "enhanced";
    model.head.dynamic_wedge = {};
    EXPECT_NE(problem_of([&] { fit_wedges(model, set, no_progress); }).find("segmented treatment table"),
              std::string::npos);
    // Nothing measured: no wedge stays.
    set.device_curves.clear();
    model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    fit_wedges(model, set, no_progress);
    EXPECT_TRUE(model.head.wedges.empty());
}

TEST(WedgeFit, EnhancedDynamicWedgesAreCompared) {
    // By hand for a field without scatter and head: the part of the table that the axis sees;
    // docs/theory/wedges.md has 0.655 for 60 degrees.
    BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    MeasuredCurve factors;
    factors.kind = CurveKind::wedge_factor;
    factors.name = "factors";
    factors.ssd_mm = 900;
    factors.depth_mm = 100;
    factors.position_mm = factors.side_y_of_mm = {100};
    factors.value = {0.655};
    factors.wedge = MeasuredWedge{"enhanced", 60, "", std::nullopt};
    MeasurementSet set;
    set.device_curves = {factors};
    const DeviceFit fit = fit_wedges(model, set, no_progress);
    EXPECT_TRUE(fit.parameters.empty());
    ASSERT_EQ(fit.curves.size(), 2u);
    // Scatter of the sides and of the head: within the 4 % that Gibbons, Med. Phys. 25 (1998) 64 found
    // measurements off the part of the MU.
    EXPECT_LT(fit.curves[0].max_abs_percent, 4);
    EXPECT_GT(fit.curves[0].max_abs_percent, 0);
}
