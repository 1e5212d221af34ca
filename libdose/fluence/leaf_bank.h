// Transmission of the leaves of one collimator, pixel by pixel of a fluence map: along their travel, and
// across them.
#pragma once

#include <cmath>

#include "fluence/head_equations.h"

namespace libdose::physics {

/// Along the travel, mm on the isocentre plane: a cell, an opening of jaws, the tangents of a pair of leaves'
/// ends.
struct Interval {
    double low, high;
};

/// Where there is nothing in the way.
LIBDOSE_HD constexpr Interval wide_open() { return {-1e6, 1e6}; }

/// A multileaf collimator with the jaws that move along with its leaves. Transmissions 0 … 1.
struct LeafBank {
    double jaw_transmission = 0, leaf_transmission = 0;
    double between_transmission = 0;  ///< between two closed leaves, where tongue and groove overlap
    double tip_decay = std::numeric_limits<double>::infinity();

    /// Integral of what passes a pair up to x (physics::open_integral_to).
    LIBDOSE_HD double open_to(double x, const Interval& leaves) const {
        return open_integral_to(x, leaves.low, leaves.high, tip_decay);
    }

    /// Mean over a cell behind one pair and the jaws; open_to_low, open_to_high: open_to() its ends.
    LIBDOSE_HD float pair(const Interval& cell, const Interval& jaw, const Interval& leaves,
                          double open_to_low, double open_to_high) const {
        return static_cast<float>(
            jaw_leaf_transmission(cell.low, cell.high, jaw.low, jaw.high, jaw_transmission, leaves.low,
                                  leaves.high, leaf_transmission, tip_decay, open_to_low, open_to_high));
    }

    /// Mean over a cell where two neighbouring pairs overlap in tongue and groove; pair_one, pair_other:
    /// behind the pairs themselves.
    LIBDOSE_HD float overlap(const Interval& cell, const Interval& jaw, const Interval& one,
                             const Interval& other, float pair_one, float pair_other) const {
        // Both open, or both closed with nothing more between them: no edge in this cell.
        const bool same = std::abs(pair_one - pair_other) < 1e-4f;
        if (same && (between_transmission == leaf_transmission || pair_one > 0.9999f)) return pair_one;
        constexpr int samples = 8;
        double sum = 0;
        for (int s = 0; s < samples; ++s) {
            const double at = cell.low + (s + 0.5) / samples * (cell.high - cell.low);
            const double behind_jaw = at > jaw.low && at < jaw.high ? 1 : jaw_transmission;
            const double p = open_at(at, one.low, one.high, tip_decay),
                         q = open_at(at, other.low, other.high, tip_decay);
            sum += behind_jaw * (tongue_and_groove(leaf_transmission + (1 - leaf_transmission) * p,
                                                   leaf_transmission + (1 - leaf_transmission) * q) +
                                 (between_transmission - leaf_transmission) * (1 - p) * (1 - q));
        }
        return static_cast<float>(sum / samples);
    }
};

/// Mean over a cell behind jaws alone.
LIBDOSE_HD inline double jaws_alone(const Interval& cell, const Interval& jaw, double jaw_transmission) {
    const double open = overlap(cell.low, cell.high, jaw.low, jaw.high) / (cell.high - cell.low);
    return open + (1 - open) * jaw_transmission;
}

/// Part of a row of pixels that a strip along the travel covers: a pair, an overlap of two, or neither.
struct StripShare {
    int strip;
    float part;
};

}  // namespace libdose::physics
