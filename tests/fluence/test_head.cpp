// Everything of the head beyond jaws and leaves, against values worked out by hand.
#include <gtest/gtest.h>

#include "cpu/electrons/electrons.h"
#include "cpu/fluence/fluence.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "fluence/head_equations.h"
#include "libdose/error.h"
#include "patient/density.h"
#include "terma/terma_table.h"

using namespace libdose;

namespace {

/// Opaque devices, flat, a point source: nothing but what a test switches on.
HeadModel plain_head() {
    HeadModel head;
    head.maximum_field_radius_mm = 280;
    head.profile_radius_mm = {0, 300};
    head.profile = {1, 1};
    return head;
}

Beam jaw_beam(double half_x, double half_y, double mu = 1) {
    Beam beam;
    beam.meterset_mu = mu;
    ControlPoint point;
    point.jaw_x = JawOpening{-half_x, half_x};
    point.jaw_y = JawOpening{-half_y, half_y};
    beam.control_points = {point, point};
    beam.control_points[1].cumulative_weight = 1;
    beam.gantry_rotation.assign(2, Rotation::none);
    return beam;
}

double value_at(const FluenceMap& map, double u, double v) {
    return static_cast<double>(map.at(static_cast<int>((u - map.lower_u_mm) / map.pixel_mm),
                                      static_cast<int>((v - map.lower_v_mm) / map.pixel_mm)));
}

FluenceMap map_of(const Beam& beam, const HeadModel& head, const TermaTable* table = nullptr) {
    FluenceOptions options;
    options.terma = table;
    return cpu::beam_fluence(beam, PatientPosition::hfs, head, options).at(0);
}

/// One energy, so that attenuation is exp(-mu t): 0.05 cm²/g in water, 0.04 in the second material.
Spectrum mono() { return {{2.0}, {1.0}, {0.05}, {0.04}}; }

Wedge wedge_of(Wedge::Kind kind, double angle, double orientation, const std::string& id = {}) {
    Wedge wedge;
    wedge.number = 1;
    wedge.kind = kind;
    wedge.id = id;
    wedge.angle_deg = angle;
    wedge.orientation_deg = orientation;
    return wedge;
}

Beam wedge_beam(const Wedge& wedge) {
    Beam beam = jaw_beam(50, 50);
    beam.wedges = {wedge};
    for (auto& point : beam.control_points) point.wedge_in = {true};
    return beam;
}

HeadModel wedge_head() {
    HeadModel head = plain_head();
    // 30 g/cm² at the thick end (y = -100), none at the thin one.
    head.wedges = {{"", "physical", 30, {-100, 100}, {20, 0}, {10, 0}},
                   {"", "motorised", 60, {-100, 100}, {40, 0}, {0, 0}}};
    return head;
}

DynamicWedgeModel dynamic_model() {
    DynamicWedgeModel model;
    for (int y = -200; y <= 100; y += 10) {
        model.golden_position_mm.push_back(y);
        model.golden_fraction.push_back(std::exp(0.01 * y));
    }
    model.virtual_attenuation_per_mm = 0.005;
    return model;
}

}  // namespace

TEST(Extrafocal, IsSeenThroughTheOpeningAsErrorFunctions) {
    HeadModel head = plain_head();
    head.extrafocal = {0.1, 20, 125};
    head.jaw_x_distance_mm = 400;
    head.jaw_y_distance_mm = 300;
    // Blur on the isocentre plane: sigma (SAD / z) (SAD - z) / (SAD - 125).
    const double blur_x = 20 * 2.5 * 600 / 875, blur_y = 20 / 0.3 * 700 / 875;
    const auto seen = [](double half, double blur) { return std::erf(half / blur / std::sqrt(2.0)); };
    for (const auto& [x, y] : {std::pair{50.0, 50.0}, {20.0, 100.0}, {100.0, 20.0}})
        EXPECT_NEAR(value_at(map_of(jaw_beam(x, y), head), 0.5, 0.5),
                    1 + 0.1 * seen(x, blur_x) * seen(y, blur_y), 4e-4)
            << x << " x " << y;
    // The jaws nearer to the source hide more of it: collimator exchange.
    EXPECT_GT(value_at(map_of(jaw_beam(20, 100), head), 0.5, 0.5),
              value_at(map_of(jaw_beam(100, 20), head), 0.5, 0.5) + 0.005);
    // Outside the field the source is still seen: at x = 80 the view through the x jaws is centred on 80·(400
    // - 125)/400/0.875.
    const double view = 80.5 * 2.5 * 275 / 875;
    const double expected =
        0.1 * 0.5 *
        (std::erf((50 - view) / blur_x / std::sqrt(2.0)) + std::erf((50 + view) / blur_x / std::sqrt(2.0))) *
        seen(50, blur_y);
    EXPECT_NEAR(value_at(map_of(jaw_beam(50, 50), head), 80.5, 0.5), expected, 1e-3);
}

