#include "cpu/fluence/fluence.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <map>

#include "fluence/aperture.h"
#include "fluence/fluence_plan.h"
#include "fluence/head.h"

namespace libdose::cpu {

std::vector<FluenceMap> beam_fluence(const Beam& beam, PatientPosition position, const HeadModel& head, const FluenceOptions& options) {
    const FluencePlan plan(beam, position, head, options);
    if (plan.size() == 0) return {};
    const DevicesOnRaster devices(plan.empty_map(0), plan.beam(), head, options.leaves);
    std::map<const BeamFilter*, OpenPlane> open;
    for (std::size_t n = 0; n < plan.size(); ++n)
        if (const BeamFilter* filter = plan.filter(n); !open.contains(filter))
            open[filter] = open_plane(plan.empty_map(n), plan.beam(), head, filter, options.terma);
    std::vector<FluenceMap> maps(plan.size());
    std::exception_ptr failure;
    std::atomic<bool> failed{false};
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t n = 0; n < maps.size(); ++n) {
        if (failed) continue;
        try {
            FluenceMap map = plan.empty_map(n);
            add_apertures(map, devices, plan.apertures(n));
            finish(map, plan.beam(), head, open.at(plan.filter(n)), options.leaves, plan.collimator_deg(n));
            maps[n] = std::move(map);
        } catch (...) {
#pragma omp critical(libdose_fluence_failure)
            failure = std::current_exception(), failed = true;
        }
#pragma omp critical(libdose_fluence_failure)
        try {
            if (options.after_map && !failed) options.after_map();
        } catch (...) {
            failure = std::current_exception(), failed = true;
        }
    }
    if (failure) std::rethrow_exception(failure);
    return maps;
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
            for (int i = u; i < std::min(u + n, map.size_u); ++i) *to += part * rows[static_cast<std::size_t>(i)];
    }
    return means;
}

}  // namespace libdose::cpu
