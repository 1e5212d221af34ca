// A CUDA device through the device library, which is loaded when it is first asked for.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "cuda/device/interface.h"
#include "cuda/runtime/executor.h"

namespace libdose::cuda {

/// Where the device library may be, in the order in which it is looked for: only LIBDOSE_CUDA_LIBRARY where
/// that is set, else beside the program, beside what libdose is linked into, where it is installed, where it
/// was built.
std::vector<std::filesystem::path> library_candidates();

/// Loads a library, which stays. Throws bad_input where it is none of this version.
const DeviceInterface& load_library(const std::filesystem::path& file);
/// The first of the candidates that exists. Throws bad_input where there is none.
const DeviceInterface& load_library();

/// Throws bad_input, saying which, where there is no driver, no such device, or no code for it.
std::unique_ptr<Executor> open_device(const DeviceInterface& library, int number);

}  // namespace libdose::cuda