TEST(Monitor, CountsLessPerUnitOfFluenceWithOpenJaws) {
    HeadModel head = plain_head();
    head.monitor_backscatter_x = 0.01;
    head.monitor_backscatter_y = 0.02;
    // 100 mm reference: three quarters closed. 40 x 200 mm: 0.9 and 0.5.
    EXPECT_NEAR(value_at(map_of(jaw_beam(50, 50), head), 0.5, 0.5), 1, 1e-6);
    EXPECT_NEAR(value_at(map_of(jaw_beam(20, 100), head), 0.5, 0.5), (1 + 0.03 * 0.75) / (1 + 0.009 + 0.01),
                1e-6);
}

TEST(OutputTable, GoesByTheEquivalentSquareOfTheOpening) {
    HeadModel head = plain_head();
    head.output_side_mm = {40, 100, 200};
    head.output_correction = {0.98, 1, 1.01};
    EXPECT_NEAR(value_at(map_of(jaw_beam(50, 50), head), 0.5, 0.5), 1, 1e-6);
    // 60 x 30: 2·60·30/90 = 40; beyond the ends the end values.
    EXPECT_NEAR(value_at(map_of(jaw_beam(30, 15), head), 0.5, 0.5), 0.98, 1e-6);
    EXPECT_NEAR(value_at(map_of(jaw_beam(5, 5), head), 0.5, 0.5), 0.98, 1e-6);
    EXPECT_NEAR(value_at(map_of(jaw_beam(75, 75), head), 0.5, 0.5), 1.005, 1e-6);
}

TEST(OutputTable, LeavesOutPairsThatAreClosedOrBehindTheJaws) {
    HeadModel head = plain_head();
    head.output_side_mm = {20, 120};
    head.output_correction = {0.9, 1};
    head.leaf_transmission = 0;
    Beam beam = jaw_beam(50, 50);
    MultileafCollimator mlc;
    mlc.type = "MLCX";
    for (int b = -8; b <= 8; ++b) mlc.leaf_boundaries_mm.push_back(10 * b);
    beam.collimators = {mlc};
    LeafPositions leaves;
    // Pairs 6 to 9 (-20 ... 20 mm) are open by 40 mm, the others parked at -45 with half a millimetre between
    // them; the last, open by 140 mm, is behind the jaw.
    for (int l = 0; l < 16; ++l) {
        const bool open = l >= 6 && l < 10, behind = l == 15;
        leaves.lower_mm.push_back(open ? -20 : behind ? -70 : -45.25);
        leaves.upper_mm.push_back(open ? 20 : behind ? 70 : -44.75);
    }
    for (ControlPoint& point : beam.control_points) point.leaves = {leaves};
    // 40 x 40 mm: 0.9 + 0.1 · 20 / 100.
    EXPECT_NEAR(value_at(map_of(beam, head), 0.5, 0.5), 0.92, 1e-6);
    // A slit of 0.8 mm as wide as the jaws is what is open where nothing is wider: 2 · 0.8 · 100 / 100.8,
    // below the table.
    for (ControlPoint& point : beam.control_points) {
        point.leaves[0].lower_mm.assign(16, -0.4);
        point.leaves[0].upper_mm.assign(16, 0.4);
    }
    head.output_side_mm = {1, 2};
    head.output_correction = {0.5, 1};
    const double plain = value_at(map_of(beam,
                                         [&] {
                                             HeadModel none = head;
                                             none.output_side_mm.clear();
                                             none.output_correction.clear();
                                             return none;
                                         }()),
                                  0.5, 0.5);
    EXPECT_NEAR(value_at(map_of(beam, head), 0.5, 0.5) / plain, 0.5 + 0.5 * (2 * 0.8 * 100 / 100.8 - 1),
                1e-5);
}

