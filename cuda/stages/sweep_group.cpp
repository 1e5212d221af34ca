#include "cuda/stages/sweep_group.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace libdose::cuda {

SweepOrder::SweepOrder(const Grid& grid, const cpu::DirectionSet& set) {
    std::vector<cpu::SweepPlan> of_set;
    for (std::size_t d = 0; d < set.size(); ++d) of_set.push_back(cpu::plan_sweep(grid, set[d].direction, d));
    for (const int axis : {2, 1, 0})
        for (const bool ascending : {true, false}) {
            SweepGroup group;
            group.first = plans.size();
            for (std::size_t d = 0; d < set.size(); ++d) {
                if (of_set[d].axis != axis || of_set[d].ascending != ascending) continue;
                directions.push_back(set[d]), plans.push_back(of_set[d]);
                group.layout = {of_set[d].layout.planes, of_set[d].layout.rows, of_set[d].layout.columns, axis, ascending};
            }
            group.count = plans.size() - group.first;
            if (group.count > 0) groups.push_back(group);
        }
}

LineLayout::LineLayout(const PlaneLayout& layout, const cpu::SweepPlan* plans, std::size_t count, bool rounded) {
    const auto wander = [&](double first, double shift) { return static_cast<int>(std::floor(first + shift * (layout.planes - 1))); };
    int wander_rows = 0, wander_columns = 0;
    for (std::size_t d = 0; d < count; ++d) {
        const cpu::SweepDirection& direction = plans[d].direction;
        wander_rows = std::max(wander_rows, std::abs(wander(direction.first_row, direction.shift_row)));
        wander_columns = std::max(wander_columns, std::abs(wander(direction.first_column, direction.shift_column)));
        step_cm.push_back(static_cast<float>(direction.step_cm));
    }
    line_rows = layout.rows + 1 + wander_rows, line_columns = layout.columns + 1 + wander_columns;
    for (int n = 0; n < layout.planes; ++n)
        for (std::size_t d = 0; d < count; ++d) {
            const cpu::SweepDirection& direction = plans[d].direction;
            const physics::LatticePlace at =
                physics::lattice_place(direction.first_row, direction.shift_row, direction.first_column, direction.shift_column, n, rounded);
            places.push_back({std::max(0, wander(direction.first_row, direction.shift_row)) - at.move_row,
                              std::max(0, wander(direction.first_column, direction.shift_column)) - at.move_column,
                              {at.weight[0], at.weight[1], at.weight[2], at.weight[3]}});
        }
}

Index3 LineLayout::moved(int first_step, int last_step) const {
    Index3 most{0, 0, 0};
    for (std::size_t d = 0; d < step_cm.size(); ++d) {
        const LinePlace &a = places[static_cast<std::size_t>(first_step) * step_cm.size() + d],
                        &b = places[static_cast<std::size_t>(last_step) * step_cm.size() + d];
        most.x = std::max(most.x, std::abs(a.column_base - b.column_base)), most.y = std::max(most.y, std::abs(a.row_base - b.row_base));
    }
    return most;
}

}  // namespace libdose::cuda
