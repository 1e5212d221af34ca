// How fluence maps are made.
#pragma once

#include <functional>
#include <vector>

#include "machine/leaf_edges.h"

namespace libdose {

class TermaTable;

struct FluenceOptions {
    double pixel_mm = 1.0;
    double sub_arc_deg =
        2.0;  ///< largest gantry, collimator or couch step that one map stands for, give or take a twentieth
    double travel_mm = 1.0;         ///< largest device travel between two samples of a moving aperture
    std::vector<LeafEdges> leaves;  ///< per collimator of the beam; empty: sharp
    const TermaTable* terma =
        nullptr;  ///< TERMA of the beam's spectrum; a beam with a wedge or a tray needs it
    std::function<void()> after_map;  ///< called after every map, by one thread at a time; may throw to stop
};

}  // namespace libdose
