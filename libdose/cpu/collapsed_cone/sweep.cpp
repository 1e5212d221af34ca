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
    kernel_density.resize(rows, columns);
    row_maximum.resize(rows);
    filled.resize(rows);
#pragma omp parallel for schedule(static)
    for (std::size_t row = 0; row < rows; ++row) {
        const float* const from = volume.data() + row * size;
        std::copy_n(from, size, kernel_density.row(row));
        row_maximum[row] = *std::max_element(from, from + size);
        const auto dense = [](float value) { return value > 0; };
        const float *const first = std::find_if(from, from + size, dense), *last = from + size;
        while (last > first && !dense(last[-1])) --last;
        filled[row] = {static_cast<int>(first - from), static_cast<int>(last - from)};
    }
}

namespace {

/// Hands out rows of zeros with room on either side, all of one buffer.
class RowBuffer {
public:
    RowBuffer(std::vector<float>& values, std::size_t rows, std::size_t width) : width_(width) {
        values.assign(rows * width, 0.0f);
        next_ = values.data() + pad_before;
    }
    /// The first of some rows in turn.
    float* take(std::size_t rows = 1) {
        float* const first = next_;
        next_ += rows * width_;
        return first;
    }

private:
    std::size_t width_;
    float* next_;
};

/// Rows of voxels r - 1, r and r + 1 about row r of the lines.
struct RowsAround {
    std::array<const float*, 3> kernel_density{};
    std::array<float*, 3> sums{};                ///< of deposits
    std::array<std::vector<float*>, 3> sources;  ///< [direction · rates + rate]
    std::array<ColumnRange, 3> with_source;      ///< columns that release energy
    std::array<ColumnRange, 3> filled;           ///< columns where there is a medium
    std::array<ColumnRange, 3> written;          ///< columns outside of which the rows of sources are zero
    std::array<float, 3> maxima{};               ///< of kernel density
    std::array<bool, 3> touched{};               ///< whether the last three rows of lines deposited anything

    /// Before the first row: there is nothing.
    void reset(const float* zeros, float* outside) {
        kernel_density.fill(zeros);
        sums.fill(outside);
        with_source = filled = {};
        maxima = {};
        touched = {};
    }
    void reset_last(const float* zeros, float* outside) {
        kernel_density[2] = zeros;
        sums[2] = outside;
        with_source[2] = filled[2] = {};
        maxima[2] = 0;
        touched[2] = false;
    }
    void advance() {
        rotate(kernel_density);
        rotate(sums);
        rotate(sources);
        rotate(with_source);
        rotate(filled);
        rotate(written);
        rotate(maxima);
        rotate(touched);
    }
    float highest_density() const { return *std::max_element(maxima.begin(), maxima.end()); }

private:
    template <class OfRows>
    static void rotate(OfRows& of_rows) {
        std::rotate(of_rows.begin(), of_rows.begin() + 1, of_rows.end());
    }
};

/// One sweep on its way through the planes.
class SweepWalk {
public:
    SweepWalk(const std::vector<SweepPlan>& plans, LatticeMode mode, const SweepMedium& medium,
              const std::vector<double>& rates, SweepSource& source, float negligible, SweepDeposit& deposit,
              SweepWorkspace& workspace)
        : plans_(plans),
          layout_(plans.front().layout),
          mode_(mode),
          medium_(medium),
          rate_(rates.begin(), rates.end()),
          source_(source),
          deposit_(deposit),
          workspace_(workspace) {
        sweeper_.rates = static_cast<int>(rate_.size());
        sweeper_.rate = rate_.data();
        sweeper_.columns = layout_.columns;
        sweeper_.negligible = negligible;
        make_lines();
        take_rows();
        const std::size_t row_count =
            static_cast<std::size_t>(layout_.planes) * static_cast<std::size_t>(layout_.rows);
        deposit_.rows.resize(row_count, layout_.columns);
        deposit_.touched.assign(row_count, 0);
    }

