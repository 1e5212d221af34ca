// From the dose of an algorithm to the dose in Gy that results have.
#pragma once

#include <cmath>
#include <cstddef>
#include <string>

#include "libdose/density.h"
#include "libdose/dose.h"
#include "libdose/error.h"

namespace libdose {

class DoseInGray {
public:
    /// `gray_per_unit`: of the algorithm's dose, as gray_per_unit() of compute.h has it.
    DoseInGray(const DensityGrid& density, DoseMedium medium, double gray_per_unit)
        : ratio_(medium == DoseMedium::water ? density.water_to_medium.data() : nullptr),
          gray_per_unit_(gray_per_unit) {}

    /// Gy in the medium that was asked for. Throws internal_error, with `where`, for a dose that is not
    /// finite.
    float operator()(std::size_t voxel, float dose, const std::string& where) const {
        double gray = gray_per_unit_ * static_cast<double>(dose);
        if (ratio_) gray *= static_cast<double>(ratio_[voxel]);
        if (!std::isfinite(gray))
            throw internal_error("the dose of a voxel is not finite",
                                 where + (where.empty() ? "voxel " : ", voxel ") + std::to_string(voxel));
        return static_cast<float>(gray);
    }

private:
    const float* ratio_;  ///< stopping-power ratio water to medium, by voxel; null: dose to medium
    double gray_per_unit_;
};

}  // namespace libdose
