// Dose on a grid that is given: exactly that grid, and the same dose as on a grid of the engine's own.
#include <gmock/gmock.h>

#include <cmath>

#include "libdose/error.h"
#include "support/water_cube.h"

namespace libdose {
namespace {

class GivenGrid : public testing::Test {
protected:
    CalculationResult calculated(const EngineOptions& options) {
        const StructureSet body = body_of_cube();
        return calculate(
            ct_, &body, plan_, materials_, [this](const Beam&) -> const BeamModel& { return model_; },
            options);
    }
    std::string refusal(const Grid& grid) {
        EngineOptions options = coarse();
        options.grid = grid;
        try {
            calculated(options);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::bad_input);
            return error.what();
        }
        return "nothing was thrown";
    }
    static EngineOptions coarse() {
        EngineOptions options;
        options.quality = Quality::draft;
        options.grid_mm = 5;
        return options;
    }

    CtImage ct_ = water_ct();
    Plan plan_ = plan_of({static_beam(1, 0, 100)});
    MaterialTable materials_ = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
    BeamModel model_ = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
};

// The planning system's grid ends within the body, so that the beam comes in through voxels that it does not
// have. What it has must be what the whole body gives: without the 115 mm of water above the grid the dose
// would be some 40 % higher.
TEST_F(GivenGrid, WhatLiesOutsideIsCalculatedToo) {
    EngineOptions options = coarse();
    const CalculationResult own = calculated(options);
    Grid grid{{9, 9, 9}, Vec3(5, 5, 5), Vec3(-20, 0, -20)};  // y from -2.5 to 42.5 mm
    options.grid = grid;
    const CalculationResult given = calculated(options);
    EXPECT_EQ(given.plan.gy.grid, grid);
    ASSERT_EQ(given.plan.gy.values.size(), grid.voxel_count());
    const double normal = interpolate(own.plan.gy, Vec3(0, 0, 0));
    for (int k = 0; k < 9; k += 4)
        for (int j = 0; j < 9; j += 2)
            for (int i = 0; i < 9; i += 4)
                EXPECT_NEAR(given.plan.gy.at(i, j, k), interpolate(own.plan.gy, grid.centre_mm(i, j, k)),
                            0.01 * normal)
                    << grid.centre_mm(i, j, k).transpose();
    EXPECT_THAT(given.plan.provenance.settings.at("grid_mm"), "5");
    EXPECT_THAT(given.notes, testing::Contains(testing::HasSubstr("as given")));
}

TEST_F(GivenGrid, VoxelsNeedNotBeCubes) {
    EngineOptions options = coarse();
    const CalculationResult own = calculated(options);
    const Grid grid{{25, 20, 15}, Vec3(4, 5, 6), Vec3(-48, -40, -42)};
    options.grid = grid;
    options.per_beam = true;
    const CalculationResult given = calculated(options);
    EXPECT_EQ(given.plan.gy.grid, grid);
    ASSERT_EQ(given.beams.size(), 1u);
    EXPECT_EQ(given.beams[0].gy.grid, grid);
    EXPECT_EQ(given.beams[0].fractions, 1);
    EXPECT_EQ(given.plan.provenance.settings.at("grid_mm"), "4 x 5 x 6");
    const double normal = interpolate(own.plan.gy, Vec3(0, 0, 0));
    for (const Vec3& p : {Vec3(0, -20, 0), Vec3(0, 0, 0), Vec3(20, 10, -20), Vec3(0, 40, 10)})
        EXPECT_NEAR(interpolate(given.plan.gy, p), interpolate(own.plan.gy, p), 0.015 * normal)
            << p.transpose();
}

TEST_F(GivenGrid, BeyondThePatientThereIsNoDose) {
    EngineOptions options = coarse();
    options.grid = Grid{{60, 20, 20}, Vec3(10, 10, 10), Vec3(-295, -95, -95)};
    const CalculationResult given = calculated(options);
    EXPECT_EQ(given.plan.gy.grid, *options.grid);
    EXPECT_EQ(given.plan.gy.at(0, 10, 10), 0.0f);
    EXPECT_GT(given.plan.gy.at(29, 10, 10), 0.5f * 0.6f);
}

TEST_F(GivenGrid, RefusesWhatItCannotBe) {
    EXPECT_THAT(refusal(Grid{{9, 9, 9}, Vec3(5, 5, 5), Vec3(1000, 0, 0)}),
                testing::HasSubstr("does not meet the patient"));
    EXPECT_THAT(refusal(Grid{{9, 9, 9}, Vec3(0.4, 5, 5), Vec3(0, 0, 0)}), testing::HasSubstr("0.4 mm"));
    EXPECT_THAT(refusal(Grid{{9, 9, 9}, Vec3(5, 5, 21), Vec3(0, 0, 0)}), testing::HasSubstr("21 mm"));
    EXPECT_THAT(refusal(Grid{{0, 9, 9}, Vec3(5, 5, 5), Vec3(0, 0, 0)}), testing::HasSubstr("grid"));
}

}  // namespace
}  // namespace libdose
