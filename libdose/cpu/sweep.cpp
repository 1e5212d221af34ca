#include "cpu/sweep.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "cpu/versions.h"
#include "libdose/error.h"
#include "physics/cone_transport.h"

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
    // Halton's sequence: evenly spread phases. (Phases that grow by the same from direction to direction do not do: slopes of neighbours differ by the
    // same too, and somewhere in the grid the two cancel, so that many directions blur an edge alike.)
    const auto phase = [&](std::size_t base) {
        double sum = 0, part = 1;
        for (std::size_t rest = number + 1; rest > 0; rest /= base) part /= static_cast<double>(base), sum += part * static_cast<double>(rest % base);
        return sum;
    };
    plan.direction.first_row = phase(2);
    plan.direction.first_column = phase(3);
    plan.direction.step_cm = 0.1 * direction.norm() / per_plane;
    return plan;
}

SweepMedium::SweepMedium(const std::vector<float>& volume, int columns) {
    const auto size = static_cast<std::size_t>(columns);
    eta.resize(volume.size() / size, columns);
    for (std::size_t row = 0; row < volume.size() / size; ++row) {
        const float* const from = volume.data() + row * size;
        std::copy_n(from, size, eta.row(row));
        row_maximum.push_back(*std::max_element(from, from + size));
    }
}

namespace {

// Line (r, j) of a plane lies in voxel (r, j) and meets neighbours of it (physics::LatticePlace); lines run from -1 to the number of rows and columns. A line
// keeps its place in the buffers for the whole sweep (its identity): what moves from plane to plane is the window of the lines that meet the grid. Rows of
// voxels have zeros on either side, so that lines just outside pass unchanged and blocks of lines need no remainder.
constexpr int block = 8;  // where a source or the lines that carry energy end within one, the rest is calculated for nothing
constexpr int pad_before = 2 * block, pad_after = 2 * block;
static_assert(SweepRows::margin >= block + 2);
using Lines = SweepWorkspace::Lines;  // whole blocks of their identity
constexpr int down_to_block(int x) { return x / block * block; }
constexpr int up_to_block(int x) { return (x + block - 1) / block * block; }

/// The source of a row of lines: of what `mixed` holds of each line's row of voxels, parts of the voxels before, at and behind it.
struct LineSource {
    const float* mixed;
    std::array<float, 3> column;

