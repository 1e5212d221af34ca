// Place of a ray and a depth in the table of emission into the directions
// (docs/theory/collapsed-cone.md).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/host_device.h"

namespace libdose::physics {

/// A cell between eight nodes and the fractions of its upper ones.
struct EmissionPlace {
    std::uint32_t cell;
    float u, v, depth;
};

/// Nodes [v][u][depth]: even steps of the ray's slopes, given depths (at least two), g/cm².
struct EmissionRaster {
    float low_u = 0, low_v = 0, per_slope_u = 1, per_slope_v = 1;
    int size_u = 2, size_v = 2, depth_count = 2;
    const float* depths = nullptr;

    // Without branches, so that loops vectorise. A NaN stays one in the fractions.

    LIBDOSE_HD EmissionPlace place(float slope_u, float slope_v, float depth_g_cm2) const {
        int set = 0;
        float shallower = depths[0], deeper = depths[1];
        for (int next = 1; next + 1 < depth_count; ++next) descend(next, depth_g_cm2, set, shallower, deeper);
        return place(slope_u, slope_v, depth_g_cm2, set, shallower, deeper);
    }

    /// The two depths on either side are found from the first two (set 0) on, through all others in turn.
    LIBDOSE_HD void descend(int next, float depth_g_cm2, int& set, float& shallower, float& deeper) const {
        const float here = depths[next], then = depths[next + 1];
        const bool beyond = depth_g_cm2 > here;
        set = beyond ? next : set;
        shallower = beyond ? here : shallower;
        deeper = beyond ? then : deeper;
    }
    LIBDOSE_HD EmissionPlace place(float slope_u, float slope_v, float depth_g_cm2, int set, float shallower,
                                   float deeper) const {
        EmissionPlace p;
        const int i = node((slope_u - low_u) * per_slope_u, size_u, p.u),
                  j = node((slope_v - low_v) * per_slope_v, size_v, p.v);
        const float part = (depth_g_cm2 - shallower) / (deeper - shallower),
                    from_zero = part < 0.0f ? 0.0f : part;
        p.depth = from_zero > 1.0f ? 1.0f : from_zero;
        p.cell = static_cast<std::uint32_t>((j * size_u + i) * depth_count + set);
        return p;
    }

private:
    LIBDOSE_HD static int node(float x, int size, float& part) {
        const auto last = static_cast<float>(size - 1);
        x = x < 0.0f ? 0.0f : x;
        x = x > last ? last : x;
        int low = static_cast<int>(x);
        low = low < size - 2 ? low : size - 2;
        low = low > 0 ? low : 0;  // of what is not a number
        part = x - static_cast<float>(low);
        return low;
    }
};

/// How many nodes a corner of a cell lies behind its own: u fastest, then v, then depth.
LIBDOSE_HD inline std::size_t emission_corner(std::size_t corner, std::size_t size_u,
                                              std::size_t depth_count) {
    return (corner & 1) * depth_count + (corner >> 1 & 1) * size_u * depth_count + (corner >> 2 & 1);
}

/// Weight of corner c of a cell in tetrahedral (Kuhn) interpolation; bits of c from the lowest: u, v, depth.
/// Fractions in the cell 0 … 1, as Real or vectors of them. At most four of the eight weights are not zero:
/// the cell is cut into six tetrahedra along the diagonal from its first to its last corner. (Trilinear
/// interpolation reads all eight, for as smooth a result.)
template <class Real>
LIBDOSE_HD inline void emission_weight(std::size_t corner, const Real& u, const Real& v, const Real& depth,
                                       Real& weight) {
    const Real zero =
        (u - u) + (v - v) + (depth - depth);  // carries a NaN on: comparisons alone would drop it
    Real least = zero + 1.0f,
         largest =
             zero;  // least fraction along axes with the corner at the upper end, largest along the others
    const auto enter = [&](bool upper, const Real& x) {
        if (upper)
            least = x < least ? x : least;
        else
            largest = x > largest ? x : largest;
    };
    enter(corner & 1, u);
    enter(corner & 2, v);
    enter(corner & 4, depth);
    weight = least > largest ? least - largest : zero;
}

/// Emission of one rate into one direction, corrected so that all directions together emit the kernel's
/// energy of that rate. The difference is shared in proportion to the size of each emission, as coefficients
/// may be of either sign and all but cancel. `missing`: (whole - sum) over the sum of sizes.
inline double balanced_emission(double emitted, double missing) {
    return emitted + std::abs(emitted) * missing;
}
inline double missing_emission(double whole, double sum, double sum_of_sizes) {
    return sum_of_sizes > 0 ? (whole - sum) / sum_of_sizes : 0;
}

}  // namespace libdose::physics
