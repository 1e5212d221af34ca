// Where a plan is calculated: wherever a field passes through the patient, whatever the jaws' corners miss.
#include <gmock/gmock.h>

#include "engine/dose_grid.h"
#include "libdose/error.h"
#include "libdose/influence.h"
#include "libdose/leaf_design.h"
#include "support/water_cube.h"

namespace libdose {
namespace {

using testing::Contains;
using testing::HasSubstr;

std::vector<double> millennium_edges() {
    std::vector<double> edges;
    for (double e = -200; e < -100; e += 10) edges.push_back(e);
    for (double e = -100; e < 100; e += 5) edges.push_back(e);
    for (double e = 100; e <= 200; e += 10) edges.push_back(e);
    return edges;
}

/// Leaves that are open from x0 to x1 where a pair lies between y0 and y1, and closed at `parked` elsewhere.
void add_leaves(Beam& beam, double x0, double x1, double y0, double y1, double parked) {
    const auto edges = millennium_edges();
    beam.collimators = {{"MLCX", MultileafCollimator::Motion::along_x, edges}};
    for (ControlPoint& point : beam.control_points) {
        point.leaves = {LeafPositions{}};
        for (std::size_t l = 0; l + 1 < edges.size(); ++l) {
            const double y = 0.5 * (edges[l] + edges[l + 1]);
            const bool open = y > y0 && y < y1;
            point.leaves[0].lower_mm.push_back(open ? x0 : parked);
            point.leaves[0].upper_mm.push_back(open ? x1 : parked);
        }
    }
}

Beam jaw_beam_of(double x0, double x1, double y0, double y1, int number = 1) {
    Beam beam = static_beam(number, 0, 100);
    for (ControlPoint& point : beam.control_points) {
        point.jaw_x = JawOpening{x0, x1};
        point.jaw_y = JawOpening{y0, y1};
    }
    return beam;
}

class FieldGrid : public Engine {
protected:
    static Grid grid_of(const Plan& plan, std::vector<std::string>& notes, double margin_mm = 20) {
        EngineOptions options = coarse();
        options.beam_margin_mm = margin_mm;
        return dose_grid(
            water_ct(), &body_, plan, [](const Beam&) -> const BeamModel& { return *model_; }, options,
            notes);
    }
    static Grid grid_of(const Beam& beam, double margin_mm = 20) {
        std::vector<std::string> notes;
        return grid_of(plan_of({beam}), notes, margin_mm);
    }
    static inline const StructureSet body_ = body_of_cube();
};

/// Both ends of a grid along an axis; the grid is centred on its box and up to a voxel (5 mm) longer.
void expect_extent(const Grid& grid, int axis, double lower_mm, double upper_mm) {
    EXPECT_NEAR(grid.lower_edge_mm()[axis], lower_mm, 2.5 + 1e-6);
    EXPECT_NEAR(grid.upper_edge_mm()[axis], upper_mm, 2.5 + 1e-6);
}

// The cube is 240 mm wide; its box in z is that of the contours and a slice (122 mm).
TEST_F(FieldGrid, AFieldAroundThePatientHasTheWholePatient) {
    for (const double half : {150.0, 200.0, 280.0}) {
        const Grid grid = grid_of(jaw_beam_of(-half, half, -half, half));
        expect_extent(grid, 0, -120, 120);
        expect_extent(grid, 1, -120, 120);
        expect_extent(grid, 2, -122, 122);
    }
}

// The far face, 1120 mm from the source, sees 20 mm as 22.4 mm; 20 mm of margin.
TEST_F(FieldGrid, OneJawFarOutIsAsFarAsThePatientGoes) {
    expect_extent(grid_of(jaw_beam_of(-200, 20, -50, 50)), 0, -120, 42.4);
    expect_extent(grid_of(jaw_beam_of(-20, 200, -50, 50)), 0, -42.4, 120);
    expect_extent(grid_of(jaw_beam_of(-50, 50, -200, 20)), 2, -122, 42.4);
}

TEST_F(FieldGrid, JawsAndLeavesCountWhereBothAreOpen) {
    Beam beam = jaw_beam_of(-200, 200, -200, 200);
    add_leaves(beam, -30, 20, -40, 60, 150);
    const Grid grid = grid_of(beam);
    expect_extent(grid, 0, -53.6, 42.4);
    expect_extent(grid, 1, -120, 120);
    expect_extent(grid, 2, -64.8, 87.2);
}

TEST_F(FieldGrid, AnArcCountsBetweenItsControlPointsToo) {
    // From 270 over 0 to 90 degrees in one step: the ends pass along x, 20 mm thick, the middle along y.
    Beam arc = jaw_beam_of(-20, 20, -20, 20);
    arc.control_points[0].gantry_deg = 270;
    arc.control_points[1].gantry_deg = 90;
    arc.gantry_rotation = {Rotation::clockwise, Rotation::none};
    expect_extent(grid_of(arc), 1, -120, 120);
}

TEST_F(FieldGrid, AWindowThatSlidesOverThePatientBetweenTwoControlPointsCounts) {
    Beam beam = jaw_beam_of(-200, 200, -50, 50);
    add_leaves(beam, -180, -170, -50, 50, 190);
    for (std::size_t l = 0; l < 60; ++l)
        if (beam.control_points[1].leaves[0].lower_mm[l] < 0) {
            beam.control_points[1].leaves[0].lower_mm[l] = 170;
            beam.control_points[1].leaves[0].upper_mm[l] = 180;
        }
    expect_extent(grid_of(beam, 40), 0, -120, 120);
}

TEST_F(FieldGrid, WideJawsGiveTheDoseOfTheFieldAtTheIsocentre) {
    EngineOptions options = coarse();
    options.leaf_ends = LeafEnds::sharp;
    const auto dose_at_isocentre = [&](const Beam& beam) {
        return interpolate(run(water_ct(), &body_, plan_of({beam}), options).plan.gy, Vec3::Zero());
    };
    Beam narrow = jaw_beam_of(-50, 50, -50, 50), wide = jaw_beam_of(-200, 200, -200, 200);
    add_leaves(narrow, -50, 50, -50, 50, 0);
    add_leaves(wide, -50, 50, -50, 50, 0);
    // Behind the leaves 1 to 2 % come through to ten times the area, which scatters: a few hundredths of it
    // at the isocentre. Monitor backscatter gives up to 2 % more per MU with the jaws open.
    const double ratio = dose_at_isocentre(wide) / dose_at_isocentre(narrow);
    EXPECT_GT(ratio, 1.0);
    EXPECT_LT(ratio, 1.04);
}

TEST_F(FieldGrid, ClosedLeavesLetTheirTransmissionThrough) {
    // Parked far off the axis and, by half a millimetre, not quite closed: what comes through at the
    // isocentre is the leaves' transmission.
    EngineOptions options = coarse();
    options.leaf_ends = LeafEnds::sharp;
    for (const double gap : {0.0, 0.5}) {
        Beam closed = jaw_beam_of(-100, 100, -100, 100);
        add_leaves(closed, 0, 0, 0, 0, -95);
        for (ControlPoint& point : closed.control_points)
            for (double& tip : point.leaves[0].upper_mm) tip += gap;
        const auto open = run(water_ct(), &body_, plan_of({jaw_beam_of(-100, 100, -100, 100)}), options);
        const auto leak = run(water_ct(), &body_, plan_of({closed}), options);
        EXPECT_THAT(leak.notes, Contains(HasSubstr("beam 1 'G0': its leaves are closed")));
        EXPECT_EQ(leak.plan.gy.grid.size, open.plan.gy.grid.size);
        const double ratio =
            interpolate(leak.plan.gy, Vec3::Zero()) / interpolate(open.plan.gy, Vec3::Zero());
        EXPECT_NEAR(ratio, model_->head.leaf_transmission, 0.25 * model_->head.leaf_transmission) << gap;
    }
}

TEST_F(FieldGrid, ABeamThatMissesIsNamed) {
    Beam missing = static_beam(2, 0, 100);
    missing.name = "B";
    for (ControlPoint& point : missing.control_points) point.isocentre_mm = Vec3(0, 0, 500);
    std::vector<std::string> notes;
    grid_of(plan_of({static_beam(1, 0, 100), missing}), notes);
    EXPECT_THAT(notes, testing::ElementsAre("beam 2 'B' misses the patient"));
    EXPECT_THAT(run(water_ct(), &body_, plan_of({static_beam(1, 0, 100), missing})).notes,
                Contains("beam 2 'B' misses the patient"));
    Beam other = missing;
    other.number = 3;
    other.name = "C";
    try {
        run(water_ct(), &body_, plan_of({missing, other}));
        FAIL() << "nothing meets the patient";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::bad_input);
        EXPECT_THAT(error.what(), HasSubstr("beam 2 'B' misses the patient; beam 3 'C' misses the patient"));
    }
}

TEST_F(FieldGrid, ASourceInsideThePatientIsRefused) {
    Beam beam = static_beam(4, 0, 100);
    for (ControlPoint& point : beam.control_points) point.isocentre_mm = Vec3(0, 950, 0);
    std::vector<std::string> notes;
    try {
        grid_of(plan_of({static_beam(1, 0, 100), beam}), notes);
        FAIL() << "the source is 50 mm before the cube's middle";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("the source lies inside the patient [beam 4 'G0'"));
    }
}

