#include "cpu/pencil_beam/pencil_weights.h"

#include "pencil_beam/pencil_equations.h"

namespace libdose::cpu {

PencilDepthWeights::PencilDepthWeights(const PencilKernel& kernel) {
    const physics::PencilWeights exact = physics::weights_of(kernel);
    // Steps no wider than any gap between nodes: the search for one ends after a node.
    double gap = kernel.depth_g_cm2.back() / 50000;
    if (const auto& depth = kernel.depth_g_cm2; depth.size() > 1) {
        double least = depth.back() - depth.front();
        for (std::size_t n = 1; n < depth.size(); ++n) least = std::min(least, depth[n] - depth[n - 1]);
        gap = std::max(gap, least);
    }
    for (std::size_t step = 0; static_cast<double>(step) * gap <= kernel.depth_g_cm2.back(); ++step)
        node_before_.push_back(static_cast<std::uint32_t>(exact.place(static_cast<double>(step) * gap).node));
    per_step_ = static_cast<float>(1 / gap);
    last_step_ = static_cast<float>(node_before_.size() - 1);
    weights_.assign(exact.nodes * pencil_components, 0.0f);
    for (std::size_t n = 0; n < exact.nodes; ++n) {
        depth_g_cm2_.push_back(static_cast<float>(exact.depth_g_cm2[n]));
        per_gap_.push_back(n + 1 < exact.nodes
                               ? static_cast<float>(1 / (exact.depth_g_cm2[n + 1] - exact.depth_g_cm2[n]))
                               : 0.0f);
        for (std::size_t c = 0; c < exact.components; ++c)
            weights_[n * pencil_components + c] = static_cast<float>(exact.weights[n * exact.components + c]);
    }
}

}  // namespace libdose::cpu
