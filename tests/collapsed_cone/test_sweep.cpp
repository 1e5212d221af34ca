#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "collapsed_cone/sweep_plan.h"
#include "cpu/collapsed_cone/sweep.h"

using namespace libdose;

namespace {

/// Energy in one voxel, the same for every direction and rate of the sweep.
class PointSource : public cpu::SweepSource {
public:
    PointSource(int plane, int row, int column, float energy, std::size_t values)
        : plane_(plane), row_(row), column_(column), energy_(energy), values_(values) {}
    cpu::ColumnRange row(int plane, int row, float* const* out) override {
        if (plane != plane_ || row != row_) return {};
        for (std::size_t n = 0; n < values_; ++n) out[n][column_] = energy_;
        return {column_, column_ + 1};
    }

private:
    int plane_, row_, column_;
    float energy_;
    std::size_t values_;
};

/// Energy in some columns of every row, other columns in each; of a single row only, if `only` is one.
class RaggedSource : public cpu::SweepSource {
public:
    RaggedSource(int planes, int rows, int columns, std::size_t values, int only = -1)
        : planes_(planes), rows_(rows), columns_(columns), values_(values), only_(only) {}
    cpu::ColumnRange row(int plane, int row, float* const* out) override {
        const int number = plane * rows_ + row, begin = number * 7919 % (columns_ - 4),
                  end = std::min(columns_, begin + 1 + number * 104729 % 13);
        // Nothing in the first planes, and in some rows of the others.
        if (plane < 2 || plane >= planes_ || number % 5 == 0 || (only_ >= 0 && number != only_)) return {};
        for (std::size_t n = 0; n < values_; ++n)
            for (int c = begin; c < end; ++c)
                out[n][c] = 0.1f + 0.01f * static_cast<float>((number + c) % 17);
        return {begin, end};
    }

private:
    int planes_, rows_, columns_;
    std::size_t values_;
    int only_;
};

/// As much energy per density in every voxel.
class EvenSource : public cpu::SweepSource {
public:
    EvenSource(const Grid& grid, const std::vector<float>& kernel_density)
        : grid_(grid), kernel_density_(kernel_density) {}
    cpu::ColumnRange row(int plane, int row, float* const* out) override {
        std::copy_n(kernel_density_.begin() + static_cast<std::ptrdiff_t>(grid_.index(0, row, plane)),
                    grid_.size[0], out[0]);
        return {0, grid_.size[0]};
    }

private:
    const Grid& grid_;
    const std::vector<float>& kernel_density_;
};

Grid cube(int n) {
    Grid grid;
    grid.size = {n, n, n};
    grid.spacing_mm = Vec3::Constant(5);
    return grid;
}

/// Straight along z through the middles of voxels.
SweepPlan straight(const Grid& grid, bool ascending) {
    SweepPlan plan = plan_sweep(grid, Vec3(0, 0, ascending ? 1 : -1), 0);
    plan.direction.first_row = plan.direction.first_column = 0;
    return plan;
}

}  // namespace

TEST(Sweep, ASingleDirectionLeavesWhatItLost) {
    // Lines that keep to their voxels; one rate a through densities that differ, from a source of 2 in plane
    // 3: by the exact attenuation of a step, in double precision. Steps of every kind: polynomials of every
    // length, closed form, and nothing at all.
    const Grid grid = cube(9);
    const double rate = 1.7, step_cm = 0.5;
    const double by_plane[9] = {1, 1, 1, 0.2, 0.03, 6.0, 0, 0.9, 2.5};
    std::vector<float> kernel_density(grid.voxel_count());
    for (std::size_t v = 0; v < kernel_density.size(); ++v)
        kernel_density[v] = static_cast<float>(by_plane[v / 81]);
    PointSource source(3, 4, 5, 2.0f, 1);
    cpu::SweepDeposit deposit;
    cpu::SweepWorkspace workspace;
    const double escaped =
        cpu::sweep({straight(grid, true)}, LatticeMode::rounded, cpu::SweepMedium(kernel_density, 9), {rate},
                   source, 0, deposit, workspace);
    double energy = 0;
    for (int k = 3; k < 9; ++k) {
        const double x = rate * by_plane[k] * step_cm, q = k == 3 ? 2 : 0;
        const double g = x > 0 ? (1 - std::exp(-x)) / x : 1;
        const double lost = energy * (1 - std::exp(-x)) + q * (1 - g);
        const std::size_t at = grid.index(5, 4, k);
        ASSERT_EQ(deposit.touched[at / 9], by_plane[k] > 0) << k;  // where nothing is, nothing is done
        if (by_plane[k] > 0) {
            EXPECT_NEAR(static_cast<double>(deposit.rows.row(at / 9)[at % 9]) * by_plane[k], lost, 2e-6) << k;
            EXPECT_EQ(deposit.rows.row(at / 9)[4], 0.0f);
        }
        energy = energy * std::exp(-x) + q * g;
    }
    EXPECT_NEAR(escaped, energy, 2e-6);
    for (int k = 0; k < 3; ++k) EXPECT_EQ(deposit.touched[grid.index(5, 4, k) / 9], 0) << "before the source";
}

