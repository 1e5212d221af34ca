#include "cpu/fluence.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <map>

#include "cpu/aperture.h"
#include "cpu/fluence_plan.h"
#include "cpu/head.h"

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
            for (const WeightedAperture& aperture : plan.apertures(n)) add_aperture(map, devices, aperture.devices, aperture.weight);
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

FluenceIntegral::FluenceIntegral(const FluenceMap& map)
    : size_u_(map.size_u),
      size_v_(map.size_v),
      pixel_mm_(map.pixel_mm),
      lower_u_mm_(map.lower_u_mm),
      lower_v_mm_(map.lower_v_mm),
      integral_(static_cast<std::size_t>(map.size_u + 1) * static_cast<std::size_t>(map.size_v + 1), 0.0) {
    int u0 = size_u_, u1 = -1, v0 = size_v_, v1 = -1;
    const auto width = static_cast<std::size_t>(size_u_ + 1);
    for (int v = 0; v < size_v_; ++v) {
        double row = 0;
        for (int u = 0; u < size_u_; ++u) {
            const float value = map.at(u, v);
            row += static_cast<double>(value);
            const std::size_t here = static_cast<std::size_t>(v + 1) * width + static_cast<std::size_t>(u + 1);
            integral_[here] = integral_[here - width] + row;
            if (value != 0.0f) u0 = std::min(u0, u), u1 = std::max(u1, u), v0 = std::min(v0, v), v1 = std::max(v1, v);
        }
    }
    if (u1 >= 0)
        support_ = {lower_u_mm_ + u0 * pixel_mm_, lower_u_mm_ + (u1 + 1) * pixel_mm_, lower_v_mm_ + v0 * pixel_mm_, lower_v_mm_ + (v1 + 1) * pixel_mm_};
}

}  // namespace libdose::cpu
