// Dose at points of water: against closed forms, and against the engine on its grid.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/compute.h"
#include "engine/jaw_field.h"
#include "libdose/data.h"
#include "libdose/io/hdf5.h"
#include "patient/water_phantom.h"
#include "terma/terma_equations.h"
#include "validation/point_dose.h"

using namespace libdose;

namespace {

const BeamModel& generic() {
    static const BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    return model;
}

/// A head of nothing but jaws.
HeadModel bare_head() {
    HeadModel head;
    head.profile_radius_mm = {0, 300};
    head.profile = {1, 1};
    return head;
}

/// All energy into the same rate and evenly over the sphere.
ConeKernel even_kernel(double rate) {
    ConeKernel kernel;
    kernel.rates_cm2_g = {rate};
    for (int m = 0; m <= 48; ++m) kernel.theta_edges_deg.push_back(180.0 * m / 48);
    kernel.depth_g_cm2 = {0, 50};
    for (int h = 0; h < 2; ++h)
        for (std::size_t m = 0; m < 48; ++m)
            kernel.coefficients.push_back(0.5 * (std::cos(kernel.theta_edges_deg[m] * M_PI / 180) -
                                                 std::cos(kernel.theta_edges_deg[m + 1] * M_PI / 180)));
    return kernel;
}

}  // namespace

TEST(PointDose, OfAKernelThatStaysWhereItIsIsTheTerma) {
    const HeadModel head = bare_head();
    const ConeKernel kernel = even_kernel(1e4);
    const PointDose dose(generic().spectrum, kernel, generic().pencil_kernel, head.electrons);
    const FluenceMap map = jaw_field(head, 100, 100);
    for (const double depth : {20.0, 100.0, 250.0}) {
        const double scale = 1000 / (900 + depth);
        EXPECT_NEAR(dose.collapsed_cone(map, {900, depth, 0, 0}) /
                        (physics::basis_terma(generic().spectrum, 0.1 * depth, 0).water * scale * scale),
                    1, 2e-3);
    }
}

TEST(PointDose, DeepInAWideFieldOfOneEnergyAddsUpWhatTheKernelHolds) {
    // One energy, mu and an even kernel of rate a, a field without edges, nearly parallel: each direction
    // with cosine c from the axis carries a exp(-a t) exp(mu c t), so that the dose is TERMA times the mean
    // of a / (a - mu c), which is a atanh(mu / a) / mu.
    Spectrum spectrum{{1.0}, {1.0}, {0.05}, {0.05}};
    const double a = 0.5;
    HeadModel head = bare_head();
    head.maximum_field_radius_mm = 290;
    const ConeKernel kernel = even_kernel(a);
    const PointDose dose(spectrum, kernel, generic().pencil_kernel, head.electrons);
    FluenceMap map = jaw_field(head, 580, 580, Vec3::Zero(), 1000);
    map.frame.source_axis_distance_mm =
        100000;  // the same opening, 1000 times less divergence within the kernel's reach
    const double depth = 300;
    EXPECT_NEAR(dose.collapsed_cone(map, {100000 - depth, depth, 0, 0}) /
                    physics::basis_terma(spectrum, 0.1 * depth, 0).water,
                a / 0.05 * std::atanh(0.05 / a), 2e-3);
}

TEST(PointDose, OnTheAxisAQuadrantIsEnough) {
    const PointDose dose(generic().spectrum, generic().cone_kernel, generic().pencil_kernel,
                         generic().head.electrons);
    const FluenceMap map = jaw_field(generic().head, 60, 120);
    const double on = dose.collapsed_cone(map, {900, 100, 0, 0}),
                 beside = dose.collapsed_cone(map, {900, 100, 1e-6, 0});
    EXPECT_NEAR(on / beside, 1, 5e-4);
}

