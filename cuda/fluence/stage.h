// The head model on a device.
#pragma once

#include <vector>

#include "libdose/plan.h"
#include "libdose/beam_model.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "cuda/runtime/device_buffer.h"

namespace libdose::cuda {

/// As cpu::beam_fluence. The maps come back to the host, where the pipeline parts them.
std::vector<FluenceMap> beam_fluence(DevicePool& pool, const Beam& beam, PatientPosition position, const HeadModel& head, const FluenceOptions& options);

}  // namespace libdose::cuda
