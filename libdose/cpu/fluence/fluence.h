// Head model: from the devices of a beam to fluence maps.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "fluence/stages.h"
#include "libdose/beam_model.h"
#include "libdose/plan.h"
#include "fluence/fluence_views.h"

namespace libdose::cpu {

/// Edges of the leaves of one multileaf collimator; as it stands, sharp and without overlap.
struct LeafEdges {
    double tip_decay = std::numeric_limits<double>::infinity();  ///< 1/sqrt(mm), physics::tip_decay
    double tongue_and_groove_mm = 0;
    double tip_shift_mm = 0;                       ///< tangents lie this much farther in the opening than the plan's positions
    std::optional<double> transmission;            ///< of the full leaf; absent: the head's
    std::optional<double> interleaf_transmission;  ///< between two closed leaves, in the width of tongue and groove
    std::optional<double> source_distance_mm;      ///< middle of the leaves; absent: as the jaws of the same axis
};

class TermaTable;

struct FluenceOptions {
    double pixel_mm = 1.0;
    double sub_arc_deg = 2.0;           ///< largest gantry, collimator or couch step that one map stands for, give or take a twentieth
    double travel_mm = 1.0;             ///< largest device travel between two samples of a moving aperture
    std::vector<LeafEdges> leaves;      ///< per collimator of the beam; empty: sharp
    const TermaTable* terma = nullptr;  ///< of the beam's spectrum; a beam with a wedge or a tray needs it
    std::function<void()> after_map;    ///< called after every map, by one thread at a time; may throw to stop
};

/// One map per geometry of the beam: all segments that share gantry, collimator, couch and isocentre are summed; a segment in
/// which one of them moves is cut into steps of at most sub_arc_deg, each with its own map at its middle. Values are
/// MU × relative fluence (FluenceMap). Devices move linearly with MU between control points. Throws refused_plan for a wedge that the
/// head does not hold.
std::vector<FluenceMap> beam_fluence(const Beam& beam, PatientPosition position, const HeadModel& head, const FluenceOptions& options);

/// Means over squares of n by n pixels from the lower corner on, [v][u]; what a square has beyond the map is zero.
std::vector<float> means_over_pixels(const FluenceMap& map, int n);

}  // namespace libdose::cpu
