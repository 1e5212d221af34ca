#include "cuda/collapsed_cone/sweep_group.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace libdose::cuda {

SweepOrder::SweepOrder(const Grid& grid, const DirectionSet& set) {
    std::vector<SweepPlan> of_set;
    for (std::size_t d = 0; d < set.size(); ++d) of_set.push_back(plan_sweep(grid, set[d].direction, d));
    for (const int axis : {2, 1, 0})
        for (const bool ascending : {true, false}) {
            SweepGroup group;
            group.first = plans.size();
            for (std::size_t d = 0; d < set.size(); ++d) {
                if (of_set[d].axis != axis || of_set[d].ascending != ascending) continue;
                directions.push_back(set[d]);
                plans.push_back(of_set[d]);
                group.layout = {of_set[d].layout.planes, of_set[d].layout.rows, of_set[d].layout.columns,
                                axis, ascending};
            }
            group.count = plans.size() - group.first;
            if (group.count > 0) groups.push_back(group);
        }
}

LineLayout::LineLayout(const PlaneLayout& layout, const SweepPlan* plans, std::size_t count, bool rounded) {
    std::vector<physics::LatticeSpan> row_spans, column_spans;
    for (std::size_t d = 0; d < count; ++d) {
        const SweepDirection& direction = plans[d].direction;
        row_spans.emplace_back(direction.first_row, direction.shift_row, layout.planes);
        column_spans.emplace_back(direction.first_column, direction.shift_column, layout.planes);
        line_rows = std::max(line_rows, row_spans.back().lines(layout.rows));
        line_columns = std::max(line_columns, column_spans.back().lines(layout.columns));
        step_cm.push_back(static_cast<float>(direction.step_cm));
    }
    for (int n = 0; n < layout.planes; ++n)
        for (std::size_t d = 0; d < count; ++d) {
            const SweepDirection& direction = plans[d].direction;
            const physics::LatticePlace row = physics::lattice_place(direction.first_row, direction.shift_row,
                                                                     n, rounded),
                                        column = physics::lattice_place(direction.first_column,
                                                                        direction.shift_column, n, rounded);
            places.push_back(
                {row_spans[d].base(row.move) + 1, column_spans[d].base(column.move) + 1, row, column});
        }
}

Index3 LineLayout::moved(int first_step, int last_step) const {
    Index3 most{0, 0, 0};
    for (std::size_t d = 0; d < step_cm.size(); ++d) {
        const LinePlace &a = places[static_cast<std::size_t>(first_step) * step_cm.size() + d],
                        &b = places[static_cast<std::size_t>(last_step) * step_cm.size() + d];
        most.x = std::max(most.x, std::abs(a.column_base - b.column_base));
        most.y = std::max(most.y, std::abs(a.row_base - b.row_base));
    }
    return most;
}

}  // namespace libdose::cuda