TEST(PointDose, BehindATiltedSurfaceTheWaterIsAlongTheRay) {
    const HeadModel head = bare_head();
    const ConeKernel kernel = even_kernel(1e4);
    const PointDose dose(generic().spectrum, kernel, generic().pencil_kernel, head.electrons);
    const FluenceMap map = jaw_field(head, 200, 200);
    // Surface through (0, 0, 900) turned by 30 degrees about v; a point 60 mm off the axis, 100 mm deeper
    // along the axis.
    const double tilt = 30 * M_PI / 180;
    WaterPoint point{900, 100, 60, 0};
    point.mirrored = false;
    point.inwards = Vec3(std::sin(tilt), 0, std::cos(tilt));
    // By hand: the ray s (60, 0, 1000) meets n.p = 900 cos(tilt) at s = 900 cos / (60 sin + 1000 cos).
    const double s = 900 * std::cos(tilt) / (60 * std::sin(tilt) + 1000 * std::cos(tilt));
    const double water_cm = 0.1 * (1 - s) * std::hypot(60.0, 1000.0);
    EXPECT_NEAR(dose.collapsed_cone(map, point) / physics::basis_terma(generic().spectrum, water_cm, 0).water,
                1, 2e-3);
}

TEST(PointDose, BehindAWedgeIsWhatTheEngineCalculatesOnItsGrid) {
    const BeamModel& model = generic();
    Beam beam = jaw_beam(100, 100);
    Wedge wedge;
    wedge.angle_deg = 45;
    beam.wedges = {wedge};
    for (ControlPoint& point : beam.control_points) point.wedge_in = {true};
    const TermaTable terma(model.spectrum);
    FluenceOptions options;
    options.terma = &terma;
    const FluenceMap map = field_along_axis(beam, model.head, options, Vec3(0, 0, 100));
    const PointDose dose(model.spectrum, model.cone_kernel, model.pencil_kernel, model.head.electrons);
    const DensityGrid water = water_cube(2.5);
    for (const Algorithm algorithm : {Algorithm::collapsed_cone, Algorithm::pencil_beam}) {
        ComputeOptions compute;
        compute.algorithm = algorithm;
        const std::vector<float> grid_dose = compute_dose(water, {map}, model, compute);
        // Along the wedge, at the centres of voxels; across it the voxels either side of the axis.
        const int i = water.grid.size[0] / 2, k = 40;
        for (const double y : {-31.25, 1.25, 31.25}) {
            const int j = static_cast<int>(std::lround((y - water.grid.origin_mm[1]) / 2.5));
            const double there = 0.5 * static_cast<double>(grid_dose[water.grid.index(i, j, k)] +
                                                           grid_dose[water.grid.index(i - 1, j, k)]);
            WaterPoint at{900, 101.25, 0, y};
            at.mirrored = false;
            EXPECT_NEAR(dose(algorithm, map, at) / there, 1, 1e-2) << to_string(algorithm) << " at " << y;
        }
    }
}

TEST(PointDose, IsWhatTheEngineCalculatesOnItsGrid) {
    const PointDose dose(generic().spectrum, generic().cone_kernel, generic().pencil_kernel,
                         generic().head.electrons);
    const FluenceMap map = jaw_field(generic().head, 100, 100, Vec3(0, 0, 100));
    const DensityGrid water = water_cube(2.5);
    for (const Algorithm algorithm : {Algorithm::collapsed_cone, Algorithm::pencil_beam}) {
        ComputeOptions options;
        options.algorithm = algorithm;
        const std::vector<float> grid_dose = compute_dose(water, {map}, generic(), options);
        const std::vector<double> axis = axis_curve(water.grid, grid_dose);
        const double tolerance = algorithm == Algorithm::collapsed_cone
                                     ? 4e-3
                                     : 1e-2;  // the pencil beam interpolates between magnifications
        for (const double depth : {20.0, 50.0, 100.0, 200.0})
            EXPECT_NEAR(dose(algorithm, map, {900, depth, 0, 0}) / at_depth(axis, depth, 2.5), 1, tolerance)
                << to_string(algorithm) << depth;
        // Off the axis, in the field and out of it.
        const int k = 40, j = water.grid.size[1] / 2;
        for (const double x : {31.25, 71.25}) {
            const int i = static_cast<int>(std::lround((x - water.grid.origin_mm[0]) / 2.5));
            const double beside = 0.5 * static_cast<double>(grid_dose[water.grid.index(i, j, k)] +
                                                            grid_dose[water.grid.index(i, j - 1, k)]);
            EXPECT_NEAR(dose(algorithm, map, {900, 101.25, x, 0}) / beside, 1, x < 50 ? 1e-2 : 4e-2)
                << to_string(algorithm) << " at " << x;
        }
    }
}
