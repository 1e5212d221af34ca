// The sheared lattice of a direction: where its lines meet the voxels of a plane
// (docs/theory/collapsed-cone.md).
#pragma once

#include <algorithm>
#include <cmath>

#include "base/host_device.h"

namespace libdose::physics {

/// Where the lines of one direction lie in one plane, along rows or columns: line n passes within half a
/// voxel of the middle of voxel n.
struct LatticePlace {
    int move;         ///< whole voxels that the lines have moved
    int lower;        ///< the two voxels that a line meets are n + lower and n + lower + 1; -1 or 0
    float meets[2];   ///< their parts: linear. Density is read and deposits are given back with these
    float source[3];  ///< the same parts, of the sources of voxels n - 1, n, n + 1
    float exchange;   ///< lattice correction: taken more from the neighbours and less from voxel n, as far
                      ///< as exchange_shares() allows

    /// Part of the source of voxel n - 1 + i that line n takes. `share`: by exchange_shares().
    LIBDOSE_HD float part(int i, float share) const { return fused(exchange, share, source[i]); }
};

/// Linear parts widen a distribution by the variance off (1 - off), voxels², 1/6 on average: twice, when a
/// source is read and when deposits are given back. A direction that keeps its place in the voxels does not
/// average that out. So lines exchange some of their sources with their neighbours to make up for it: the
/// variance of all together is 1/3 wherever the line is.
constexpr double lattice_parts_variance = 1.0 / 3;

/// 1 / density, cm³/g; of a vacuum so large that exchange_shares() reaches its limit of 1.
template <class Real>
LIBDOSE_HD inline Real inverse_density(Real density) {
    return Real(1) / std::max(density, Real(1e-20));
}

/// Fraction of the sources of three neighbouring voxels that the middle one takes, per unit of
/// LatticePlace::exchange: positive from the outer two, negative for its own, as much as they take from it.
/// Each pair exchanges only what its thinner voxel can hold. So uniform energy per density stays uniform at
/// any densities, and a dense voxel cannot drain into air.
template <class Real>
LIBDOSE_HD inline void exchange_shares(const Real (&density)[3], const Real (&inverse)[3], Real (&share)[3]) {
    const auto of = [&](int giver, int taker) { return std::min(Real(1), density[taker] * inverse[giver]); };
    share[0] = of(0, 1);
    share[1] = -(of(1, 0) + of(1, 2));
    share[2] = of(2, 1);
}

/// Whole voxels that the lines have moved in plane n.
LIBDOSE_HD inline int lattice_move(double first, double shift, int n) {
    return static_cast<int>(std::floor(first + shift * n + 0.5));
}

/// Plane number n of a direction that begins at a fraction of a voxel (`first`) and moves by `shift` voxels a
/// plane. `rounded`: a line meets only the voxel in which it lies.
LIBDOSE_HD inline LatticePlace lattice_place(double first, double shift, int n, bool rounded) {
    const int move = lattice_move(first, shift, n);
    if (rounded) return {move, 0, {1, 0}, {0, 1, 0}, 0};
    const double off = first + shift * n - move;  // from the middle of its voxel, -1/2 ... 1/2
    const int lower = off < 0 ? -1 : 0;
    const double high = off - lower;
    const auto part_low = static_cast<float>(1 - high), part_high = static_cast<float>(high);
    return {move,
            lower,
            {part_low, part_high},
            {lower < 0 ? part_low : 0, lower < 0 ? part_high : part_low, lower < 0 ? 0 : part_high},
            static_cast<float>(0.5 * lattice_parts_variance - high * (1 - high))};
}

/// How the buffers of a direction hold its lines along rows or columns: line number i of plane n is at i + 1
/// + base(n) in every plane, and lines run from -1 to the number of rows or columns.
struct LatticeSpan {
    double first, shift;
    int highest;  ///< move
    int wander;   ///< from the first plane to the last

    LIBDOSE_HD LatticeSpan(double first_in, double shift_in, int planes) : first(first_in), shift(shift_in) {
        const int begin = lattice_move(first, shift, 0), end = lattice_move(first, shift, planes - 1);
        highest = begin > end ? begin : end;
        wander = begin > end ? begin - end : end - begin;
    }
    /// base(n), by the move in plane n.
    LIBDOSE_HD int base(int move) const { return highest - move; }
    LIBDOSE_HD int lines(int voxels) const { return voxels + 2 + wander; }
};

}  // namespace libdose::physics