    /// Returns the energy that left the grid or was no longer followed.
    double run() {
        for (int n = 0; n < layout_.planes; ++n) {
            enter_plane(n);
            const int plane = plans_.front().ascending ? n : layout_.planes - 1 - n;
            for (int r = -1; r <= layout_.rows; ++r) {
                around_.reset_last(zeros_, outside_);
                if (r + 1 < layout_.rows) read_row(plane, r + 1);
                if (released_) {
                    clear_sums(around_.sums[2]);
                    sweep_lines(r);
                }
                const std::array<bool, 3>& touched = around_.touched;
                if (r > 0 && (touched[0] || touched[1] || touched[2]))
                    deposit_.touched[layout_.row_index(plane, r - 1)] = 1;
                around_.advance();
            }
        }
        return escaped();
    }

private:
    /// Buffers for the lines of every direction and rate, none of which carries energy yet.
    void make_lines() {
        int line_rows = 0, line_columns = 0;
        for (const SweepPlan& plan : plans_) {
            const SweepDirection& direction = plan.direction;
            row_spans_.emplace_back(direction.first_row, direction.shift_row, layout_.planes);
            column_spans_.emplace_back(direction.first_column, direction.shift_column, layout_.planes);
            line_rows = std::max(line_rows, row_spans_.back().lines(layout_.rows));
            line_columns = std::max(line_columns, column_spans_.back().lines(layout_.columns));
        }
        sweeper_.line_rows = static_cast<std::size_t>(line_rows);
        sweeper_.line_width = static_cast<std::size_t>(up_to_simd_width(line_columns) + 3 * simd_width);
        const std::size_t of_direction = rate_.size() * sweeper_.line_rows,
                          lines = plans_.size() * of_direction;
        if (workspace_.energy.size() < lines * sweeper_.line_width)
            workspace_.energy.resize(lines * sweeper_.line_width);
        workspace_.limits.assign(lines, {0, 0});
        states_.resize(plans_.size());
        for (std::size_t d = 0; d < states_.size(); ++d) {
            states_[d].step_cm = static_cast<float>(plans_[d].direction.step_cm);
            states_[d].energy = workspace_.energy.data() + d * of_direction * sweeper_.line_width;
            states_[d].limits = workspace_.limits.data() + d * of_direction;
        }
    }
    void take_rows() {
        const std::size_t rates = rate_.size(), count = plans_.size();
        const auto width =
            static_cast<std::size_t>(pad_before + up_to_simd_width(layout_.columns) + pad_after + simd_width);
        RowBuffer buffer(workspace_.rows, (3 * count + 3) * rates + count + 7, width);
        sweeper_.line_density = buffer.take();
        sweeper_.row_density = buffer.take();
        sweeper_.inverse = buffer.take();
        for (float*& row : sweeper_.row_shares) row = buffer.take();
        sweeper_.pitch = static_cast<std::ptrdiff_t>(width);
        sweeper_.row_sources = buffer.take(rates);
        sweeper_.line_sources = buffer.take(rates);
        zeros_ = buffer.take(rates);
        outside_ = buffer.take();
        for (auto& set : around_.sources)
            for (std::size_t i = 0; i < count * rates; ++i) set.push_back(buffer.take());
        for (DirectionState& state : states_) state.deposit = buffer.take();
    }

    /// Places the lines of every direction in plane number n of the sweep.
    void enter_plane(int n) {
        sweeper_.trimming = n % 4 == 3;
        const bool rounded = mode_ == LatticeMode::rounded;
        for (std::size_t d = 0; d < states_.size(); ++d) {
            const SweepDirection& direction = plans_[d].direction;
            const physics::LatticePlace row = physics::lattice_place(direction.first_row, direction.shift_row,
                                                                     n, rounded),
                                        column = physics::lattice_place(direction.first_column,
                                                                        direction.shift_column, n, rounded);
            DirectionState& state = states_[d];
            state.row_base = row_spans_[d].base(row.move) + 1;
            state.column_base = column_spans_[d].base(column.move) + simd_width;
            state.row = row;
            state.column = column;
            state.meets = {row.meets[0] * column.meets[0], row.meets[0] * column.meets[1],
                           row.meets[1] * column.meets[0], row.meets[1] * column.meets[1]};
        }
        around_.reset(zeros_, outside_);
    }

