// The size of a calculation, from its plan.
#pragma once

#include "backend/memory.h"

namespace libdose {

/// Of the beams that share a calculation. Control points in which nothing turns share a map, so that `maps`
/// may be too many.
MemoryNeeds memory_needs(const Grid& grid, const Plan& plan, const BeamModelProvider& models,
                         const EngineOptions& options, int threads);

}  // namespace libdose
