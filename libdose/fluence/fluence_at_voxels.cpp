#include "fluence/fluence_at_voxels.h"

#include <algorithm>

#include "geometry/projection.h"

namespace libdose {

Sharpening sharpening_for(const Grid& grid, const physics::BeamFrame& frame, double blur_variance) {
    const auto width = [&](int axis) { return frame.axes.col(axis).cwiseProduct(grid.spacing_mm).norm(); };
    const double u = width(0), v = width(1);
    // As far apart as the shadows of voxels in the middle of the grid.
    const double away = frame.project(0.5 * (grid.lower_edge_mm() + grid.upper_edge_mm())).distance_mm,
                 sad = frame.source_axis_distance_mm;
    const double magnification = away > 0 ? std::clamp(sad / away, 0.5, 2.0) : 1;
    return {blur_variance * u * u, blur_variance * v * v, magnification * u, magnification * v};
}

std::optional<std::array<double, 4>> released_extent_mm(const Grid& grid, const physics::BeamFrame& frame,
                                                        std::array<double, 4> support) {
    if (support[1] <= support[0]) return {};
    // Voxels that only touch the support look up rays up to a voxel beyond it; the extent of the grid limits
    // it.
    const double margin = grid.spacing_mm.maxCoeff() * 2.0;
    const physics::Shadow shadow = physics::shadow_of(frame, grid.lower_edge_mm(), grid.upper_edge_mm());
    std::array<double, 4> extent{support[0] - margin, support[1] + margin, support[2] - margin,
                                 support[3] + margin};
    if (shadow.whole)
        extent = {std::max(extent[0], shadow.low_u_mm), std::min(extent[1], shadow.high_u_mm),
                  std::max(extent[2], shadow.low_v_mm), std::min(extent[3], shadow.high_v_mm)};
    if (extent[1] <= extent[0] || extent[3] <= extent[2]) return {};
    return extent;
}

}  // namespace libdose
