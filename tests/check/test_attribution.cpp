// The cause of a difference of doses: faults planted one by one in the plan of a thorax phantom. The planned
// dose is the engine's own of the faulty plan, so that cause and size are known.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "check/attribution.h"
#include "libdose/couch.h"
#include "libdose/data.h"
#include "libdose/error.h"
#include "libdose/io/model_store.h"
#include "libdose/material.h"

namespace libdose::check {
namespace {

using ::testing::HasSubstr;

bool in_ellipse(const Vec3& point, double x, double y, double half_x, double half_y) {
    return std::pow((point[0] - x) / half_x, 2) + std::pow((point[1] - y) / half_y, 2) < 1;
}

/// Soft tissue with two lungs, a tumour in the right one and a spine; HU.
float thorax_hu(const Vec3& p) {
    if (!in_ellipse(p, 0, 0, 150, 100)) return -1000;
    if ((p - Vec3(-60, 0, 0)).norm() < 22) return 40;
    if (in_ellipse(p, -70, -5, 50, 65) || in_ellipse(p, 70, -5, 50, 65)) return -740;
    if (in_ellipse(p, 0, 60, 22, 18)) return 600;
    return 0;
}

CtImage thorax() {
    CtImage ct;
    ct.frame_of_reference_uid = "1.2.3";
    Grid grid;
    grid.size = {72, 52, 24};
    grid.spacing_mm = Vec3::Constant(5);
    grid.origin_mm = Vec3(-177.5, -127.5, -57.5);
    ct.hu = Volume<float>(grid, -1000.0f);
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j)
            for (int i = 0; i < grid.size[0]; ++i) ct.hu.at(i, j, k) = thorax_hu(grid.centre_mm(i, j, k));
    return ct;
}

StructureSet body() {
    Structure external;
    external.number = 1;
    external.name = "BODY";
    external.type = "EXTERNAL";
    for (int k = 0; k < 24; ++k) {
        Contour contour;
        for (int n = 0; n < 72; ++n) {
            const double angle = 5.0 * n * 3.14159265358979 / 180;
            contour.points_mm.emplace_back(150 * std::cos(angle), 100 * std::sin(angle), -57.5 + 5 * k);
        }
        external.contours.push_back(contour);
    }
    StructureSet set;
    set.frame_of_reference_uid = "1.2.3";
    set.structures = {external};
    return set;
}

/// A field of 60 x 60 mm around the tumour, shaped by a Millennium 120.
Beam beam(int number, const std::string& name, double gantry_deg) {
    Beam beam;
    beam.number = number;
    beam.name = name;
    beam.nominal_energy_mv = 6;
    beam.meterset_mu = 100;
    beam.manufacturer = "Varian Medical Systems";
    MultileafCollimator mlc;
    mlc.type = "MLCX";
    for (int i = 0; i <= 60; ++i)
        mlc.leaf_boundaries_mm.push_back(i <= 10 ? -200 + 10 * i : i <= 50 ? 5 * i - 150 : 10 * i - 400);
    beam.collimators = {mlc};
    ControlPoint point;
    point.gantry_deg = gantry_deg;
    point.isocentre_mm = Vec3(-60, 0, 0);
    point.jaw_x = JawOpening{-45, 45};
    point.jaw_y = JawOpening{-30, 30};
    LeafPositions leaves;
    for (int i = 0; i < 60; ++i) {
        const double y = 0.5 * (mlc.leaf_boundaries_mm[static_cast<std::size_t>(i)] +
                                mlc.leaf_boundaries_mm[static_cast<std::size_t>(i) + 1]);
        const double half = std::abs(y) < 30 ? 32 - 0.2 * std::abs(y) : 0;
        leaves.lower_mm.push_back(-half);
        leaves.upper_mm.push_back(half + 2);
    }
    point.leaves = {leaves};
    beam.control_points = {point, point};
    beam.control_points[1].cumulative_weight = 1;
    beam.gantry_rotation = {Rotation::none, Rotation::none};
    return beam;
}

class AttributionTest : public ::testing::Test {
protected:
    AttributionTest() {
        input_.ct = thorax();
        input_.structures = body();
        Plan plan;
        plan.label = "thorax";
        plan.frame_of_reference_uid = "1.2.3";
        plan.fractions = 20;
        plan.beams = {beam(1, "anterior", 0), beam(2, "right lateral", 270), beam(3, "posterior", 180),
                      beam(4, "oblique", 320)};
        input_.plan = plan;
        options_.engine.per_beam = true;
        Grid grid;
        grid.size = {76, 52, 28};
        grid.spacing_mm = Vec3::Constant(4);
        grid.origin_mm = Vec3(-150, -102, -54);
        options_.engine.grid = grid;
    }

