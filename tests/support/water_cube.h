// What the tests of the engine share: a cube of water, beams on it, and calculations with the generic 6 MV
// model.
#pragma once

#include <gtest/gtest.h>

#include <cmath>

#include "libdose/data.h"
#include "libdose/engine.h"
#include "libdose/io/hdf5.h"

namespace libdose {

/// A water cube of 24 cm in air, CT of 4 mm voxels, centred on the isocentre at the origin.
inline CtImage water_ct(PatientPosition position = PatientPosition::hfs) {
    CtImage ct;
    ct.position = position;
    ct.frame_of_reference_uid = "1.2.3";
    Grid grid;
    grid.size = {80, 80, 80};
    grid.spacing_mm = Vec3::Constant(4);
    grid.origin_mm = Vec3::Constant(-158);
    ct.hu = Volume<float>(grid, -1000.0f);
    for (int k = 0; k < 80; ++k)
        for (int j = 0; j < 80; ++j)
            for (int i = 0; i < 80; ++i)
                if ((grid.centre_mm(i, j, k).cwiseAbs().array() < 120).all()) ct.hu.at(i, j, k) = 0;
    return ct;
}

inline Contour square(double half, double z) {
    return {{Vec3(-half, -half, z), Vec3(half, -half, z), Vec3(half, half, z), Vec3(-half, half, z)}};
}

inline StructureSet body_of_cube() {
    StructureSet set;
    set.frame_of_reference_uid = "1.2.3";
    Structure body;
    body.number = 1;
    body.name = "BODY";
    body.type = "EXTERNAL";
    for (int k = 0; k < 80; ++k)
        if (const double z = -158 + 4 * k; std::abs(z) < 120) body.contours.push_back(square(120, z));
    set.structures.push_back(body);
    return set;
}

inline Beam static_beam(int number, double gantry, double mu) {
    Beam beam;
    beam.number = number;
    beam.name = "G" + std::to_string(static_cast<int>(gantry));
    beam.nominal_energy_mv = 6;
    beam.meterset_mu = mu;
    ControlPoint point;
    point.gantry_deg = gantry;
    point.jaw_x = JawOpening{-50, 50};
    point.jaw_y = JawOpening{-50, 50};
    beam.control_points = {point, point};
    beam.control_points[1].cumulative_weight = 1;
    beam.gantry_rotation = {Rotation::none, Rotation::none};
    return beam;
}

inline Plan plan_of(std::vector<Beam> beams, PatientPosition position = PatientPosition::hfs) {
    Plan plan;
    plan.label = "test";
    plan.frame_of_reference_uid = "1.2.3";
    plan.position = position;
    plan.beams = std::move(beams);
    return plan;
}

/// Calculations with the generic 6 MV model.
class Engine : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        model_ = new BeamModel(io::read_beam_model(data_folder() / "models" / "generic-6MV.h5"));
        materials_ = new MaterialTable(MaterialTable::read_csv(data_folder() / "materials" / "basis.csv"));
    }
    static CalculationResult run(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                                 EngineOptions options = coarse()) {
        return calculate(
            ct, structures, plan, *materials_, [](const Beam&) -> const BeamModel& { return *model_; },
            options);
    }
    static EngineOptions coarse() {
        EngineOptions options;
        options.grid_mm = 5;
        options.quality = Quality::draft;
        return options;
    }
    static inline BeamModel* model_ = nullptr;
    static inline MaterialTable* materials_ = nullptr;
};

}  // namespace libdose
