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

/// One rate along a stretch of lines, in whole vectors: E is updated in place, the deposit per unit of kernel
/// density is added up. `factors`: of a step's optical length.
template <class Source, class Factors>
LIBDOSE_INLINE void transport(int n, float optical, const float* __restrict kernel_density,
                              const Source& source, float* __restrict energy, float* __restrict deposit,
                              const Factors& factors) {
    for (int first = 0; first < n; first += simd_width)
#pragma omp simd
        for (int j = first; j < first + simd_width; ++j) {
            const float in = energy[j];
            const physics::StepFactors<float> f = factors(optical * kernel_density[j]);
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
LIBDOSE_INLINE void transport(float thickest, int n, float optical, const float* kernel_density,
                              const Source& source, float* energy, float* deposit) {
    const auto with = [&](const auto& factors) LIBDOSE_INLINE_LAMBDA {
        transport(n, optical, kernel_density, source, energy, deposit, factors);
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

/// Density that each line meets: bilinear between the rows of voxels a and b. Line j lies between voxels j -
/// 1 and j; weight: of a[j - 1], a[j], b[j - 1] and b[j], together 1.
LIBDOSE_INLINE void interpolate_line(int n, const std::array<float, 4>& weight, const float* __restrict a,
                                     const float* __restrict b, float* __restrict out) {
    for (int first = 0; first < n; first += simd_width)
#pragma omp simd
        for (int j = first; j < first + simd_width; ++j)
            out[j] = fused(weight[0], a[j - 1],
                           fused(weight[1], a[j], fused(weight[2], b[j - 1], weight[3] * b[j])));
}

/// Gives the deposits of lines back to the voxels of the same two rows. lines[-1] and lines[n] must be zero.
LIBDOSE_INLINE void share_line(int n, const std::array<float, 4>& weight, const float* __restrict lines,
                               float* __restrict a, float* __restrict b) {
    for (int first = -1; first < n - 1; first += simd_width)
#pragma omp simd
        for (int c = first; c < first + simd_width; ++c) {
            // Voxel c takes from line c + 1 (of which it is the lower neighbour) and from line c.
            a[c] = fused(weight[0], lines[c + 1], fused(weight[1], lines[c], a[c]));
            b[c] = fused(weight[2], lines[c + 1], fused(weight[3], lines[c], b[c]));
        }
    a[n - 1] = fused(weight[1], lines[n - 1], a[n - 1]);
    b[n - 1] = fused(weight[3], lines[n - 1], b[n - 1]);
}

/// Blends three rows of voxels into one row for lines at - 1 … at + n: density, and the sources of every
/// rate. Whole blocks are read (read_before, read_behind) and written.
LIBDOSE_INLINE void blend_rows(const Sweeper& s, const DirectionState& d,
                               const std::array<const float*, 3>& kernel_density_rows, int at, int n) {
    const physics::LatticePlace place = d.row;
    for (int first = at - 1; first <= at + n; first += simd_width) {
        float before[simd_width], here[simd_width], after[simd_width];
#pragma omp simd
        for (int l = 0; l < simd_width; ++l) {
            const int j = first + l;
            const float kernel_density = fused(place.source[0], kernel_density_rows[0][j],
                                               fused(place.source[1], kernel_density_rows[1][j],
                                                     place.source[2] * kernel_density_rows[2][j]));
            s.row_density[j] = kernel_density;
            s.inverse[j] = physics::inverse_density(kernel_density);
            before[l] = place.part(0, s.row_shares[0][j]);
            here[l] = place.part(1, s.row_shares[1][j]);
            after[l] = place.part(2, s.row_shares[2][j]);
        }
        const float *a = d.sources[0] + first, *b = d.sources[1] + first, *c = d.sources[2] + first;
        float* blended = s.row_sources + first;
        for (int k = 0; k < s.rates; ++k, a += s.pitch, b += s.pitch, c += s.pitch, blended += s.pitch)
#pragma omp simd
            for (int l = 0; l < simd_width; ++l)
                blended[l] = fused(before[l], a[l], fused(here[l], b[l], after[l] * c[l]));
    }
}

/// Source of lines at … at + n - 1, every rate: three neighbours each in the row that blend_rows has made.
LIBDOSE_INLINE void blend_columns(const Sweeper& s, const DirectionState& d, int at, int n) {
    const physics::LatticePlace place = d.column;
    for (int first = at; first < at + n; first += simd_width) {
        float before[simd_width], here[simd_width], after[simd_width];
        const float *const kernel_density = s.row_density + first, *const inverse = s.inverse + first;
#pragma omp simd
        for (int l = 0; l < simd_width; ++l) {
            float share[3];
            physics::exchange_shares({kernel_density[l - 1], kernel_density[l], kernel_density[l + 1]},
                                     {inverse[l - 1], inverse[l], inverse[l + 1]}, share);
            before[l] = place.part(0, share[0]);
            here[l] = place.part(1, share[1]);
            after[l] = place.part(2, share[2]);
        }
        const float* blended = s.row_sources + first;
        float* released = s.line_sources + first;
        for (int k = 0; k < s.rates; ++k, blended += s.pitch, released += s.pitch)
#pragma omp simd
            for (int l = 0; l < simd_width; ++l)
                released[l] =
                    fused(before[l], blended[l - 1], fused(here[l], blended[l], after[l] * blended[l + 1]));
    }
}

LIBDOSE_INLINE float largest_of_block(const float* energy) {
    float largest = 0;
#pragma omp simd reduction(max : largest)
    for (int j = 0; j < simd_width; ++j) largest = std::max(largest, std::abs(energy[j]));
    return largest;
}

/// Takes the blocks that carry next to nothing off both ends of `live`; returns their energy.
LIBDOSE_INLINE double trim(const float* energy, float negligible, Lines& live) {
    double lost = 0;
    const auto goes = [&](int first) LIBDOSE_INLINE_LAMBDA {
        if (!(largest_of_block(energy + first) < negligible)) return false;
        lost += sum_of(energy + first, simd_width);
        return true;
    };
    while (!live.empty() && goes(live.begin)) live.begin += simd_width;
    while (!live.empty() && goes(live.end - simd_width)) live.end -= simd_width;
    return lost;
}

}  // namespace

double sum_of(const float* energy, int n) {
    double sum = 0;
    for (int j = 0; j < n; ++j) sum += static_cast<double>(energy[j]);
    return sum;
}

LIBDOSE_VERSIONS
void share_rows(Sweeper& s, const std::array<const float*, 3>& kernel_density_rows, ColumnRange source) {
    const float* __restrict a = kernel_density_rows[0];
    const float* __restrict b = kernel_density_rows[1];
    const float* __restrict c = kernel_density_rows[2];
    float* __restrict before = s.row_shares[0];
    float* __restrict here = s.row_shares[1];
    float* __restrict after = s.row_shares[2];
    const int begin = source.begin - read_before, end = source.end + read_behind;
    for (int next = begin; next < end; next += simd_width) {
        const int first =
            std::min(next, end - simd_width);  // the last vector once more in part: it ends with the columns
#pragma omp simd
        for (int j = first; j < first + simd_width; ++j) {
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

namespace {

/// Lines that meet these columns of voxels, in whole blocks of their identity: line j meets columns j - 1, j
/// and j + 1 at most.
LIBDOSE_INLINE Lines lines_meeting(const DirectionState& d, const ColumnRange& columns) {
    if (columns.empty()) return {0, 0};
    return {down_to_simd_width(d.column_base + columns.begin - 1),
            up_to_simd_width(d.column_base + columns.end + 1)};
}

/// The lines of one rate in a row of lines.
struct RateLines {
    Lines& live;  ///< those that carry energy
    float* energy;
};
LIBDOSE_INLINE RateLines lines_of_rate(const Sweeper& s, const DirectionState& d, std::size_t row, int k) {
    const std::size_t line = static_cast<std::size_t>(k) * s.line_rows + row;
    return {d.limits[line], d.energy + line * s.line_width};
}

/// Drops the lines that are outside of the window; adds their energy to `lost`.
LIBDOSE_INLINE void cut(const Lines& window, const RateLines& lines, double& lost) {
    Lines& live = lines.live;
    if (live.empty()) return;
    if (live.begin < window.begin) {
        const int end = std::min(window.begin, live.end);
        lost += sum_of(lines.energy + live.begin, end - live.begin);
        live.begin = end;
    }
    if (live.end > window.end) {
        const int begin = std::max(window.end, live.begin);
        lost += sum_of(lines.energy + begin, live.end - begin);
        live.end = begin;
    }
}

LIBDOSE_INLINE void set_zero(float* energy, int begin, int end) {
    if (begin < end) std::memset(energy + begin, 0, static_cast<std::size_t>(end - begin) * sizeof(float));
}

/// Adds the lines that a source feeds, as yet without energy, and those between.
LIBDOSE_INLINE void widen(const Lines& fed, const RateLines& lines) {
    Lines& live = lines.live;
    if (live.empty()) {
        set_zero(lines.energy, fed.begin, fed.end);
        live = fed;
    } else {
        set_zero(lines.energy, fed.begin, live.begin);
        set_zero(lines.energy, live.end, fed.end);
        live = {std::min(live.begin, fed.begin), std::max(live.end, fed.end)};
    }
}

/// The lines of a row, of any rate, that carry energy in the grid or are fed by a source here.
LIBDOSE_INLINE Lines find_live(Sweeper& s, const DirectionState& d, std::size_t row, const Lines& fed) {
    const Lines window = lines_meeting(d, {0, s.columns});
    Lines all{window.end, window.begin};
    for (int k = 0; k < s.rates; ++k) {
        const RateLines lines = lines_of_rate(s, d, row, k);
        cut(window, lines, s.lost);
        if (!fed.empty()) widen(fed, lines);
        if (lines.live.empty()) continue;
        all.begin = std::min(all.begin, lines.live.begin);
        all.end = std::max(all.end, lines.live.end);
    }
    return all;
}

/// Takes lines d.begin … d.end - 1 of one rate through the plane; those that are fed take their source on the
/// way. Density and deposit are addressed by the identity of the lines.
LIBDOSE_INLINE void transport_rate(const Sweeper& s, const DirectionState& d, int k, const RateLines& lines,
                                   const Lines& fed, float highest_density, const float* kernel_density,
                                   float* deposit) {
    const float optical = s.rate[k] * d.step_cm, thickest = optical * highest_density;
    const int begin = std::max(lines.live.begin, d.begin), end = std::min(lines.live.end, d.end);
    float* const energy = lines.energy;
    const auto part = [&](int from, int to, const auto& source) LIBDOSE_INLINE_LAMBDA {
        transport(thickest, to - from, optical, kernel_density + from, source, energy + from, deposit + from);
    };
    if (fed.empty()) {
        part(begin, end, NoSource{});
    } else {
        part(begin, fed.begin, NoSource{});
        part(fed.begin, fed.end, LineSource{s.line_sources + k * s.pitch + (fed.begin - d.column_base)});
        part(fed.end, end, NoSource{});
    }
}

}  // namespace

LIBDOSE_VERSIONS
bool sweep_line_row(Sweeper& s, DirectionState& d, int r,
                    const std::array<const float*, 3>& kernel_density_rows, float highest_density,
                    ColumnRange source, ColumnRange passed) {
    const auto row = static_cast<std::size_t>(r + d.row_base);
    const Lines fed = lines_meeting(d, source), met = lines_meeting(d, passed);
    const Lines live = find_live(s, d, row, fed);
    d.begin = std::max(live.begin, met.begin);
    d.end = std::min(live.end, met.end);
    const int begin = d.begin, end = d.end;
    if (begin >= end) return false;

    const int base = d.column_base;  // line j of the plane is base + j in the buffers
    float* const kernel_density = s.line_density - base;
    float* const deposit = d.deposit - base;
    const int source_at = fed.begin - base;
    if (!fed.empty()) blend_rows(s, d, kernel_density_rows, source_at, fed.end - fed.begin);
    const auto lower_row = static_cast<std::size_t>(1 + d.row.lower);
    const int shifted = begin - base + 1 + d.column.lower;
    interpolate_line(end - begin, d.meets, kernel_density_rows[lower_row] + shifted,
                     kernel_density_rows[lower_row + 1] + shifted, kernel_density + begin);
    set_zero(deposit, begin - 1, end + 1);
    if (!fed.empty()) blend_columns(s, d, source_at, fed.end - fed.begin);
    for (int k = 0; k < s.rates; ++k) {
        const RateLines lines = lines_of_rate(s, d, row, k);
        if (lines.live.empty()) continue;
        transport_rate(s, d, k, lines, fed, highest_density, kernel_density, deposit);
        if (s.trimming) s.lost += trim(lines.energy, s.negligible, lines.live);
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
