#include "engine/prepared_density.h"

#include <algorithm>
#include <cmath>

#include "patient/coarse_grid.h"

namespace libdose {

namespace {

/// What comes through jaws and leaves is smooth: voxels of about this size resolve it.
constexpr double coarse_grid_mm = 5;

int coarse_factor(const Grid& grid) {
    return std::max(1, static_cast<int>(std::lround(coarse_grid_mm / grid.spacing_mm.minCoeff())));
}

}  // namespace

PreparedDensity::PreparedDensity(Backend& backend, const DensityGrid& density)
    : backend_(backend), density_(density), on_backend_(backend.prepare(density)) {}

PreparedDensity::Coarse& PreparedDensity::coarse() {
    if (!coarse_) {
        coarse_ = Coarse{coarsened(density_, coarse_factor(density_.grid)), nullptr};
        coarse_->on_backend = backend_.prepare(coarse_->density);
    }
    return *coarse_;
}

}  // namespace libdose
