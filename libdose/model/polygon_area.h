// Exact area of polygons on a grid of pixels.
#pragma once

#include <Eigen/Core>
#include <vector>

namespace libdose {

using Polygon2 = std::vector<Eigen::Vector2d>;

/// Part of a grid of pixels: columns [first_column, end_column), rows [first_row, end_row).
struct PixelCoverage {
    int first_column = 0, end_column = 0, first_row = 0, end_row = 0;
    std::vector<double> fraction;  ///< 0 … 1, row by row, columns fastest
};

/// Fraction of every pixel inside closed polygons by the even-odd rule: exact, also where polygons cross each other
/// or themselves. Coordinates in pixels: pixel (c, r) is the square [c, c + 1] x [r, r + 1]. What lies outside
/// columns x rows is cut off. Pixels outside the returned part are 0. The points must be finite.
PixelCoverage even_odd_coverage(const std::vector<Polygon2>& polygons, int columns, int rows);

}  // namespace libdose
