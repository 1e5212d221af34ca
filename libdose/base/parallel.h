// A loop over the threads that hands on what its body throws.
#pragma once

#include <cstddef>
#include <exception>

namespace libdose::commission {

/// body(i) for i from 0 to count - 1, side by side. The results must not depend on the order.
template <class Body>
void for_each_parallel(std::size_t count, Body&& body) {
    std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t i = 0; i < count; ++i) {
        try {
            body(i);
        } catch (...) {
#pragma omp critical(libdose_commission_failure)
            failure = std::current_exception();
        }
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace libdose::commission
