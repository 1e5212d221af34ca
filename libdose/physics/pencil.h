// Pencil-beam dose at a point (Ahnesjö, Saxner, Trepp 1992, Med. Phys. 19:263, with tabulated components instead of
// exponentials): D = sum_i w_i(d) · (Ψ ⊗ κ_i)(u, v), kernels in true lateral distance at the point's distance from the source.
#pragma once

#include <algorithm>
#include <cstddef>

#include "libdose/beam_model.h"

namespace libdose::physics {

/// Where a depth lies between the nodes of a kernel.
struct PencilDepth {
    std::size_t node;  ///< the lower one
    double part;       ///< share of the upper one
};

/// Held before the first node and after the last. `from`: a node that lies before the depth, where a search may begin.
inline PencilDepth pencil_depth(const PencilKernel& kernel, double depth_g_cm2, std::size_t from = 0) {
    const auto& nodes = kernel.depth_g_cm2;
    while (from + 2 < nodes.size() && nodes[from + 1] <= depth_g_cm2) ++from;
    return {from, std::clamp((depth_g_cm2 - nodes[from]) / (nodes[from + 1] - nodes[from]), 0.0, 1.0)};
}

/// Weight of a component at a depth, linear between the nodes.
inline double pencil_weight(const PencilKernel& kernel, const PencilDepth& depth, std::size_t component) {
    const std::size_t n = kernel.weights.size() / kernel.depth_g_cm2.size();
    const double* low = &kernel.weights[depth.node * n + component];
    return (1 - depth.part) * low[0] + depth.part * low[n];
}

}  // namespace libdose::physics
