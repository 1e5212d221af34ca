// The algorithms that there are. To add one: docs/development/add-an-algorithm.md.
#pragma once

#include <vector>

#include "engine/algorithm.h"

namespace libdose {

const DoseAlgorithm& collapsed_cone_algorithm();
const DoseAlgorithm& pencil_beam_algorithm();

/// Adds a part to a sum; an empty sum becomes the part.
void add_to(std::vector<float>& sum, std::vector<float> part);

}  // namespace libdose
