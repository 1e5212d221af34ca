#include "electrons/electron_rays.h"

#include <algorithm>

#include "geometry/projection.h"

namespace libdose {

std::optional<Rect> electron_extent_mm(const Grid& grid, const FluenceMap& map,
                                       const ElectronContamination& electrons) {
    const CoarseMap& source = map.electrons;
    if (source.values.empty() || !(electrons.amplitude_gy_cm2 > 0)) return {};
    const physics::Shadow shadow = physics::shadow_of(map.frame, grid.lower_edge_mm(), grid.upper_edge_mm());
    Rect extent{source.lower_u_mm, source.lower_u_mm + source.size_u * source.pixel_mm, source.lower_v_mm,
                source.lower_v_mm + source.size_v * source.pixel_mm};
    if (shadow.whole) extent = extent.common(shadow.bounds);
    if (!extent.has_area()) return {};
    return extent;
}

double electron_ray_spacing_mm(const Grid& grid) { return 2 * grid.spacing_mm.minCoeff(); }

double electron_rays_max_depth_g_cm2(const ElectronContamination& electrons) {
    return 2 * electrons.range_g_cm2;
}

}  // namespace libdose
