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

std::optional<Rect> released_extent_mm(const Grid& grid, const physics::BeamFrame& frame,
                                       const Rect& nonzero_bounds) {
    if (!nonzero_bounds.has_area()) return {};
    // Voxels that only touch the fluence look up rays up to a voxel beyond it; the extent of the grid limits
    // it.
    const double margin = grid.spacing_mm.maxCoeff() * 2.0;
    const physics::Shadow shadow = physics::shadow_of(frame, grid.lower_edge_mm(), grid.upper_edge_mm());
    Rect extent = nonzero_bounds.grown(margin);
    if (shadow.whole) extent = extent.common(shadow.bounds);
    if (!extent.has_area()) return {};
    return extent;
}

}  // namespace libdose
