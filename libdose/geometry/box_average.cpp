#include "geometry/box_average.h"

#include <algorithm>
#include <cmath>

namespace libdose {

BoxAverage::BoxAverage(const Grid& grid, const std::vector<float>& values) : grid_(grid) {
    for (std::size_t axis = 0; axis < 3; ++axis) n_[axis] = static_cast<std::size_t>(grid.size[axis]) + 1;
    sum_.assign(n_[0] * n_[1] * n_[2], 0.0);
    for (std::size_t k = 1; k < n_[2]; ++k)
        for (std::size_t j = 1; j < n_[1]; ++j) {
            double row = 0;
            for (std::size_t i = 1; i < n_[0]; ++i) {
                row += static_cast<double>(values[((k - 1) * (n_[1] - 1) + j - 1) * (n_[0] - 1) + i - 1]);
                sum_[at(i, j, k)] =
                    row + sum_[at(i, j - 1, k)] + sum_[at(i, j, k - 1)] - sum_[at(i, j - 1, k - 1)];
            }
        }
}

bool BoxAverage::contains(const Vec3& low, const Vec3& high) const {
    return ((low - grid_.lower_edge_mm()).array() >= -1e-6).all() &&
           ((grid_.upper_edge_mm() - high).array() >= -1e-6).all();
}

double BoxAverage::average(const Vec3& low, const Vec3& high) const {
    const Vec3 a = (low - grid_.lower_edge_mm()).cwiseQuotient(grid_.spacing_mm),
               b = (high - grid_.lower_edge_mm()).cwiseQuotient(grid_.spacing_mm);
    double sum = 0;
    for (int corner = 0; corner < 8; ++corner) {
        const Vec3 p(corner & 1 ? b[0] : a[0], corner & 2 ? b[1] : a[1], corner & 4 ? b[2] : a[2]);
        const int lows = 3 - (corner & 1) - ((corner >> 1) & 1) - ((corner >> 2) & 1);
        sum += (lows % 2 ? -1.0 : 1.0) * integral(p);
    }
    return sum / (b - a).prod();
}

double BoxAverage::range(const Vec3& low, const Vec3& high) const {
    std::array<std::size_t, 3> begin{}, end{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const auto a = static_cast<int>(axis);
        const auto place = [&](double mm) {
            return std::clamp((mm - grid_.lower_edge_mm()[a]) / grid_.spacing_mm[a], 0.0,
                              static_cast<double>(n_[axis] - 1));
        };
        begin[axis] = std::min(static_cast<std::size_t>(place(low[a])), n_[axis] - 2);
        end[axis] = std::max(static_cast<std::size_t>(std::ceil(place(high[a]))), begin[axis] + 1);
    }
    double least = 1e300, most = -1e300;
    for (std::size_t k = begin[2]; k < end[2]; ++k)
        for (std::size_t j = begin[1]; j < end[1]; ++j) {
            // Sum over the bar of voxels from the first one to i.
            const auto bar = [&](std::size_t i) {
                return sum_[at(i, j + 1, k + 1)] - sum_[at(i, j, k + 1)] - sum_[at(i, j + 1, k)] +
                       sum_[at(i, j, k)];
            };
            for (std::size_t i = begin[0]; i < end[0]; ++i) {
                const double value = bar(i + 1) - bar(i);
                least = std::min(least, value);
                most = std::max(most, value);
            }
        }
    return most - least;
}

double BoxAverage::integral(const Vec3& p) const {
    std::array<std::size_t, 3> low{};
    std::array<double, 3> part{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const double x = std::clamp(p[static_cast<int>(axis)], 0.0, static_cast<double>(n_[axis] - 1));
        low[axis] = std::min(static_cast<std::size_t>(x), n_[axis] - 2);
        part[axis] = x - static_cast<double>(low[axis]);
    }
    double sum = 0;
    for (std::size_t c = 0; c < 8; ++c) {
        const std::size_t i = c & 1, j = (c >> 1) & 1, k = (c >> 2) & 1;
        sum += (i ? part[0] : 1 - part[0]) * (j ? part[1] : 1 - part[1]) * (k ? part[2] : 1 - part[2]) *
               sum_[at(low[0] + i, low[1] + j, low[2] + k)];
    }
    return sum;
}

}  // namespace libdose
