// The same beam on the same phantom, turned: a water sphere with a shell of lung and a core of bone looks the
// same from everywhere, so what differs is the grid, the directions and the lattice. 1 % of the maximum or 1
// mm, as gamma.
#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <numbers>

#include "engine/compute.h"
#include "libdose/data.h"
#include "libdose/gamma.h"
#include "libdose/io/hdf5.h"

using namespace libdose;

namespace {

DensityGrid shells(const Grid& grid, double radius_mm, const MaterialTable& materials) {
    DensityGrid density;
    density.grid = grid;
    const std::size_t count = grid.voxel_count();
    for (auto* values : {&density.density, &density.water_part, &density.high_z_part, &density.kernel_density,
                         &density.water_to_medium})
        values->assign(count, 0.0f);
    density.inside.assign(count, 1.0f);
    constexpr int n = 4;  // sub-voxels along each side
    const MaterialProperties water = materials.by_name("water"), lung = materials.by_name("lung"),
                             bone = materials.by_name("bone_cortical");
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j)
            for (int i = 0; i < grid.size[0]; ++i)
                for (int s = 0; s < n * n * n; ++s) {
                    const Vec3 offset((s % n + 0.5) / n - 0.5, (s / n % n + 0.5) / n - 0.5,
                                      (s / n / n + 0.5) / n - 0.5);
                    const double r =
                        (grid.centre_mm(i, j, k) + offset.cwiseProduct(grid.spacing_mm)).norm() / radius_mm;
                    if (r > 1) continue;
                    const MaterialProperties& m = r < 0.2 ? bone : r > 0.4 && r < 0.7 ? lung : water;
                    const std::size_t v = grid.index(i, j, k);
                    const auto part = static_cast<float>(m.density_g_cm3 / (n * n * n));
                    density.density[v] += part;
                    density.water_part[v] += part * static_cast<float>(m.water_part);
                    density.high_z_part[v] += part * static_cast<float>(m.high_z_part);
                    density.kernel_density[v] += part * static_cast<float>(m.kernel_scaling);
                }
    return density;
}

FluenceMap field(double side_mm, const Mat3& turn) {
    FluenceMap map;
    Mat3 axes;
    axes << 1, 0, 0, 0, 1, 0, 0, 0, -1;  // the beam comes along +z
    map.frame.axes = turn * axes;
    map.pixel_mm = 0.5;
    map.lower_u_mm = map.lower_v_mm = -0.5 * side_mm;
    map.size_u = map.size_v = static_cast<int>(side_mm / map.pixel_mm);
    map.values.assign(static_cast<std::size_t>(map.size_u) * static_cast<std::size_t>(map.size_v), 1.0f);
    return map;
}

struct Turned {
    double side_mm, spacing_mm, radius_mm, about_x_deg, about_y_deg;
    friend void PrintTo(const Turned& t, std::ostream* out) {
        *out << t.side_mm << " mm, " << t.about_x_deg << " and " << t.about_y_deg << " degrees";
    }
};

}  // namespace

class TurnedBeam : public ::testing::TestWithParam<Turned> {};

TEST_P(TurnedBeam, DoseTurnsWithTheBeam) {
    const Turned& t = GetParam();
    const BeamModel model = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    const MaterialTable materials = MaterialTable::read_csv(data_folder() / "materials" / "basis.csv");
    Grid grid;
    const int n = static_cast<int>(2 * t.radius_mm / t.spacing_mm);
    grid.size = {n, n, n};
    grid.spacing_mm = Vec3::Constant(t.spacing_mm);
    grid.origin_mm = Vec3::Constant(-0.5 * (n - 1) * t.spacing_mm);
    const DensityGrid density = shells(grid, t.radius_mm, materials);
    const double degree = std::numbers::pi / 180;
    const Mat3 turn = (Eigen::AngleAxisd(t.about_y_deg * degree, Vec3::UnitY()) *
                       Eigen::AngleAxisd(t.about_x_deg * degree, Vec3::UnitX()))
                          .toRotationMatrix();
    Volume<float> straight(grid), turned(grid), back(grid);
    straight.values = compute_dose(density, {field(t.side_mm, Mat3::Identity())}, model, {});
    turned.values = compute_dose(density, {field(t.side_mm, turn)}, model, {});
    // Turning back interpolates, which rounds the corners of a field on coarse grids; hence the fine ones.
    // The surface itself is a staircase of voxels: judged is what lies 3 mm and more inside.
    for (int k = 0; k < n; ++k)
        for (int j = 0; j < n; ++j)
            for (int i = 0; i < n; ++i) {
                const Vec3 p = grid.centre_mm(i, j, k);
                if (p.norm() > t.radius_mm - 3 - t.spacing_mm) {
                    straight.at(i, j, k) = 0;
                    continue;
                }
                back.at(i, j, k) = static_cast<float>(interpolate(turned, turn * p));
            }
    GammaOptions options;
    options.dose_percent = 1;
    options.distance_mm = 1;
    const GammaResult gamma = gamma_index(straight, back, options);
    RecordProperty("largest_gamma", std::to_string(gamma.maximum));
    std::printf("gamma 1%%/1mm: %.3f %% of %zu voxels, largest %.2f\n", gamma.pass_rate_percent,
                gamma.evaluated, gamma.maximum);
    EXPECT_GE(gamma.pass_rate_percent, 99.75);
    EXPECT_LE(gamma.maximum, 1.6);
}

INSTANTIATE_TEST_SUITE_P(Shells, TurnedBeam,
                         ::testing::Values(Turned{10, 1, 40, 22.5, 0}, Turned{10, 1, 40, 45, 0},
                                           Turned{10, 1, 40, 0, 45}, Turned{10, 1, 40, 30, 30},
                                           Turned{30, 1, 60, 45, 0}, Turned{30, 1, 60, 30, 30},
                                           Turned{100, 1.25, 80, 45, 0}, Turned{100, 1.25, 80, 30, 30}),
                         [](const auto& tested) {
                             const Turned& c = tested.param;
                             return "Field" + std::to_string(static_cast<int>(c.side_mm)) + "mm_" +
                                    std::to_string(static_cast<int>(c.about_x_deg)) + "_" +
                                    std::to_string(static_cast<int>(c.about_y_deg));
                         });
