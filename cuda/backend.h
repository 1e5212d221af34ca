// The CUDA backend: the stages of cuda/stages on an executor.
#pragma once

#include <memory>

#include "backend/backend.h"
#include "cuda/runtime/executor.h"

namespace libdose::cuda {

/// A backend of its own: memory, and order of work. Several may live side by side; one calculation at a time
/// uses it.
std::unique_ptr<Backend> make_backend(std::unique_ptr<Executor> executor);

/// Estimate of the least device memory that a calculation needs, bytes: with less it is refused.
double device_memory_bytes(const MemoryNeeds& needs);

}  // namespace libdose::cuda