TEST(Sweep, TheLatticeWidensByTheSameWhereverItsLinesLie) {
    // The deposit of a point straight ahead of it in water has its mean in the point and a variance of 1/3
    // along either axis, for any place of the lines between the voxels: nothing is shifted, and the
    // sharpening of the fluence (lattice_blur_variance) makes up for every direction alike.
    const Grid grid = cube(11);
    const std::vector<float> kernel_density(grid.voxel_count(), 1.0f);
    for (const double first : {0.0, 0.1, 0.25, 0.49, 0.5, 0.51, 0.8, 0.99}) {
        SweepPlan plan = straight(grid, true);
        plan.direction.first_row = first;
        plan.direction.first_column = std::fmod(first + 0.3, 1.0);
        PointSource source(1, 5, 6, 1.0f, 1);
        cpu::SweepDeposit deposit;
        cpu::SweepWorkspace workspace;
        const double escaped =
            cpu::sweep({plan}, LatticeMode::interpolated, cpu::SweepMedium(kernel_density, 11), {1.0}, source,
                       0, deposit, workspace);
        double sum = 0, at_column = 0, at_row = 0, square_column = 0, square_row = 0;
        for (int k = 0; k < 11; ++k)
            for (int j = 0; j < 11; ++j)
                for (int i = 0; i < 11; ++i) {
                    const std::size_t v = grid.index(i, j, k);
                    if (!deposit.touched[v / 11]) continue;
                    const double d = static_cast<double>(deposit.rows.row(v / 11)[v % 11]);
                    sum += d;
                    at_column += d * (i - 6);
                    at_row += d * (j - 5);
                    square_column += d * (i - 6) * (i - 6);
                    square_row += d * (j - 5) * (j - 5);
                }
        EXPECT_NEAR(sum + escaped, 1, 1e-5);
        EXPECT_NEAR(at_column / sum, 0, 1e-5) << first;
        EXPECT_NEAR(at_row / sum, 0, 1e-5) << first;
        EXPECT_NEAR(square_column / sum, 1.0 / 3, 1e-5) << first;
        EXPECT_NEAR(square_row / sum, 1.0 / 3, 1e-5) << first;
    }
}

TEST(Sweep, EnergyPerDensityThatIsEvenStaysSoAlongAnInterface) {
    // Along lines that follow the border of a dense and a thin medium each side reaches its equilibrium: what
    // is lost per density is what is released per density, on both sides of the border, wherever the lines
    // lie between the voxels. A corner makes both kinds of neighbours differ at once.
    const Grid grid = cube(11);
    for (const float thin : {0.25f, 0.0012f, 0.0f}) {
        std::vector<float> kernel_density(grid.voxel_count(), 1.0f);
        for (int k = 0; k < 11; ++k)
            for (int j = 0; j < 11; ++j)
                for (int i = 0; i < 11; ++i)
                    if (i > 5 && j > 4) kernel_density[grid.index(i, j, k)] = thin;
        for (const double first : {0.0, 0.1, 0.25, 0.5, 0.8}) {
            SweepPlan plan = straight(grid, true);
            plan.direction.first_row = first;
            plan.direction.first_column = std::fmod(first + 0.3, 1.0);
            EvenSource source(grid, kernel_density);
            cpu::SweepDeposit deposit;
            cpu::SweepWorkspace workspace;
            // Twenty free paths of the dense medium a plane: five of lung; air is far from its equilibrium
            // and may only lack some.
            cpu::sweep({plan}, LatticeMode::interpolated, cpu::SweepMedium(kernel_density, 11), {40.0},
                       source, 0, deposit, workspace);
            for (int j = 1; j < 10; ++j)
                for (int i = 1; i < 10; ++i) {
                    const float lost = deposit.rows.row(grid.index(0, j, 10) / 11)[i];
                    if (kernel_density[grid.index(i, j, 10)] == 0) continue;
                    const bool in_equilibrium = thin > 0.1f || j < 4 || i < 5;
                    EXPECT_LT(lost, 1.0001f) << thin << " " << first << " " << i << " " << j;
                    EXPECT_GT(lost, in_equilibrium ? 0.9999f : 0.0f)
                        << thin << " " << first << " " << i << " " << j;
                }
        }
    }
}

