#include "fluence/fluence_map.h"

#include <algorithm>

namespace libdose {

physics::FilterView BeamFilter::view() const {
    return {softening_radius_mm.size(),
            wedge_mm.size(),
            softening_radius_mm.data(),
            softening_g_cm2.data(),
            wedge_mm.data(),
            wedge_water_g_cm2.data(),
            wedge_high_z_g_cm2.data(),
            wedge_cos,
            wedge_sin,
            tray_water_g_cm2};
}

std::vector<float> means_over_pixels(const FluenceMap& map, int n) {
    const int size_u = (map.size_u + n - 1) / n, size_v = (map.size_v + n - 1) / n;
    std::vector<float> means(static_cast<std::size_t>(size_u) * static_cast<std::size_t>(size_v), 0.0f);
    const float part = 1 / static_cast<float>(n * n);
    std::vector<float> rows(static_cast<std::size_t>(map.size_u));  // n of them
    float* to = means.data();
    for (int first = 0; first < map.size_v; first += n) {
        std::fill(rows.begin(), rows.end(), 0.0f);
        for (int v = first; v < std::min(first + n, map.size_v); ++v) {
            const float* const from = map.values.data() + static_cast<std::ptrdiff_t>(v) * map.size_u;
            for (std::size_t u = 0; u < rows.size(); ++u) rows[u] += from[u];
        }
        for (int u = 0; u < map.size_u; u += n, ++to)
            for (int i = u; i < std::min(u + n, map.size_u); ++i)
                *to += part * rows[static_cast<std::size_t>(i)];
    }
    return means;
}

}  // namespace libdose
