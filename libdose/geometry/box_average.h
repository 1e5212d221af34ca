// Averages of a voxel quantity over any box.
#pragma once

#include <array>
#include <vector>

#include "libdose/grid.h"

namespace libdose {

/// Constant-time averages from the integral; the quantity is constant within a voxel.
class BoxAverage {
public:
    BoxAverage(const Grid& grid, const std::vector<float>& values);
    bool contains(const Vec3& low, const Vec3& high) const;
    double average(const Vec3& low, const Vec3& high) const;  ///< box corners in mm; the box is not empty
    double range(const Vec3& low,
                 const Vec3& high) const;  ///< largest less smallest value of the voxels that the box meets

private:
    std::size_t at(std::size_t i, std::size_t j, std::size_t k) const { return (k * n_[1] + j) * n_[0] + i; }
    double integral(const Vec3& p) const;

    Grid grid_;
    std::array<std::size_t, 3> n_{};
    std::vector<double> sum_;
};

}  // namespace libdose
