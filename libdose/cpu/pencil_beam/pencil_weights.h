// Weights of a pencil kernel's components by depth, laid out to be read for millions of voxels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/simd/multiversion.h"
#include "libdose/beam_model.h"
#include "pencil_beam/pencil_plan.h"

namespace libdose::cpu {

/// Components of a pencil kernel at one point.
using PencilLanes = float __attribute__((vector_size(pencil_components * sizeof(float))));

/// Loaded straight into a register, wherever it lies.
LIBDOSE_INLINE void load(const float* from, PencilLanes& to) {
    using Anywhere = float
        __attribute__((vector_size(pencil_components * sizeof(float)), aligned(alignof(float)), may_alias));
    to = *reinterpret_cast<const Anywhere*>(from);
}

LIBDOSE_INLINE float sum_of(const PencilLanes& x) {
    return ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
}

/// physics::PencilWeights in single precision.
class PencilDepthWeights {
public:
    explicit PencilDepthWeights(const PencilKernel& kernel);

    struct Place {
        std::uint32_t node;  ///< the lower one
        float part;          ///< share of the upper one
    };
    /// Where a depth (0 or more) lies between the nodes; held before the first and after the last.
    LIBDOSE_INLINE Place place(float depth_g_cm2) const {
        const float step = depth_g_cm2 * per_step_;
        std::uint32_t node =
            node_before_[step < last_step_ ? static_cast<std::size_t>(step) : node_before_.size() - 1];
        while (node + 2 < depth_g_cm2_.size() && depth_g_cm2_[node + 1] <= depth_g_cm2) ++node;
        const float part = (depth_g_cm2 - depth_g_cm2_[node]) * per_gap_[node];
        return {node, std::min(std::max(part, 0.0f), 1.0f)};
    }
    /// Multiplies components by their weights, linear between the nodes.
    LIBDOSE_INLINE void weigh(const Place& place, PencilLanes& values) const {
        const float* at = &weights_[static_cast<std::size_t>(place.node) * pencil_components];
        PencilLanes low, high;
        load(at, low);
        load(at + pencil_components, high);
        values *= low + place.part * (high - low);
    }

private:
    std::vector<float> depth_g_cm2_, per_gap_, weights_;  ///< by node; weights [node][component], Gy cm²
    std::vector<std::uint32_t> node_before_;              ///< by steps of the depth
    float per_step_ = 1, last_step_ = 0;
};

}  // namespace libdose::cpu
