// The head model on a device.
#pragma once

#include <vector>

#include "cuda/runtime/device_buffer.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "libdose/beam_model.h"
#include "libdose/plan.h"

namespace libdose::cuda {

/// As cpu::beam_fluence. The maps come back to the host, where the pipeline parts them.
std::vector<FluenceMap> beam_fluence(DevicePool& pool, const Beam& beam, PatientPosition position,
                                     const HeadModel& head, const FluenceOptions& options);

}  // namespace libdose::cuda
