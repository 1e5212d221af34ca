// Grids of 1 to 20 columns, rows and slices through every stage of both backends: rows, lanes and blocks that
// are worked on whole end anywhere in them. Built with the address sanitizer, as tests/run.sh does, the tests
// also see what reads or writes beyond the memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include "collapsed_cone/sweep_plan.h"
#include "cpu/collapsed_cone/superposition.h"
#include "cpu/electrons/electrons.h"
#include "cpu/fluence/square_fluence.h"
#include "cpu/pencil_beam/pencil.h"
#include "cpu/pencil_beam/pencil_beamlets.h"
#include "cpu/terma/release.h"
#include "cuda/backend.h"
#include "cuda/cases.h"
#include "cuda/fluence_cases.h"
#include "cuda/host_executor.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "terma/released_energy.h"
#include "terma/terma_table.h"

using namespace libdose;

namespace {

using Size = std::array<int, 3>;
constexpr int longest = 20;

/// 1 to 20 voxels along an axis, few along the others.
std::vector<Size> sizes_along(std::size_t axis) {
    std::vector<Size> sizes;
    for (int n = 1; n <= longest; ++n) {
        Size size{5, 3, 4};
        size[axis] = n;
        sizes.push_back(size);
    }
    return sizes;
}

std::string text(const Size& size) {
    return std::to_string(size[0]) + "x" + std::to_string(size[1]) + "x" + std::to_string(size[2]);
}

/// Lung to adipose at random and nothing in places, about the isocentre. So thin that rays do not end in it:
/// where one ends and the next passes beside the grid, backends differ by where exactly
/// (RayRaster::max_depth_g_cm2).
DensityGrid matter(const Size& size) {
    DensityGrid density = test::box_of_water(size, Vec3(5, 4, 6));
    density.grid.origin_mm[2] -= 3.0 * size[2];
    std::mt19937 random(11);
    std::uniform_real_distribution<float> uniform(0.05f, 0.6f);
    for (std::size_t v = 0; v < density.density.size(); ++v)
        test::set_density(density, v, v % 23 == 5 ? 0.0f : uniform(random));
    return density;
}

/// A field that ends within the longer grids; `number`: one of several directions.
FluenceMap field(int number = 0) {
    const Vec3 directions[] = {Vec3(0.3, -0.5, 0.8), Vec3(-1, 0.2, 0.1), Vec3(0.1, 1, -0.05)};
    FluenceMap map = test::square_field(34, directions[number % 3]);
    map.pixel_mm = 1;
    map.size_u = map.size_v = 34;
    map.values.assign(34 * 34, 1.0f + 0.1f * static_cast<float>(number));
    test::give_electrons(map);
    return map;
}

/// The same matter and field with x for y, y for z and z for x.
DensityGrid turned(const DensityGrid& density) {
    DensityGrid result = density;
    const Grid& from = density.grid;
    Grid& to = result.grid;
    for (int a = 0; a < 3; ++a) {
        const int b = (a + 1) % 3;
        to.size[static_cast<std::size_t>(b)] = from.size[static_cast<std::size_t>(a)];
        to.spacing_mm[b] = from.spacing_mm[a];
        to.origin_mm[b] = from.origin_mm[a];
    }
    for (int k = 0; k < from.size[2]; ++k)
        for (int j = 0; j < from.size[1]; ++j)
            for (int i = 0; i < from.size[0]; ++i)
                for (const auto values : {&DensityGrid::density, &DensityGrid::water_part,
                                          &DensityGrid::high_z_part, &DensityGrid::kernel_density})
                    (result.*values)[to.index(k, i, j)] = (density.*values)[from.index(i, j, k)];
    return result;
}
std::vector<float> turned_back(const Grid& from, const Grid& grid, const std::vector<float>& dose) {
    std::vector<float> result(dose.size());
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j)
            for (int i = 0; i < grid.size[0]; ++i) result[grid.index(i, j, k)] = dose[from.index(k, i, j)];
    return result;
}
FluenceMap turned(FluenceMap map) {
    Mat3 turn;
    turn << 0, 0, 1, 1, 0, 0, 0, 1, 0;
    map.frame.axes = turn * map.frame.axes;
    map.frame.isocentre_mm = turn * map.frame.isocentre_mm;
    return map;
}

