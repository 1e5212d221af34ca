#include <algorithm>
#include <cmath>

#include "geometry/polygon_area.h"
#include "libdose/structure.h"
#include "patient/contour_planes.h"
#include "patient/plane_outlines.h"

namespace libdose {
namespace {

/// Fraction of every pixel of a slice inside the outlines, which are moved to pixels.
PixelCoverage pixels_inside(PlaneOutlines outlines, const Grid& grid) {
    const Vec3 edge_mm = grid.lower_edge_mm();
    const Eigen::Vector2d edge = edge_mm.head<2>(), spacing = grid.spacing_mm.head<2>();
    for (Polygon2& polygon : outlines.polygons)
        for (Eigen::Vector2d& point : polygon) point = (point - edge).cwiseQuotient(spacing);
    if (outlines.nesting.solid.empty())
        return even_odd_coverage(outlines.polygons, grid.size[0], grid.size[1]);
    return nested_coverage(outlines.polygons, outlines.nesting, grid.size[0], grid.size[1]);
}

}  // namespace

Volume<float> coverage_mask(const Structure& structure, const Grid& grid) {
    grid.check("grid of the coverage of structure " + structure.name);
    Volume<float> mask(grid);
    // Where two planes meet inside a voxel their parts add up to 1 only to within rounding.
    const auto settle = [](double value) { return value > 1 - 1e-9 ? 1.0 : value; };
    const double dz = grid.spacing_mm[2], z_edge = grid.lower_edge_mm()[2];
    for (const ContourPlane& plane : stack_contours(structure, dz).planes) {
        // Limits within rounding of a voxel face are that face.
        const auto voxels = [&](double z) {
            const double position = (z - z_edge) / dz, face = std::round(position);
            return std::clamp(std::abs(position - face) < 1e-9 ? face : position, 0.0,
                              static_cast<double>(grid.size[2]));
        };
        const double lower = voxels(plane.lower_mm), upper = voxels(plane.upper_mm);
        if (upper <= lower) continue;
        const PixelCoverage area = pixels_inside(outlines_of(structure, plane), grid);
        const int width = area.end_column - area.first_column;
        for (int k = static_cast<int>(std::floor(lower)); k < static_cast<int>(std::ceil(upper)); ++k) {
            const double depth = std::min(upper, k + 1.0) - std::max(lower, static_cast<double>(k));
            const double* fraction = area.fraction.data();
            for (int j = area.first_row; j < area.end_row; ++j, fraction += width) {
                float* line = &mask.at(area.first_column, j, k);
                for (int i = 0; i < width; ++i)
                    if (fraction[i] > 0)
                        line[i] =
                            static_cast<float>(settle(static_cast<double>(line[i]) + depth * fraction[i]));
            }
        }
    }
    return mask;
}

}  // namespace libdose
