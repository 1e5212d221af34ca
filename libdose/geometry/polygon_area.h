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

/// Fraction of every pixel inside closed polygons by the even-odd rule: exact, also where polygons cross each
/// other or themselves. Coordinates in pixels: pixel (c, r) is the square [c, c + 1] x [r, r + 1]. What lies
/// outside columns x rows is cut off. Pixels outside the returned part are 0. The points must be finite.
PixelCoverage even_odd_coverage(const std::vector<Polygon2>& polygons, int columns, int rows);

/// How polygons lie in each other.
struct PolygonNesting {
    std::vector<bool> solid;                  ///< by polygon: an even number of polygons lies around it
    std::vector<std::vector<bool>> encloses;  ///< [a][b]: polygon b lies wholly within polygon a
};

/// Fraction of every pixel inside polygons that are solid or holes by their nesting: exact. Of the polygons
/// around a point (each by the even-odd rule) the innermost ones count, those that enclose none of the
/// others: the point is inside when one of them is solid. So a polygon within another is a hole, one within a
/// hole an island, and polygons that overlap are one area. Coordinates as above.
PixelCoverage nested_coverage(const std::vector<Polygon2>& polygons, const PolygonNesting& nesting,
                              int columns, int rows);

/// Area inside closed polygons by the even-odd rule, in the square of their unit: exact to within rounding.
double even_odd_area(const std::vector<Polygon2>& polygons);
/// The same where they are solid or holes by their nesting.
double nested_area(const std::vector<Polygon2>& polygons, const PolygonNesting& nesting);
/// Area inside both of two closed polygons, each by the even-odd rule. Neither may be empty.
double common_area(const Polygon2& a, const Polygon2& b);

}  // namespace libdose
