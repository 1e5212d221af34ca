// The contours of one plane: which of them are copies, which are holes, and which overlap
// (docs/reference/structures.md).
#pragma once

#include <cstddef>
#include <vector>

#include "geometry/polygon_area.h"
#include "libdose/structure.h"
#include "patient/contour_planes.h"

namespace libdose {

/// Outlines of one plane, x and y in mm (LPS), and how they combine.
struct PlaneOutlines {
    std::vector<Polygon2> polygons;  ///< each once: copies are left out
    PolygonNesting
        nesting;  ///< which polygon lies in which; empty where the even-odd rule gives the same area
    std::size_t copies = 0;  ///< contours that are left out
    double overlap_mm2 = 0;  ///< area that parts share of which none lies within the other, pair by pair
};

/// Copies once, holes and islands by nesting, overlapping parts as one.
PlaneOutlines nested_outlines(const std::vector<const Contour*>& contours);
/// CLOSEDPLANAR_XOR: what an odd number of contours encloses, copies included.
PlaneOutlines exclusive_outlines(const std::vector<const Contour*>& contours);
/// The one of them that the structure's contours call for.
PlaneOutlines outlines_of(const Structure& structure, const ContourPlane& plane);

/// The polygon of a contour: a point that is repeated counts once, and so does an outline that is traced
/// several times over.
Polygon2 outline_of(const Contour& contour);

/// Area inside the outlines of a plane, mm².
double area_mm2(const PlaneOutlines& outlines);
/// Area that at least one outline encloses: the same without holes, mm².
double filled_area_mm2(const PlaneOutlines& outlines);

/// Area that a polygon goes round twice, so that the even-odd rule counts it as outside, mm²; `area_mm2` is
/// its area by that rule. Negative where parts run the other way round, as in a figure of eight. A key-hole,
/// which runs in and back along one line, has none.
double self_overlap_mm2(const Polygon2& polygon, double area_mm2);

}  // namespace libdose
