#include "cpu/sweep.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "cpu/versions.h"
#include "libdose/error.h"
#include "physics/cone_transport.h"
#include "physics/lattice.h"

namespace libdose::cpu {

SweepPlan plan_sweep(const Grid& grid, const Vec3& direction, std::size_t number) {
    // Voxels per unit length along each axis: the largest is marched, so that a line moves at most one voxel aside.
    const Vec3 speed = direction.cwiseAbs().cwiseQuotient(grid.spacing_mm);
    int axis = 2;
    if (speed[1] > speed[axis]) axis = 1;
    if (speed[0] > speed[axis]) axis = 0;
    const int nx = grid.size[0], ny = grid.size[1], nz = grid.size[2];
    const std::ptrdiff_t slice = static_cast<std::ptrdiff_t>(nx) * ny;
    SweepPlan plan;
    plan.axis = axis;
    int row_axis = 1, column_axis = 0;
    if (axis == 2) {
        plan.layout = {nz, ny, nx, slice, nx};
    } else if (axis == 1) {
        plan.layout = {ny, nz, nx, nx, slice};
        row_axis = 2;
    } else {
        plan.layout = {nx, nz, ny, ny, slice};
        row_axis = 2;
        column_axis = 1;
        plan.transposed = true;
    }
    const double per_plane = std::abs(direction[axis]) / grid.spacing_mm[axis];
    plan.ascending = direction[axis] > 0;
    plan.direction.shift_row = direction[row_axis] / grid.spacing_mm[row_axis] / per_plane;
    plan.direction.shift_column = direction[column_axis] / grid.spacing_mm[column_axis] / per_plane;
    // Additive recurrence with the two-dimensional golden ratio (plastic number): evenly spread phases.
    const auto phase = [&](double ratio) { return std::fmod(0.5 + ratio * static_cast<double>(number), 1.0); };
    plan.direction.first_row = phase(0.7548776662466927);
    plan.direction.first_column = phase(0.5698402909980532);
    plan.direction.step_cm = 0.1 * direction.norm() / per_plane;
    return plan;
}

SweepMedium::SweepMedium(const std::vector<float>& volume, int columns) : eta(volume.data()) {
    for (std::size_t first = 0; first < volume.size(); first += static_cast<std::size_t>(columns))
        row_maximum.push_back(*std::max_element(eta + first, eta + first + columns));
}

namespace {

// Line j of a plane lies between the voxels j - 1 and j of a row, line row r between the rows r - 1 and r. A line keeps its place in the buffers
// for the whole sweep (its identity): what moves from plane to plane is the window of the lines that meet the grid. Rows of voxels
// are read from copies with zeros on either side, so that lines just outside pass unchanged and blocks of lines need no remainder.
constexpr int pad_before = lanes, pad_after = 2 * lanes;

constexpr int down_to_block(int x) { return x / lanes * lanes; }
constexpr int up_to_block(int x) { return (x + lanes - 1) / lanes * lanes; }

enum class Step { short_series, long_series, closed_form };

/// One rate along a block-wise stretch of lines: E is updated in place, the deposit per unit of eta is added up.
template <Step step, bool with_source>
LIBDOSE_INLINE void transport(int n, float optical, const float* __restrict eta, const std::array<float, 4>& weight, const float* __restrict source_a,
                              const float* __restrict source_b, float* __restrict energy, float* __restrict deposit) {
    for (int first = 0; first < n; first += lanes)
#pragma omp simd
        for (int j = first; j < first + lanes; ++j) {
            const float x = optical * eta[j];
            const physics::StepFactors<float> f = step == Step::short_series  ? physics::step_factors_short_series(x)
                                                  : step == Step::long_series ? physics::step_factors_long_series(x)
                                                                              : physics::step_factors(x);
            const float in = energy[j];
            if (with_source) {
                const float q = (weight[0] * source_a[j - 1] + weight[1] * source_a[j]) + (weight[2] * source_b[j - 1] + weight[3] * source_b[j]);
                deposit[j] += optical * (in * f.g + q * f.h);
                energy[j] = in * f.e + q * f.g;
            } else {
                deposit[j] += optical * (in * f.g);
                energy[j] = in * f.e;
            }
        }
}

template <bool with_source>
LIBDOSE_INLINE void transport(float thickest, int n, float optical, const float* eta, const std::array<float, 4>& weight, const float* source_a,
                              const float* source_b, float* energy, float* deposit) {
    if (thickest <= physics::short_series_limit<float>)
        transport<Step::short_series, with_source>(n, optical, eta, weight, source_a, source_b, energy, deposit);
    else if (thickest <= physics::long_series_limit<float>)
        transport<Step::long_series, with_source>(n, optical, eta, weight, source_a, source_b, energy, deposit);
    else
        transport<Step::closed_form, with_source>(n, optical, eta, weight, source_a, source_b, energy, deposit);
}

LIBDOSE_INLINE void mix_line(int n, const std::array<float, 4>& weight, const float* __restrict a, const float* __restrict b, float* __restrict out) {
    for (int first = 0; first < n; first += lanes)
#pragma omp simd
        for (int j = first; j < first + lanes; ++j) out[j] = (weight[0] * a[j - 1] + weight[1] * a[j]) + (weight[2] * b[j - 1] + weight[3] * b[j]);
}

/// Gives the deposits of lines back to the voxels of the two rows. lines[-1] and lines[n] must be zero.
LIBDOSE_INLINE void share_line(int n, const std::array<float, 4>& weight, const float* __restrict lines, float* __restrict a, float* __restrict b) {
    for (int first = -1; first < n - 1; first += lanes)
#pragma omp simd
        for (int c = first; c < first + lanes; ++c) {
            // Voxel c takes from line c + 1 (of which it is the lower neighbour) and from line c.
            a[c] += weight[0] * lines[c + 1] + weight[1] * lines[c];
            b[c] += weight[2] * lines[c + 1] + weight[3] * lines[c];
        }
    a[n - 1] += weight[1] * lines[n - 1];
    b[n - 1] += weight[3] * lines[n - 1];
}

LIBDOSE_INLINE float largest_of_block(const float* energy) {
    float largest = 0;
#pragma omp simd reduction(max : largest)
    for (int j = 0; j < lanes; ++j) largest = std::max(largest, std::abs(energy[j]));
    return largest;
}

double sum_of(const float* energy, int n) {
    double sum = 0;
    for (int j = 0; j < n; ++j) sum += static_cast<double>(energy[j]);
    return sum;
}

using Lines = SweepWorkspace::Lines;  // whole blocks of the lines' identity

struct DirectionState {
    float step_cm = 0;
    int row_base = 0, column_base = 0;  ///< identity = index in the plane + base, now
    std::array<float, 4> weight{};      ///< of voxels (r - 1, j - 1), (r - 1, j), (r, j - 1), (r, j)
    float* energy = nullptr;            ///< [rate][row identity][line identity]
    Lines* limits = nullptr;            ///< [rate][row identity]
    float* const* sources[2] = {};      ///< rows of voxels r - 1 and r
};

struct Sweeper {
    int rates, columns;
    std::size_t line_rows, line_width;  ///< of the buffers
    const float* rate = nullptr;
    float negligible = 0;
    double lost = 0;
    float* line_eta = nullptr;
    float* line_deposit = nullptr;  ///< both for lines -16 … columns + 32
};

/// Lines between two rows of voxels. Returns whether there were any.
LIBDOSE_VERSIONS
bool sweep_line_row(Sweeper& s, DirectionState& d, int r, const float* eta_a, const float* eta_b, float eta_maximum, ColumnRange source, float* deposit_a,
                    float* deposit_b) {
    const auto row = static_cast<std::size_t>(r + d.row_base);
    // Lines that meet the grid, and those of them that have a source, as blocks of their identity.
    const int window_begin = down_to_block(d.column_base), window_end = up_to_block(d.column_base + s.columns + 1);
    const int source_begin = down_to_block(d.column_base + source.begin), source_end = up_to_block(d.column_base + source.end + 1);
    int begin = window_end, end = window_begin;
    for (int k = 0; k < s.rates; ++k) {
        const std::size_t line = static_cast<std::size_t>(k) * s.line_rows + row;
        Lines& live = d.limits[line];
        float* energy = d.energy + line * s.line_width;
        if (!live.empty()) {
            if (live.begin < window_begin) {
                const int cut = std::min(window_begin, live.end);
                s.lost += sum_of(energy + live.begin, cut - live.begin);
                live.begin = cut;
            }
            if (live.end > window_end) {
                const int cut = std::max(window_end, live.begin);
                s.lost += sum_of(energy + cut, live.end - cut);
                live.end = cut;
            }
        }
        if (!source.empty()) {
            const auto clear = [&](int from, int to) {
                if (from < to) std::memset(energy + from, 0, static_cast<std::size_t>(to - from) * sizeof(float));
            };
            if (live.empty()) {
                clear(source_begin, source_end);
                live = {source_begin, source_end};
            } else {
                clear(source_begin, live.begin);
                clear(live.end, source_end);
                live = {std::min(live.begin, source_begin), std::max(live.end, source_end)};
            }
        }
        if (!live.empty()) begin = std::min(begin, live.begin), end = std::max(end, live.end);
    }
    if (begin >= end) return false;

    const int base = d.column_base;  // line j of the plane is base + j in the buffers
    float* const eta = s.line_eta - base;
    float* const deposit = s.line_deposit - base;
    mix_line(end - begin, d.weight, eta_a + begin - base, eta_b + begin - base, eta + begin);
    std::memset(deposit + begin - 1, 0, static_cast<std::size_t>(end - begin + 2) * sizeof(float));
    for (int k = 0; k < s.rates; ++k) {
        const std::size_t line = static_cast<std::size_t>(k) * s.line_rows + row;
        Lines& live = d.limits[line];
        if (live.empty()) continue;
        float* energy = d.energy + line * s.line_width;
        const float optical = s.rate[k] * d.step_cm, thickest = optical * eta_maximum;
        if (source.empty()) {
            transport<false>(thickest, live.end - live.begin, optical, eta + live.begin, d.weight, nullptr, nullptr, energy + live.begin, deposit + live.begin);
        } else {
            transport<false>(thickest, source_begin - live.begin, optical, eta + live.begin, d.weight, nullptr, nullptr, energy + live.begin,
                             deposit + live.begin);
            transport<true>(thickest, source_end - source_begin, optical, eta + source_begin, d.weight, d.sources[0][k] + source_begin - base,
                            d.sources[1][k] + source_begin - base, energy + source_begin, deposit + source_begin);
            transport<false>(thickest, live.end - source_end, optical, eta + source_end, d.weight, nullptr, nullptr, energy + source_end, deposit + source_end);
        }
        while (!live.empty() && largest_of_block(energy + live.begin) < s.negligible) {
            s.lost += sum_of(energy + live.begin, lanes);
            live.begin += lanes;
        }
        while (!live.empty() && largest_of_block(energy + live.end - lanes) < s.negligible) {
            live.end -= lanes;
            s.lost += sum_of(energy + live.end, lanes);
        }
    }
    share_line(end - begin, d.weight, deposit + begin, deposit_a + begin - base, deposit_b + begin - base);
    return true;
}

}  // namespace

double sweep(const std::vector<SweepPlan>& plans, LatticeMode mode, const SweepMedium& medium, const std::vector<double>& rates, SweepSource& source,
             float negligible, SweepDeposit& deposit, SweepWorkspace& workspace) {
    if (plans.empty() || plans.size() > sweep_width) throw internal_error("a sweep takes one to four directions", "collapsed cone");
    const SweepLayout& layout = plans.front().layout;
    const bool ascending = plans.front().ascending;
    const int columns = layout.columns, rows = layout.rows;
    const std::size_t count = plans.size(), rate_count = rates.size();
    for (const SweepPlan& plan : plans)
        if (plan.axis != plans.front().axis || plan.ascending != ascending) throw internal_error("directions of a sweep march differently", "collapsed cone");

    // Where the lines of a direction lie in plane n, and how far they wander.
    const auto wander = [&](double first, double shift) { return static_cast<int>(std::floor(first + shift * (layout.planes - 1))); };
    int wander_rows = 0, wander_columns = 0;
    for (const SweepPlan& plan : plans) {
        wander_rows = std::max(wander_rows, std::abs(wander(plan.direction.first_row, plan.direction.shift_row)));
        wander_columns = std::max(wander_columns, std::abs(wander(plan.direction.first_column, plan.direction.shift_column)));
    }
    Sweeper s{};
    s.rates = static_cast<int>(rate_count);
    s.columns = columns;
    s.line_rows = static_cast<std::size_t>(rows + 1 + wander_rows);
    s.line_width = static_cast<std::size_t>(up_to_block(columns + 1 + wander_columns) + 3 * lanes);
    s.negligible = negligible;
    std::vector<float> rate(rates.begin(), rates.end());
    s.rate = rate.data();

    const auto width = static_cast<std::size_t>(pad_before + up_to_block(columns) + pad_after + lanes);
    const std::size_t lines = count * rate_count * s.line_rows;
    if (workspace.energy.size() < lines * s.line_width) workspace.energy.resize(lines * s.line_width);
    workspace.limits.assign(lines, {0, 0});
    workspace.rows.assign((2 * count * rate_count + 7) * width, 0.0f);
    float* next_row = workspace.rows.data() + pad_before;
    const auto take_row = [&] {
        float* const taken = next_row;
        next_row += width;
        return taken;
    };
    s.line_eta = take_row(), s.line_deposit = take_row();
    float* const zeros = take_row();
    std::array<float*, 2> eta{take_row(), take_row()}, sums{take_row(), take_row()};
    std::array<std::vector<float*>, 2> sources;
    for (auto& set : sources)
        for (std::size_t i = 0; i < count * rate_count; ++i) set.push_back(take_row());
    const std::vector<float*> no_sources(rate_count, zeros);
    std::array<ColumnRange, 2> ranges;

    std::vector<DirectionState> states(count);
    Lines* const limits = workspace.limits.data();
    for (std::size_t d = 0; d < count; ++d) {
        states[d].step_cm = static_cast<float>(plans[d].direction.step_cm);
        states[d].energy = workspace.energy.data() + d * rate_count * s.line_rows * s.line_width;
        states[d].limits = limits + d * rate_count * s.line_rows;
    }
    deposit.values.resize(static_cast<std::size_t>(layout.planes) * static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns));
    deposit.touched.assign(deposit.values.size() / static_cast<std::size_t>(columns), 0);

