#include "electrons/electron_rays.h"

#include <algorithm>

#include "geometry/projection.h"

namespace libdose {

std::optional<std::array<double, 4>> electron_extent_mm(const Grid& grid, const FluenceMap& map,
                                                        const ElectronContamination& electrons) {
    const CoarseMap& source = map.electrons;
    if (source.values.empty() || !(electrons.amplitude_gy_cm2 > 0)) return {};
    const physics::Shadow shadow = physics::shadow_of(map.frame, grid.lower_edge_mm(), grid.upper_edge_mm());
    std::array<double, 4> extent{source.lower_u_mm, source.lower_u_mm + source.size_u * source.pixel_mm,
                                 source.lower_v_mm, source.lower_v_mm + source.size_v * source.pixel_mm};
    if (shadow.whole)
        extent = {std::max(extent[0], shadow.low_u_mm), std::min(extent[1], shadow.high_u_mm),
                  std::max(extent[2], shadow.low_v_mm), std::min(extent[3], shadow.high_v_mm)};
    if (extent[1] <= extent[0] || extent[3] <= extent[2]) return {};
    return extent;
}

double electron_ray_spacing_mm(const Grid& grid) { return 2 * grid.spacing_mm.minCoeff(); }

double electron_rays_followed_g_cm2(const ElectronContamination& electrons) {
    return 2 * electrons.range_g_cm2;
}

}  // namespace libdose
