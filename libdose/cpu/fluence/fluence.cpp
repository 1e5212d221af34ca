#include "cpu/fluence/fluence.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <map>

#include "cpu/fluence/add_apertures.h"
#include "cpu/fluence/finish_head.h"
#include "fluence/aperture.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "fluence/fluence_plan.h"
#include "fluence/head.h"

namespace libdose::cpu {

std::vector<FluenceMap> beam_fluence(const Beam& beam, PatientPosition position, const HeadModel& head,
                                     const FluenceOptions& options) {
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
            failure = std::current_exception();
            failed = true;
        }
#pragma omp critical(libdose_fluence_failure)
        try {
            if (options.after_map && !failed) options.after_map();
        } catch (...) {
            failure = std::current_exception();
            failed = true;
        }
    }
    if (failure) std::rethrow_exception(failure);
    return maps;
}

}  // namespace libdose::cpu
