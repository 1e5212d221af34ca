// A loop over the threads that hands on what its body throws.
#pragma once

#include <cstddef>

#include "base/parallel_failure.h"

namespace libdose {

/// Calls body(i) for i from 0 to count - 1, side by side, and throws the first exception of a body after the
/// last call. The results must not depend on the order.
template <class Body>
void for_each_parallel(std::size_t count, Body&& body) {
    ParallelFailure failure;
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t i = 0; i < count; ++i) failure.guard([&] { body(i); });
    failure.rethrow();
}

}  // namespace libdose