TEST(Sweep, DirectionsTogetherAreTheSumOfEach) {
    // Oblique ones of one sense, two rates, with and without a limit below which lines are dropped.
    const Grid grid = cube(21);
    std::vector<float> kernel_density(grid.voxel_count());
    for (std::size_t v = 0; v < kernel_density.size(); ++v)
        kernel_density[v] = 0.1f + 0.01f * static_cast<float>((v * 7919) % 211);
    const cpu::SweepMedium medium(kernel_density, 21);
    std::vector<SweepPlan> plans;
    for (const Vec3& direction :
         {Vec3(0.3, -0.5, 0.8), Vec3(-0.7, 0.1, 0.71), Vec3(0.02, 0.6, 0.75), Vec3(0, 0, 1)})
        plans.push_back(plan_sweep(grid, direction.normalized(), plans.size()));
    cpu::SweepWorkspace workspace;
    const std::vector<double> rates{2.0, 0.05};
    const auto run = [&](const std::vector<SweepPlan>& some, float negligible, double& escaped) {
        PointSource source(6, 10, 9, 1.0f, some.size() * rates.size());
        cpu::SweepDeposit deposit;
        escaped = cpu::sweep(some, LatticeMode::interpolated, medium, rates, source, negligible, deposit,
                             workspace);
        std::vector<float> values(grid.voxel_count(), 0.0f);
        for (std::size_t v = 0; v < values.size(); ++v)
            if (deposit.touched[v / 21]) values[v] = deposit.rows.row(v / 21)[v % 21];
        return values;
    };
    double escaped_together = 0, escaped_apart = 0;
    const auto together = run(plans, 0, escaped_together);
    std::vector<double> apart(together.size(), 0.0);
    for (const auto& plan : plans) {
        double escaped = 0;
        const auto one = run({plan}, 0, escaped);
        for (std::size_t v = 0; v < one.size(); ++v) apart[v] += static_cast<double>(one[v]);
        escaped_apart += escaped;
    }
    double deposited = 0;
    for (std::size_t v = 0; v < together.size(); ++v) {
        ASSERT_NEAR(static_cast<double>(together[v]), apart[v], 1e-6);
        deposited += static_cast<double>(together[v] * kernel_density[v]);
    }
    EXPECT_NEAR(escaped_together, escaped_apart, 1e-5);
    EXPECT_NEAR(deposited + escaped_together, 8, 1e-4);  // four directions, two rates, an energy of 1

    double escaped_cut = 0, lost = 0;
    const auto cut = run(plans, 1e-4f, escaped_cut);
    for (std::size_t v = 0; v < cut.size(); ++v)
        lost = std::max(lost,
                        static_cast<double>(together[v] - cut[v]) * static_cast<double>(kernel_density[v]));
    EXPECT_GT(escaped_cut, escaped_together);  // what is dropped is counted
    EXPECT_LT(lost, 8 * 1e-4);                 // directions × rates × the limit
    EXPECT_GT(lost, 0);
}

TEST(Sweep, WhereNothingIsLinesPassUnchanged) {
    // A ball in the void with a hollow in it, and energy that leaves it and comes back: the same bits where
    // there is something as when every line of every row is followed.
    const Grid grid = cube(41);
    std::vector<float> kernel_density(grid.voxel_count(), 0.0f);
    for (int k = 0; k < 41; ++k)
        for (int j = 0; j < 41; ++j)
            for (int i = 0; i < 41; ++i) {
                const double from_middle = Vec3(i - 20, j - 20, k - 20).norm(),
                             from_hollow = Vec3(i - 26, j - 20, k - 24).norm();
                if (from_middle < 18 && from_hollow > 6)
                    kernel_density[grid.index(i, j, k)] =
                        0.7f + 0.01f * static_cast<float>((i * 31 + j * 17 + k) % 40);
            }
    const cpu::SweepMedium medium(kernel_density, 41);
    cpu::SweepMedium everywhere = medium;
    for (cpu::ColumnRange& columns : everywhere.filled) columns = {0, 41};
    EXPECT_EQ(medium.filled[grid.index(0, 20, 20) / 41].begin, 3);
    EXPECT_EQ(medium.filled[grid.index(0, 20, 20) / 41].end, 38);
    EXPECT_TRUE(medium.filled[grid.index(0, 1, 20) / 41].empty());
    std::vector<SweepPlan> plans;
    for (const Vec3& direction :
         {Vec3(0.3, -0.5, 0.8), Vec3(-0.7, 0.1, 0.71), Vec3(0.02, 0.6, 0.75), Vec3(0, 0, 1)})
        plans.push_back(plan_sweep(grid, direction.normalized(), plans.size()));
    const std::vector<double> rates{2.0, 0.05};
    for (const LatticeMode mode : {LatticeMode::interpolated, LatticeMode::rounded}) {
        cpu::SweepWorkspace workspace;
        cpu::SweepDeposit one, other;
        PointSource source(8, 20, 20, 1.0f, plans.size() * rates.size());
        const double escaped = cpu::sweep(plans, mode, medium, rates, source, 0, one, workspace);
        EXPECT_NEAR(escaped, cpu::sweep(plans, mode, everywhere, rates, source, 0, other, workspace), 1e-6);
        double deposited = 0;
        for (std::size_t v = 0; v < kernel_density.size(); ++v) {
            if (kernel_density[v] == 0) continue;
            const float a = one.touched[v / 41] ? one.rows.row(v / 41)[v % 41] : 0,
                        b = other.touched[v / 41] ? other.rows.row(v / 41)[v % 41] : 0;
            ASSERT_EQ(a, b) << v;
            deposited += static_cast<double>(a * kernel_density[v]);
        }
        EXPECT_NEAR(deposited + escaped, 8, 1e-4);  // four directions, two rates, an energy of 1
        EXPECT_GT(deposited, 1);
    }
}

