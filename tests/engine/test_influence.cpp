#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "geometry/coordinates.h"
#include "libdose/error.h"
#include "libdose/gamma.h"
#include "libdose/influence.h"
#include "support/water_cube.h"

using namespace libdose;
using ::testing::HasSubstr;

namespace {

class Influence : public Engine {
protected:
    static InfluenceOptions settings(Algorithm algorithm, double side_mm = 10) {
        InfluenceOptions options;
        options.engine = coarse();
        options.engine.algorithm = algorithm;
        options.beamlets.side_mm = side_mm;
        return options;
    }
    static BeamModelProvider provider() {
        return [](const Beam&) -> const BeamModel& { return *model_; };
    }
    static DoseInfluence matrix(const Plan& plan, const InfluenceOptions& options) {
        const StructureSet body = body_of_cube();
        return influence(water_ct(), &body, plan, *materials_, provider(), options);
    }
    static Volume<float> forward(const Plan& plan, const InfluenceOptions& options,
                                 const std::vector<double>& weights) {
        const StructureSet body = body_of_cube();
        return calculate_beamlets(water_ct(), &body, plan, *materials_, provider(), options, weights).plan.gy;
    }
    static Beam field(double half_mm, double gantry = 0) {
        Beam beam = static_beam(gantry == 0 ? 1 : 2, gantry, 100);
        for (ControlPoint& point : beam.control_points)
            point.jaw_x = point.jaw_y = JawOpening{-half_mm, half_mm};
        return beam;
    }
    static double pass_rate(const Volume<float>& reference, const Volume<float>& evaluated) {
        GammaOptions criteria;
        criteria.dose_percent = 1;
        criteria.distance_mm = 1;
        criteria.threshold_percent = 5;
        return gamma_index(reference, evaluated, criteria).pass_rate_percent;
    }
    static std::string message_of(const Plan& plan, const InfluenceOptions& options) {
        try {
            matrix(plan, options);
        } catch (const Error& error) {
            return error.what();
        }
        return "no error";
    }
};

TEST_F(Influence, BeamletsTileTheOpeningOfTheJaws) {
    Beam beam = field(50);
    beam.control_points[0].jaw_y = beam.control_points[1].jaw_y = JawOpening{-20, 30};
    BeamletOptions options;
    options.side_mm = 10;
    const auto beamlets = make_beamlets(plan_of({beam}), nullptr, water_ct().hu.grid, provider(), options);
    ASSERT_EQ(beamlets.size(), 50u);  // 10 by 5
    EXPECT_DOUBLE_EQ(beamlets.front().u_mm, -45);
    EXPECT_DOUBLE_EQ(beamlets.front().v_mm, -15);
    EXPECT_DOUBLE_EQ(beamlets.back().u_mm, 45);
    EXPECT_DOUBLE_EQ(beamlets.back().v_mm, 25);
}

TEST_F(Influence, ControlPointsOfOneGeometryShareBeamletsAndAnArcHasThoseOfEach) {
    Beam step_and_shoot = field(10);
    step_and_shoot.control_points[1].jaw_x = JawOpening{-10, 30};  // opens on
    BeamletOptions options;
    options.side_mm = 10;
    EXPECT_EQ(
        make_beamlets(plan_of({step_and_shoot}), nullptr, water_ct().hu.grid, provider(), options).size(),
        8u);
    Beam arc = field(10);
    arc.control_points[1].gantry_deg = 10;
    const auto of_arc = make_beamlets(plan_of({arc}), nullptr, water_ct().hu.grid, provider(), options);
    ASSERT_EQ(of_arc.size(), 8u);
    EXPECT_EQ(of_arc[3].control_point, 0);
    EXPECT_EQ(of_arc[4].control_point, 1);
}

TEST_F(Influence, BeamletsOfATargetAreThoseThatSeeIt) {
    StructureSet set = body_of_cube();
    Structure target;
    target.number = 2;
    target.name = "PTV";
    target.type = "PTV";
    for (int k = 0; k < 80; ++k)
        if (const double z = -158 + 4 * k; std::abs(z) < 20) target.contours.push_back(square(20, z));
    set.structures.push_back(target);
    BeamletOptions options;
    options.side_mm = 10;
    options.target = "PTV";
    options.margin_mm = 0;
    const auto beamlets = make_beamlets(plan_of({field(100)}), &set, water_ct().hu.grid, provider(), options);
    // 40 mm at up to 980 mm from the source reach 20.4 mm from the axis, and half a diagonal of a voxel (3.5
    // mm) more.
    for (const Beamlet& b : beamlets) EXPECT_LT(std::max(std::abs(b.u_mm), std::abs(b.v_mm)), 30);
    EXPECT_EQ(beamlets.size(), 36u);
    options.target = "GTV";
    EXPECT_THROW(make_beamlets(plan_of({field(100)}), &set, water_ct().hu.grid, provider(), options), Error);
}

TEST_F(Influence, PencilColumnMatchesTheEngineOnTheSameFluence) {
    // Oracle: the pencil beam of one beamlet's own map, convolved where it lies: off the axis, with horns,
    // extrafocal source and electrons. Behind a wedge a column takes its transmission at the beamlet's
    // middle.
    for (const bool wedge : {false, true}) {
        Beam beam = field(40, 30);
        if (wedge) {
            beam.wedges.push_back({1, Wedge::Kind::physical, "W30", 30, 0, {}});
            for (ControlPoint& point : beam.control_points) point.wedge_in = {true};
        }
        const Plan plan = plan_of({beam});
        InfluenceOptions options = settings(Algorithm::pencil_beam);
        options.cutoff = 0;
        const DoseInfluence matrix = Influence::matrix(plan, options);
        for (const std::size_t b : {0u, 27u, 63u}) {
            std::vector<double> weights(matrix.columns.count(), 0.0);
            weights[b] = 1;
            const Volume<float> ours = matrix.dose(weights), oracle = forward(plan, options, weights);
            const float maximum = *std::max_element(oracle.values.begin(), oracle.values.end());
            // Voxels within 30 mm of the beamlet's axis are all calculated.
            const Beamlet& beamlet = matrix.header.beamlets[b];
            const auto frame = physics::beam_frame(plan.position, 30, 0, 0, Vec3::Zero(), 1000);
            double largest = 0, compared = 0;
            for (int k = 0; k < ours.grid.size[2]; ++k)
                for (int j = 0; j < ours.grid.size[1]; ++j)
                    for (int i = 0; i < ours.grid.size[0]; ++i) {
                        const auto p = frame.project(ours.grid.centre_mm(i, j, k));
                        if (std::abs(p.u_mm - beamlet.u_mm) > 30 || std::abs(p.v_mm - beamlet.v_mm) > 30)
                            continue;
                        largest = std::max(
                            largest,
                            static_cast<double>(std::abs(ours.at(i, j, k) - oracle.at(i, j, k)) / maximum));
                        ++compared;
                    }
            EXPECT_GT(compared, 5000);
            EXPECT_LT(largest, wedge ? 0.02 : 0.01) << "beamlet " << b;
        }
    }
}

TEST_F(Influence, WeightedColumnsMatchTheForwardDose) {
    const Plan plan = plan_of({field(30), field(30, 120)});
    for (const Algorithm algorithm : {Algorithm::pencil_beam, Algorithm::collapsed_cone}) {
        const InfluenceOptions options = settings(algorithm);
        const DoseInfluence matrix = Influence::matrix(plan, options);
        ASSERT_EQ(matrix.columns.count(), 72u);
        std::vector<double> weights;
        for (std::size_t b = 0; b < 72; ++b)
            weights.push_back(50 + 50 * std::sin(0.7 * static_cast<double>(b)));
        EXPECT_GT(pass_rate(forward(plan, options, weights), matrix.dose(weights)), 99.0)
            << to_string(algorithm);
    }
}

TEST_F(Influence, AllBeamletsOpenAreTheOpenField) {
    // Without the jaws' transmission and with the penumbra of squares: inside the field the same dose.
    const Plan plan = plan_of({field(50)});
    const StructureSet body = body_of_cube();
    for (const Algorithm algorithm : {Algorithm::pencil_beam, Algorithm::collapsed_cone}) {
        const InfluenceOptions options = settings(algorithm);
        const Volume<float> beamlets = forward(plan, options, std::vector<double>(100, 100.0));
        const Volume<float> field = run(water_ct(), &body, plan, options.engine).plan.gy;
        for (const double y : {-80.0, 0.0, 60.0}) {
            const double expected = interpolate(field, Vec3(0, y, 0));
            EXPECT_NEAR(interpolate(beamlets, Vec3(0, y, 0)), expected, 0.01 * expected)
                << to_string(algorithm) << ", " << y;
        }
    }
}

TEST_F(Influence, WhatIsDrawnKeepsTheSum) {
    const Plan plan = plan_of({field(20)});
    InfluenceOptions options = settings(Algorithm::collapsed_cone);
    options.cutoff = 0;
    const DoseInfluence whole = matrix(plan, options);
    options.cutoff = 1e-2;
    const DoseInfluence thin = matrix(plan, options);
    EXPECT_LT(thin.columns.voxel.size(), whole.columns.voxel.size() / 5);
    const auto sum = [](const DoseInfluence& m) {
        return std::accumulate(m.columns.gy.begin(), m.columns.gy.end(), 0.0);
    };
    // Some 10 000 values of the limit (1e-2 of the maximum) each drawn with some probability: about 0.1 % of
    // the sum.
    EXPECT_NEAR(sum(thin) / sum(whole), 1, 0.01);
}

TEST_F(Influence, PartsAndThreadsGiveTheSameBits) {
    // The second beam is nearer: it needs other images than the first.
    Plan plan = plan_of({field(20), field(20, 90)});
    for (ControlPoint& point : plan.beams[1].control_points) point.isocentre_mm = Vec3(60, 0, 0);
    for (const Algorithm algorithm : {Algorithm::pencil_beam, Algorithm::collapsed_cone}) {
        InfluenceOptions options = settings(algorithm);
        options.engine.threads = 2;
        const DoseInfluence whole = matrix(plan, options);
        options.engine.threads = 1;
        InfluenceColumns parts;
        for (const auto& [first, last] : {std::pair{0, 5}, std::pair{5, 21}, std::pair{21, 32}}) {
            options.first = static_cast<std::size_t>(first);
            options.last = static_cast<std::size_t>(last);
            const DoseInfluence part = matrix(plan, options);
            EXPECT_EQ(part.header.beamlets.size(), part.columns.count());
            parts.append(part.columns);
        }
        EXPECT_EQ(parts.begin, whole.columns.begin) << to_string(algorithm);
        EXPECT_EQ(parts.voxel, whole.columns.voxel);
        EXPECT_EQ(parts.gy, whole.columns.gy);
    }
}

TEST_F(Influence, BadInputIsRefused) {
    const Plan plan = plan_of({field(20)});
    InfluenceOptions options = settings(Algorithm::pencil_beam);
    options.beamlets.side_mm = 0.5;
    EXPECT_THAT(message_of(plan, options), HasSubstr("beamlets of 0.5 mm"));
    options = settings(Algorithm::pencil_beam);
    options.beamlets.target = "Tumour";
    EXPECT_THAT(message_of(plan, options), HasSubstr("Structures: BODY"));
    options = settings(Algorithm::pencil_beam);
    options.cutoff = std::nan("");
    EXPECT_THAT(message_of(plan, options), HasSubstr("cutoff"));
    options = settings(Algorithm::pencil_beam);
    options.memory_bytes = 1e5;
    EXPECT_THAT(message_of(plan, options), HasSubstr("Write it to a file"));
    options = settings(Algorithm::pencil_beam);
    options.first = 3;
    options.last = 40;
    EXPECT_THAT(message_of(plan, options), HasSubstr("3 to 40 are asked for, of 16"));
    options = settings(Algorithm::pencil_beam);
    EXPECT_THROW(forward(plan, options, std::vector<double>(15, 1.0)), Error);
    EXPECT_THROW(forward(plan, options, std::vector<double>(16, -1.0)), Error);
    const DoseInfluence matrix = Influence::matrix(plan, options);
    EXPECT_THROW(matrix.dose(std::vector<double>(15, 1.0)), Error);
    EXPECT_THROW(matrix.dose(std::vector<double>(16, std::nan(""))), Error);
}

TEST_F(Influence, BlocksAndDynamicWedgesAreRefused) {
    const InfluenceOptions options = settings(Algorithm::pencil_beam);
    Beam blocked = field(20);
    Block block;
    block.number = 1;
    block.tray_distance_mm = 650;
    block.thickness_mm = 80;
    block.x_mm = {-5, 5, 5, -5};
    block.y_mm = {-5, -5, 5, 5};
    blocked.blocks.push_back(block);
    EXPECT_THAT(message_of(plan_of({blocked}), options), HasSubstr("do not pass blocks"));
    Beam wedged = field(20);
    wedged.wedges.push_back({1, Wedge::Kind::dynamic, "EDW30", 30, 0, {}});
    for (ControlPoint& point : wedged.control_points) point.wedge_in = {true};
    EXPECT_THAT(message_of(plan_of({wedged}), options), HasSubstr("dynamic wedge cannot be in"));
}

TEST_F(Influence, BeamsWithOtherCollimatorsHaveTheirOwnExtrafocalFluence) {
    // Leaves nearer to the patient than the jaws cut the view of the extrafocal source elsewhere. Beams of
    // one plan: each as it is alone.
    Beam with_leaves = field(20, 90);
    MultileafCollimator mlc{"MLCX", MultileafCollimator::Motion::along_x, {}};
    LeafDesign design;
    for (const LeafDesign& d : read_leaf_designs(data_folder() / "mlc"))
        if (d.name == "varian-millennium-120") design = d;
    mlc.leaf_boundaries_mm = design.leaf_boundaries_mm;
    with_leaves.manufacturer = design.manufacturer;
    with_leaves.collimators = {mlc};
    const auto pairs = static_cast<std::size_t>(mlc.leaf_pairs());
    for (ControlPoint& point : with_leaves.control_points)
        point.leaves = {{std::vector<double>(pairs, -20), std::vector<double>(pairs, 20)}};
    InfluenceOptions options = settings(Algorithm::pencil_beam);
    options.engine.leaf_designs = {design};
    options.cutoff = 0;
    const Plan both = plan_of({field(20), with_leaves});
    const DoseInfluence matrix = Influence::matrix(both, options);
    ASSERT_EQ(matrix.columns.count(), 32u);
    // Columns of the second beam alone have the same bits: they are calculated without the first.
    options.first = 16;
    options.last = 32;
    const DoseInfluence second = Influence::matrix(both, options);
    const auto from = static_cast<std::ptrdiff_t>(matrix.columns.begin[16]);
    EXPECT_EQ(second.columns.gy,
              std::vector<float>(matrix.columns.gy.begin() + from, matrix.columns.gy.end()));
}

TEST_F(Influence, ProgressCanEndIt) {
    InfluenceOptions options = settings(Algorithm::collapsed_cone);
    options.engine.progress = [](double part, const std::string&) {
        if (part > 0.3) throw bad_input("stopped");
    };
    EXPECT_THAT(message_of(plan_of({field(20)}), options), HasSubstr("stopped"));
}

}  // namespace
