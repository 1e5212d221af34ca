#include "cpu/collapsed_cone/sweep.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "collapsed_cone/sweep_plan.h"
#include "cpu/collapsed_cone/sweep_lines.h"
#include "libdose/error.h"

namespace libdose::cpu {

SweepMedium::SweepMedium(const std::vector<float>& volume, int columns) {
    const auto size = static_cast<std::size_t>(columns), rows = volume.size() / size;
    eta.resize(rows, columns);
    row_maximum.resize(rows);
    filled.resize(rows);
#pragma omp parallel for schedule(static)
    for (std::size_t row = 0; row < rows; ++row) {
        const float* const from = volume.data() + row * size;
        std::copy_n(from, size, eta.row(row));
        row_maximum[row] = *std::max_element(from, from + size);
        const auto dense = [](float value) { return value > 0; };
        const float *const first = std::find_if(from, from + size, dense), *last = from + size;
        while (last > first && !dense(last[-1])) --last;
        filled[row] = {static_cast<int>(first - from), static_cast<int>(last - from)};
    }
}

double sweep(const std::vector<SweepPlan>& plans, LatticeMode mode, const SweepMedium& medium,
             const std::vector<double>& rates, SweepSource& source, float negligible, SweepDeposit& deposit,
             SweepWorkspace& workspace) {
    if (plans.empty() || plans.size() > sweep_width)
        throw internal_error("a sweep takes one to four directions", "collapsed cone");
    const SweepLayout& layout = plans.front().layout;
    const bool ascending = plans.front().ascending;
    const int columns = layout.columns, rows = layout.rows;
    const std::size_t count = plans.size(), rate_count = rates.size();
    for (const SweepPlan& plan : plans)
        if (plan.axis != plans.front().axis || plan.ascending != ascending)
            throw internal_error("directions of a sweep march differently", "collapsed cone");

    std::vector<physics::LatticeSpan> row_spans, column_spans;
    Sweeper s{};
    s.rates = static_cast<int>(rate_count);
    s.columns = columns;
    int line_rows = 0, line_columns = 0;
    for (const SweepPlan& plan : plans) {
        row_spans.emplace_back(plan.direction.first_row, plan.direction.shift_row, layout.planes);
        column_spans.emplace_back(plan.direction.first_column, plan.direction.shift_column, layout.planes);
        line_rows = std::max(line_rows, row_spans.back().lines(rows));
        line_columns = std::max(line_columns, column_spans.back().lines(columns));
    }
    s.line_rows = static_cast<std::size_t>(line_rows);
    s.line_width = static_cast<std::size_t>(up_to_block(line_columns) + 3 * block);
    s.negligible = negligible;
    std::vector<float> rate(rates.begin(), rates.end());
    s.rate = rate.data();

    const auto width = static_cast<std::size_t>(pad_before + up_to_block(columns) + pad_after + block);
    const std::size_t lines = count * rate_count * s.line_rows;
    if (workspace.energy.size() < lines * s.line_width) workspace.energy.resize(lines * s.line_width);
    workspace.limits.assign(lines, {0, 0});
    workspace.rows.assign(((3 * count + 3) * rate_count + count + 7) * width, 0.0f);
    float* next_row = workspace.rows.data() + pad_before;
    const auto take_row = [&] {
        float* const taken = next_row;
        next_row += width;
        return taken;
    };
    s.line_eta = take_row();
    s.row_eta = take_row();
    s.inverse = take_row();
    for (float*& row : s.row_shares) row = take_row();
    const auto take_rows = [&](std::size_t rows_taken) {
        float* const first = take_row();
        next_row += (rows_taken - 1) * width;
        return first;
    };
    s.pitch = static_cast<std::ptrdiff_t>(width);
    s.row_sources = take_rows(rate_count);
    s.line_sources = take_rows(rate_count);
    float *const zeros = take_rows(rate_count),
                 *const outside = take_row();  // before the first row and behind the last one
    // Of the rows of voxels r - 1, r and r + 1.
    std::array<const float*, 3> eta{};
    std::array<float*, 3> sums{};
    std::array<std::vector<float*>, 3> sources;
    for (auto& set : sources)
        for (std::size_t i = 0; i < count * rate_count; ++i) set.push_back(take_row());
    std::array<ColumnRange, 3> ranges, filled;
    std::array<float, 3> maxima{};
    // The rows of sources are zero but for what was last written there.
    std::array<ColumnRange, 3> written;
    const auto take_sources = [&](int plane, int row) {
        ranges[2] = source.row(plane, row, sources[2].data());
        if (ranges[2].empty()) return;
        const auto clear = [&](int begin, int end) {
            if (begin < end)
                for (float* values : sources[2]) std::fill(values + begin, values + end, 0.0f);
        };
        const ColumnRange now = ranges[2], before = written[2];
        if (!before.empty()) {
            clear(before.begin, std::min(before.end, now.begin));
            clear(std::max(before.begin, now.end), before.end);
        }
        written[2] = now;
    };

    std::vector<DirectionState> states(count);
    Lines* const limits = workspace.limits.data();
    for (std::size_t d = 0; d < count; ++d) {
        states[d].step_cm = static_cast<float>(plans[d].direction.step_cm);
        states[d].energy = workspace.energy.data() + d * rate_count * s.line_rows * s.line_width;
        states[d].limits = limits + d * rate_count * s.line_rows;
        states[d].deposit = take_row();
    }
    const std::size_t row_count = static_cast<std::size_t>(layout.planes) * static_cast<std::size_t>(rows);
    deposit.rows.resize(row_count, columns);
    deposit.touched.assign(row_count, 0);
    const auto clear_sums = [&](float* row) { std::fill_n(row, columns + SweepRows::margin, 0.0f); };

    // From a row of a plane to the next: what is asked for while this one is at work.
    const std::ptrdiff_t next_row_of_plane =
        layout.row_stride / layout.columns * static_cast<std::ptrdiff_t>(columns + SweepRows::margin);
    bool anything = false;
    for (int n = 0; n < layout.planes; ++n) {
        const int plane = ascending ? n : layout.planes - 1 - n;
        s.trimming = n % 4 == 3;
        for (std::size_t d = 0; d < count; ++d) {
            const SweepDirection& direction = plans[d].direction;
            const bool rounded = mode == LatticeMode::rounded;
            const physics::LatticePlace row = physics::lattice_place(direction.first_row, direction.shift_row,
                                                                     n, rounded),
                                        column = physics::lattice_place(direction.first_column,
                                                                        direction.shift_column, n, rounded);
            DirectionState& state = states[d];
            state.row_base = row_spans[d].base(row.move) + 1;
            state.column_base = column_spans[d].base(column.move) + block;
            state.row = row;
            state.column = column;
            state.meets = {row.meets[0] * column.meets[0], row.meets[0] * column.meets[1],
                           row.meets[1] * column.meets[0], row.meets[1] * column.meets[1]};
        }
        eta.fill(zeros);
        sums.fill(outside);
        ranges = filled = {};
        maxima = {};
        std::array<bool, 3> touched{};  // the last three rows of lines
        for (int r = -1; r <= rows; ++r) {
            eta[2] = zeros;
            sums[2] = outside;
            ranges[2] = filled[2] = {};
            maxima[2] = 0;
            if (const int next = r + 1; next < rows) {
                const std::size_t index = layout.row_index(plane, next);
                eta[2] = medium.eta.row(index);
                sums[2] = deposit.rows.row(index);
                maxima[2] = medium.row_maximum[index];
                for (int c = 0; c < columns; c += 16) {
                    __builtin_prefetch(eta[2] + next_row_of_plane + c);
                    __builtin_prefetch(sums[2] + c, 1);
                }
                filled[2] = medium.filled[index];
                take_sources(plane, next);
                if (!anything && !ranges[2].empty()) {
                    anything = true;
                    clear_sums(sums[0]);
                    clear_sums(sums[1]);
                }
            }
            if (anything) clear_sums(sums[2]);
            touched[2] = false;
            if (anything) {
                ColumnRange source_columns,
                    passed;  // where lines take something, and where they meet something
                for (const ColumnRange& part : ranges) source_columns.add(part);
                for (const ColumnRange& part : filled) passed.add(part);
                passed.add(source_columns);
                if (!source_columns.empty()) share_rows(s, eta, source_columns);
                for (std::size_t d = 0; d < count; ++d) {
                    DirectionState& state = states[d];
                    for (std::size_t i = 0; i < 3; ++i)
                        state.sources[i] = ranges[i].empty() ? zeros : sources[i][d * rate_count];
                    touched[2] =
                        sweep_line_row(s, state, r, eta, *std::max_element(maxima.begin(), maxima.end()),
                                       source_columns, passed) ||
                        touched[2];
                }
                for (const DirectionState& state : states)
                    if (state.begin < state.end) share_line_row(state, sums);
            }
            if (r > 0 && (touched[0] || touched[1] || touched[2]))
                deposit.touched[layout.row_index(plane, r - 1)] = 1;
            const auto advance = [](auto& rows_of_three) {
                std::rotate(rows_of_three.begin(), rows_of_three.begin() + 1, rows_of_three.end());
            };
            advance(eta);
            advance(sums);
            advance(sources);
            advance(ranges);
            advance(filled);
            advance(written);
            advance(maxima);
            advance(touched);
        }
    }
    // What is left in the lines has left the grid.
    double escaped = s.lost;
    for (std::size_t i = 0; i < lines; ++i)
        if (!limits[i].empty())
            escaped += sum_of(workspace.energy.data() + i * s.line_width + limits[i].begin,
                              limits[i].end - limits[i].begin);
    return escaped;
}

}  // namespace libdose::cpu