TEST(Sweep, RowsOfSourcesLeaveNothingBehind) {
    // Rows that release in other columns than those before them: all of them together against the sum of each
    // by itself.
    const Grid grid = cube(21);
    const cpu::SweepMedium medium(std::vector<float>(grid.voxel_count(), 0.8f), 21);
    const std::vector<double> rates{2.0, 0.05};
    std::vector<SweepPlan> plans;
    for (const Vec3& direction : {Vec3(0.3, -0.5, 0.8), Vec3(-0.7, 0.1, 0.71)})
        plans.push_back(plan_sweep(grid, direction.normalized(), plans.size()));
    cpu::SweepWorkspace workspace;
    cpu::SweepDeposit deposit;
    const auto add = [&](int only, std::vector<double>& to) {
        RaggedSource source(grid.size[2], grid.size[1], grid.size[0], plans.size() * rates.size(), only);
        const double escaped =
            cpu::sweep(plans, LatticeMode::interpolated, medium, rates, source, 0, deposit, workspace);
        for (std::size_t v = 0; v < to.size(); ++v)
            if (deposit.touched[v / 21]) to[v] += static_cast<double>(deposit.rows.row(v / 21)[v % 21]);
        return escaped;
    };
    std::vector<double> together(grid.voxel_count(), 0.0), apart = together;
    const double escaped = add(-1, together);
    double escaped_apart = 0;
    for (int number = 0; number < 21 * 21; ++number) escaped_apart += add(number, apart);
    double largest = 0;
    for (std::size_t v = 0; v < apart.size(); ++v) {
        largest = std::max(largest, apart[v]);
        ASSERT_NEAR(together[v], apart[v], 3e-6) << v;
    }
    EXPECT_GT(largest, 0.1);
    EXPECT_NEAR(escaped / escaped_apart, 1, 1e-5);
}

TEST(Sweep, GridsOfOneVoxelPass) {
    Grid grid = cube(1);
    const std::vector<float> kernel_density{1.0f};
    for (const Vec3& direction : {Vec3(0, 0, 1), Vec3(0, -1, 0), Vec3(1, 0, 0)}) {
        SweepPlan plan = plan_sweep(grid, direction, 3);
        plan.direction.first_row = plan.direction.first_column = 0;
        PointSource source(0, 0, 0, 1.0f, 1);
        cpu::SweepDeposit deposit;
        cpu::SweepWorkspace workspace;
        const double escaped = cpu::sweep({plan}, LatticeMode::rounded, cpu::SweepMedium(kernel_density, 1),
                                          {2.0}, source, 0, deposit, workspace);
        EXPECT_NEAR(escaped, 1 - std::exp(-1.0), 1e-6);  // x = 1: g leaves, 1 - g stays
        EXPECT_NEAR(static_cast<double>(deposit.rows.row(0)[0]), std::exp(-1.0), 1e-6);
        // Lines beside the voxel take part of its source: all of it is somewhere still.
        const double beside =
            cpu::sweep({plan}, LatticeMode::interpolated, cpu::SweepMedium(kernel_density, 1), {2.0}, source,
                       0, deposit, workspace);
        EXPECT_NEAR(beside + static_cast<double>(deposit.rows.row(0)[0]), 1, 1e-6);
    }
}
