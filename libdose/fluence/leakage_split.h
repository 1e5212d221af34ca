// Fluence maps, parted into what needs every angle and the finest grid and what does not
// (docs/theory/collapsed-cone.md).
#pragma once

#include <vector>

#include "fluence/fluence_map.h"
namespace libdose {

/// Both parts of a map are continuous. Leakage is what comes through jaws and leaves: values up to a small
/// part of the map's maximum, and less and less of those beyond.
struct LeakageSplit {
    std::vector<FluenceMap> primary;    ///< one per map, cut to the opening; without electrons
    std::vector<FluenceMap> leakage;    ///< without electrons
    std::vector<FluenceMap> electrons;  ///< no photons
};

/// An arc: the leakage, and the electrons, are summed over sectors of angle and released from the sector's
/// middle. Nothing is dropped.
LeakageSplit split_arc(const std::vector<FluenceMap>& maps);

/// One map; `leakage` is empty where the map has little beyond its opening, and it stays whole. No electrons.
LeakageSplit split_map(const FluenceMap& map);

}  // namespace libdose
