// What a calculation will take of the machine's memory, before it starts (docs/validation/performance.md).
#pragma once

#include <string>

#include "libdose/engine.h"
#include "libdose/grid.h"

namespace libdose {

struct MemoryNeeds {
    Grid grid;
    Algorithm algorithm = Algorithm::collapsed_cone;
    int threads = 1;
    std::size_t rates = 3;                          ///< of the kernel
    std::size_t maps = 1;                           ///< fluence maps held at once
    double map_pixels = 566;                        ///< along the side of a map
    double opening_u_mm = 100, opening_v_mm = 100;  ///< largest opening of the devices, isocentre plane
    double ray_spacing_voxels = 0.5;
    bool transport_elsewhere = false;  ///< another backend holds rays, sources, lines and images
};
/// Of the beams that share a calculation. Control points in which nothing turns share a map, so that `maps` may be too many.
MemoryNeeds memory_needs(const Grid& grid, const Plan& plan, const BeamModelProvider& models, const EngineOptions& options, int threads);

/// Estimate, bytes.
double memory_bytes(const MemoryNeeds& needs);

/// What the system says it could still give, bytes; 0: it does not say.
double available_memory_bytes();

/// Throws bad_input where `needed` is more than `available` (0: not known, nothing is refused).
void require_memory(double needed, double available, const std::string& where);

}  // namespace libdose
