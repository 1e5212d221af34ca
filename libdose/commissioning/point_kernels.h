// Point kernels averaged over a spectrum.
#pragma once

#include <vector>

#include "libdose/kernels.h"

namespace libdose::commission {

/// Water that the spectrum is hardened by for the sets of a kernel, g/cm².
inline constexpr double hardening_depths_g_cm2[] = {0, 5, 12, 22, 35, 55};

/// Kernel of the energy that a spectrum releases, all of it 1.
struct AverageKernel {
    std::vector<double> cells;   ///< [m][r]
    std::vector<double> escape;  ///< [m] what leaves the sphere goes on in the cone in which it leaves
};
AverageKernel average_kernel(const Spectrum& spectrum, const PointKernels& kernels, double depth_g_cm2);

}  // namespace libdose::commission
