// What the stages of the pipeline hand to each other. A backend (libdose/cpu, later cuda) provides the stage functions.
#pragma once

#include <cstdint>
#include <vector>

#include "libdose/density.h"
#include "libdose/grid.h"
#include "physics/coordinates.h"

namespace libdose {

/// Photon fluence in the isocentre plane (beam-limiting-device frame), area-averaged per pixel and times MU; 1 per MU is
/// the open field on the axis. Pixel (0,0) has its lower corner at (lower_u_mm, lower_v_mm); u fastest.
struct FluenceMap {
    physics::BeamFrame frame;
    double pixel_mm = 1;
    int size_u = 0, size_v = 0;
    double lower_u_mm = 0, lower_v_mm = 0;
    std::vector<float> values;

    float& at(int u, int v) { return values[static_cast<std::size_t>(v) * static_cast<std::size_t>(size_u) + static_cast<std::size_t>(u)]; }
    float at(int u, int v) const { return values[static_cast<std::size_t>(v) * static_cast<std::size_t>(size_u) + static_cast<std::size_t>(u)]; }
};

/// Energy that one fluence map releases, voxel by voxel (only where it is not zero), ascending voxel index.
struct ReleasedEnergy {
    physics::BeamFrame frame;
    std::vector<std::uint32_t> voxel;
    std::vector<float> energy;            ///< TERMA × density, Gy g/cm³
    std::vector<float> slope_u, slope_v;  ///< direction of the local ray: (u, v) / source-axis distance
    std::vector<float> depth_g_cm2;       ///< water-equivalent depth (hardening of the kernel)
    std::size_t size() const { return voxel.size(); }
    std::size_t bytes() const { return size() * 20; }
};

}  // namespace libdose
