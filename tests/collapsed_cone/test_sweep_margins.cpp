// A sweep works on whole blocks of lines, which reach beyond the grid: on grids of every small size that
// changes nothing. Built with the address sanitizer, as tests/run.sh does, the test also sees what reads or
// writes beyond the memory.
#include <gtest/gtest.h>

#include <algorithm>

#include "collapsed_cone/sweep_plan.h"
#include "cpu/collapsed_cone/sweep.h"

using namespace libdose;

namespace {

constexpr int before = 3, behind = 22;  // columns of nothing around the grid; more than a block reaches
constexpr int rows_before = 2;
constexpr std::size_t values = 4;  // directions × rates

/// Energy in a few columns of some rows of a grid, which lies anywhere in the grid that is swept.
class SmallSource : public cpu::SweepSource {
public:
    SmallSource(int rows, int columns, int first_row, int first_column)
        : rows_(rows), columns_(columns), first_row_(first_row), first_column_(first_column) {}
    cpu::ColumnRange row(int plane, int row, float* const* out) override {
        row -= first_row_;
        if (row < 0 || row >= rows_ || (plane + row) % 3 == 1) return {};
        const int begin = (plane * 5 + row * 3) % columns_,
                  end = std::min(columns_, begin + 1 + (plane + row) % 7);
        for (std::size_t n = 0; n < values; ++n)
            for (int c = begin; c < end; ++c)
                out[n][first_column_ + c] =
                    0.1f + 0.07f * static_cast<float>((plane * 11 + row * 5 + c) % 13);
        return {first_column_ + begin, first_column_ + end};
    }

private:
    int rows_, columns_, first_row_, first_column_;
};

struct Swept {
    std::vector<float> deposit;
    double escaped = 0;
};

/// Along two directions; `sense`: of z.
Swept swept(const Grid& grid, const std::vector<float>& kernel_density, double sense, SmallSource source) {
    std::vector<SweepPlan> plans;
    for (const Vec3& direction : {Vec3(0.45, -0.7, sense), Vec3(-0.8, 0.3, sense)})
        plans.push_back(plan_sweep(grid, direction.normalized(), plans.size()));
    cpu::SweepDeposit deposit;
    cpu::SweepWorkspace workspace;
    Swept result;
    const auto columns = static_cast<std::size_t>(grid.size[0]);
    result.escaped =
        cpu::sweep(plans, LatticeMode::interpolated, cpu::SweepMedium(kernel_density, grid.size[0]),
                   {2.0, 0.05}, source, 0, deposit, workspace);
    result.deposit.assign(grid.voxel_count(), 0.0f);
    for (std::size_t v = 0; v < result.deposit.size(); ++v)
        if (deposit.touched[v / columns]) result.deposit[v] = deposit.rows.row(v / columns)[v % columns];
    return result;
}

}  // namespace

TEST(SweepMargins, AGridInTheVoidHasTheSameBitsAsByItself) {
    // Lines keep their places when rows and columns of nothing are put around a grid, and nothing changes
    // energy that passes nothing: the deposits are the same bits, whatever the number of columns is to a
    // block.
    for (int columns = 1; columns <= 20; ++columns)
        for (int rows = 1; rows <= 20; rows += rows < 4 ? 1 : 4) {
            Grid grid;
            grid.size = {columns, rows, 4};
            grid.spacing_mm = Vec3::Constant(5);
            Grid around = grid;
            around.size = {before + columns + behind, rows_before + rows + 1, 4};
            std::vector<float> kernel_density(grid.voxel_count()),
                kernel_density_around(around.voxel_count(), 0.0f);
            const auto at = [&](int i, int j, int k) { return around.index(before + i, rows_before + j, k); };
            for (int k = 0; k < 4; ++k)
                for (int j = 0; j < rows; ++j)
                    for (int i = 0; i < columns; ++i) {
                        const int number = i * 7 + j * 5 + k * 3;
                        kernel_density[grid.index(i, j, k)] = kernel_density_around[at(i, j, k)] =
                            number % 6 == 1 ? 0.0f : 0.2f + 0.1f * static_cast<float>(number % 17);
                    }
            for (const double sense : {1.0, -1.0}) {
                const Swept alone = swept(grid, kernel_density, sense, {rows, columns, 0, 0});
                const Swept within =
                    swept(around, kernel_density_around, sense, {rows, columns, rows_before, before});
                double deposited = 0;
                for (int k = 0; k < 4; ++k)
                    for (int j = 0; j < rows; ++j)
                        for (int i = 0; i < columns; ++i) {
                            const std::size_t v = grid.index(i, j, k);
                            if (kernel_density[v] == 0) continue;
                            ASSERT_EQ(alone.deposit[v], within.deposit[at(i, j, k)])
                                << columns << " columns, " << rows << " rows, voxel " << i << ", " << j
                                << ", " << k;
                            deposited += static_cast<double>(alone.deposit[v] * kernel_density[v]);
                        }
                EXPECT_GT(deposited, 0);
                EXPECT_NEAR(alone.escaped / within.escaped, 1, 1e-5)
                    << columns << " columns, " << rows << " rows";
            }
        }
}