TEST_F(FieldGrid, BeamletsOfATargetHaveTheirGridWhereverTheJawsAre) {
    StructureSet set = body_of_cube();
    Structure target;
    target.number = 2;
    target.name = "PTV";
    for (double z = -98; z < 100; z += 4) target.contours.push_back(square(100, z));
    set.structures.push_back(target);
    InfluenceOptions options;
    options.engine = coarse();
    options.engine.beam_margin_mm = 5;
    options.engine.algorithm = Algorithm::pencil_beam;
    options.beamlets.target = "PTV";
    options.beamlets.side_mm = 40;
    const auto matrix = influence(
        water_ct(), &set, plan_of({jaw_beam_of(-10, 10, -10, 10)}), *materials_,
        [](const Beam&) -> const BeamModel& { return *model_; }, options);
    // The target's farthest corners, 200 mm apart, are 1098 mm from the source: the field there is as wide as
    // the target.
    EXPECT_LT(matrix.header.grid.lower_edge_mm()[0], -100);
    EXPECT_GT(matrix.header.grid.upper_edge_mm()[2], 100);
    std::vector<double> weights(matrix.columns.count(), 1.0);
    weights.back() = -0.5;
    EXPECT_THROW(matrix.dose(weights), Error);
}

TEST_F(FieldGrid, LeavesAreRoundedUnlessSharpOnesAreAskedFor) {
    Beam beam = jaw_beam_of(-50, 50, -50, 50);
    add_leaves(beam, -50, 50, -50, 50, 0);
    beam.manufacturer = "Varian";
    EngineOptions options = coarse();
    const auto usual = run(water_ct(), &body_, plan_of({beam}), options);
    EXPECT_EQ(usual.plan.provenance.settings.at("leaves beam 1"), "varian-millennium-120");
    options.leaf_designs = read_leaf_designs(data_folder() / "mlc");
    EXPECT_EQ(run(water_ct(), &body_, plan_of({beam}), options).plan.gy.values, usual.plan.gy.values);
    options.leaf_ends = LeafEnds::sharp;
    const auto sharp = run(water_ct(), &body_, plan_of({beam}), options);
    EXPECT_EQ(sharp.plan.provenance.settings.at("leaves beam 1"), "sharp");
    EXPECT_THAT(sharp.notes, Contains(HasSubstr("end sharply")));
    options.leaves = "varian-millennium-120";
    EXPECT_THROW(run(water_ct(), &body_, plan_of({beam}), options), Error);
}

}  // namespace
}  // namespace libdose
