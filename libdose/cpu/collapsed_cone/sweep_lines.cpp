#include "cpu/collapsed_cone/sweep_lines.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "base/simd/multiversion.h"
#include "collapsed_cone/cone_transport.h"

namespace libdose::cpu {

namespace {

using physics::fused;

/// The source of a row of lines.
struct LineSource {
    const float* released;
};
struct NoSource {};

/// One rate along a block-wise stretch of lines: E is updated in place, the deposit per unit of eta is added
/// up. `factors`: of a step's optical length.
template <class Source, class Factors>
LIBDOSE_INLINE void transport(int n, float optical, const float* __restrict eta, const Source& source,
                              float* __restrict energy, float* __restrict deposit, const Factors& factors) {
    for (int first = 0; first < n; first += block)
#pragma omp simd
        for (int j = first; j < first + block; ++j) {
            const float in = energy[j];
            const physics::StepFactors<float> f = factors(optical * eta[j]);
            if constexpr (std::is_same_v<Source, LineSource>) {
                const float q = source.released[j];
                deposit[j] = fused(optical, fused(in, f.g, q * f.h), deposit[j]);
                energy[j] = fused(in, f.e, q * f.g);
            } else {
                deposit[j] = fused(optical, in * f.g, deposit[j]);
                energy[j] = in * f.e;
            }
        }
}

template <class Source>
LIBDOSE_INLINE void transport(float thickest, int n, float optical, const float* eta, const Source& source,
                              float* energy, float* deposit) {
    const auto with = [&](const auto& factors) LIBDOSE_INLINE_LAMBDA {
        transport(n, optical, eta, source, energy, deposit, factors);
    };
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
LIBDOSE_INLINE void mix_line(int n, const std::array<float, 4>& weight, const float* __restrict a,
                             const float* __restrict b, float* __restrict out) {
    for (int first = 0; first < n; first += block)
#pragma omp simd
        for (int j = first; j < first + block; ++j)
            out[j] = fused(weight[0], a[j - 1],
                           fused(weight[1], a[j], fused(weight[2], b[j - 1], weight[3] * b[j])));
}

/// Gives the deposits of lines back to the voxels of the same two rows. lines[-1] and lines[n] must be zero.
LIBDOSE_INLINE void share_line(int n, const std::array<float, 4>& weight, const float* __restrict lines,
                               float* __restrict a, float* __restrict b) {
    for (int first = -1; first < n - 1; first += block)
#pragma omp simd
        for (int c = first; c < first + block; ++c) {
            // Voxel c takes from line c + 1 (of which it is the lower neighbour) and from line c.
            a[c] = fused(weight[0], lines[c + 1], fused(weight[1], lines[c], a[c]));
            b[c] = fused(weight[2], lines[c + 1], fused(weight[3], lines[c], b[c]));
        }
    a[n - 1] = fused(weight[1], lines[n - 1], a[n - 1]);
    b[n - 1] = fused(weight[3], lines[n - 1], b[n - 1]);
}

/// What lines -1 … n of a row take of three rows of voxels: density, and the sources of every rate. Whole
/// blocks are read (read_before, read_behind) and written.
LIBDOSE_INLINE void mix_rows(const Sweeper& s, const DirectionState& d,
                             const std::array<const float*, 3>& eta_rows, int at, int n) {
    const physics::LatticePlace place = d.row;
    for (int first = at - 1; first <= at + n; first += block) {
        float before[block], here[block], after[block];
#pragma omp simd
        for (int l = 0; l < block; ++l) {
            const int j = first + l;
            const float eta = fused(place.source[0], eta_rows[0][j],
                                    fused(place.source[1], eta_rows[1][j], place.source[2] * eta_rows[2][j]));
            s.row_eta[j] = eta;
            s.inverse[j] = physics::inverse_density(eta);
            before[l] = place.part(0, s.row_shares[0][j]);
            here[l] = place.part(1, s.row_shares[1][j]);
            after[l] = place.part(2, s.row_shares[2][j]);
        }
        const float *a = d.sources[0] + first, *b = d.sources[1] + first, *c = d.sources[2] + first;
        float* mixed = s.row_sources + first;
        for (int k = 0; k < s.rates; ++k, a += s.pitch, b += s.pitch, c += s.pitch, mixed += s.pitch)
#pragma omp simd
            for (int l = 0; l < block; ++l)
                mixed[l] = fused(before[l], a[l], fused(here[l], b[l], after[l] * c[l]));
    }
}

/// What lines 0 … n - 1 take along the row that is mixed.
LIBDOSE_INLINE void mix_columns(const Sweeper& s, const DirectionState& d, int at, int n) {
    const physics::LatticePlace place = d.column;
    for (int first = at; first < at + n; first += block) {
        float before[block], here[block], after[block];
        const float *const eta = s.row_eta + first, *const inverse = s.inverse + first;
#pragma omp simd
        for (int l = 0; l < block; ++l) {
            float share[3];
            physics::exchange_shares({eta[l - 1], eta[l], eta[l + 1]},
                                     {inverse[l - 1], inverse[l], inverse[l + 1]}, share);
            before[l] = place.part(0, share[0]);
            here[l] = place.part(1, share[1]);
            after[l] = place.part(2, share[2]);
        }
        const float* mixed = s.row_sources + first;
        float* released = s.line_sources + first;
        for (int k = 0; k < s.rates; ++k, mixed += s.pitch, released += s.pitch)
#pragma omp simd
            for (int l = 0; l < block; ++l)
                released[l] =
                    fused(before[l], mixed[l - 1], fused(here[l], mixed[l], after[l] * mixed[l + 1]));
    }
}

LIBDOSE_INLINE float largest_of_block(const float* energy) {
    float largest = 0;
#pragma omp simd reduction(max : largest)
    for (int j = 0; j < block; ++j) largest = std::max(largest, std::abs(energy[j]));
    return largest;
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

}  // namespace

double sum_of(const float* energy, int n) {
    double sum = 0;
    for (int j = 0; j < n; ++j) sum += static_cast<double>(energy[j]);
    return sum;
}

LIBDOSE_VERSIONS
void share_rows(Sweeper& s, const std::array<const float*, 3>& eta_rows, ColumnRange source) {
    const float* __restrict a = eta_rows[0], * __restrict b = eta_rows[1], * __restrict c = eta_rows[2];
    float* __restrict before = s.row_shares[0], * __restrict here = s.row_shares[1], * __restrict after = s.row_shares[2];
    const int begin = source.begin - read_before, end = source.end + read_behind;
    for (int next = begin; next < end; next += block) {
        const int first =
            std::min(next, end - block);  // the last block once more in part: it ends with the columns
#pragma omp simd
        for (int j = first; j < first + block; ++j) {
            float share[3];
            physics::exchange_shares({a[j], b[j], c[j]},
                                     {physics::inverse_density(a[j]), physics::inverse_density(b[j]),
                                      physics::inverse_density(c[j])},
                                     share);
            before[j] = share[0];
            here[j] = share[1];
            after[j] = share[2];
        }
    }
}

LIBDOSE_VERSIONS
bool sweep_line_row(Sweeper& s, DirectionState& d, int r, const std::array<const float*, 3>& eta_rows,
                    float eta_maximum, ColumnRange source, ColumnRange passed) {
    const auto row = static_cast<std::size_t>(r + d.row_base);
    // Lines that meet the grid, and those of them that have a source, as blocks of their identity.
    const int window_begin = down_to_block(d.column_base - 1),
              window_end = up_to_block(d.column_base + s.columns + 1);
    const int source_begin = down_to_block(d.column_base + source.begin - 1),
              source_end = up_to_block(d.column_base + source.end + 1);
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
                if (from < to)
                    std::memset(energy + from, 0, static_cast<std::size_t>(to - from) * sizeof(float));
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
        if (!live.empty()) {
            begin = std::min(begin, live.begin);
            end = std::max(end, live.end);
        }
    }
    // Line j meets columns j - 1, j and j + 1 at most.
    begin = std::max(begin, down_to_block(d.column_base + passed.begin - 1));
    end = std::min(end, up_to_block(d.column_base + passed.end + 1));
    if (passed.empty()) end = begin;
    d.begin = begin;
    d.end = end;
    if (begin >= end) return false;

    const int base = d.column_base;  // line j of the plane is base + j in the buffers
    float* const eta = s.line_eta - base;
    float* const deposit = d.deposit - base;
    const int source_at = source_begin - base;
    if (!source.empty()) mix_rows(s, d, eta_rows, source_at, source_end - source_begin);
    const auto lower_row = static_cast<std::size_t>(1 + d.row.lower);
    const int shifted = begin - base + 1 + d.column.lower;
    mix_line(end - begin, d.meets, eta_rows[lower_row] + shifted, eta_rows[lower_row + 1] + shifted,
             eta + begin);
    std::memset(deposit + begin - 1, 0, static_cast<std::size_t>(end - begin + 2) * sizeof(float));
    if (!source.empty()) mix_columns(s, d, source_at, source_end - source_begin);
    for (int k = 0; k < s.rates; ++k) {
        const std::size_t line = static_cast<std::size_t>(k) * s.line_rows + row;
        Lines& live = d.limits[line];
        if (live.empty()) continue;
        float* energy = d.energy + line * s.line_width;
        const float optical = s.rate[k] * d.step_cm, thickest = optical * eta_maximum;
        const int live_begin = std::max(live.begin, begin), live_end = std::min(live.end, end);
        const auto part = [&](int from, int to, const auto& source_of_lines) LIBDOSE_INLINE_LAMBDA {
            transport(thickest, to - from, optical, eta + from, source_of_lines, energy + from,
                      deposit + from);
        };
        if (source.empty()) {
            part(live_begin, live_end, NoSource{});
        } else {
            part(live_begin, source_begin, NoSource{});
            part(source_begin, source_end, LineSource{s.line_sources + k * s.pitch + source_at});
            part(source_end, live_end, NoSource{});
        }
        if (s.trimming) s.lost += trim(energy, s.negligible, live);
    }
    return true;
}

LIBDOSE_VERSIONS
void share_line_row(const DirectionState& d, const std::array<float*, 3>& deposit_rows) {
    const auto lower_row = static_cast<std::size_t>(1 + d.row.lower);
    const int first = d.begin - d.column_base, shifted = first + 1 + d.column.lower;
    share_line(d.end - d.begin, d.meets, d.deposit + first, deposit_rows[lower_row] + shifted,
               deposit_rows[lower_row + 1] + shifted);
}

}  // namespace libdose::cpu
