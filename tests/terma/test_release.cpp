// Sixteen voxels at once against one at a time.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "cpu/raytrace/ray_bundle.h"
#include "cpu/terma/release.h"
#include "fluence/fluence_at_voxels.h"
#include "fluence/fluence_map.h"
#include "raytrace/ray_raster.h"
#include "support/small_case.h"
#include "terma/released_energy.h"
#include "terma/terma_table.h"

using namespace libdose;

namespace {

/// Energy and depth of one voxel, by the equations of physics/.
struct One {
    double energy = 0, depth = 0;
};
/// How filters are taken: at every voxel, or at the rays and linear between, as released_energy() does.
enum class Filters { at_voxels, at_rays };

One one_voxel(const DensityGrid& density, const FluenceMap& map, const FluenceIntegral& integral,
              const cpu::RayBundle& rays, const TermaTable& table, Filters filters, int i, int j, int k) {
    const Grid& grid = density.grid;
    const std::size_t voxel = grid.index(i, j, k);
    const physics::BeamFrame& frame = map.frame;
    const double sad = frame.source_axis_distance_mm;
    const auto p = frame.project(grid.centre_mm(i, j, k));
    const auto width = physics::voxel_shadow(frame.axes.col(0).data(), frame.axes.col(1).data(),
                                             frame.axes.col(2).data(), grid.spacing_mm.data(), p, sad);
    const double magnification = sad / p.distance_mm;
    double fluence = integral.average(p.u_mm, p.v_mm, width.u_mm, width.v_mm, magnification);
    if (!(density.density[voxel] > 0) || !(std::abs(fluence) > integral.noise())) return {};
    PathLength path = rays.path(p.u_mm, p.v_mm, p.distance_mm);
    if (map.filter) {
        const physics::RayRaster raster = rays.view().raster;
        int u = 0, v = 0;
        double part_u = 0, part_v = 0;
        physics::lower_node((p.u_mm - raster.low_u) / raster.spacing, raster.size_u, u, part_u);
        physics::lower_node((p.v_mm - raster.low_v) / raster.spacing, raster.size_v, v, part_v);
        double log_unfiltered = 0;
        const auto add = [&](const PathLength& filter, double share) {
            log_unfiltered += share * std::log(unfiltered(table, filter));
            path.water += share * filter.water;
            path.high_z += share * filter.high_z;
        };
        if (filters == Filters::at_voxels) add(map.filter->path(p.u_mm, p.v_mm), 1);
        for (int corner = 0; corner < 4 && filters == Filters::at_rays; ++corner) {
            const int right = corner % 2, above = corner / 2;
            add(map.filter->path(raster.low_u + (u + right) * raster.spacing,
                                 raster.low_v + (v + above) * raster.spacing),
                (right ? part_u : 1 - part_u) * (above ? part_v : 1 - part_v));
        }
        fluence *= std::exp(log_unfiltered);
    }
    const auto terma = table(path);
    return {fluence * magnification * magnification *
                (static_cast<double>(density.water_part[voxel]) * terma.water +
                 static_cast<double>(density.high_z_part[voxel]) * terma.high_z),
            path.water + path.high_z};
}

/// energy_tolerance: of the largest energy; depth_tolerance: g/cm². Places are in single precision, 6e-5 mm
/// at a metre from the source, on maps and in densities that are noise.
void expect_the_same(const DensityGrid& density, const FluenceMap& map, double spacing_mm,
                     double blur_variance, Filters filters = Filters::at_rays, double energy_tolerance = 1e-5,
                     double depth_tolerance = 1e-4) {
    const TermaTable table(test::simple_spectrum());
    const ReleasedEnergy released = cpu::released_energy(density, map, table, spacing_mm, blur_variance);
    std::map<std::size_t, std::size_t> found;
    for (std::size_t n = 0; n < released.size(); ++n) {
        EXPECT_TRUE(n == 0 || released.voxel[n] > released.voxel[n - 1]);
        found[released.voxel[n]] = n;
    }
    const FluenceIntegral integral(map, sharpening_for(density.grid, map.frame, blur_variance));
    const auto extent = released_extent_mm(density.grid, map.frame, nonzero_bounds(map));
    ASSERT_TRUE(extent);
    const cpu::RayBundle rays(density, map.frame, *extent, spacing_mm);
    double largest = 0;
    std::vector<One> all;
    const auto [nx, ny, nz] = density.grid.size;
    for (int k = 0; k < nz; ++k)
        for (int j = 0; j < ny; ++j)
            for (int i = 0; i < nx; ++i) {
                const auto p = map.frame.project(density.grid.centre_mm(i, j, k));
                const bool meets = p.u_mm >= extent->low_u_mm && p.u_mm <= extent->high_u_mm &&
                                   p.v_mm >= extent->low_v_mm && p.v_mm <= extent->high_v_mm;
                all.push_back(meets ? one_voxel(density, map, integral, rays, table, filters, i, j, k)
                                    : One{});
                largest = std::max(largest, all.back().energy);
            }
    ASSERT_GT(largest, 0);
    std::size_t compared = 0;
    for (std::size_t v = 0; v < all.size(); ++v) {
        const auto at = found.find(v);
        const double energy = at == found.end() ? 0 : static_cast<double>(released.energy[at->second]);
        ASSERT_NEAR(energy / largest, all[v].energy / largest, energy_tolerance) << v;
        if (at == found.end()) continue;
        ++compared;
        const auto [i, j, k] = std::array<int, 3>{static_cast<int>(v) % nx, static_cast<int>(v) / nx % ny,
                                                  static_cast<int>(v) / nx / ny};
        const auto p = map.frame.project(density.grid.centre_mm(i, j, k));
        const ReleasedEnergy::Rays rays_of_row = released.rays(j, k);
        const Vec3 ray = map.frame.axes.transpose() * (rays_of_row.start + i * rays_of_row.step);
        ASSERT_NEAR(-ray[0] / ray[2], p.u_mm / 1000, 1e-12);
        ASSERT_NEAR(-ray[1] / ray[2], p.v_mm / 1000, 1e-12);
        ASSERT_NEAR(static_cast<double>(released.depth_g_cm2[at->second]), all[v].depth,
                    depth_tolerance + 1e-6 * all[v].depth);
    }
    EXPECT_GT(compared, 500u);
}

/// Lung, bone, air and metal at random, uneven voxels; rows that end within a block.
DensityGrid mixed() {
    Grid grid;
    grid.size = {37, 26, 21};
    grid.spacing_mm = Vec3(4, 5, 6);
    grid.origin_mm = Vec3(-72, -62, 3);
    DensityGrid density = uniform_density(grid, MaterialProperties{});
    std::mt19937 random(3);
    std::uniform_real_distribution<float> uniform(0.2f, 1.8f);
    for (std::size_t v = 0; v < density.density.size(); ++v)
        test::set_density(density, v, v % 7 == 0 ? 0.0f : uniform(random));
    for (int k = 6; k < 9; ++k)
        for (int j = 8; j < 16; ++j)
            for (int i = 10; i < 16; ++i) {
                const std::size_t v = grid.index(i, j, k);
                density.density[v] = 8;
                density.water_part[v] = 3;
                density.high_z_part[v] = 6;
            }
    return density;
}

FluenceMap uneven_map(const Vec3& direction) {
    FluenceMap map = test::square_field(70, direction, Vec3(3, -5, 40));
    std::mt19937 random(5);
    std::uniform_real_distribution<float> uniform(0.0f, 1.0f);
    for (float& value : map.values) value = uniform(random);
    return map;
}

}  // namespace

