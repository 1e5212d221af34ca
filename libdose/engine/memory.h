// What a calculation will take of the machine's memory, before it starts (docs/performance.md).
#pragma once

#include <string>

#include "libdose/engine.h"
#include "libdose/grid.h"

namespace libdose {

/// Upper estimate for a calculation on a grid, bytes.
double memory_bytes(const Grid& grid, Algorithm algorithm, int threads, std::size_t rates);

/// What the system says it could still give, bytes; 0: it does not say.
double available_memory_bytes();

/// Throws bad_input where `needed` is more than `available` (0: not known, nothing is refused).
void require_memory(double needed, double available, const std::string& where);

}  // namespace libdose