/// The CPU, and the device's bodies on the host.
struct Backends {
    test::HostDevice device;
    std::unique_ptr<Backend> host = cuda::make_backend(std::make_unique<test::HostExecutor>(device));
    std::array<Backend*, 2> all{&cpu_backend(), host.get()};
};

/// Single precision, and ray directions by steps (test_host_backend.cpp).
constexpr double between_backends = 1e-3;

class EveryGridSize : public testing::TestWithParam<std::size_t> {};

}  // namespace

TEST_P(EveryGridSize, CollapsedConeKeepsTheEnergyAndBackendsAgree) {
    const BeamModel model = test::simple_model();
    const TermaTable table(model.spectrum);
    const DirectionSet directions = isotropic_directions(26);
    Backends backends;
    for (const Size& size : sizes_along(GetParam())) {
        const DensityGrid density = matter(size);
        // One map with a table of its own, or more than a cube has faces, which share theirs.
        std::vector<FluenceMap> maps;
        for (int n = 0; n < (size[GetParam()] % 4 == 3 ? 7 : 1); ++n) maps.push_back(field(n));
        std::vector<ReleasedEnergy> sources;
        for (const FluenceMap& map : maps) sources.push_back(cpu::released_energy(density, map, table, 2, 0));
        for (const auto mode : {LatticeMode::interpolated, LatticeMode::rounded}) {
            // The kernel's coefficients add up to 1.
            const auto result = cpu::superpose(density, model.cone_kernel, sources, directions, mode);
            ASSERT_GT(result.released, 0) << text(size);
            EXPECT_NEAR((result.deposited + result.escaped) / result.released, 1, 1e-5) << text(size);
        }
        std::array<std::vector<float>, 2> dose;
        for (std::size_t b = 0; b < 2; ++b)
            dose[b] = backends.all[b]->prepare(density)->transport(maps, model, directions, {}, {});
        EXPECT_LT(test::agreement(dose[1], dose[0]).largest, between_backends) << text(size);
        EXPECT_GT(*std::max_element(dose[0].begin(), dose[0].end()), 0) << text(size);
    }
}

TEST_P(EveryGridSize, PencilBeamAndElectronsTurnWithTheGrid) {
    // A row of one grid is a column or a slice of the other. Lanes project voxels in single precision
    // from the first of a row on: 1e-4 mm at a metre.
    constexpr double rounding = 2e-4;
    const BeamModel model = test::simple_model();
    Backends backends;
    for (const Size& size : sizes_along(GetParam())) {
        const DensityGrid density = matter(size), other = turned(density);
        const FluenceMap map = field(size[GetParam()]), other_map = turned(map);
        const auto pencil = [&](Backend& backend, const DensityGrid& d, const FluenceMap& m) {
            return backend.prepare(d)->pencil_beam(m, model, {});
        };
        const auto electrons = [&](Backend& backend, const DensityGrid& d, const FluenceMap& m) {
            std::vector<float> dose(d.grid.voxel_count(), 0.0f);
            backend.prepare(d)->add_electrons(dose, {m}, model.head.electrons);
            return dose;
        };
        const auto compare = [&](const auto& calculate, const std::string& what) {
            std::array<std::vector<float>, 2> dose;
            for (std::size_t b = 0; b < 2; ++b) {
                dose[b] = calculate(*backends.all[b], density, map);
                const auto of_other =
                    turned_back(other.grid, density.grid, calculate(*backends.all[b], other, other_map));
                EXPECT_LT(test::agreement(of_other, dose[b]).largest, rounding)
                    << what << ", " << text(size) << ", backend " << b;
            }
            EXPECT_LT(test::agreement(dose[1], dose[0]).largest, between_backends)
                << what << ", " << text(size);
            EXPECT_GT(*std::max_element(dose[0].begin(), dose[0].end()), 0) << what << ", " << text(size);
        };
        compare(pencil, "pencil beam");
        compare(electrons, "electrons");
    }
}