TEST(ReleasedEnergy, SixteenVoxelsMatchOneAtATime) {
    const DensityGrid density = mixed();
    for (const Vec3& direction : {Vec3(0, 0, 1), Vec3(0.3, -0.5, 0.8), Vec3(-1, 0.2, 0.1)})
        for (const double blur : {0.0, 5.0 / 12}) expect_the_same(density, uneven_map(direction), 3, blur);
}

TEST(ReleasedEnergy, BehindAWedgeAsWell) {
    auto filter = std::make_shared<BeamFilter>();
    filter->softening_radius_mm = {5, 20, 40};
    filter->softening_g_cm2 = {0.1, 0.4, 1.1};
    filter->wedge_mm = {-30, 0, 20};
    filter->wedge_water_g_cm2 = {1.5, 1.0, 0.5};
    filter->wedge_high_z_g_cm2 = {9, 5, 1};
    filter->wedge_cos = std::cos(0.4);
    filter->wedge_sin = std::sin(0.4);
    filter->tray_water_g_cm2 = 0.3;
    FluenceMap map = uneven_map(Vec3(0.3, 0.1, 0.8));
    map.filter = filter;
    expect_the_same(mixed(), map, 3, 5.0 / 12);
    // Against the filter at every voxel. At the rays, 3 mm apart, and linear between, at a bend of a table
    // that is off by up to a quarter of the way across a cell of four rays, 3 (cos 0.4 + sin 0.4) = 3.9 mm,
    // times the bend, 0.2 + 0.025 g/cm² a mm at the thin end: 0.22 g/cm². The energy is divided by what is
    // off alike.
    expect_the_same(mixed(), map, 3, 5.0 / 12, Filters::at_voxels, 4e-4, 0.2);
}

TEST(ReleasedEnergy, BeyondTheTableAsWell) {
    // Gold, as it were: hundreds of g/cm².
    DensityGrid density = mixed();
    for (float& part : density.high_z_part) part *= 20;
    expect_the_same(density, uneven_map(Vec3(0, 0.1, 0.8)), 3, 0, Filters::at_rays, 3e-5, 1e-3);
}
