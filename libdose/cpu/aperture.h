// The opening of the devices at one moment: jaws, leaves and blocks on the isocentre plane.
#pragma once

#include <array>
#include <vector>

#include "cpu/fluence.h"

namespace libdose::cpu {

/// Smallest rectangle {low x, high x, low y, high y} (mm, isocentre plane) that jaws and leaves leave open, within a radius.
std::array<double, 4> opening_mm(const Beam& beam, const ControlPoint& point, double radius_mm);

/// What the blocks of a beam let through, for every pixel of the map; empty without blocks.
std::vector<float> block_plane(const FluenceMap& map, const Beam& beam);

/// Adds weight × transmission of the aperture. Devices that move along u share one exact product with the x jaw, devices that
/// move along v with the y jaw; the two families cross at right angles, so their product is exact per strip.
void add_aperture(FluenceMap& map, const Beam& beam, const ControlPoint& point, const HeadModel& head, const std::vector<LeafEdges>& edges,
                  const std::vector<float>& blocks, double weight);

}  // namespace libdose::cpu
