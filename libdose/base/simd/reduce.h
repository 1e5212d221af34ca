// The largest of many values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace libdose {

/// 0 where none is larger. By lanes: a compiler that keeps to IEEE comparisons looks at one value after the
/// other.
inline float largest(std::span<const float> values) {
    constexpr std::size_t simd_width = 16;
    float of_lane[simd_width] = {};
    std::size_t n = 0;
    for (; n + simd_width <= values.size(); n += simd_width)
        for (std::size_t l = 0; l < simd_width; ++l)
            of_lane[l] = values[n + l] > of_lane[l] ? values[n + l] : of_lane[l];
    for (; n < values.size(); ++n) of_lane[0] = std::max(of_lane[0], values[n]);
    return *std::max_element(of_lane, of_lane + simd_width);
}

}  // namespace libdose
