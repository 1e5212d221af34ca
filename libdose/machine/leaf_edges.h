// How the leaves of a multileaf collimator end, as the fluence needs it.
#pragma once

#include <limits>
#include <optional>

namespace libdose {

/// Edges of the leaves of one multileaf collimator; as it stands, sharp and without overlap.
struct LeafEdges {
    double tip_decay = std::numeric_limits<double>::infinity();  ///< 1/sqrt(mm), physics::tip_decay
    double tongue_and_groove_mm = 0;
    double tip_shift_mm = 0;  ///< tangents lie this much farther in the opening than the plan's positions
    std::optional<double> transmission;  ///< of the full leaf; absent: the head's
    std::optional<double>
        interleaf_transmission;  ///< between two closed leaves, in the width of tongue and groove
    std::optional<double> source_distance_mm;  ///< middle of the leaves; absent: as the jaws of the same axis
};

}  // namespace libdose