    CalculationResult calculated(const CheckInput& input, const EngineOptions& options) {
        const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
        return calculate(*input.ct, &*input.structures, *input.plan, materials, models_, options);
    }
    /// Of the plan as it is; calculated once for all tests. A test that changes the input asks for it before.
    const CalculationResult& clean() {
        static const CalculationResult result = calculated(input_, options_.engine);
        return result;
    }
    /// The cause where the planned dose is that of a faulty plan or patient.
    Attribution cause(const CheckInput& faulty) {
        input_.planned = calculated(faulty, options_.engine).plan;
        return attribute(input_, clean(), options_, models_);
    }
    /// The leading one; empty where there is none.
    static Cause leading(const Attribution& found) {
        return found.causes.empty() ? Cause{} : found.causes.front();
    }
    /// Shipped models, loaded once for all tests.
    static const BeamModel& model_of(const Beam& beam) {
        static io::ModelStore store;
        return store.for_beam(beam);
    }

    BeamModelProvider models_ = model_of;
    CheckInput input_;
    CheckOptions options_;
};

TEST_F(AttributionTest, NoneForACleanPlan) {
    input_.planned = clean().plan;
    const Attribution found = attribute(input_, clean(), options_, models_);
    EXPECT_EQ(found.verdict, "none");
    EXPECT_EQ(found.difference_percent, 0);
    EXPECT_THAT(found.sentence, HasSubstr("too little"));
    EXPECT_TRUE(found.causes.empty());
}

TEST_F(AttributionTest, NotTriedWithoutAPlannedDose) {
    Attribution found = attribute(input_, clean(), options_, models_);
    EXPECT_EQ(found.verdict, "not tried");
    EXPECT_EQ(found.sentence, "No cause was looked for: there is no planned dose.");
    input_.planned = clean().plan;
    std::fill(input_.planned->gy.values.begin(), input_.planned->gy.values.end(), 0.0f);
    found = attribute(input_, clean(), options_, models_);
    EXPECT_EQ(found.verdict, "not tried");
}

TEST_F(AttributionTest, OutputOfOneBeam) {
    for (const double factor : {1.03, 1.10}) {
        CheckInput faulty = input_;
        faulty.plan->beams[1].meterset_mu *= factor;
        const Attribution found = cause(faulty);
        EXPECT_EQ(found.verdict, "output");
        EXPECT_EQ(leading(found).name, "output of beam 2 ('right lateral')");
        EXPECT_NEAR(leading(found).size, 100 * (factor - 1), 0.05);
        EXPECT_GT(leading(found).explained, 0.98);
    }
}

TEST_F(AttributionTest, OutputOfAllBeams) {
    CheckInput faulty = input_;
    for (Beam& beam : faulty.plan->beams) beam.meterset_mu *= 0.95;
    const Attribution found = cause(faulty);
    EXPECT_EQ(found.verdict, "output");
    EXPECT_EQ(found.sentence, "Output of all beams -5.0 %: explains 100 % of the difference.");
}

/// Lung 17 % denser and bone of 600 HU 8 % lighter than in the default table, soft tissue nearly as it is.
HuCurve other_scanner() {
    return HuCurve("other", {-1000, -740, -200, -98, 100, 300, 3071},
                   {0.00121, 0.314, 0.87, 0.930, 1.1199, 1.10, 2.60});
}

TEST_F(AttributionTest, HuTableOfAnotherScanner) {
    EngineOptions other = options_.engine;
    other.hu_curve = other_scanner();
    const CalculationResult of_other = calculated(input_, other);
    input_.planned = of_other.plan;
    Attribution found = attribute(input_, clean(), options_, models_);
    EXPECT_EQ(found.verdict, "density");
    EXPECT_NEAR(leading(found).size, 100 * (0.314 / HuCurve::default_curve().density(-740) - 1), 2.5);
    EXPECT_THAT(found.sentence, HasSubstr("HU table: density of lung +1"));

    // The other way round, the table of the planning system has a name.
    input_.planned = clean().plan;
    options_.engine = other;
    found = attribute(input_, of_other, options_, models_);
    EXPECT_EQ(found.verdict, "density");
    EXPECT_EQ(leading(found).name, "HU table Schneider-2000 instead of other");
}

TEST_F(AttributionTest, IsocentreMoved) {
    CheckInput faulty = input_;
    for (Beam& beam : faulty.plan->beams)
        for (ControlPoint& point : beam.control_points) point.isocentre_mm += Vec3(3, 0, 4);
    const Attribution found = cause(faulty);
    EXPECT_EQ(found.verdict, "shift");
    EXPECT_NEAR(leading(found).size, 5.0, 0.75);
}

TEST_F(AttributionTest, LeafBankOff) {
    for (const double off_mm : {3.0, -3.0}) {
        CheckInput faulty = input_;
        for (Beam& beam : faulty.plan->beams)
            for (ControlPoint& point : beam.control_points)
                for (std::size_t i = 0; i < 60; ++i)
                    point.leaves[0].upper_mm[i] =
                        std::max(point.leaves[0].lower_mm[i], point.leaves[0].upper_mm[i] + off_mm);
        const Attribution found = cause(faulty);
        EXPECT_EQ(found.verdict, "aperture");
        EXPECT_EQ(leading(found).name, "leaf bank X2 opened by");
        EXPECT_NEAR(leading(found).size, off_mm, 0.45);
    }
}

TEST_F(AttributionTest, WrongEnergy) {
    CheckInput faulty = input_;
    for (Beam& beam : faulty.plan->beams) beam.nominal_energy_mv = 10;
    const Attribution found = cause(faulty);
    EXPECT_EQ(found.verdict, "energy");
    EXPECT_THAT(found.sentence, HasSubstr("10 MV instead of 6 MV"));
}

TEST_F(AttributionTest, CouchThatOnlyThePlanningSystemHad) {
    CheckInput faulty = input_;
    insert_couch(*faulty.structures, *faulty.ct, faulty.plan->position, read_couch("elekta-ibeam"));
    const Attribution found = cause(faulty);
    EXPECT_EQ(found.verdict, "density");
    EXPECT_THAT(found.sentence, HasSubstr("Couch under the patient that the calculation lacks, 0."));
    EXPECT_THAT(found.sentence, HasSubstr("times generic-carbon-fibre"));
    // Both attenuate by their mass per area.
    EXPECT_NEAR(
        leading(found).size,
        read_couch("elekta-ibeam").path_g_cm2(-60) / read_couch("generic-carbon-fibre").path_g_cm2(-60), 0.1);
    EXPECT_GT(leading(found).explained, 0.98);
}

TEST_F(AttributionTest, CouchThatThePlanningSystemLacked) {
    input_.planned = clean().plan;
    insert_couch(*input_.structures, *input_.ct, input_.plan->position, read_couch("elekta-ibeam"));
    const Attribution found = attribute(input_, calculated(input_, options_.engine), options_, models_);
    EXPECT_EQ(found.verdict, "density");
    EXPECT_THAT(found.sentence, HasSubstr("Couch left out of the planned dose"));
}

TEST_F(AttributionTest, DensityOverrideThatThePlanningSystemLacked) {
    input_.planned = clean().plan;
    options_.engine.overrides = {{"BODY", 1.0, ""}};
    const Attribution found = attribute(input_, calculated(input_, options_.engine), options_, models_);
    EXPECT_EQ(found.verdict, "density");
    EXPECT_THAT(found.sentence, HasSubstr("Density overrides left out of the planned dose"));
}

TEST_F(AttributionTest, DoseGridMoved) {
    input_.planned = clean().plan;
    input_.planned->gy.grid.origin_mm += Vec3(0, 2, 0);
    const Attribution found = attribute(input_, clean(), options_, models_);
    EXPECT_EQ(found.verdict, "grid");
    EXPECT_NEAR(leading(found).size, 2, 0.3);
}

TEST_F(AttributionTest, TwoCausesAreNotOne) {
    CheckInput faulty = input_;
    for (Beam& beam : faulty.plan->beams) {
        beam.meterset_mu *= 1.03;
        for (ControlPoint& point : beam.control_points) point.isocentre_mm += Vec3(3, 0, 4);
    }
    const Attribution found = cause(faulty);
    EXPECT_THAT(found.verdict, ::testing::AnyOf("several", "interaction"));
    EXPECT_THAT(found.sentence, HasSubstr("No single cause"));
    EXPECT_THAT(found.sentence, HasSubstr("isocentre moved"));
    EXPECT_THAT(found.sentence, HasSubstr("output of all beams"));
}

/// What a callback throws to end a check.
struct Enough {};

TEST_F(AttributionTest, ProgressAscendsAndCanEndIt) {
    input_.planned = clean().plan;
    input_.planned->gy.grid.origin_mm += Vec3(0, 2, 0);
    double before = 0;
    std::string stages;
    options_.progress = [&](double fraction, const std::string& stage) {
        EXPECT_GE(fraction, before);
        EXPECT_LE(fraction, 1);
        before = fraction;
        stages = stage;
        if (fraction > 0.1) throw Enough();
    };
    EXPECT_THROW(attribute(input_, clean(), options_, models_), Enough);
    EXPECT_THAT(stages, HasSubstr("cause: "));
    // An error that means the same to a caller is no cause that could not be tried.
    options_.progress = [](double, const std::string&) { throw bad_input("ended"); };
    EXPECT_THROW(attribute(input_, clean(), options_, models_), Error);
}

}  // namespace
}  // namespace libdose::check
