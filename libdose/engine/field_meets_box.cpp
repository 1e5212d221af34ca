#include "engine/field_meets_box.h"

#include <vector>

namespace libdose {
namespace {

/// Where `plane . (x, y, z, 1)` is not negative.
using HalfSpace = Eigen::Vector4d;

std::vector<Vec3> clipped(const std::vector<Vec3>& face, const HalfSpace& plane) {
    std::vector<Vec3> kept;
    for (std::size_t i = 0; i < face.size(); ++i) {
        const Vec3 &a = face[i], &b = face[(i + 1) % face.size()];
        const double at_a = plane.dot(a.homogeneous()), at_b = plane.dot(b.homogeneous());
        if (at_a >= 0) kept.push_back(a);
        if ((at_a > 0 && at_b < 0) || (at_a < 0 && at_b > 0))
            kept.push_back(a + at_a / (at_a - at_b) * (b - a));
    }
    return kept;
}

}  // namespace

bool field_meets_box(const physics::BeamFrame& frame, const std::array<double, 4>& opening_mm,
                     const Vec3& lower_mm, const Vec3& upper_mm) {
    if (!(opening_mm[1] > opening_mm[0] && opening_mm[3] > opening_mm[2])) return false;
    // In the beam's axes, q the distance from the isocentre towards the source: low * (SAD - q) <= SAD * u <=
    // high * (SAD - q). Behind the source no point fulfils both. The pyramid has no end, so that it meets a
    // face of every box that it meets.
    const double sad = frame.source_axis_distance_mm;
    std::vector<HalfSpace> sides;
    for (int axis = 0; axis < 2; ++axis)
        for (int end = 0; end < 2; ++end) {
            const double limit = opening_mm[static_cast<std::size_t>(2 * axis + end)],
                         sign = end == 0 ? 1 : -1;
            HalfSpace side(0, 0, sign * limit, -sign * limit * sad);
            side[axis] = sign * sad;
            sides.push_back(side);
        }
    for (int face = 0; face < 6; ++face) {
        const int across = face / 2, one = (across + 1) % 3, other = (across + 2) % 3;
        std::vector<Vec3> corners;
        for (int corner = 0; corner < 4; ++corner) {
            Vec3 p;
            p[across] = face % 2 ? upper_mm[across] : lower_mm[across];
            p[one] = corner == 1 || corner == 2 ? upper_mm[one] : lower_mm[one];
            p[other] = corner >= 2 ? upper_mm[other] : lower_mm[other];
            corners.push_back(frame.axes.transpose() * (p - frame.isocentre_mm));
        }
        for (const HalfSpace& side : sides) corners = clipped(corners, side);
        if (!corners.empty()) return true;
    }
    return false;
}

}  // namespace libdose
