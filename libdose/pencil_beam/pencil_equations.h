// Pencil-beam dose at a point (Ahnesjö, Saxner, Trepp 1992, Med. Phys. 19:263, with tabulated components
// instead of exponentials): D = sum_i w_i(d) · (Ψ ⊗ κ_i)(u, v), kernels in true lateral distance at the
// point's distance from the source.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/host_device.h"
#include "libdose/beam_model.h"

namespace libdose::physics {

/// Where a depth lies between the nodes of a kernel.
struct PencilDepth {
    std::size_t node;  ///< the lower one
    double part;       ///< share of the upper one
};

/// Weights [depth node][component] as plain arrays.
struct PencilWeights {
    std::size_t nodes = 0, components = 0;
    const double *depth_g_cm2 = nullptr, *weights = nullptr;  ///< Gy cm²

    /// Held before the first node and after the last. `from`: a node that lies before the depth, where a
    /// search may begin.
    LIBDOSE_HD PencilDepth place(double depth, std::size_t from = 0) const {
        while (from + 2 < nodes && depth_g_cm2[from + 1] <= depth) ++from;
        return {from, std::clamp((depth - depth_g_cm2[from]) / (depth_g_cm2[from + 1] - depth_g_cm2[from]),
                                 0.0, 1.0)};
    }
    /// Weight of a component at a depth, linear between the nodes.
    LIBDOSE_HD double at(const PencilDepth& depth, std::size_t component) const {
        const double* low = weights + depth.node * components + component;
        return (1 - depth.part) * low[0] + depth.part * low[components];
    }
};
inline PencilWeights weights_of(const PencilKernel& kernel) {
    return {kernel.depth_g_cm2.size(), kernel.weights.size() / kernel.depth_g_cm2.size(),
            kernel.depth_g_cm2.data(), kernel.weights.data()};
}

inline PencilDepth pencil_depth(const PencilKernel& kernel, double depth_g_cm2, std::size_t from = 0) {
    return weights_of(kernel).place(depth_g_cm2, from);
}
inline double pencil_weight(const PencilKernel& kernel, const PencilDepth& depth, std::size_t component) {
    return weights_of(kernel).at(depth, component);
}

/// Pixels of the isocentre plane.
struct PlaneRaster {
    double pixel_mm = 1, lower_u_mm = 0, lower_v_mm = 0;
    int size_u = 0, size_v = 0;

    /// The pixel whose centre lies before a point, and the shares of the next ones; false where the point
    /// does not lie between centres.
    template <class Real>
    LIBDOSE_HD bool place(Real u_mm, Real v_mm, int& iu, int& iv, float& fu, float& fv) const {
        const Real x = (u_mm - static_cast<Real>(lower_u_mm)) / static_cast<Real>(pixel_mm) - Real(0.5),
                   y = (v_mm - static_cast<Real>(lower_v_mm)) / static_cast<Real>(pixel_mm) - Real(0.5);
        iu = static_cast<int>(std::floor(x));
        iv = static_cast<int>(std::floor(y));
        fu = static_cast<float>(x - static_cast<Real>(iu));
        fv = static_cast<float>(y - static_cast<Real>(iv));
        return iu >= 0 && iv >= 0 && iu + 1 < size_u && iv + 1 < size_v;
    }
};

/// Adds `weight` times the value between four pixels (u fastest).
template <class Value>
LIBDOSE_HD inline void add_bilinear(const Value& a, const Value& b, const Value& c, const Value& d, float fu,
                                    float fv, float weight, Value& sum) {
    const float low = weight * (1 - fv), high = weight * fv;
    sum += (low * (1 - fu)) * a + (low * fu) * b + (high * (1 - fu)) * c + (high * fu) * d;
}

/// Natural logarithm of a positive normal number within 1e-7 (absolute, or of the result), by operations that
/// compilers turn into vectors and that give the same bits everywhere: m·2^e with m between √½ and √2, and
/// log m = 2 artanh((m - 1) / (m + 1)).
LIBDOSE_HD inline float plain_log(float x) {
    constexpr std::int32_t root_of_half = 0x3f3504f3;
    std::int32_t bits;
    std::memcpy(&bits, &x, sizeof(x));
    const std::int32_t exponent = (bits - root_of_half) >> 23;
    bits -= exponent * (1 << 23);
    float m;
    std::memcpy(&m, &bits, sizeof(m));
    const float s = (m - 1) / (m + 1), z = s * s;
    return static_cast<float>(exponent) * 0.693147181f +
           2 * s * (1 + z * (1.0f / 3 + z * (0.2f + z * (1.0f / 7 + z * (1.0f / 9)))));
}

/// Position among kernels at distances in a geometric series: that of the one in which water would spread as
/// this voxel does.
template <class Real>
LIBDOSE_HD inline float pencil_node(Real distance_mm, Real lateral_scale, Real lowest_mm, float per_step) {
    const float node = plain_log(static_cast<float>(distance_mm * lateral_scale / lowest_mm)) * per_step;
    return node > 0.0f ? node : 0.0f;
}

}  // namespace libdose::physics
