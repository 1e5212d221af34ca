#include "patient/plane_outlines.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace libdose {
namespace {

using Point = Eigen::Vector2d;

// Outlines that lie this close to each other on average are one outline: less than the smallest CT pixel,
// more than rounding to 0.1 mm, and thinner than any wall that is drawn on a CT.
constexpr double same_outline_mm = 0.2;
// A small outline may be no larger than that distance. So a copy shares at least three quarters of the area
// of both together, an outline within another sticks out by a tenth of its own area at most, and outlines
// that only touch share less than a twentieth.
constexpr double copy_part = 0.25, nested_part = 0.1, touching_part = 0.05;
// Points this close are one point: coordinates carry 0.01 mm or more.
constexpr double same_point_mm = 0.01;

struct Outline {
    explicit Outline(Polygon2 points) : polygon(std::move(points)) {
        for (std::size_t i = 0; i < polygon.size(); ++i) {
            perimeter_mm += (polygon[(i + 1) % polygon.size()] - polygon[i]).norm();
            low = low.cwiseMin(polygon[i]);
            high = high.cwiseMax(polygon[i]);
        }
    }
    bool may_meet(const Outline& other) const {
        return (low.array() <= other.high.array()).all() && (other.low.array() <= high.array()).all();
    }

    Polygon2 polygon;
    double area_mm2 = 0;  ///< 0 until another outline is seen that may meet it
    double perimeter_mm = 0;
    Point low = Point::Constant(std::numeric_limits<double>::infinity()), high = -low;
};

bool is_copy(const Outline& a, const Outline& b, double common_mm2) {
    const double different_mm2 = a.area_mm2 + b.area_mm2 - 2 * common_mm2,
                 both_mm2 = a.area_mm2 + b.area_mm2 - common_mm2;
    return different_mm2 <=
           std::min(same_outline_mm * 0.5 * (a.perimeter_mm + b.perimeter_mm), copy_part * both_mm2);
}

/// Whether `inner` lies within the other, but for what rounding lets stick out.
bool is_within(const Outline& inner, const Outline& outer, double common_mm2) {
    return inner.area_mm2 < outer.area_mm2 &&
           inner.area_mm2 - common_mm2 <=
               std::min(same_outline_mm * inner.perimeter_mm, nested_part * inner.area_mm2);
}

bool only_touch(const Outline& a, const Outline& b, double common_mm2) {
    return common_mm2 <= std::min(same_outline_mm * std::min(a.perimeter_mm, b.perimeter_mm),
                                  touching_part * std::min(a.area_mm2, b.area_mm2));
}

/// Depth of each polygon: the most polygons of which each lies within the next, around it.
std::vector<int> depths(const std::vector<Outline>& outlines,
                        const std::vector<std::vector<bool>>& encloses) {
    std::vector<std::size_t> order(outlines.size());
    for (std::size_t n = 0; n < order.size(); ++n) order[n] = n;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return outlines[a].area_mm2 > outlines[b].area_mm2;
    });
    std::vector<int> depth(outlines.size(), 0);
    for (const std::size_t inner : order)
        for (std::size_t outer = 0; outer < outlines.size(); ++outer)
            if (encloses[outer][inner]) depth[inner] = std::max(depth[inner], depth[outer] + 1);
    return depth;
}

/// Area that two outlines have in common, mm²; below 0 where their boxes do not meet.
using Table = std::vector<std::vector<double>>;
constexpr double apart = -1;

Table common_areas(std::vector<Outline>& outlines) {
    const std::size_t count = outlines.size();
    Table common_mm2(count, std::vector<double>(count, apart));
    for (std::size_t a = 0; a < count; ++a)
        for (std::size_t b = a + 1; b < count; ++b) {
            if (!outlines[a].may_meet(outlines[b])) continue;
            for (Outline* outline : {&outlines[a], &outlines[b]})
                if (outline->area_mm2 == 0) outline->area_mm2 = even_odd_area({outline->polygon});
            common_mm2[a][b] = common_mm2[b][a] =
                std::max(0.0, common_area(outlines[a].polygon, outlines[b].polygon));
        }
    return common_mm2;
}

/// Takes copies out of the outlines, the smaller of two, and their rows out of the table of common areas.
std::size_t remove_copies(std::vector<Outline>& outlines, Table& common_mm2) {
    std::vector<bool> gone(outlines.size(), false);
    for (std::size_t a = 0; a < outlines.size(); ++a)
        for (std::size_t b = a + 1; b < outlines.size() && !gone[a]; ++b)
            if (!gone[b] && common_mm2[a][b] != apart && is_copy(outlines[a], outlines[b], common_mm2[a][b]))
                gone[outlines[a].area_mm2 < outlines[b].area_mm2 ? a : b] = true;
    const auto keep = [&](auto& list) {
        std::size_t kept = 0;
        for (std::size_t n = 0; n < gone.size(); ++n)
            if (!gone[n]) {
                if (kept != n) list[kept] = std::move(list[n]);
                ++kept;
            }
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(kept), list.end());
    };
    keep(outlines);
    keep(common_mm2);
    for (auto& row : common_mm2) keep(row);
    return gone.size() - outlines.size();
}

