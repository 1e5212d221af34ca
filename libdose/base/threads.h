// Number of OpenMP threads for the length of a scope.
#pragma once

#include <omp.h>

namespace libdose {

class ThreadLimit {
public:
    /// 0 leaves the number as it is.
    explicit ThreadLimit(int threads) : before_(omp_get_max_threads()) {
        if (threads > 0) omp_set_num_threads(threads);
    }
    ~ThreadLimit() { omp_set_num_threads(before_); }
    ThreadLimit(const ThreadLimit&) = delete;
    ThreadLimit& operator=(const ThreadLimit&) = delete;

private:
    int before_;
};

}  // namespace libdose
