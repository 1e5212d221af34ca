// Emission of rows of voxels against the coefficients of every source by itself.
#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <map>
#include <utility>

#include "collapsed_cone/sweep_plan.h"
#include "cpu/collapsed_cone/emission.h"
#include "cpu/collapsed_cone/superposition.h"
#include "cpu/terma/release.h"
#include "support/small_case.h"
#include "terma/released_energy.h"
#include "terma/terma_table.h"

using namespace libdose;

namespace {

Grid small_grid() {
    Grid grid;
    grid.size = {21, 13, 9};
    grid.spacing_mm = Vec3(5, 6, 7);
    grid.origin_mm = Vec3(-50, -36, -28);
    return grid;
}

/// Fields all around the grid, slightly off the plane of an arc.
std::vector<ReleasedEnergy> arc(const DensityGrid& density, int count) {
    const TermaTable table(test::simple_spectrum());
    std::vector<ReleasedEnergy> sources;
    for (int n = 0; n < count; ++n) {
        const double angle = 2 * 3.14159265358979 * (n + 0.3) / count;
        sources.push_back(cpu::released_energy(
            density, test::square_field(50, Vec3(std::sin(angle), std::cos(angle), 0.1)), table, 5, 0));
    }
    return sources;
}

/// Largest difference of what the rows emit from the sum over the sources, as a part of the largest emission.
double largest_difference(const DensityGrid& density, const std::vector<ReleasedEnergy>& sources,
                          cpu::RayTables::Sharing sharing, bool transposed) {
    const ConeKernel kernel = test::simple_kernel();
    const auto directions = isotropic_directions(60);
    const Grid& grid = density.grid;
    const std::size_t rates = kernel.rates_cm2_g.size(), first = 8, count = 4;
    const cpu::RayTables tables(kernel, directions, sources, sharing);
    cpu::EmissionRows rows(grid, sources, tables);
    if (transposed) rows.turn();
    SweepLayout layout{grid.size[2], grid.size[1], grid.size[0], grid.size[0] * grid.size[1], grid.size[0]};
    if (transposed)
        layout = {grid.size[2], grid.size[0], grid.size[1], grid.size[0] * grid.size[1], grid.size[1]};
    cpu::Emission emission(rows, tables, first, count, rates, layout);

    std::vector<std::vector<double>> expected(count * rates, std::vector<double>(grid.voxel_count(), 0.0));
    for (const ReleasedEnergy& source : sources) {
        // As fine as the rays of one beam ask for.
        const EmissionTable table(kernel, directions, source.frame, -0.1, 0.1, -0.1, 0.1, 0.02);
        for (std::size_t n = 0; n < source.size(); ++n)
            for (std::size_t d = 0; d < count; ++d) {
                const auto [slope_u, slope_v] = test::ray_slopes(source, n);
                const auto c = table.coefficients(first + d, slope_u, slope_v, source.depth_g_cm2[n]);
                for (std::size_t k = 0; k < rates; ++k)
                    expected[d * rates + k][source.voxel[n]] +=
                        static_cast<double>(source.energy[n]) * static_cast<double>(c[k]);
            }
    }
    double worst = 0, largest = 0;
    for (int plane = 0; plane < layout.planes; ++plane)
        for (int row = 0; row < layout.rows; ++row) {
            std::vector<std::vector<float>> values(
                count * rates, std::vector<float>(static_cast<std::size_t>(layout.columns) + 8, 7.0f));
            std::vector<float*> out;
            for (auto& v : values) out.push_back(v.data());
            const auto range = emission.row(plane, row, out.data());
            for (int column = 0; column < layout.columns; ++column) {
                const std::size_t voxel =
                    transposed ? grid.index(row, column, plane) : grid.index(column, row, plane);
                for (std::size_t i = 0; i < values.size(); ++i) {
                    const bool written = column >= range.begin && column < range.end;
                    const double here =
                        written ? static_cast<double>(values[i][static_cast<std::size_t>(column)]) : 0;
                    worst = std::max(worst, std::abs(here - expected[i][voxel]));
                    largest = std::max(largest, expected[i][voxel]);
                }
            }
        }
    EXPECT_GT(largest, 0);
    return worst / largest;
}

}  // namespace

TEST(Emission, RowsEmitWhatTheSourcesDo) {
    const DensityGrid density = uniform_density(small_grid(), MaterialProperties{});
    const auto sources = arc(density, 5);
    for (const bool transposed : {false, true}) {
        EXPECT_LT(largest_difference(density, sources, cpu::RayTables::Sharing::by_source, transposed), 5e-3);
        EXPECT_LT(largest_difference(density, sources, cpu::RayTables::Sharing::by_face, transposed), 2e-2);
    }
}

