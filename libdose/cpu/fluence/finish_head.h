// From a sum of apertures to the fluence that leaves the head, on the CPU.
#pragma once

#include <vector>

#include "fluence/fluence_map.h"
#include "fluence/head.h"
#include "machine/leaf_edges.h"
#include "terma/terma_table.h"

namespace libdose::cpu {

/// OpenHead at the pixels of a raster, the same for all maps of a beam behind one filter.
struct OpenPlane {
    std::vector<float> profile, transmission;
};
OpenPlane open_plane(const FluenceMap& raster, const Beam& beam, const HeadModel& head,
                     const BeamFilter* filter, const TermaTable* table);

/// Turns a sum of apertures into the fluence of the head: focal spot, open-field profile, primary collimator,
/// extrafocal source, wedge, trays, and the blurred aperture of the electrons.
void finish(FluenceMap& map, const Beam& beam, const HeadModel& head, const OpenPlane& open,
            const std::vector<LeafEdges>& leaves, double collimator_deg);

}  // namespace libdose::cpu
