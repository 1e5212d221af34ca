#include "fluence/fluence_integral.h"

#include <algorithm>
#include <cmath>

#include "base/simd/reduce.h"

namespace libdose {

std::array<double, 4> support_mm(const FluenceMap& map) {
    int u0 = map.size_u, u1 = -1, v0 = map.size_v, v1 = -1;
    for (int v = 0; v < map.size_v; ++v) {
        const float* const row = map.values.data() + static_cast<std::ptrdiff_t>(v) * map.size_u;
        int first = 0, last = map.size_u - 1;
        while (first <= last && row[first] == 0.0f) ++first;
        if (first > last) continue;
        while (row[last] == 0.0f) --last;
        u0 = std::min(u0, first);
        u1 = std::max(u1, last);
        v0 = std::min(v0, v);
        v1 = v;
    }
    if (u1 < 0) return {};
    return {map.lower_u_mm + u0 * map.pixel_mm, map.lower_u_mm + (u1 + 1) * map.pixel_mm,
            map.lower_v_mm + v0 * map.pixel_mm, map.lower_v_mm + (v1 + 1) * map.pixel_mm};
}

FluenceIntegral::FluenceIntegral(const FluenceMap& map, const Sharpening& sharpening)
    : pixel_mm_(map.pixel_mm) {
    // Points so far apart lie between pixels: second differences of both neighbours, by their shares, with as
    // much curvature taken off as is asked for.
    struct Difference {
        int near = 0;       ///< pixels; the other one is one farther
        float shares[2]{};  ///< times what a unit of second difference takes off
    };
    const auto difference_of = [&](double variance_mm2, double distance_mm) {
        Difference difference;
        if (!(variance_mm2 > 0)) return difference;
        const double pixels = distance_mm / pixel_mm_, near = std::floor(pixels), far = near + 1,
                     share = pixels - near;
        const double factor =
            0.5 * variance_mm2 / (pixel_mm_ * pixel_mm_ * ((1 - share) * near * near + share * far * far));
        difference.near = static_cast<int>(near);
        difference.shares[0] = static_cast<float>(factor * (1 - share));
        difference.shares[1] = static_cast<float>(factor * share);
        return difference;
    };
    const Difference along_u = difference_of(sharpening.variance_u_mm2, sharpening.distance_u_mm),
                     along_v = difference_of(sharpening.variance_v_mm2, sharpening.distance_v_mm);
    const bool sharpened = sharpening.variance_u_mm2 > 0 || sharpening.variance_v_mm2 > 0;
    const int apart_u = sharpened ? along_u.near + 1 : 0, apart_v = sharpened ? along_v.near + 1 : 0;
    size_u_ = map.size_u + 2 * apart_u;
    size_v_ = map.size_v + 2 * apart_v;
    lower_u_mm_ = map.lower_u_mm - apart_u * pixel_mm_;
    lower_v_mm_ = map.lower_v_mm - apart_v * pixel_mm_;

    // Rows of the map with zeros about them, so that every pixel of the raster has its neighbours.
    const auto width = static_cast<std::size_t>(size_u_),
               padded = width + 2 * static_cast<std::size_t>(apart_u);
    std::vector<float> values(
        padded * (static_cast<std::size_t>(size_v_) + 2 * static_cast<std::size_t>(apart_v)), 0.0f);
    for (int v = 0; v < map.size_v; ++v)
        std::copy_n(map.values.data() + static_cast<std::ptrdiff_t>(v) * map.size_u, map.size_u,
                    values.data() + static_cast<std::size_t>(v + 2 * apart_v) * padded +
                        static_cast<std::size_t>(2 * apart_u));
    noise_ = 1e-9 * static_cast<double>(largest(map.values));

    sums_.resize((width + 1) * (static_cast<std::size_t>(size_v_) + 1));
    std::vector<float> curvature(width);
    const float middle = 2 * (along_u.shares[0] + along_u.shares[1] + along_v.shares[0] + along_v.shares[1]);
    for (std::size_t v = 0; v < static_cast<std::size_t>(size_v_); ++v) {
        const float* const from = values.data() + (v + static_cast<std::size_t>(apart_v)) * padded +
                                  static_cast<std::size_t>(apart_u);
        std::fill(curvature.begin(), curvature.end(), 0.0f);
        const auto add = [&](float share, std::ptrdiff_t beside) {
#pragma omp simd
            for (std::size_t u = 0; u < width; ++u)
                curvature[u] += share * (from[static_cast<std::ptrdiff_t>(u) + beside] +
                                         from[static_cast<std::ptrdiff_t>(u) - beside]);
        };
        for (int n = 0; n < 2 && sharpened; ++n) {
            add(along_u.shares[n], along_u.near + n);
            add(along_v.shares[n],
                static_cast<std::ptrdiff_t>(along_v.near + n) * static_cast<std::ptrdiff_t>(padded));
        }
        for (std::size_t u = 0; u < width; ++u) curvature[u] -= middle * from[u];
        physics::FluenceSums row{};
        const physics::FluenceSums* const below = sums_.data() + v * (width + 1) + 1;
        physics::FluenceSums* const here = sums_.data() + (v + 1) * (width + 1) + 1;
        for (std::size_t u = 0; u < width; ++u) {
            row.value += static_cast<double>(from[u]);
            row.curvature += static_cast<double>(curvature[u]);
            here[u] = {below[u].value + row.value, below[u].curvature + row.curvature};
        }
    }
}

}  // namespace libdose
