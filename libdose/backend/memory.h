// What a calculation takes of the host's memory, before it starts (docs/validation/performance.md).
#pragma once

#include <cstddef>
#include <string>

#include "libdose/engine.h"
#include "libdose/grid.h"

namespace libdose {

/// The sources of one transport take up to about this much; more are transported in several parts.
inline constexpr double source_budget_bytes = 512.0 * 1024 * 1024;

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

/// Estimate, bytes.
double memory_bytes(const MemoryNeeds& needs);

/// What the system says it could still give, bytes; 0: it does not say.
double available_memory_bytes();

/// Throws bad_input where `needed` is more than `available` (0: not known, nothing is refused).
void require_memory(double needed, double available, const std::string& where);

}  // namespace libdose
