// Energy that photons release in the patient: TERMA times density, voxel by voxel.
#pragma once

#include <cstdint>
#include <vector>

#include "geometry/coordinates.h"
#include "libdose/grid.h"

namespace libdose {

/// Energy that one fluence map releases, voxel by voxel (only where it is not zero), ascending voxel index.
struct ReleasedEnergy {
    Grid grid;
    physics::BeamFrame frame;
    bool tilt =
        true;  ///< whether kernels point along the ray from the source; otherwise all along the beam's axis
    std::vector<std::uint32_t> voxel;
    std::vector<float> energy;       ///< TERMA × density, Gy g/cm³
    std::vector<float> depth_g_cm2;  ///< water-equivalent depth (hardening of the kernel)
    std::size_t size() const { return voxel.size(); }
    std::size_t bytes() const { return size() * 12; }

    /// The ray that kernels point along, LPS, mm: for voxels of a row start + i·step.
    struct Rays {
        Vec3 start, step;
    };
    Rays rays(int j, int k) const {
        if (!tilt) return {-frame.axes.col(2), Vec3::Zero()};
        return {grid.centre_mm(0, j, k) - frame.source_mm(), grid.spacing_mm[0] * Vec3::UnitX()};
    }
    /// Calls visit(j, k, first, last) for each row of voxels in turn: its entries [first, last) of entries
    /// [begin, end).
    template <class Visit>
    void each_row(std::size_t begin, std::size_t end, Visit&& visit) const {
        const auto columns = static_cast<std::size_t>(grid.size[0]),
                   rows = static_cast<std::size_t>(grid.size[1]);
        for (std::size_t n = begin; n < end;) {
            const std::size_t row = voxel[n] / columns, row_end = (row + 1) * columns, first = n;
            while (n < end && voxel[n] < row_end) ++n;
            visit(static_cast<int>(row % rows), static_cast<int>(row / rows), first, n);
        }
    }
};

}  // namespace libdose
