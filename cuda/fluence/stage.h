// The head model on a device.
#pragma once

#include <vector>

#include "cpu/fluence/fluence.h"
#include "cuda/runtime/device_buffer.h"

namespace libdose::cuda {

/// As cpu::beam_fluence. The maps come back to the host, where the pipeline parts them.
std::vector<FluenceMap> beam_fluence(DevicePool& pool, const Beam& beam, PatientPosition position, const HeadModel& head, const cpu::FluenceOptions& options);

}  // namespace libdose::cuda