/// How the outlines lie in each other; notes the area of overlaps.
PolygonNesting nesting_of(const std::vector<Outline>& outlines, const Table& common_mm2,
                          double& overlap_mm2) {
    const std::size_t count = outlines.size();
    PolygonNesting nesting;
    nesting.encloses.assign(count, std::vector<bool>(count, false));
    bool even_odd = true;
    for (std::size_t a = 0; a < count; ++a)
        for (std::size_t b = a + 1; b < count; ++b) {
            if (common_mm2[a][b] == apart) continue;
            const double common = common_mm2[a][b],
                         smaller = std::min(outlines[a].area_mm2, outlines[b].area_mm2);
            const bool a_within = is_within(outlines[a], outlines[b], common),
                       b_within = is_within(outlines[b], outlines[a], common);
            if (a_within) nesting.encloses[b][a] = true;
            if (b_within) nesting.encloses[a][b] = true;
            const double rest = a_within || b_within ? smaller - common : common;
            constexpr double rounding_mm2 = 1e-6;
            if (rest > rounding_mm2 + 1e-9 * smaller) even_odd = false;
            if (!a_within && !b_within && !only_touch(outlines[a], outlines[b], common))
                overlap_mm2 += common;
        }
    if (even_odd) return {};
    for (const int depth : depths(outlines, nesting.encloses)) nesting.solid.push_back(depth % 2 == 0);
    return nesting;
}

bool same_point(const Point& a, const Point& b) { return (a - b).cwiseAbs().maxCoeff() <= same_point_mm; }

/// Number of points after which the outline begins again; all of them where it does not.
std::size_t period(const Polygon2& polygon) {
    const std::size_t count = polygon.size();
    for (std::size_t times = 4; times >= 2; --times) {
        const std::size_t length = count / times;
        if (count % times != 0 || length < 3) continue;
        bool repeats = true;
        for (std::size_t i = 0; i < count && repeats; ++i)
            repeats = same_point(polygon[i], polygon[(i + length) % count]);
        if (repeats) return length;
    }
    return count;
}

/// Whether an edge is run in both directions: the channel of a key-hole.
bool has_seam(const Polygon2& polygon) {
    const std::size_t count = polygon.size();
    for (std::size_t i = 0; i < count; ++i)
        for (std::size_t j = i + 1; j < count; ++j)
            if (same_point(polygon[i], polygon[(j + 1) % count]) &&
                same_point(polygon[(i + 1) % count], polygon[j]))
                return true;
    return false;
}

double signed_area_mm2(const Polygon2& polygon) {
    double sum = 0;
    for (std::size_t i = 0; i < polygon.size(); ++i) {
        const Point a = polygon[i] - polygon[0], b = polygon[(i + 1) % polygon.size()] - polygon[0];
        sum += a[0] * b[1] - b[0] * a[1];
    }
    return 0.5 * sum;
}

}  // namespace

Polygon2 outline_of(const Contour& contour) {
    Polygon2 polygon;
    polygon.reserve(contour.points_mm.size());
    for (const Vec3& point : contour.points_mm) {
        const Point next(point[0], point[1]);
        if (polygon.empty() || next != polygon.back()) polygon.push_back(next);
    }
    while (polygon.size() > 1 && polygon.back() == polygon.front()) polygon.pop_back();
    polygon.resize(period(polygon));
    return polygon;
}

PlaneOutlines nested_outlines(const std::vector<const Contour*>& contours) {
    PlaneOutlines result;
    if (contours.size() == 1) {
        result.polygons.push_back(outline_of(*contours.front()));
        return result;
    }
    std::vector<Outline> outlines;
    for (const Contour* contour : contours) outlines.emplace_back(outline_of(*contour));
    Table common_mm2 = common_areas(outlines);
    result.copies = remove_copies(outlines, common_mm2);
    result.nesting = nesting_of(outlines, common_mm2, result.overlap_mm2);
    for (Outline& outline : outlines) result.polygons.push_back(std::move(outline.polygon));
    return result;
}

PlaneOutlines exclusive_outlines(const std::vector<const Contour*>& contours) {
    PlaneOutlines result;
    for (const Contour* contour : contours) result.polygons.push_back(outline_of(*contour));
    return result;
}

PlaneOutlines outlines_of(const Structure& structure, const ContourPlane& plane) {
    return structure.xor_contours ? exclusive_outlines(plane.contours) : nested_outlines(plane.contours);
}

double area_mm2(const PlaneOutlines& outlines) {
    return outlines.nesting.solid.empty() ? even_odd_area(outlines.polygons)
                                          : nested_area(outlines.polygons, outlines.nesting);
}

double filled_area_mm2(const PlaneOutlines& outlines) {
    const std::size_t count = outlines.polygons.size();
    if (count == 1) return even_odd_area(outlines.polygons);
    return nested_area(outlines.polygons,
                       {std::vector<bool>(count, true),
                        std::vector<std::vector<bool>>(count, std::vector<bool>(count, false))});
}

double self_overlap_mm2(const Polygon2& polygon, double area_mm2) {
    // An area gone round twice counts double in the signed area and not at all in the even-odd one.
    const double overlap_mm2 = 0.5 * (std::abs(signed_area_mm2(polygon)) - area_mm2);
    constexpr double rounding_mm2 = 1e-6;
    return overlap_mm2 > rounding_mm2 && has_seam(polygon) ? 0 : overlap_mm2;
}

}  // namespace libdose