TEST(PhysicalWedge, AttenuatesAlongItsOwnAxis) {
    const TermaTable table(mono());
    const HeadModel head = wedge_head();
    const auto expected = [](double along) {
        return std::exp(-(0.05 * 20 + 0.04 * 10) * (100 - along) / 200);
    };
    const FluenceMap up = map_of(wedge_beam(wedge_of(Wedge::Kind::physical, 30, 0)), head, &table);
    const FluenceMap down = map_of(wedge_beam(wedge_of(Wedge::Kind::physical, 30, 180)), head, &table);
    // Turned counter-clockwise by 90 degrees the thin end points to -x.
    const FluenceMap left = map_of(wedge_beam(wedge_of(Wedge::Kind::physical, 30, 90)), head, &table);
    for (const double at : {-40.5, 0.5, 30.5}) {
        EXPECT_NEAR(value_at(up, 10.5, at), expected(at), 2e-5);
        EXPECT_NEAR(value_at(down, 10.5, at), expected(-at), 2e-5);
        EXPECT_NEAR(value_at(left, at, 10.5), expected(-at), 2e-5);
    }
    // It hardens: what reaches the patient goes on behind the wedge's own path.
    ASSERT_TRUE(up.filter);
    EXPECT_NEAR(up.filter->path(0, 50).water, 5, 1e-12);
    EXPECT_NEAR(up.filter->path(0, 50).high_z, 2.5, 1e-12);
}

TEST(PhysicalWedge, OneThatTheModelDoesNotHoldIsRefused) {
    const TermaTable table(mono());
    EXPECT_THROW(map_of(wedge_beam(wedge_of(Wedge::Kind::physical, 45, 0)), wedge_head(), &table), Error);
    EXPECT_THROW(map_of(wedge_beam(wedge_of(Wedge::Kind::dynamic, 45, 0, "EDW45IN")), wedge_head(), &table),
                 Error);
}

TEST(MotorisedWedge, EachStateHasItsMapAndItsShare) {
    const TermaTable table(mono());
    Beam beam = wedge_beam(wedge_of(Wedge::Kind::motorised, 60, 0));
    beam.meterset_mu = 200;
    beam.control_points.push_back(beam.control_points[1]);
    beam.control_points[1].cumulative_weight = 0.25;
    beam.control_points[1].wedge_in = beam.control_points[2].wedge_in = {false};
    beam.gantry_rotation.assign(3, Rotation::none);
    FluenceOptions options;
    options.terma = &table;
    const auto maps = cpu::beam_fluence(beam, PatientPosition::hfs, wedge_head(), options);
    ASSERT_EQ(maps.size(), 2u);
    EXPECT_NEAR(value_at(maps[0], 0.5, 0.5), 50 * std::exp(-0.05 * 40 * 99.5 / 200), 2e-3);
    EXPECT_NEAR(value_at(maps[1], 0.5, 0.5), 150, 1e-3);
    EXPECT_FALSE(maps[1].filter);
}

TEST(EnhancedDynamicWedge, GivesWhatItsTableSays) {
    HeadModel head = plain_head();
    head.dynamic_wedge = dynamic_model();
    // The jaw goes from -50 to 45 (5 mm before the fixed one). At 60 degrees a point sees the table there
    // over the table at the end.
    const FluenceMap in = map_of(wedge_beam(wedge_of(Wedge::Kind::dynamic, 60, 0, "EDW60IN")), head);
    const FluenceMap out = map_of(wedge_beam(wedge_of(Wedge::Kind::dynamic, 60, 180, "EDW60OUT")), head);
    for (const double at : {-40.5, 0.5, 30.5}) {
        // Pixels of 1 mm, a jaw that jumps at most 1 mm: 1 % of the slope.
        EXPECT_NEAR(value_at(in, 10.5, at), std::exp(0.01 * (at - 45)), 0.006);
        EXPECT_NEAR(value_at(out, 10.5, at), std::exp(0.01 * (-at - 45)), 0.006);
    }
    EXPECT_NEAR(value_at(in, 10.5, 47.5), 1, 1e-5);
    // 30 degrees: tan 30 / tan 60 = 1/3 of it and 2/3 of the open field (the table at 0).
    const FluenceMap mild = map_of(wedge_beam(wedge_of(Wedge::Kind::dynamic, 30, 0, "EDW30IN")), head);
    const auto mixed = [](double y) { return std::exp(0.01 * y) / 3 + 2.0 / 3; };
    for (const double at : {-40.5, 0.5, 30.5})
        EXPECT_NEAR(value_at(mild, 10.5, at), mixed(at) / mixed(45), 0.003);
    // 20 cm field: the jaw would have to go beyond the table's end of +100.
    Beam large = wedge_beam(wedge_of(Wedge::Kind::dynamic, 60, 0, "EDW60IN"));
    for (auto& point : large.control_points) point.jaw_y = JawOpening{-100, 120};
    EXPECT_THROW(map_of(large, head), Error);
    EXPECT_THROW(map_of(wedge_beam(wedge_of(Wedge::Kind::dynamic, 60, 90, "EDW60IN")), head), Error);
}