    bool anything = false;
    for (int n = 0; n < layout.planes; ++n) {
        const int plane = ascending ? n : layout.planes - 1 - n;
        for (std::size_t d = 0; d < count; ++d) {
            const SweepDirection& direction = plans[d].direction;
            const physics::LatticePlace place = physics::lattice_place(direction.first_row, direction.shift_row, direction.first_column, direction.shift_column,
                                                                       n, mode == LatticeMode::rounded);
            DirectionState& state = states[d];
            state.row_base = std::max(0, wander(direction.first_row, direction.shift_row)) - place.move_row;
            state.column_base = std::max(0, wander(direction.first_column, direction.shift_column)) - place.move_column + lanes;
            std::copy_n(place.weight, 4, state.weight.begin());
        }
        // Before row 0 and behind the last one there is nothing.
        std::fill_n(eta[0] - pad_before, width, 0.0f);
        std::fill_n(sums[0] - pad_before, width, 0.0f);
        ranges[0] = {};
        bool touched_before = false;
        float maximum_before = 0;
        for (int r = 0; r <= rows; ++r) {
            std::fill_n(sums[1] - pad_before, width, 0.0f);
            float maximum = 0;
            ranges[1] = {};
            if (r < rows) {
                std::copy_n(medium.eta + layout.offset(plane, r), columns, eta[1]);
                maximum = medium.row_maximum[layout.row_index(plane, r)];
                ranges[1] = source.row(plane, r, sources[1].data());
                anything = anything || !ranges[1].empty();
            } else {
                std::fill_n(eta[1] - pad_before, width, 0.0f);
            }
            bool touched = false;
            if (anything) {
                ColumnRange range = ranges[0].empty() ? ranges[1] : ranges[0];
                if (!ranges[0].empty() && !ranges[1].empty()) range = {std::min(ranges[0].begin, ranges[1].begin), std::max(ranges[0].end, ranges[1].end)};
                for (std::size_t d = 0; d < count; ++d) {
                    DirectionState& state = states[d];
                    for (std::size_t side = 0; side < 2; ++side)
                        state.sources[side] = ranges[side].empty() ? no_sources.data() : sources[side].data() + d * rate_count;
                    touched = sweep_line_row(s, state, r, eta[0], eta[1], std::max(maximum_before, maximum), range, sums[0], sums[1]) || touched;
                }
            }
            if (r > 0 && (touched || touched_before)) {
                std::copy_n(sums[0], columns, deposit.values.data() + layout.offset(plane, r - 1));
                deposit.touched[layout.row_index(plane, r - 1)] = 1;
            }
            touched_before = touched;
            maximum_before = maximum;
            // What was written of the row before the last is zero again before the next is written there.
            if (!ranges[0].empty())
                for (float* values : sources[0]) std::fill(values + ranges[0].begin, values + ranges[0].end + lanes, 0.0f);
            std::swap(eta[0], eta[1]), std::swap(sums[0], sums[1]), std::swap(sources[0], sources[1]), std::swap(ranges[0], ranges[1]);
        }
        if (!ranges[0].empty())
            for (float* values : sources[0]) std::fill(values + ranges[0].begin, values + ranges[0].end + lanes, 0.0f);
    }
    // What is left in the lines has left the grid.
    double escaped = s.lost;
    for (std::size_t i = 0; i < lines; ++i)
        if (!limits[i].empty()) escaped += sum_of(workspace.energy.data() + i * s.line_width + limits[i].begin, limits[i].end - limits[i].begin);
    return escaped;
}

}  // namespace libdose::cpu
