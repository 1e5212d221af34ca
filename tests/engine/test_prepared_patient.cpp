// The stages of a calculation by themselves: what is prepared once is reused, and gives what calculate()
// gives.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "libdose/error.h"
#include "libdose/gamma.h"
#include "libdose/prepared_patient.h"
#include "support/water_cube.h"

namespace libdose {
namespace {

class Prepared : public Engine {
protected:
    PreparedPatient prepared(const Plan& plan, EngineOptions options = whole_cube()) const {
        return {ct_,    &body_, plan, *materials_, [](const Beam&) -> const BeamModel& { return *model_; },
                options};
    }
    /// The grid is that of the whole cube, whatever the fields are.
    static EngineOptions whole_cube() {
        EngineOptions options = coarse();
        options.beam_margin_mm = 1000;
        options.per_beam = true;
        return options;
    }
    template <class Body>
    static std::string refusal(const Body& body) {
        try {
            body();
        } catch (const Error& error) {
            return error.what();
        }
        return "nothing was thrown";
    }
    static Beam narrower(Beam beam) {
        for (ControlPoint& point : beam.control_points) point.jaw_x = JawOpening{-20, 35};
        return beam;
    }

    /// Millennium 120, open as wide as said around the axis.
    static Beam with_leaves(Beam beam, double half_mm) {
        beam.manufacturer = "Varian Medical Systems";
        MultileafCollimator mlc;
        mlc.type = "MLCX";
        for (int i = 0; i <= 60; ++i)
            mlc.leaf_boundaries_mm.push_back(i <= 10 ? -200 + 10 * i : i <= 50 ? 5 * i - 150 : 10 * i - 400);
        beam.collimators = {mlc};
        for (ControlPoint& point : beam.control_points)
            point.leaves = {{std::vector<double>(60, -half_mm), std::vector<double>(60, half_mm)}};
        return beam;
    }
    static std::string all_of(const std::vector<std::string>& notes) {
        std::string text;
        for (const std::string& note : notes) text += note + "\n";
        return text;
    }

