// The part of the pipeline from fluence maps to dose.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "engine/compute.h"
#include "engine/jaw_field.h"
#include "libdose/data.h"
#include "libdose/error.h"
#include "libdose/io/hdf5.h"
#include "patient/density.h"

using namespace libdose;

TEST(Compute, RefusesFluenceThatIsNotFinite) {
    const BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    Grid grid;
    grid.size = {4, 4, 4};
    grid.spacing_mm = Vec3::Constant(10);
    grid.origin_mm = Vec3::Constant(-15);
    const DensityGrid water = uniform_density(grid, MaterialProperties{});
    FluenceMap map = jaw_field(model.head, 40, 40);
    for (const Algorithm algorithm : {Algorithm::collapsed_cone, Algorithm::pencil_beam})
        for (const float value :
             {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
            map.at(map.size_u / 2, map.size_v / 2) = value;
            ComputeOptions options;
            options.algorithm = algorithm;
            try {
                compute_dose(water, {map}, model, options);
                ADD_FAILURE() << "no error";
            } catch (const Error& error) {
                EXPECT_THAT(error.what(), testing::HasSubstr("a value of a fluence map is not finite"));
            }
        }
}
