// Fluence maps of an arc, parted into what needs every angle and the finest grid and what does not (docs/methods/collapsed-cone.md).
#pragma once

#include <vector>

#include "engine/stages.h"

namespace libdose {

struct ArcMaps {
    std::vector<FluenceMap> open;       ///< one per map, cut to what is open; without electrons
    std::vector<FluenceMap> faint;      ///< what comes through jaws and leaves, summed over sectors of angle; without electrons
    std::vector<FluenceMap> electrons;  ///< electron maps summed over sectors; no photons
};

/// Nothing is dropped: the maps of a sector are released from the angle in its middle.
ArcMaps part_arc(const std::vector<FluenceMap>& maps);

}  // namespace libdose
