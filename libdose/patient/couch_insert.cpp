// From a couch in its own frame to structures in the patient's.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "libdose/couch.h"
#include "libdose/error.h"

namespace libdose {

namespace {

using Polygon = std::vector<Eigen::Vector2d>;

/// Signs of the couch's x and y in the patient's frame (LPS).
struct Facing {
    double x, y;
};

Facing facing(PatientPosition position) {
    switch (position) {
        case PatientPosition::hfs:
            return {1, 1};
        case PatientPosition::ffs:
            return {-1, 1};
        case PatientPosition::hfp:
            return {-1, -1};
        case PatientPosition::ffp:
            return {1, -1};
        default:
            break;
    }
    throw bad_input("a couch cannot be placed for patient position " + to_string(position), "couch",
                    "Contour it, with type SUPPORT and a density");
}

/// Part of a polygon on one side of a line along an axis (Sutherland and Hodgman 1974).
Polygon cut(const Polygon& polygon, int axis, double limit, double side) {
    Polygon result;
    for (std::size_t i = 0; i < polygon.size(); ++i) {
        const Eigen::Vector2d &a = polygon[i], &b = polygon[(i + 1) % polygon.size()];
        const double da = side * (limit - a[axis]), db = side * (limit - b[axis]);
        if (da >= 0) result.push_back(a);
        if ((da > 0 && db < 0) || (da < 0 && db > 0)) result.push_back(a + da / (da - db) * (b - a));
    }
    return result;
}

double area(const Polygon& polygon) {
    double sum = 0;
    for (std::size_t i = 0; i < polygon.size(); ++i) {
        const Eigen::Vector2d &a = polygon[i], &b = polygon[(i + 1) % polygon.size()];
        sum += a[0] * b[1] - b[0] * a[1];
    }
    return 0.5 * std::abs(sum);
}

std::string mm(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f mm", value);
    return text;
}

/// Least and greatest of the points of all contours along an axis.
std::pair<double, double> extent(const Structure& structure, int axis) {
    double low = 1e30, high = -1e30;
    for (const Contour& contour : structure.contours)
        for (const Vec3& point : contour.points_mm) {
            low = std::min(low, point[axis]);
            high = std::max(high, point[axis]);
        }
    return {low, high};
}

}  // namespace

CouchStructures couch_structures(const CouchModel& couch, const CtImage& ct, PatientPosition position,
                                 double top_mm, double centre_x_mm, double lowest_z_mm, double highest_z_mm) {
    couch.check();
    const Facing side = facing(position);
    const Grid& grid = ct.hu.grid;
    const Vec3 low = grid.lower_edge_mm(), high = grid.upper_edge_mm();
    CouchStructures result;
    double whole = 0, kept = 0;
    for (const CouchPart& part : couch.parts) {
        Polygon polygon;
        for (std::size_t i = 0; i < part.x_mm.size(); ++i)
            polygon.emplace_back(centre_x_mm + side.x * part.x_mm[i], top_mm + side.y * part.y_mm[i]);
        const double before = area(polygon);
        for (int axis = 0; axis < 2; ++axis)
            polygon = cut(cut(polygon, axis, high[axis], 1), axis, low[axis], -1);
        // The parts lie in each other: the largest one is the couch.
        if (before > whole) {
            whole = before;
            kept = area(polygon);
        }
        Structure structure;
        structure.name = "Couch " + part.name;
        structure.type = "SUPPORT";
        structure.plane_spacing_mm = grid.spacing_mm[2];
        structure.relative_mass_density = part.density_g_cm3;
        structure.material = part.material;
        if (area(polygon) > 0)
            for (int k = 0; k < grid.size[2]; ++k) {
                const double z = grid.centre_mm(0, 0, k)[2];
                if (z < lowest_z_mm || z > highest_z_mm) continue;
                Contour contour;
                for (const auto& p : polygon) contour.points_mm.emplace_back(p[0], p[1], z);
                structure.contours.push_back(std::move(contour));
            }
        result.structures.push_back(std::move(structure));
    }
    if (!(kept > 0))
        throw bad_input("the couch \"" + couch.name + "\" lies wholly beyond the CT", "couch",
                        "Check the height of its top and its middle (LPS, mm)");
    result.outside_percent = 100 * (1 - kept / whole);
    return result;
}

CouchPlacement insert_couch(StructureSet& structures, const CtImage& ct, PatientPosition position,
                            const CouchModel& couch, std::optional<double> top_mm, double centre_x_mm) {
    const Facing side = facing(position);
    const Structure* body = structures.external();
    if (!body)
        throw bad_input("a couch needs a structure of type EXTERNAL to lie under", "couch",
                        "Without it the whole CT is calculated, with the table that it was taken on");
    int number = 0;
    for (const Structure& s : structures.structures) {
        number = std::max(number, s.number);
        if (s.type == "SUPPORT" && !s.contours.empty())
            throw bad_input(
                "there is a couch already: the structure \"" + s.name + "\" is of type SUPPORT", "couch",
                "Calculate without a couch model, or take the structure out of the structure set");
    }
    const auto [least_y, greatest_y] = extent(*body, 1);
    const double lowest_point = side.y > 0 ? greatest_y : least_y;
    CouchPlacement placement{top_mm.value_or(lowest_point), centre_x_mm, {}};
    const double inside = side.y * (lowest_point - placement.top_mm);
    if (!(std::abs(inside) < 1e4))
        throw bad_input("the height of the couch is not a position in the CT", "couch");
    if (inside > 10)
        throw bad_input("the top of the couch is " + mm(inside) + " inside the body", "couch",
                        "The body \"" + body->name + "\" ends at " + mm(lowest_point) + " (LPS y)");
    const double one_edge = centre_x_mm + side.x * couch.lowest_x_mm(),
                 other_edge = centre_x_mm + side.x * couch.highest_x_mm();
    const auto [least_x, greatest_x] = extent(*body, 0);
    const double middle = 0.5 * (least_x + greatest_x);
    if (!(std::min(one_edge, other_edge) < middle && middle < std::max(one_edge, other_edge)))
        throw bad_input(
            "the couch does not lie under the body, whose middle is at " + mm(middle) + " (LPS x)", "couch",
            "The couch's own middle is at " + mm(centre_x_mm) + "; move it there");

    CouchStructures made = couch_structures(couch, ct, position, placement.top_mm, centre_x_mm, -1e30, 1e30);
    for (Structure& structure : made.structures) {
        if (structures.find(structure.name))
            throw bad_input("the structure set has a structure \"" + structure.name + "\" already", "couch",
                            "Rename it, or take it out");
        structure.number = ++number;
        structures.structures.push_back(std::move(structure));
    }
    placement.notes.push_back("couch \"" + couch.name + "\": top at " + mm(placement.top_mm) + " (LPS y)" +
                              (top_mm ? "" : ", where the body's lowest point is") + ", middle at " +
                              mm(centre_x_mm) + " (LPS x)");
    if (inside > 0.5)
        placement.notes.push_back("couch: its top is " + mm(inside) +
                                  " inside the body, where it replaces what the CT shows");
    if (inside < -0.5)
        placement.notes.push_back("couch: its top is " + mm(-inside) + " below the body's lowest point");
    if (made.outside_percent > 0.05) {
        char text[160];
        std::snprintf(text, sizeof text,
                      "couch: %.1f %% of it lie beyond the CT and are left out; rays that pass there are not "
                      "attenuated",
                      made.outside_percent);
        placement.notes.emplace_back(text);
    }
    return placement;
}

}  // namespace libdose