    /// Reads the last of the three rows of voxels: medium, sums and sources.
    void read_row(int plane, int row) {
        const std::size_t index = layout_.row_index(plane, row);
        around_.kernel_density[2] = medium_.kernel_density.row(index);
        around_.sums[2] = deposit_.rows.row(index);
        around_.maxima[2] = medium_.row_maximum[index];
        around_.filled[2] = medium_.filled[index];
        prefetch_next();
        take_sources(plane, row);
        if (!released_ && !around_.with_source[2].empty()) {
            released_ = true;
            clear_sums(around_.sums[0]);
            clear_sums(around_.sums[1]);
        }
    }
    /// Asks for the row of the plane behind the last one, while this one is at work.
    void prefetch_next() const {
        const std::ptrdiff_t next = layout_.row_stride / layout_.columns *
                                    static_cast<std::ptrdiff_t>(layout_.columns + SweepRows::margin);
        for (int c = 0; c < layout_.columns; c += 16) {
            __builtin_prefetch(around_.kernel_density[2] + next + c);
            __builtin_prefetch(around_.sums[2] + c, 1);
        }
    }
    /// Reads the sources of a row of voxels, and clears what was there outside of its columns.
    void take_sources(int plane, int row) {
        const ColumnRange now = source_.row(plane, row, around_.sources[2].data());
        around_.with_source[2] = now;
        if (now.empty()) return;
        const ColumnRange before = around_.written[2];
        if (!before.empty()) {
            clear_sources(before.begin, std::min(before.end, now.begin));
            clear_sources(std::max(before.begin, now.end), before.end);
        }
        around_.written[2] = now;
    }
    void clear_sources(int begin, int end) const {
        if (begin >= end) return;
        for (float* values : around_.sources[2]) std::fill(values + begin, values + end, 0.0f);
    }
    void clear_sums(float* row) const { std::fill_n(row, layout_.columns + SweepRows::margin, 0.0f); }

    /// Takes row r of the lines of every direction through the plane.
    void sweep_lines(int r) {
        ColumnRange source, passed;  // where lines take something, and where they meet something
        for (const ColumnRange& part : around_.with_source) source.add(part);
        for (const ColumnRange& part : around_.filled) passed.add(part);
        passed.add(source);
        if (!source.empty()) share_rows(sweeper_, around_.kernel_density, source);
        const float highest_density = around_.highest_density();
        for (std::size_t d = 0; d < states_.size(); ++d) {
            DirectionState& state = states_[d];
            for (std::size_t i = 0; i < 3; ++i)
                state.sources[i] =
                    around_.with_source[i].empty() ? zeros_ : around_.sources[i][d * rate_.size()];
            if (sweep_line_row(sweeper_, state, r, around_.kernel_density, highest_density, source, passed))
                around_.touched[2] = true;
        }
        for (const DirectionState& state : states_)
            if (state.begin < state.end) share_line_row(state, around_.sums);
    }

    /// Energy that was lost on the way, and that the lines still carry behind the last plane.
    double escaped() const {
        double sum = sweeper_.lost;
        for (std::size_t i = 0; i < workspace_.limits.size(); ++i) {
            const Lines& live = workspace_.limits[i];
            if (!live.empty())
                sum += sum_of(workspace_.energy.data() + i * sweeper_.line_width + live.begin,
                              live.end - live.begin);
        }
        return sum;
    }

    const std::vector<SweepPlan>& plans_;
    const SweepLayout& layout_;
    LatticeMode mode_;
    const SweepMedium& medium_;
    std::vector<float> rate_;
    SweepSource& source_;
    SweepDeposit& deposit_;
    SweepWorkspace& workspace_;
    std::vector<physics::LatticeSpan> row_spans_, column_spans_;
    std::vector<DirectionState> states_;
    Sweeper sweeper_{};
    RowsAround around_;
    float *zeros_ = nullptr, *outside_ = nullptr;  ///< rows before the first one and behind the last one
    bool released_ = false;                        ///< whether any row had a source so far
};

}  // namespace

double sweep(const std::vector<SweepPlan>& plans, LatticeMode mode, const SweepMedium& medium,
             const std::vector<double>& rates, SweepSource& source, float negligible, SweepDeposit& deposit,
             SweepWorkspace& workspace) {
    if (plans.empty() || plans.size() > sweep_width)
        throw internal_error("a sweep takes one to four directions", "collapsed cone");
    for (const SweepPlan& plan : plans)
        if (plan.axis != plans.front().axis || plan.ascending != plans.front().ascending)
            throw internal_error("directions of a sweep march differently", "collapsed cone");
    return SweepWalk(plans, mode, medium, rates, source, negligible, deposit, workspace).run();
}

}  // namespace libdose::cpu