    CtImage ct_ = water_ct();
    StructureSet body_ = body_of_cube();
    Plan plan_ = plan_of({static_beam(1, 0, 100), static_beam(2, 90, 60)});
};

TEST_F(Prepared, BeamsOneByOneAreThoseOfThePlan) {
    const CalculationResult whole = run(ct_, &body_, plan_, whole_cube());
    PreparedPatient patient = prepared(plan_);
    EXPECT_EQ(patient.grid(), whole.plan.gy.grid);
    for (std::size_t b = 0; b < 2; ++b) {
        const Dose dose = patient.dose(patient.fluence(plan_.beams[b]));
        EXPECT_EQ(dose.gy.values, whole.beams[b].gy.values);
        EXPECT_EQ(dose.beam_number, plan_.beams[b].number);
        EXPECT_EQ(dose.provenance.settings, whole.beams[b].provenance.settings);
    }
}

TEST_F(Prepared, APatientIsUsedAgain) {
    PreparedPatient patient = prepared(plan_);
    const CalculationResult first = patient.calculate(), second = patient.calculate();
    EXPECT_EQ(first.plan.gy.values, second.plan.gy.values);
    EXPECT_EQ(first.plan.gy.values, run(ct_, &body_, plan_, whole_cube()).plan.gy.values);
}

TEST_F(Prepared, AChangedBeamIsThatOfAChangedPlan) {
    PreparedPatient patient = prepared(plan_);
    Plan changed = plan_;
    changed.beams[1] = narrower(changed.beams[1]);
    const Dose dose = patient.dose(patient.fluence(changed.beams[1]));
    EXPECT_EQ(dose.gy.values, run(ct_, &body_, changed, whole_cube()).beams[1].gy.values);
}

TEST_F(Prepared, ThePencilBeamToo) {
    EngineOptions options = whole_cube();
    options.algorithm = Algorithm::pencil_beam;
    PreparedPatient patient = prepared(plan_, options);
    const Dose dose = patient.dose(patient.fluence(plan_.beams[0]));
    EXPECT_EQ(dose.gy.values, run(ct_, &body_, plan_, options).beams[0].gy.values);
}

// Of a beam's own fluence only the contaminating electrons are missing, which end 3 to 4 cm deep.
TEST_F(Prepared, OnesOwnFluenceGivesTheDoseOfThatFluence) {
    PreparedPatient patient = prepared(plan_);
    const BeamFluence of_beam = patient.fluence(plan_.beams[0]);
    std::vector<FluenceRaster> rasters = of_beam.rasters();
    ASSERT_EQ(rasters.size(), 1u);
    const Volume<float> beam = patient.dose(of_beam).gy,
                        own = patient.dose(patient.fluence(rasters, plan_.beams[0])).gy;
    for (float& value : rasters.front().values) value *= 2;
    const Volume<float> twice = patient.dose(patient.fluence(rasters, plan_.beams[0])).gy;
    for (const double depth_mm : {60.0, 100.0, 200.0}) {
        const Vec3 point(0, depth_mm - 120, 0);
        const double gy = interpolate(beam, point);
        EXPECT_NEAR(interpolate(own, point), gy, 1e-5 * gy) << depth_mm;
        EXPECT_NEAR(interpolate(twice, point), 2 * gy, 2e-5 * gy) << depth_mm;
    }
    EXPECT_LT(interpolate(own, Vec3(0, -117, 0)), interpolate(beam, Vec3(0, -117, 0)));
}

TEST_F(Prepared, AxesAreThoseOfTheAngles) {
    PreparedPatient patient = prepared(plan_);
    const FluenceRaster raster = patient.fluence(plan_.beams[1]).rasters().front();
    EXPECT_TRUE(raster.axes.isApprox(beam_axes(PatientPosition::hfs, 90, 0, 0)));
    // IEC 61217, head first supine: at gantry 90 the source is to the patient's left, +x.
    EXPECT_NEAR(raster.axes.col(2)[0], 1, 1e-12);
}

TEST_F(Prepared, WhatDoesNotFitIsRefused) {
    EngineOptions narrow = coarse();
    narrow.beam_margin_mm = 0;
    PreparedPatient patient = prepared(plan_of({static_beam(1, 0, 100)}), narrow), other = prepared(plan_);
    Beam wide = static_beam(3, 90, 100);
    EXPECT_THAT(refusal([&] { patient.fluence(wide); }), testing::HasSubstr("leaves the grid"));
    EXPECT_THAT(refusal([&] { patient.dose(other.fluence(plan_.beams[0])); }),
                testing::HasSubstr("another prepared patient"));
    std::vector<FluenceRaster> rasters = other.fluence(plan_.beams[0]).rasters();
    EXPECT_THAT(refusal([&] { other.fluence(std::vector<FluenceRaster>{}, plan_.beams[0]); }),
                testing::HasSubstr("there is no fluence"));
    rasters.front().values.front() = -1;
    EXPECT_THAT(refusal([&] { other.fluence(rasters, plan_.beams[0]); }), testing::HasSubstr("negative"));
    rasters.front().values.pop_back();
    EXPECT_THAT(refusal([&] { other.fluence(rasters, plan_.beams[0]); }),
                testing::HasSubstr("values are given"));
    rasters = other.fluence(plan_.beams[0]).rasters();
    rasters.front().axes.col(0) *= 1.1;
    EXPECT_THAT(refusal([&] { other.fluence(rasters, plan_.beams[0]); }), testing::HasSubstr("right angles"));
    Beam with_bolus = plan_.beams[0];
    with_bolus.boluses.push_back({1, "BODY"});
    EXPECT_THAT(refusal([&] { other.fluence(with_bolus); }), testing::HasSubstr("boluses"));
}

// The plan has no leaves, so that no design was read for it. They must not be taken for sharp ones.
TEST_F(Prepared, LeavesOfAChangedBeamAreAsTheyAreBuilt) {
    PreparedPatient patient = prepared(plan_);
    Plan changed = plan_;
    changed.beams[0] = with_leaves(changed.beams[0], 30);
    const BeamFluence fluence = patient.fluence(changed.beams[0]);
    EXPECT_THAT(all_of(fluence.notes()), testing::Not(testing::HasSubstr("sharply")));
    const Dose whole = run(ct_, &body_, changed, whole_cube()).beams[0], dose = patient.dose(fluence);
    EXPECT_EQ(dose.gy.values, whole.gy.values);
    EXPECT_EQ(dose.provenance.settings.at("leaves beam 1"), whole.provenance.settings.at("leaves beam 1"));
    EXPECT_THAT(all_of(patient.fluence(with_leaves(plan_.beams[0], 0)).notes()),
                testing::HasSubstr("leaves are closed"));
}

// The grid was chosen for wide openings. A narrow one needs finer fluence, and a word about the voxels.
TEST_F(Prepared, AChangedBeamMayBeTooNarrowForTheGrid) {
    EngineOptions chosen = whole_cube();
    chosen.algorithm = Algorithm::pencil_beam;
    chosen.grid_mm = 0;
    PreparedPatient patient = prepared(plan_, chosen);
    ASSERT_EQ(patient.grid().spacing_mm.maxCoeff(), 2.5);
    Plan changed = plan_;
    for (ControlPoint& point : changed.beams[0].control_points) {
        point.jaw_x = JawOpening{-4, 4};
        point.jaw_y = JawOpening{-4, 4};
    }
    const BeamFluence fluence = patient.fluence(changed.beams[0]);
    EXPECT_THAT(all_of(fluence.notes()), testing::HasSubstr("may be off by up to"));
    EXPECT_EQ(fluence.rasters().front().pixel_mm, 0.5);
    chosen.grid_mm = 2.5;
    EXPECT_EQ(patient.dose(fluence).gy.values, run(ct_, &body_, changed, chosen).beams[0].gy.values);
    EXPECT_THAT(all_of(patient.fluence(fluence.rasters(), plan_.beams[0]).notes()),
                testing::HasSubstr("may be off by up to"));
    EXPECT_THAT(all_of(patient.fluence(plan_.beams[0]).notes()),
                testing::Not(testing::HasSubstr("small field")));
}

// The body goes on beyond the CT on the patient's left. The plan's beam from above does not pass there.
TEST_F(Prepared, NothingEntersThroughWhatIsBeyondTheCt) {
    for (Contour& contour : body_.structures.front().contours)
        for (Vec3& point : contour.points_mm)
            if (point[0] > 0) point[0] = 200;
    PreparedPatient patient = prepared(plan_of({static_beam(1, 0, 100)}));
    const Beam from_left = static_beam(2, 90, 100);
    EXPECT_THAT(refusal([&] { patient.fluence(from_left); }), testing::HasSubstr("goes beyond the CT"));
    std::vector<FluenceRaster> rasters = patient.fluence(static_beam(1, 0, 100)).rasters();
    EXPECT_NO_THROW(patient.fluence(rasters, from_left));
    rasters.front().axes = beam_axes(PatientPosition::hfs, 90, 0, 0);
    EXPECT_THAT(refusal([&] { patient.fluence(rasters, from_left); }),
                testing::HasSubstr("the fluence passes there"));
}

// Even where the memory of the first patient is that of the second.
TEST_F(Prepared, AFluenceDiesWithItsPatient) {
    std::optional<PreparedPatient> patient = prepared(plan_);
    const BeamFluence fluence = patient->fluence(plan_.beams[0]);
    patient.reset();
    patient = prepared(plan_);
    EXPECT_THAT(refusal([&] { patient->dose(fluence); }), testing::HasSubstr("another prepared patient"));
}

TEST_F(Prepared, ProgressCanEndADose) {
    PreparedPatient patient = prepared(plan_);
    const BeamFluence fluence = patient.fluence(plan_.beams[0]);
    struct Stop {};
    EXPECT_THROW(patient.dose(fluence, [](double, const std::string&) { throw Stop(); }), Stop);
    // And the patient is as it was.
    EXPECT_EQ(patient.dose(fluence).gy.values, run(ct_, &body_, plan_, whole_cube()).beams[0].gy.values);
}

TEST_F(Prepared, MemoryIsEstimatedBeforehand) {
    const BeamModelProvider models = [](const Beam&) -> const BeamModel& { return *model_; };
    EngineOptions fine = whole_cube();
    fine.grid_mm = 2.5;
    const double coarse_bytes = estimate_memory(ct_, &body_, plan_, models, whole_cube()).needed_bytes,
                 fine_bytes = estimate_memory(ct_, &body_, plan_, models, fine).needed_bytes;
    // Eight times the voxels; the fluence maps and what grows with the grid's faces grow less.
    EXPECT_GT(fine_bytes, 4 * coarse_bytes);
    EXPECT_LT(fine_bytes, 9 * coarse_bytes);
}

}  // namespace
}  // namespace libdose
