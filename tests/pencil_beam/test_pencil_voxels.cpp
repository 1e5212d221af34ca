// The pencil beam's rows of voxels, by vectors and in single precision, against the plain loop over voxels in
// double precision.
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "cpu/pencil_beam/pencil.h"
#include "cpu/pencil_beam/pencil_images.h"
#include "cpu/pencil_beam/pencil_voxels.h"
#include "cpu/pencil_beam/pencil_weights.h"
#include "cpu/raytrace/ray_bundle.h"
#include "fluence/fluence_integral.h"
#include "fluence/fluence_map.h"
#include "pencil_beam/pencil_plan.h"
#include "raytrace/ray_raster.h"
#include "support/small_case.h"
#include "terma/terma_table.h"

using namespace libdose;

namespace {

/// Three components of other reach, one of which is negative in part; depths at uneven distances.
PencilKernel three_components() {
    PencilKernel kernel;
    kernel.radius_cm = {0, 0.02, 0.05};
    for (double r = 0.1; r < 30; r *= 1.15) kernel.radius_cm.push_back(r);
    for (const double reach_cm : {0.3, 1.5, 6.0})
        for (std::size_t n = 0; n + 1 < kernel.radius_cm.size(); ++n) {
            const double r = 0.5 * (kernel.radius_cm[n] + kernel.radius_cm[n + 1]);
            kernel.components.push_back((reach_cm == 1.5 ? std::cos(r) : 1) * std::exp(-r / reach_cm) /
                                        reach_cm);
        }
    kernel.depth_g_cm2 = {0.05, 0.15, 0.25, 0.6, 1.2, 3, 3.1, 8, 20, 35};
    for (const double depth : kernel.depth_g_cm2)
        for (const double rate : {0.3, 0.1, 0.02})
            kernel.weights.push_back((1 - 0.6 * std::exp(-2 * depth)) * std::exp(-rate * depth));
    return kernel;
}

struct Case {
    std::string name;
    DensityGrid density;
    FluenceMap map;
    bool lateral_scaling = false;
    double near_pixel_mm = 0;
};

/// Vacuum around a cylinder of water with a lung and a bone in it. An uneven number of voxels of uneven
/// sides.
DensityGrid thorax() {
    Grid grid;
    grid.size = {45, 31, 27};
    grid.spacing_mm = Vec3(3, 4, 5);
    grid.origin_mm = Vec3(-66, -60, 2.5);
    DensityGrid density = uniform_density(grid, MaterialProperties{});
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j)
            for (int i = 0; i < grid.size[0]; ++i) {
                const Vec3 p = grid.centre_mm(i, j, k);
                const double x = p[0], y = p[1];
                const std::size_t voxel = grid.index(i, j, k);
                test::set_density(density, voxel,
                                  std::hypot(x, y) > 58        ? 0.0f
                                  : std::hypot(x - 25, y) < 20 ? 0.26f
                                  : std::hypot(x, y + 40) < 10 ? 1.5f
                                                               : 1.0f);
                if (std::hypot(x, y + 40) < 10) {
                    density.water_part[voxel] = 1.1f;
                    density.high_z_part[voxel] = 0.4f;
                }
            }
    return density;
}

std::vector<Case> cases() {
    const Vec3 down(0, 0, 1), oblique(0.4, -0.5, 0.7), along_x(-1, 0.1, 0.05), along_y(0.1, -1, -0.05),
        deep(0, 0, 60);
    FluenceMap filtered = test::square_field(70, oblique, deep);
    auto filter = std::make_shared<BeamFilter>();
    filter->softening_radius_mm = {0, 50, 100};
    filter->softening_g_cm2 = {0, 0.4, 1.1};
    filter->wedge_mm = {-60, 0, 60};
    filter->wedge_water_g_cm2 = {1.5, 1.0, 0.5};
    filter->wedge_high_z_g_cm2 = {3, 2, 1};
    filtered.filter = filter;
    // A stripe pattern that ends within pixels of 2 mm.
    FluenceMap modulated = test::square_field(60, down, deep);
    for (int v = 0; v < modulated.size_v; ++v)
        for (int u = 0; u < modulated.size_u; ++u) modulated.at(u, v) = (u / 21 + v / 30) % 2 ? 0.2f : 1.0f;
    // Collimator at 90°: v along x.
    FluenceMap turned = test::square_field(50, down, deep);
    turned.frame.axes =
        (Mat3() << turned.frame.axes.col(1), -turned.frame.axes.col(0), turned.frame.axes.col(2)).finished();
    return {{"water", test::water_cube(31, 5), test::square_field(40)},
            {"wide water: most lies beyond the near images", test::water_cube(40, 8), test::square_field(20)},
            {"down", thorax(), test::square_field(50, down, deep), true},
            {"turned", thorax(), turned, true},
            {"oblique", thorax(), test::square_field(50, oblique, deep), true},
            {"along x", thorax(), test::square_field(50, along_x, deep), true},
            {"along y", thorax(), test::square_field(50, along_y, deep), false},
            {"beside the phantom", thorax(), test::square_field(30, down, Vec3(90, 40, 60)), true},
            {"filtered", thorax(), filtered, true},
            {"modulated", thorax(), modulated, true},
            {"modulated, fine", thorax(), modulated, false, 1}};
}