TEST(VirtualWedge, IsAnExponentialWithThePlansUnitsOnTheAxis) {
    HeadModel head = plain_head();
    head.dynamic_wedge = dynamic_model();
    const FluenceMap map = map_of(wedge_beam(wedge_of(Wedge::Kind::dynamic, 45, 0, "VW45")), head);
    for (const double at : {-40.5, 0.5, 30.5})
        EXPECT_NEAR(value_at(map, 10.5, at), std::exp(0.005 * at), 0.006);
    EXPECT_NEAR(value_at(map, 10.5, 45.5), std::exp(0.005 * 40),
                1e-4);  // never covered: 10 mm before the other jaw
}

TEST(Blocks, ShieldTheirOutlineByArea) {
    Beam beam = jaw_beam(50, 50);
    Block block;
    block.transmission = 0.04;
    block.thickness_mm = 80;
    block.tray_distance_mm = 650;
    block.x_mm = {-10, 20.25, 20.25, -10};
    block.y_mm = {-30, -30, 0, 0};
    beam.blocks = {block};
    beam.tray_factor = 0.97;
    const FluenceMap map = map_of(beam, plain_head());
    EXPECT_NEAR(value_at(map, 0.5, -10.5), 0.97 * 0.04, 1e-6);
    EXPECT_NEAR(value_at(map, 20.5, -10.5), 0.97 * (0.25 * 0.04 + 0.75), 1e-6);
    EXPECT_NEAR(value_at(map, 0.5, 10.5), 0.97, 1e-6);
    beam.blocks[0].aperture = true;
    EXPECT_NEAR(value_at(map_of(beam, plain_head()), 0.5, -10.5), 0.97, 1e-6);
    EXPECT_NEAR(value_at(map_of(beam, plain_head()), 0.5, 10.5), 0.97 * 0.04, 1e-6);
    // Upright sides on the patient's side of the tray: the lower end of the edge at 20.25 throws its shadow
    // at 20.25·650/730 = 18.03, so a ray at 19.5 misses the lowest part of the block.
    beam.blocks[0].aperture = beam.blocks[0].divergent = false;
    const double upright = value_at(map_of(beam, plain_head()), 19.5, -10.5);
    EXPECT_GT(upright, 0.97 * 0.1);
    EXPECT_LT(upright, 0.97 * 0.6);
    EXPECT_NEAR(value_at(map_of(beam, plain_head()), 0.5, -10.5), 0.97 * 0.04, 1e-5);
}

TEST(Softening, RaisesTheDepthDoseFallOffTheAxisAndNotTheReadingInAir) {
    const Spectrum two{{1.0, 4.0}, {0.5, 0.5}, {0.07, 0.03}, {0.06, 0.04}};
    const TermaTable table(two);
    HeadModel head = plain_head();
    head.softening_radius_mm = {0, 100, 200};
    head.softening_g_cm2 = {0, 4, 8};
    const FluenceMap map = map_of(jaw_beam(150, 150), head);
    ASSERT_TRUE(map.filter);
    EXPECT_NEAR(value_at(map, 100.5, 0.5), 1, 1e-6);
    EXPECT_NEAR(map.filter->path(60, 80).water, -4, 1e-12);
    // TERMA at the entrance is that of the axis, at depth less: the spectrum is exp(4 mu) times the axis's,
    // scaled to the same reading.
    const auto terma = [&](double depth, double off) {
        return physics::basis_terma(two, depth - off, 0).water;
    };
    const double at_entrance = unfiltered(table, {-4, 0}) * table({-4, 0}).water;
    EXPECT_NEAR(at_entrance / table({}).water, 1, 1e-9);
    const double deep = unfiltered(table, {-4, 0}) * table({10 - 4, 0}).water;
    EXPECT_NEAR(deep, terma(0, 0) / terma(0, 4) * terma(10, 4), 1e-4 * deep);
    EXPECT_LT(deep, table({10, 0}).water);
}