TEST(Emission, TurnedRowsHoldWhatTheOthersDo) {
    // Neither side of the grid is a multiple of a block. Sharpened sources are negative in places: zero times
    // these is a zero with a sign.
    const DensityGrid density = uniform_density(small_grid(), MaterialProperties{});
    const Grid& grid = density.grid;
    auto sources = arc(density, 9);
    for (ReleasedEnergy& source : sources)
        for (std::size_t n = 0; n < source.size(); n += 3) source.energy[n] *= -0.1f;
    const cpu::RayTables tables(test::simple_kernel(), isotropic_directions(30), sources);
    cpu::EmissionRows rows(grid, sources, tables);
    using Key = std::pair<std::size_t, std::uint32_t>;  // voxel, node
    std::map<Key, float> held[2];
    for (const bool turned : {false, true}) {
        if (turned) rows.turn();
        const int across = grid.size[turned ? 0 : 1];
        for (int k = 0; k < grid.size[2]; ++k)
            for (int r = 0; r < across; ++r) {
                const auto row = rows.row(static_cast<std::size_t>(k * across + r));
                int last = 0;
                for (std::size_t b = 0; b < row.count; ++b) {
                    const int column = row.blocks[b].column;
                    ASSERT_GE(column, last);
                    last = column;
                    bool anything = false;
                    for (int lane = 0; lane < cpu::EmissionRows::simd_width; ++lane) {
                        const float energy = row.energy[b].of[lane];
                        if (energy == 0) continue;
                        anything = true;
                        ASSERT_LT(column + lane, grid.size[turned ? 1 : 0]);
                        held[turned]
                            [{turned ? grid.index(r, column + lane, k) : grid.index(column + lane, r, k),
                              row.blocks[b].node}] += energy;
                    }
                    EXPECT_TRUE(anything);
                }
            }
    }
    EXPECT_GT(held[0].size(), 5000u);
    EXPECT_EQ(held[0], held[1]);
    // The nodes hold all the energy that each voxel releases.
    std::vector<double> released(grid.voxel_count(), 0.0), at_nodes(grid.voxel_count(), 0.0);
    for (const ReleasedEnergy& source : sources)
        for (std::size_t n = 0; n < source.size(); ++n)
            released[source.voxel[n]] += static_cast<double>(source.energy[n]);
    for (const auto& [key, energy] : held[0]) at_nodes[key.first] += static_cast<double>(energy);
    const double largest = static_cast<double>(rows.largest());
    for (std::size_t v = 0; v < released.size(); ++v)
        ASSERT_NEAR(at_nodes[v] / largest, released[v] / largest, 3e-6) << v;
}

TEST(Emission, ManySourcesShareNodesWithoutChangingTheDose) {
    const DensityGrid density = uniform_density(small_grid(), MaterialProperties{});
    const ConeKernel kernel = test::simple_kernel();
    const auto sources = arc(density, 40);
    const auto directions = isotropic_directions(192);
    const auto together = cpu::superpose(density, kernel, sources, directions, LatticeMode::interpolated);
    std::vector<double> sum(density.grid.voxel_count(), 0.0);
    double released = 0, kept = 0;
    for (const ReleasedEnergy& source : sources) {
        const auto one = cpu::superpose(density, kernel, {source}, directions, LatticeMode::interpolated);
        for (std::size_t v = 0; v < sum.size(); ++v) sum[v] += static_cast<double>(one.dose_gy[v]);
        released += one.released;
        kept += one.deposited + one.escaped;
    }
    const double largest = *std::max_element(sum.begin(), sum.end());
    for (std::size_t v = 0; v < sum.size(); ++v)
        ASSERT_NEAR(static_cast<double>(together.dose_gy[v]) / largest, sum[v] / largest, 5e-4) << v;
    EXPECT_NEAR(together.released / released, 1, 1e-6);
    EXPECT_NEAR((together.deposited + together.escaped) / kept, 1, 1e-5);
}

TEST(Emission, SharedNodesGiveTheSameBitsForAnyNumberOfThreads) {
    const DensityGrid density = uniform_density(small_grid(), MaterialProperties{});
    const ConeKernel kernel = test::simple_kernel();
    const auto directions = isotropic_directions(50);
    const int before = omp_get_max_threads();
    std::vector<float> one;
    for (const int threads : {1, 2, 5}) {
        omp_set_num_threads(threads);
        const auto dose =
            cpu::superpose(density, kernel, arc(density, 9), directions, LatticeMode::interpolated).dose_gy;
        if (one.empty()) one = dose;
        EXPECT_EQ(one, dose) << threads;
    }
    omp_set_num_threads(before);
}