TEST(EveryGridSizeOfBeamlets, ArePencilBeamsOfTheirSquares) {
    // Images of the square are read linearly between pixels of 1 mm: off by an eighth of the second
    // difference. In a penumbra with a sigma of 1.3 mm (spot and kernel) that is 0.24 / 1.3² / 8 of the
    // maximum.
    constexpr double tolerance = 0.02;
    BeamModel model = test::simple_model();
    model.head = test::whole_head(280);
    const TermaTable table(model.spectrum);
    Beam beam = test::moving_jaws();
    ControlPoint& point = beam.control_points.front();
    point.jaw_x = point.jaw_y = JawOpening{-30, 30};
    point.gantry_deg = 40;
    point.collimator_deg = 20;
    FluenceOptions options;
    options.terma = &table;
    constexpr double side = 10;
    const OpenSquare square{5, -5, 1};
    cpu::BeamletShape shape(beam, point, model, options, side);
    shape.images().prepare(cpu::BeamletImages::node_of(0.92),
                           cpu::BeamletImages::node_of(1.08));  // for all grids at once
    const FluenceMap map =
        cpu::square_fluence(beam, point, PatientPosition::hfs, model.head, options, {square}, side);
    // Few, for the images take long; around a vector of 8 and of 16.
    for (const Size& size : std::vector<Size>{{1, 3, 4},
                                              {2, 3, 4},
                                              {7, 3, 4},
                                              {8, 3, 4},
                                              {15, 3, 4},
                                              {16, 3, 4},
                                              {17, 3, 4},
                                              {20, 3, 4},
                                              {5, 17, 4},
                                              {5, 3, 9}}) {
        const DensityGrid density = matter(size);
        const LateralScale none;
        const cpu::PencilBeamlets beamlets(density, beam, point, PatientPosition::hfs, model, options, none,
                                           {square}, shape);
        std::vector<VoxelDose> column;
        beamlets.column(square.u_mm, square.v_mm, 7, column);
        std::vector<float> dose(density.grid.voxel_count(), 0.0f);
        for (const VoxelDose& v : column) dose[v.voxel] = v.dose;
        std::vector<float> expected = cpu::pencil_beam(density, map, model.pencil_kernel, none, &table, 1);
        cpu::add_electrons(expected, density, map, model.head.electrons);
        // Every voxel is calculated near the beamlet (PencilBeamlets::near_mm); the others are drawn.
        const float maximum = *std::max_element(expected.begin(), expected.end());
        ASSERT_GT(maximum, 0) << text(size);
        for (int k = 0; k < size[2]; ++k)
            for (int j = 0; j < size[1]; ++j)
                for (int i = 0; i < size[0]; ++i) {
                    const auto p = map.frame.project(density.grid.centre_mm(i, j, k));
                    if (std::max(std::abs(p.u_mm - square.u_mm), std::abs(p.v_mm - square.v_mm)) > 30)
                        continue;
                    const std::size_t v = density.grid.index(i, j, k);
                    EXPECT_NEAR(static_cast<double>(dose[v] / maximum),
                                static_cast<double>(expected[v] / maximum), tolerance)
                        << text(size) << ", voxel " << i << ", " << j << ", " << k;
                }
    }
}

INSTANTIATE_TEST_SUITE_P(Along, EveryGridSize, testing::Values(0, 1, 2),
                         [](const auto& axis) { return std::string(1, "xyz"[axis.param]); });