const TermaTable& table() {
    static const TermaTable made(test::simple_spectrum());
    return made;
}

std::vector<float> engine(const Case& c) {
    return cpu::pencil_beam(c.density, c.map, three_components(),
                            c.lateral_scaling ? lateral_scale(c.density) : LateralScale{},
                            c.map.filter ? &table() : nullptr, c.near_pixel_mm);
}

std::vector<double> plain_loop(const Case& c) {
    const Grid& grid = c.density.grid;
    const physics::BeamFrame& frame = c.map.frame;
    const PencilKernel kernel = three_components();
    const LateralScale lateral = c.lateral_scaling ? lateral_scale(c.density) : LateralScale{};
    const auto support = nonzero_bounds(c.map);
    const auto plan = plan_pencil_beam(grid, frame, support, lateral);
    PencilImagePlan image_plan = plan_pencil_images(c.map, *plan, grid.spacing_mm, c.near_pixel_mm);
    image_plan.use(std::vector<std::uint8_t>(plan->nodes.count, 1));
    const cpu::PencilImages images(c.map, kernel, support, image_plan);
    const PencilRays rays = plan_pencil_rays(grid, *plan, image_plan.near_bounds());
    const cpu::RayBundle outer(c.density, frame, rays.outer, rays.outer_spacing),
        inner(c.density, frame, rays.inner, rays.inner_spacing);
    std::vector<double> dose(grid.voxel_count(), 0.0);
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j)
            for (int i = 0; i < grid.size[0]; ++i) {
                const std::size_t voxel = grid.index(i, j, k);
                if (!(c.density.density[voxel] > 0)) continue;
                const auto p = frame.project(grid.centre_mm(i, j, k));
                const double scale = lateral.at(voxel);
                const double node = std::max(0.0, std::log(p.distance_mm * scale / plan->nodes.lowest_mm) /
                                                      std::log(pencil_magnification_step));
                float values[pencil_components];
                images.at(static_cast<float>(p.u_mm), static_cast<float>(p.v_mm), static_cast<float>(node),
                          values);
                const PathLength path =
                    (rays.is_inner(p.u_mm, p.v_mm) ? inner : outer).path(p.u_mm, p.v_mm, p.distance_mm);
                const physics::PencilDepth depth = physics::pencil_depth(kernel, path.water + path.high_z);
                for (std::size_t n = 0; n < 3; ++n)
                    dose[voxel] += physics::pencil_weight(kernel, depth, n) * static_cast<double>(values[n]);
                dose[voxel] = std::max(0.0, dose[voxel]) * scale * scale *
                              static_cast<double>(c.density.kernel_density[voxel] / c.density.density[voxel]);
                if (c.map.filter)
                    dose[voxel] *= table().filtered_part(path, c.map.filter->path(p.u_mm, p.v_mm));
            }
    return dose;
}

}  // namespace

TEST(PencilVoxels, RowsMatchThePlainLoop) {
    for (const Case& c : cases()) {
        const std::vector<float> dose = engine(c);
        const std::vector<double> reference = plain_loop(c);
        const double maximum = *std::max_element(reference.begin(), reference.end());
        ASSERT_GT(maximum, 0) << c.name;
        double worst = 0;
        for (std::size_t v = 0; v < dose.size(); ++v) {
            ASSERT_TRUE(std::isfinite(dose[v])) << c.name << ' ' << v;
            worst = std::max(worst, std::abs(static_cast<double>(dose[v]) - reference[v]));
        }
        std::printf("%s: largest difference %.2g of the largest dose\n", c.name.c_str(), worst / maximum);
        EXPECT_LT(worst / maximum, 1e-4) << c.name;
    }
}

TEST(PencilVoxels, AnyNumberOfThreadsGivesTheSameBits) {
    const Case c = cases()[8];
    const int before = omp_get_max_threads();
    omp_set_num_threads(1);
    const std::vector<float> one = engine(c);
    for (const int threads : {2, 3, 7}) {
        omp_set_num_threads(threads);
        EXPECT_EQ(engine(c), one) << threads;
    }
    omp_set_num_threads(before);
}

TEST(PencilVoxels, PlainLogarithm) {
    for (double x = 1e-6; x < 1e6; x *= 1.00137) {
        const auto value = static_cast<float>(x);
        const double exact = std::log(static_cast<double>(value));
        EXPECT_NEAR(static_cast<double>(physics::plain_log(value)), exact,
                    1.5e-7 * std::max(1.0, std::abs(exact)));
    }
    EXPECT_EQ(physics::plain_log(1), 0.0f);
}

TEST(PencilVoxels, WeightsMatchThoseInDoublePrecision) {
    const PencilKernel kernel = three_components();
    const cpu::PencilDepthWeights weights(kernel);
    for (double depth = 0; depth < 45; depth += 0.013) {
        cpu::PencilLanes values;
        for (int c = 0; c < pencil_components; ++c) values[c] = 1;
        weights.weigh(weights.place(static_cast<float>(depth)), values);
        for (std::size_t c = 0; c < 3; ++c)
            EXPECT_NEAR(static_cast<double>(values[c]),
                        physics::pencil_weight(kernel, physics::pencil_depth(kernel, depth), c), 2e-6)
                << depth << ' ' << c;
        EXPECT_EQ(values[3], 0.0f);
    }
}
