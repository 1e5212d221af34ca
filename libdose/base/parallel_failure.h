// An exception that leaves a parallel loop after the loop has ended.
#pragma once

#include <atomic>
#include <exception>

namespace libdose {

/// Keeps the first exception of a parallel loop: none may leave an iteration.
class ParallelFailure {
public:
    /// Calls body() and keeps what it throws. Safe to call from several threads.
    template <class Body>
    void guard(Body&& body) noexcept {
        try {
            body();
        } catch (...) {
            if (!failed_.exchange(true)) first_ = std::current_exception();
        }
    }
    /// Whether an iteration has thrown: the others may then be skipped.
    bool failed() const { return failed_; }
    /// Throws the exception that was kept, if there is one. Only after the loop, by one thread.
    void rethrow() const {
        if (first_) std::rethrow_exception(first_);
    }

private:
    std::atomic<bool> failed_{false};
    std::exception_ptr first_;
};

}  // namespace libdose
