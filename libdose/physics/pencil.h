// Pencil-beam dose at a point (Ahnesjö, Saxner, Trepp 1992, Med. Phys. 19:263, with tabulated components instead of
// exponentials): D = sum_i w_i(d) · (Ψ ⊗ κ_i)(u, v), kernels in true lateral distance at the point's distance from the source.
#pragma once

#include <algorithm>
#include <cstddef>

#include "libdose/beam_model.h"

namespace libdose::physics {

/// Value of a component at a radius (cm): constant within a ring, zero beyond the last.
inline double pencil_component(const PencilKernel& kernel, std::size_t component, double radius_cm) {
    const std::size_t rings = kernel.radius_cm.size() - 1;
    if (radius_cm >= kernel.radius_cm.back()) return 0;
    const auto upper = static_cast<std::size_t>(std::upper_bound(kernel.radius_cm.begin(), kernel.radius_cm.end(), radius_cm) - kernel.radius_cm.begin());
    return kernel.components[component * rings + upper - 1];
}

/// Weights of all components at a water-equivalent depth, linear between the nodes, held before the first and after the last.
inline void pencil_weights(const PencilKernel& kernel, double depth_g_cm2, double* out) {
    const auto& nodes = kernel.depth_g_cm2;
    const std::size_t n = kernel.weights.size() / nodes.size();
    const auto upper =
        std::clamp<std::size_t>(static_cast<std::size_t>(std::upper_bound(nodes.begin(), nodes.end(), depth_g_cm2) - nodes.begin()), 1, nodes.size() - 1);
    const double part = std::clamp((depth_g_cm2 - nodes[upper - 1]) / (nodes[upper] - nodes[upper - 1]), 0.0, 1.0);
    for (std::size_t i = 0; i < n; ++i) out[i] = (1 - part) * kernel.weights[(upper - 1) * n + i] + part * kernel.weights[upper * n + i];
}

}  // namespace libdose::physics
