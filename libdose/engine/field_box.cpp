#include "engine/field_box.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace libdose {

namespace {

/// The points with normal · point + offset >= 0.
struct HalfSpace {
    Vec3 normal;
    double offset;
};

/// The part of a line start + t · direction between two values of t; empty where begin > end.
struct Stretch {
    double begin, end;
};

Stretch clipped(Stretch stretch, const Vec3& start, const Vec3& direction,
                const std::vector<HalfSpace>& half_spaces) {
    for (const HalfSpace& half : half_spaces) {
        const double value = half.normal.dot(start) + half.offset, slope = half.normal.dot(direction);
        if (slope > 0)
            stretch.begin = std::max(stretch.begin, -value / slope);
        else if (slope < 0)
            stretch.end = std::min(stretch.end, -value / slope);
        else if (value < 0)
            stretch.end = -std::numeric_limits<double>::infinity();
    }
    return stretch;
}

std::vector<HalfSpace> sides_of(const PatientBox& box) {
    std::vector<HalfSpace> sides;
    for (int axis = 0; axis < 3; ++axis) {
        const Vec3 normal = Vec3::Unit(axis);
        sides.push_back({normal, -box.lower_mm[axis]});
        sides.push_back({-normal, box.upper_mm[axis]});
    }
    return sides;
}

/// Through the source and the edges of the rectangle, and before the source.
std::vector<HalfSpace> sides_of(const physics::BeamFrame& frame, const Rect& opening) {
    const Vec3 source = frame.source_mm(), ahead = -frame.axes.col(2);
    std::vector<HalfSpace> sides;
    const auto side = [&](const Vec3& normal) { sides.push_back({normal, -normal.dot(source)}); };
    side(ahead);
    const auto sides_along = [&](int axis, double low_mm, double high_mm) {
        const Vec3 across = frame.source_axis_distance_mm * frame.axes.col(axis);
        side(across - low_mm * ahead);
        side(high_mm * ahead - across);
    };
    sides_along(0, opening.low_u_mm, opening.high_u_mm);
    sides_along(1, opening.low_v_mm, opening.high_v_mm);
    return sides;
}

}  // namespace

std::optional<PatientBox> box_in_field(const physics::BeamFrame& frame, const Rect& opening,
                                       const PatientBox& box) {
    if (opening.low_u_mm > opening.high_u_mm || opening.low_v_mm > opening.high_v_mm) return std::nullopt;
    constexpr double infinity = std::numeric_limits<double>::infinity();
    PatientBox common{Vec3::Constant(infinity), Vec3::Constant(-infinity)};
    // A corner of the common part lies on an edge of the box or on an edge of the pyramid.
    const auto include = [&](const Vec3& start, const Vec3& direction, const Stretch& part) {
        if (part.begin > part.end) return;
        for (const double t : {part.begin, part.end}) {
            const Vec3 point = (start + t * direction).cwiseMax(box.lower_mm).cwiseMin(box.upper_mm);
            common.lower_mm = common.lower_mm.cwiseMin(point);
            common.upper_mm = common.upper_mm.cwiseMax(point);
        }
    };
    const Vec3 size = box.upper_mm - box.lower_mm, source = frame.source_mm();
    const std::vector<HalfSpace> box_sides = sides_of(box), field_sides = sides_of(frame, opening);
    for (int axis = 0; axis < 3; ++axis)
        for (int edge = 0; edge < 4; ++edge) {
            Vec3 start = box.lower_mm;
            if (edge & 1) start[(axis + 1) % 3] = box.upper_mm[(axis + 1) % 3];
            if (edge & 2) start[(axis + 2) % 3] = box.upper_mm[(axis + 2) % 3];
            const Vec3 direction = size[axis] * Vec3::Unit(axis);
            include(start, direction, clipped({0, 1}, start, direction, field_sides));
        }
    for (int corner = 0; corner < 4; ++corner) {
        const Vec3 direction = frame.point_mm(opening.corner_u_mm(corner), opening.corner_v_mm(corner),
                                              frame.source_axis_distance_mm) -
                               source;
        include(source, direction, clipped({0, infinity}, source, direction, box_sides));
    }
    if (!(common.lower_mm.array() <= common.upper_mm.array()).all()) return std::nullopt;
    return common;
}

bool contains(const PatientBox& box, const Vec3& point_mm) {
    return (point_mm.array() >= box.lower_mm.array()).all() &&
           (point_mm.array() <= box.upper_mm.array()).all();
}

}  // namespace libdose
