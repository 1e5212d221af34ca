// Linear interpolation in a table.
#pragma once

#include <cstddef>
#include <vector>

#include "base/host_device.h"

namespace libdose::physics {

/// Linear interpolation in an ascending table of `size` nodes, the end values beyond it.
LIBDOSE_HD inline double table_value(std::size_t size, const double* x, const double* y, double at) {
    if (at <= x[0]) return y[0];
    if (at >= x[size - 1]) return y[size - 1];
    std::size_t lower = 0, upper = size - 1;  // x[lower] <= at < x[upper]
    while (upper - lower > 1) {
        const std::size_t middle = (lower + upper) / 2;
        (x[middle] <= at ? lower : upper) = middle;
    }
    const double part = (at - x[lower]) / (x[upper] - x[lower]);
    return y[lower] + part * (y[upper] - y[lower]);
}
inline double table_value(const std::vector<double>& x, const std::vector<double>& y, double at) {
    return table_value(x.size(), x.data(), y.data(), at);
}

}  // namespace libdose::physics