TEST(Electrons, EndAtTheirRangeAndGrowWithTheField) {
    Grid grid;
    grid.size = {40, 40, 20};
    grid.spacing_mm = Vec3::Constant(2.5);
    grid.origin_mm = Vec3(-48.75, -48.75, 1.25);
    const DensityGrid water = uniform_density(grid, MaterialProperties{});
    HeadModel head = plain_head();
    head.electrons = {2e-12, 30, 1.2, 2.0};
    const auto surface = [&](double half, int layer) {
        FluenceMap map = map_of(jaw_beam(half, half, 3), head);
        map.frame.axes << Vec3(1, 0, 0), Vec3(0, 1, 0), Vec3(0, 0, -1);  // from z = -1000 mm
        std::vector<float> dose(grid.voxel_count(), 0.0f);
        cpu::add_electrons(dose, water, map, head.electrons);
        return static_cast<double>(dose[grid.index(20, 20, layer)]);
    };
    for (const double half : {20.0, 50.0, 100.0}) {
        const double depth = 0.125, end = std::exp(-2.4);
        const double seen = std::erf(half / 30 / std::sqrt(2.0));
        const double expected = 3 * 2e-12 * seen * seen * (std::exp(-1.2 * depth) - end) / (1 - end) *
                                std::pow(1000 / 1001.25, 2);
        EXPECT_NEAR(surface(half, 0), expected, 6e-3 * expected) << half;
    }
    EXPECT_GT(surface(50, 7), 0);
    EXPECT_EQ(surface(50, 8), 0);  // 2.125 cm deep
}

TEST(Interleaf, LeaksBetweenTwoClosedLeavesOnly) {
    Beam beam = jaw_beam(50, 50);
    MultileafCollimator mlc;
    mlc.type = "MLCX";
    mlc.leaf_boundaries_mm = {-20, -10, 0, 10};
    beam.collimators = {mlc};
    for (auto& point : beam.control_points) point.leaves = {LeafPositions{{40, 40, -40}, {40, 40, 40}}};
    FluenceOptions options;
    options.leaves.resize(1);
    options.leaves[0].tongue_and_groove_mm = 0.4;
    options.leaves[0].transmission = 0.01;
    options.leaves[0].interleaf_transmission = 0.03;
    const FluenceMap map = cpu::beam_fluence(beam, PatientPosition::hfs, plain_head(), options).at(0);
    EXPECT_NEAR(value_at(map, 0.5, -14.5), 0.01, 1e-6);
    EXPECT_NEAR(value_at(map, 0.5, -9.5), 0.8 * 0.01 + 0.2 * 0.03, 1e-5);
    EXPECT_NEAR(value_at(map, 0.5, -0.5), 0.8 * 0.01 + 0.2 * 0.1,
                1e-5);  // closed beside open: the root, as before
}

TEST(TipShift, MovesTheTangentsIntoTheOpening) {
    Beam beam = jaw_beam(50, 50);
    MultileafCollimator mlc;
    mlc.type = "MLCX";
    mlc.leaf_boundaries_mm = {-20, 20};
    beam.collimators = {mlc};
    for (auto& point : beam.control_points) point.leaves = {LeafPositions{{-10}, {10}}};
    FluenceOptions options;
    options.leaves.resize(1);
    const double decay = 1.7, half = std::pow(std::log(2) / decay, 2);
    options.leaves[0].tip_decay = decay;
    options.leaves[0].tip_shift_mm = half;
    const FluenceMap map = cpu::beam_fluence(beam, PatientPosition::hfs, plain_head(), options).at(0);
    // From -11 to -10 the end lets through tip_integral(1 + half) - tip_integral(half).
    EXPECT_NEAR(value_at(map, -10.5, 0.5),
                physics::tip_integral(1 + half, decay) - physics::tip_integral(half, decay), 1e-6);
    // A pair whose tangents would cross touches in the middle: no more than the ends of one closed pair come
    // through.
    for (auto& point : beam.control_points) point.leaves = {LeafPositions{{0}, {0}}};
    const FluenceMap closed = cpu::beam_fluence(beam, PatientPosition::hfs, plain_head(), options).at(0);
    EXPECT_NEAR(value_at(closed, 0.5, 0.5), physics::tip_integral(1, decay), 1e-6);
}