    LIBDOSE_INLINE float of(int j) const { return column[0] * mixed[j - 1] + column[1] * mixed[j] + column[2] * mixed[j + 1]; }
};
struct NoSource {};

/// One rate along a block-wise stretch of lines: E is updated in place, the deposit per unit of eta is added up. `factors`: of a step's optical length.
template <class Source, class Factors>
LIBDOSE_INLINE void transport(int n, float optical, const float* __restrict eta, const Source& source, float* __restrict energy, float* __restrict deposit,
                              const Factors& factors) {
    for (int first = 0; first < n; first += block)
#pragma omp simd
        for (int j = first; j < first + block; ++j) {
            const float in = energy[j];
            const physics::StepFactors<float> f = factors(optical * eta[j]);
            if constexpr (std::is_same_v<Source, LineSource>) {
                const float q = source.of(j);
                deposit[j] += optical * (in * f.g + q * f.h);
                energy[j] = in * f.e + q * f.g;
            } else {
                deposit[j] += optical * (in * f.g);
                energy[j] = in * f.e;
            }
        }
}

template <class Source>
LIBDOSE_INLINE void transport(float thickest, int n, float optical, const float* eta, const Source& source, float* energy, float* deposit) {
    const auto with = [&](const auto& factors) LIBDOSE_INLINE_LAMBDA { transport(n, optical, eta, source, energy, deposit, factors); };
    if (thickest <= physics::thin_step.limit)
        with([](float x) LIBDOSE_INLINE_LAMBDA { return physics::thin_step.factors(x); });
    else if (thickest <= physics::short_step.limit)
        with([](float x) LIBDOSE_INLINE_LAMBDA { return physics::short_step.factors(x); });
    else if (thickest <= physics::middle_step.limit)
        with([](float x) LIBDOSE_INLINE_LAMBDA { return physics::middle_step.factors(x); });
    else if (thickest <= physics::long_step.limit)
        with([](float x) LIBDOSE_INLINE_LAMBDA { return physics::long_step.factors(x); });
    else
        with([](float x) LIBDOSE_INLINE_LAMBDA { return physics::step_factors(x); });
}

/// What a row of lines meets of two rows of voxels, which are shifted so that line j meets j - 1 and j.
LIBDOSE_INLINE void mix_line(int n, const std::array<float, 4>& weight, const float* __restrict a, const float* __restrict b, float* __restrict out) {
    for (int first = 0; first < n; first += block)
#pragma omp simd
        for (int j = first; j < first + block; ++j) out[j] = (weight[0] * a[j - 1] + weight[1] * a[j]) + (weight[2] * b[j - 1] + weight[3] * b[j]);
}

/// Gives the deposits of lines back to the voxels of the same two rows. lines[-1] and lines[n] must be zero.
LIBDOSE_INLINE void share_line(int n, const std::array<float, 4>& weight, const float* __restrict lines, float* __restrict a, float* __restrict b) {
    for (int first = -1; first < n - 1; first += block)
#pragma omp simd
        for (int c = first; c < first + block; ++c) {
            // Voxel c takes from line c + 1 (of which it is the lower neighbour) and from line c.
            a[c] += weight[0] * lines[c + 1] + weight[1] * lines[c];
            b[c] += weight[2] * lines[c + 1] + weight[3] * lines[c];
        }
    a[n - 1] += weight[1] * lines[n - 1];
    b[n - 1] += weight[3] * lines[n - 1];
}

/// What lines -1 … n take of the sources of three rows of voxels; whole blocks are written.
LIBDOSE_INLINE void mix_source(int n, const std::array<float, 3>& row, const float* __restrict a, const float* __restrict b, const float* __restrict c,
                               float* __restrict mixed) {
    for (int first = -1; first <= n; first += block)
#pragma omp simd
        for (int j = first; j < first + block; ++j) mixed[j] = row[0] * a[j] + row[1] * b[j] + row[2] * c[j];
}

LIBDOSE_INLINE float largest_of_block(const float* energy) {
    float largest = 0;
#pragma omp simd reduction(max : largest)
    for (int j = 0; j < block; ++j) largest = std::max(largest, std::abs(energy[j]));
    return largest;
}

double sum_of(const float* energy, int n) {
    double sum = 0;
    for (int j = 0; j < n; ++j) sum += static_cast<double>(energy[j]);
    return sum;
}

/// Takes the blocks that carry next to nothing off both ends of `live`; returns their energy.
LIBDOSE_INLINE double trim(const float* energy, float negligible, Lines& live) {
    double lost = 0;
    const auto goes = [&](int first) LIBDOSE_INLINE_LAMBDA {
        if (!(largest_of_block(energy + first) < negligible)) return false;
        lost += sum_of(energy + first, block);
        return true;
    };
    while (!live.empty() && goes(live.begin)) live.begin += block;
    while (!live.empty() && goes(live.end - block)) live.end -= block;
    return lost;
}

struct DirectionState {
    float step_cm = 0;
    int row_base = 0, column_base = 0;    ///< identity = index in the plane + base, now
    int lower_row = 0, lower_column = 0;  ///< of the voxels that a line meets: -1 or 0 from its own
    std::array<float, 4> meets{};         ///< parts of the lower row's two voxels, and of the other row's
    std::array<float, 3> source_row{}, source_column{};
    float* energy = nullptr;        ///< [rate][row identity][line identity]
    Lines* limits = nullptr;        ///< [rate][row identity]
    float* const* sources[3] = {};  ///< [rate] of the rows of voxels r - 1, r, r + 1
    float* deposit = nullptr;       ///< of a row of lines, -16 … columns + 24
    int begin = 0, end = 0;         ///< lines of that row
};

struct Sweeper {
    int rates, columns;
    std::size_t line_rows, line_width;  ///< of the buffers
    const float* rate = nullptr;
    float negligible = 0;
    bool trimming = false;  ///< whether lines that carry next to nothing are looked for in this plane
    double lost = 0;
    float* line_eta = nullptr;         ///< for lines -16 … columns + 24
    std::vector<float*> line_sources;  ///< [rate], of mix_source
};

/// The lines of row r: what they deposit. Returns whether there were any. (What is written here is read at other places of a row. A processor waits
/// for what it has just written elsewhere, so other work lies between.)
LIBDOSE_VERSIONS
bool sweep_line_row(Sweeper& s, DirectionState& d, int r, const std::array<const float*, 3>& eta_rows, float eta_maximum, ColumnRange source) {
    const auto row = static_cast<std::size_t>(r + d.row_base);
    // Lines that meet the grid, and those of them that have a source, as blocks of their identity.
    const int window_begin = down_to_block(d.column_base - 1), window_end = up_to_block(d.column_base + s.columns + 1);
    const int source_begin = down_to_block(d.column_base + source.begin - 1), source_end = up_to_block(d.column_base + source.end + 1);
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
    d.begin = begin, d.end = end;
    if (begin >= end) return false;

    const int base = d.column_base;  // line j of the plane is base + j in the buffers
    float* const eta = s.line_eta - base;
    float* const deposit = d.deposit - base;
    const int source_at = source_begin - base;
    if (!source.empty())
        for (int k = 0; k < s.rates; ++k)
            mix_source(source_end - source_begin, d.source_row, d.sources[0][k] + source_at, d.sources[1][k] + source_at, d.sources[2][k] + source_at,
                       s.line_sources[static_cast<std::size_t>(k)] + source_at);
    const auto lower_row = static_cast<std::size_t>(1 + d.lower_row);
    const int shifted = begin - base + 1 + d.lower_column;
    mix_line(end - begin, d.meets, eta_rows[lower_row] + shifted, eta_rows[lower_row + 1] + shifted, eta + begin);
    std::memset(deposit + begin - 1, 0, static_cast<std::size_t>(end - begin + 2) * sizeof(float));
    for (int k = 0; k < s.rates; ++k) {
        const std::size_t line = static_cast<std::size_t>(k) * s.line_rows + row;
        Lines& live = d.limits[line];
        if (live.empty()) continue;
        float* energy = d.energy + line * s.line_width;
        const float optical = s.rate[k] * d.step_cm, thickest = optical * eta_maximum;
        if (source.empty()) {
            transport(thickest, live.end - live.begin, optical, eta + live.begin, NoSource{}, energy + live.begin, deposit + live.begin);
        } else {
            const auto part = [&](int from, int to, const auto& source_of_lines) LIBDOSE_INLINE_LAMBDA {
                transport(thickest, to - from, optical, eta + from, source_of_lines, energy + from, deposit + from);
            };
            part(live.begin, source_begin, NoSource{});
            part(source_begin, source_end, LineSource{s.line_sources[static_cast<std::size_t>(k)] + source_at, d.source_column});
            part(source_end, live.end, NoSource{});
        }
        if (s.trimming) s.lost += trim(energy, s.negligible, live);
    }
    return true;
}

/// Gives what the row of lines has deposited to the voxels.
LIBDOSE_VERSIONS
void share_line_row(const DirectionState& d, const std::array<float*, 3>& deposit_rows) {
    const auto lower_row = static_cast<std::size_t>(1 + d.lower_row);
    const int first = d.begin - d.column_base, shifted = first + 1 + d.lower_column;
    share_line(d.end - d.begin, d.meets, d.deposit + first, deposit_rows[lower_row] + shifted, deposit_rows[lower_row + 1] + shifted);
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

    std::vector<physics::LatticeSpan> row_spans, column_spans;
    Sweeper s{};
    s.rates = static_cast<int>(rate_count);
    s.columns = columns;
    int line_rows = 0, line_columns = 0;
    for (const SweepPlan& plan : plans) {
        row_spans.emplace_back(plan.direction.first_row, plan.direction.shift_row, layout.planes);
        column_spans.emplace_back(plan.direction.first_column, plan.direction.shift_column, layout.planes);
        line_rows = std::max(line_rows, row_spans.back().lines(rows)), line_columns = std::max(line_columns, column_spans.back().lines(columns));
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
    workspace.rows.assign(((3 * count + 1) * rate_count + count + 3) * width, 0.0f);
    float* next_row = workspace.rows.data() + pad_before;
    const auto take_row = [&] {
        float* const taken = next_row;
        next_row += width;
        return taken;
    };
    s.line_eta = take_row();
    for (std::size_t k = 0; k < rate_count; ++k) s.line_sources.push_back(take_row());
    float *const zeros = take_row(), *const outside = take_row();  // before the first row and behind the last one
    // Of the rows of voxels r - 1, r and r + 1.
    std::array<const float*, 3> eta{};
    std::array<float*, 3> sums{};
    std::array<std::vector<float*>, 3> sources;
    for (auto& set : sources)
        for (std::size_t i = 0; i < count * rate_count; ++i) set.push_back(take_row());
    const std::vector<float*> no_sources(rate_count, zeros);
    std::array<ColumnRange, 3> ranges;
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
        if (!before.empty()) clear(before.begin, std::min(before.end, now.begin)), clear(std::max(before.begin, now.end), before.end);
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

    bool anything = false;
    for (int n = 0; n < layout.planes; ++n) {
        const int plane = ascending ? n : layout.planes - 1 - n;
        s.trimming = n % 4 == 3;
        for (std::size_t d = 0; d < count; ++d) {
            const SweepDirection& direction = plans[d].direction;
            const bool rounded = mode == LatticeMode::rounded;
            const physics::LatticePlace row = physics::lattice_place(direction.first_row, direction.shift_row, n, rounded),
                                        column = physics::lattice_place(direction.first_column, direction.shift_column, n, rounded);
            DirectionState& state = states[d];
            state.row_base = row_spans[d].base(row.move) + 1;
            state.column_base = column_spans[d].base(column.move) + block;
            state.lower_row = row.lower, state.lower_column = column.lower;
            state.meets = {row.meets[0] * column.meets[0], row.meets[0] * column.meets[1], row.meets[1] * column.meets[0], row.meets[1] * column.meets[1]};
            std::copy_n(row.source, 3, state.source_row.begin());
            std::copy_n(column.source, 3, state.source_column.begin());
        }
        eta.fill(zeros), sums.fill(outside);
        ranges = {};
        maxima = {};
        std::array<bool, 3> touched{};  // the last three rows of lines
        for (int r = -1; r <= rows; ++r) {
            eta[2] = zeros, sums[2] = outside, ranges[2] = {}, maxima[2] = 0;
            if (const int next = r + 1; next < rows) {
                const std::size_t index = layout.row_index(plane, next);
                eta[2] = medium.eta.row(index), sums[2] = deposit.rows.row(index), maxima[2] = medium.row_maximum[index];
                take_sources(plane, next);
                if (!anything && !ranges[2].empty()) anything = true, clear_sums(sums[0]), clear_sums(sums[1]);
            }
            if (anything) clear_sums(sums[2]);
            touched[2] = false;
            if (anything) {
                ColumnRange range;
                for (const ColumnRange& part : ranges)
                    if (!part.empty()) range = range.empty() ? part : ColumnRange{std::min(range.begin, part.begin), std::max(range.end, part.end)};
                for (std::size_t d = 0; d < count; ++d) {
                    DirectionState& state = states[d];
                    for (std::size_t i = 0; i < 3; ++i) state.sources[i] = ranges[i].empty() ? no_sources.data() : sources[i].data() + d * rate_count;
                    touched[2] = sweep_line_row(s, state, r, eta, *std::max_element(maxima.begin(), maxima.end()), range) || touched[2];
                }
                for (const DirectionState& state : states)
                    if (state.begin < state.end) share_line_row(state, sums);
            }
            if (r > 0 && (touched[0] || touched[1] || touched[2])) deposit.touched[layout.row_index(plane, r - 1)] = 1;
            const auto advance = [](auto& rows_of_three) { std::rotate(rows_of_three.begin(), rows_of_three.begin() + 1, rows_of_three.end()); };
            advance(eta), advance(sums), advance(sources), advance(ranges), advance(written), advance(maxima), advance(touched);
        }
    }
    // What is left in the lines has left the grid.
    double escaped = s.lost;
    for (std::size_t i = 0; i < lines; ++i)
        if (!limits[i].empty()) escaped += sum_of(workspace.energy.data() + i * s.line_width + limits[i].begin, limits[i].end - limits[i].begin);
    return escaped;
}

}  // namespace libdose::cpu
