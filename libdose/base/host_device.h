// The equations run on the CPU and on a CUDA device: one macro says so.
#pragma once

#include <cmath>

#if defined(__CUDACC__)
#define LIBDOSE_HD __host__ __device__
#else
#define LIBDOSE_HD
#endif

namespace libdose::physics {

/// a b + c, rounded once: the same bits in every version of a function for an instruction set, and half the
/// instructions where there is one for it.
template <class Real>
LIBDOSE_HD inline Real fused(Real a, Real b, Real c) {
    using std::fma;
    return fma(a, b, c);
}

}  // namespace libdose::physics
