#include "fluence/fluence_integral.h"

#include <algorithm>
#include <cmath>

#include "base/simd/reduce.h"

namespace libdose {

Rect nonzero_bounds(const FluenceMap& map) {
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

namespace {

/// Second difference of a map along one axis between points a given distance apart. They lie between pixels,
/// so it is that of both neighbouring whole numbers of pixels, by their shares.
struct SecondDifference {
    int near = 0;       ///< pixels; the other one is one farther
    float shares[2]{};  ///< times what a unit of second difference takes off
};

/// Takes off as much curvature as a variance is wide (mm², 0: none).
SecondDifference second_difference(double variance_mm2, double distance_mm, double pixel_mm) {
    SecondDifference difference;
    if (!(variance_mm2 > 0)) return difference;
    const double pixels = distance_mm / pixel_mm, near = std::floor(pixels), far = near + 1,
                 share = pixels - near;
    const double factor =
        0.5 * variance_mm2 / (pixel_mm * pixel_mm * ((1 - share) * near * near + share * far * far));
    difference.near = static_cast<int>(near);
    difference.shares[0] = static_cast<float>(factor * (1 - share));
    difference.shares[1] = static_cast<float>(factor * share);
    return difference;
}

/// The pixels of a map with zeros about them.
struct PaddedMap {
    std::size_t before_u, before_v, row_size;
    std::vector<float> values;

    PaddedMap(const FluenceMap& map, int zeros_u, int zeros_v)
        : before_u(static_cast<std::size_t>(zeros_u)),
          before_v(static_cast<std::size_t>(zeros_v)),
          row_size(static_cast<std::size_t>(map.size_u) + 2 * before_u),
          values(row_size * (static_cast<std::size_t>(map.size_v) + 2 * before_v), 0.0f) {
        for (int v = 0; v < map.size_v; ++v)
            std::copy_n(map.values.data() + static_cast<std::ptrdiff_t>(v) * map.size_u, map.size_u,
                        values.data() + (static_cast<std::size_t>(v) + before_v) * row_size + before_u);
    }
};

/// Adds share · (values beside[+n] + beside[-n]) of a row to its second differences.
void add_neighbours(float share, const float* row, std::ptrdiff_t beside, std::vector<float>& curvature) {
    const std::size_t width = curvature.size();
#pragma omp simd
    for (std::size_t u = 0; u < width; ++u)
        curvature[u] += share * (row[static_cast<std::ptrdiff_t>(u) + beside] +
                                 row[static_cast<std::ptrdiff_t>(u) - beside]);
}

/// Running sums of a row: those of the row below, and of the row's own pixels so far.
void add_running_sums(const float* values, const std::vector<float>& curvature,
                      const physics::FluenceSums* below, physics::FluenceSums* here) {
    physics::FluenceSums row{};
    for (std::size_t u = 0; u < curvature.size(); ++u) {
        row.value += static_cast<double>(values[u]);
        row.curvature += static_cast<double>(curvature[u]);
        here[u] = {below[u].value + row.value, below[u].curvature + row.curvature};
    }
}

}  // namespace

FluenceIntegral::FluenceIntegral(const FluenceMap& map, const Sharpening& sharpening)
    : pixel_mm_(map.pixel_mm) {
    const SecondDifference along_u = second_difference(sharpening.variance_u_mm2, sharpening.distance_u_mm,
                                                       pixel_mm_),
                           along_v = second_difference(sharpening.variance_v_mm2, sharpening.distance_v_mm,
                                                       pixel_mm_);
    const bool sharpened = sharpening.variance_u_mm2 > 0 || sharpening.variance_v_mm2 > 0;
    const int apart_u = sharpened ? along_u.near + 1 : 0, apart_v = sharpened ? along_v.near + 1 : 0;
    size_u_ = map.size_u + 2 * apart_u;
    size_v_ = map.size_v + 2 * apart_v;
    lower_u_mm_ = map.lower_u_mm - apart_u * pixel_mm_;
    lower_v_mm_ = map.lower_v_mm - apart_v * pixel_mm_;
    noise_ = 1e-9 * static_cast<double>(largest(map.values));

    // Every pixel of the raster, which reaches as far beyond the map, has its neighbours.
    const PaddedMap padded(map, 2 * apart_u, 2 * apart_v);
    const auto width = static_cast<std::size_t>(size_u_);
    sums_.resize((width + 1) * (static_cast<std::size_t>(size_v_) + 1));
    std::vector<float> curvature(width);
    const float middle = 2 * (along_u.shares[0] + along_u.shares[1] + along_v.shares[0] + along_v.shares[1]);
    for (std::size_t v = 0; v < static_cast<std::size_t>(size_v_); ++v) {
        const float* const row = padded.values.data() +
                                 (v + static_cast<std::size_t>(apart_v)) * padded.row_size +
                                 static_cast<std::size_t>(apart_u);
        std::fill(curvature.begin(), curvature.end(), 0.0f);
        for (int n = 0; n < 2 && sharpened; ++n) {
            add_neighbours(along_u.shares[n], row, along_u.near + n, curvature);
            add_neighbours(along_v.shares[n], row,
                           (along_v.near + n) * static_cast<std::ptrdiff_t>(padded.row_size), curvature);
        }
        for (std::size_t u = 0; u < width; ++u) curvature[u] -= middle * row[u];
        add_running_sums(row, curvature, sums_.data() + v * (width + 1) + 1,
                         sums_.data() + (v + 1) * (width + 1) + 1);
    }
}

}  // namespace libdose
