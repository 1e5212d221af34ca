#include "cpu/fluence/fluence.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/parallel_failure.h"
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
    ParallelFailure failure;
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t n = 0; n < maps.size(); ++n) {
        if (failure.failed()) continue;
        failure.guard([&] {
            FluenceMap map = plan.empty_map(n);
            add_apertures(map, devices, plan.apertures(n));
            finish(map, plan.beam(), head, open.at(plan.filter(n)), options.leaves, plan.collimator_deg(n));
            maps[n] = std::move(map);
        });
#pragma omp critical(libdose_fluence_after_map)
        failure.guard([&] {
            if (options.after_map && !failure.failed()) options.after_map();
        });
    }
    failure.rethrow();
    return maps;
}

}  // namespace libdose::cpu
