#include <algorithm>
#include <cmath>

#include "analysis/contour_planes.h"
#include "libdose/structure.h"
#include "model/polygon_area.h"

namespace libdose {
namespace {

std::vector<Polygon2> in_pixels(const ContourPlane& plane, const Grid& grid) {
    const Vec3 edge_mm = grid.lower_edge_mm();
    std::vector<Polygon2> polygons;
    for (const Contour* contour : plane.contours) {
        Polygon2& polygon = polygons.emplace_back();
        for (const Vec3& point : contour->points_mm) {
            const Vec3 pixel = (point - edge_mm).cwiseQuotient(grid.spacing_mm);
            polygon.emplace_back(pixel[0], pixel[1]);
        }
    }
    return polygons;
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
            return std::clamp(std::abs(position - face) < 1e-9 ? face : position, 0.0, static_cast<double>(grid.size[2]));
        };
        const double lower = voxels(plane.lower_mm), upper = voxels(plane.upper_mm);
        if (upper <= lower) continue;
        const PixelCoverage area = even_odd_coverage(in_pixels(plane, grid), grid.size[0], grid.size[1]);
        const int width = area.end_column - area.first_column;
        for (int k = static_cast<int>(std::floor(lower)); k < static_cast<int>(std::ceil(upper)); ++k) {
            const double depth = std::min(upper, k + 1.0) - std::max(lower, static_cast<double>(k));
            const double* fraction = area.fraction.data();
            for (int j = area.first_row; j < area.end_row; ++j, fraction += width) {
                float* line = &mask.at(area.first_column, j, k);
                for (int i = 0; i < width; ++i)
                    if (fraction[i] > 0) line[i] = static_cast<float>(settle(static_cast<double>(line[i]) + depth * fraction[i]));
            }
        }
    }
    return mask;
}

}  // namespace libdose
