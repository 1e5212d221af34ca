#include "engine/patient_structures.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "engine/field_box.h"
#include "fluence/aperture.h"
#include "fluence/fluence_plan.h"
#include "libdose/error.h"
#include "patient/bolus_density.h"
#include "patient/contour_planes.h"
#include "patient/contour_report.h"
#include "patient/overrides.h"
#include "patient/plane_outlines.h"

namespace libdose {
namespace {

/// A structure that is calculated, and what it is called.
struct Used {
    const Structure* structure;
    const char* role;  ///< "body", "support", "bolus"
    std::string name() const { return std::string("the ") + role + " \"" + structure->name + "\""; }
};

std::string digits(double value, int decimals) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
    return text;
}

std::vector<Used> used_structures(const StructureSet& set, const Plan& plan) {
    std::vector<Used> used;
    const Structure* body = set.external();
    if (body) used.push_back({body, "body"});
    for (const Structure& structure : set.structures)
        if (body && structure.type == "SUPPORT" && !structure.contours.empty())
            used.push_back({&structure, "support"});
    for (const Structure* bolus : bolus_structures(&set, boluses_of(plan, &set), "structure set"))
        used.push_back({bolus, "bolus"});
    return used;
}

void require_whole(const Used& used, const ContourReport& report) {
    const std::string where = "structure \"" + used.structure->name + "\"";
    if (!(report.covered_cm3 > 0))
        throw bad_input(used.name() + " encloses no volume: its contours cancel each other, or are lines",
                        where, "Correct its contours");
    constexpr double greatest_loss = 0.01;
    const double outlined = report.covered_cm3 + report.lost_cm3;
    if (report.lost_cm3 > greatest_loss * outlined)
        throw bad_input(used.name() + " loses " + digits(report.lost_cm3, 1) + " of the " +
                            digits(outlined, 1) + " cm3 that its outlines enclose: they " +
                            (used.structure->xor_contours ? "overlap, and are of type CLOSEDPLANAR_XOR"
                                                          : "go round it twice"),
                        where, "Correct its contours");
    constexpr double most_holes = 0.5;
    if (used.role == std::string("body") && report.covered_cm3 < (1 - most_holes) * report.filled_cm3)
        throw bad_input("more than half of " + used.name() + " is holes: " + digits(report.covered_cm3, 1) +
                            " of the " + digits(report.filled_cm3, 1) +
                            " cm3 that its outermost contours enclose are left",
                        where, "Correct its contours: one within another is a hole");
}

void require_no_gaps(const Used& used, const ContourStack& stack) {
    if (stack.gaps_mm.empty()) return;
    std::string gaps;
    for (const auto& [lower, upper] : stack.gaps_mm)
        gaps += (gaps.empty() ? "" : ", ") + digits(lower, 1) + " to " + digits(upper, 1);
    throw bad_input("planes are missing in " + used.name() + ": a gap without contours at z = " + gaps +
                        " mm, which would count as vacuum",
                    "structure \"" + used.structure->name + "\"",
                    "Contour the missing slices, or accept the gap (--accept-gaps; accept_gaps)");
}

using Point = Eigen::Vector2d;

/// Box of what of a polygon lies beyond a limit along an axis, as low and high corner; low above high where
/// nothing does.
std::pair<Point, Point> box_beyond(const Polygon2& polygon, int axis, double limit, double outwards) {
    Point low = Point::Constant(std::numeric_limits<double>::infinity()), high = -low;
    for (std::size_t i = 0; i < polygon.size(); ++i) {
        const Point &a = polygon[i], &b = polygon[(i + 1) % polygon.size()];
        const double from_a = outwards * (a[axis] - limit), from_b = outwards * (b[axis] - limit);
        const auto include = [&](const Point& p) {
            low = low.cwiseMin(p);
            high = high.cwiseMax(p);
        };
        if (from_a >= 0) include(a);
        if ((from_a > 0 && from_b < 0) || (from_a < 0 && from_b > 0))
            include(a + from_a / (from_a - from_b) * (b - a));
    }
    return {low, high};
}

/// Area of the outlines within a rectangle, mm².
double area_within_mm2(PlaneOutlines outlines, const Point& low, const Point& high) {
    for (Polygon2& polygon : outlines.polygons)
        for (Point& p : polygon) p = (p - low).cwiseQuotient(high - low);
    const PixelCoverage part = outlines.nesting.solid.empty()
                                   ? even_odd_coverage(outlines.polygons, 1, 1)
                                   : nested_coverage(outlines.polygons, outlines.nesting, 1, 1);
    return part.fraction.empty() ? 0 : part.fraction.front() * (high - low).prod();
}

/// Parts of a plane beside the CT. A contour along the edge of the image may lie beyond it by a pixel.
void add_parts_beside(const ContourPlane& plane, const PlaneOutlines& outlines, const Grid& grid,
                      StructureBeyondCt& beyond) {
    for (int axis = 0; axis < 2; ++axis)
        for (const double outwards : {-1.0, 1.0}) {
            const double edge_mm = outwards < 0 ? grid.lower_edge_mm()[axis] : grid.upper_edge_mm()[axis];
            for (const Polygon2& polygon : outlines.polygons) {
                const auto [low, high] = box_beyond(polygon, axis, edge_mm, outwards);
                if (!((outwards < 0 ? edge_mm - low[axis] : high[axis] - edge_mm) > grid.spacing_mm[axis]))
                    continue;
                beyond.parts.push_back({Vec3(low[0], low[1], plane.lower_mm),
                                        Vec3(high[0], high[1], plane.upper_mm), axis, outwards});
            }
        }
}

/// The part of a plane below or above the CT. Planes reach half their distance beyond the last slice: that is
/// no part beyond it.
void add_part_above(const ContourPlane& plane, const PlaneOutlines& outlines, const Grid& grid,
                    StructureBeyondCt& beyond) {
    const double low_mm = grid.lower_edge_mm()[2], high_mm = grid.upper_edge_mm()[2],
                 quarter_mm = 0.25 * grid.spacing_mm[2];
    const double outwards = plane.z_mm < low_mm - quarter_mm ? -1 : plane.z_mm > high_mm + quarter_mm ? 1 : 0;
    if (outwards == 0) return;
    Point low = Point::Constant(std::numeric_limits<double>::infinity()), high = -low;
    for (const Polygon2& polygon : outlines.polygons)
        for (const Point& p : polygon) {
            low = low.cwiseMin(p);
            high = high.cwiseMax(p);
        }
    beyond.parts.push_back(
        {Vec3(low[0], low[1], plane.lower_mm), Vec3(high[0], high[1], plane.upper_mm), 2, outwards});
}

StructureBeyondCt beyond_ct(const Structure& structure, const ContourStack& stack, const Grid& grid) {
    const Vec3 lower_mm = grid.lower_edge_mm(), upper_mm = grid.upper_edge_mm();
    StructureBeyondCt beyond;
    for (const ContourPlane& plane : stack.planes) {
        const PlaneOutlines outlines = outlines_of(structure, plane);
        const std::size_t before = beyond.parts.size();
        add_parts_beside(plane, outlines, grid, beyond);
        add_part_above(plane, outlines, grid, beyond);
        if (beyond.parts.size() == before) continue;
        const double depth_mm =
            std::max(0.0, std::min(plane.upper_mm, upper_mm[2]) - std::max(plane.lower_mm, lower_mm[2]));
        beyond.volume_cm3 +=
            1e-3 * (area_mm2(outlines) * (plane.upper_mm - plane.lower_mm) -
                    area_within_mm2(outlines, lower_mm.head<2>(), upper_mm.head<2>()) * depth_mm);
    }
    return beyond;
}

/// Whether rays from a source leave the patient through a part and do not come back: then it only lacks what
/// it would scatter back.
bool is_exit(const PartBeyond& part, const Vec3& source_mm) {
    constexpr double least_cosine = 0.5;
    const Vec3 ray = 0.5 * (part.lower_mm + part.upper_mm) - source_mm;
    return part.outwards * ray[part.axis] > least_cosine * ray.norm();
}

bool enters_through(const physics::BeamFrame& frame, const Rect& open_mm,
                    const StructureBeyondCt& structure) {
    return std::any_of(structure.parts.begin(), structure.parts.end(), [&](const PartBeyond& part) {
        return !is_exit(part, frame.source_mm()) &&
               box_in_field(frame, open_mm, {part.lower_mm, part.upper_mm}).has_value();
    });
}

bool said(const StructureSet& set, const Structure& structure, const std::string& text) {
    return std::any_of(set.notes.begin(), set.notes.end(), [&](const std::string& note) {
        return note.ends_with(text) && note.find(structure.name) != std::string::npos;
    });
}

void note_contours(const StructureSet& set, const Structure& structure, std::vector<std::string>& notes) {
    for (const std::string& text : contour_notes(structure))
        if (!said(set, structure, text)) notes.push_back("structure \"" + structure.name + "\": " + text);
}

bool has_density(const Structure& structure, const StructureSet& set, const EngineOptions& options) {
    if (structure.contours.empty()) return false;
    return structure.relative_mass_density || structure.relative_electron_density ||
           std::any_of(options.overrides.begin(), options.overrides.end(),
                       [&](const DensityOverride& o) { return set.find(o.structure) == &structure; });
}

}  // namespace

StructureReport examine_patient_structures(const CtImage& ct, const StructureSet* structures,
                                           const Plan& plan, const EngineOptions& options) {
    StructureReport result;
    if (!structures) return result;
    const Grid& grid = ct.hu.grid;
    const std::vector<Used> all_used = used_structures(*structures, plan);
    for (const Used& used : all_used) {
        const Structure& structure = *used.structure;
        const ContourStack stack = stack_contours(structure, grid.spacing_mm[2]);
        require_whole(used, report_contours(structure, grid.spacing_mm[2]));
        if (used.role == std::string("body") && !options.accept_gaps) require_no_gaps(used, stack);
        StructureBeyondCt beyond = beyond_ct(structure, stack, grid);
        if (!beyond.parts.empty()) {
            result.notes.push_back(used.name() + ": " + digits(beyond.volume_cm3, 1) +
                                   " cm3 of it lie beyond the CT and are left out; no beam enters there");
            beyond.name = used.name();
            beyond.structure = structure.name;
            result.beyond_ct.push_back(std::move(beyond));
        }
        note_contours(*structures, structure, result.notes);
    }
    for (const Structure& structure : structures->structures)
        if (has_density(structure, *structures, options) &&
            std::none_of(all_used.begin(), all_used.end(),
                         [&](const Used& used) { return used.structure == &structure; }))
            note_contours(*structures, structure, result.notes);
    return result;
}

void require_no_field_through(const std::vector<StructureBeyondCt>& structures,
                              const physics::BeamFrame& frame, const Rect& opening,
                              const std::string& passing, const std::string& where) {
    for (const StructureBeyondCt& structure : structures)
        if (enters_through(frame, opening, structure))
            throw bad_input(structure.name + " goes beyond the CT, by " + digits(structure.volume_cm3, 1) +
                                " cm3, and " + passing,
                            where + ", structure \"" + structure.structure + "\"",
                            "Use a CT with a larger field of view, or cut the structure where the CT "
                            "ends if nothing is there");
}

void require_no_beam_through(const std::vector<StructureBeyondCt>& structures, const Beam& beam,
                             PatientPosition position, double field_radius_mm, const EngineOptions& options) {
    if (structures.empty()) return;
    for (const ControlPoint& point : moments_of(beam, options.sub_arc_deg)) {
        const auto open_mm = opening_mm(beam, point, field_radius_mm);
        if (!open_mm) continue;
        const auto frame =
            physics::beam_frame(position, point.gantry_deg, point.collimator_deg, point.couch_deg,
                                point.isocentre_mm, beam.source_axis_distance_mm);
        require_no_field_through(
            structures, frame, *open_mm,
            "the beam passes there, at gantry " + digits(point.gantry_deg, 1) + " degrees", beam.place());
    }
}

std::vector<std::string> check_patient_structures(const CtImage& ct, const StructureSet* structures,
                                                  const Plan& plan, const BeamModelProvider& models,
                                                  const EngineOptions& options) {
    StructureReport found = examine_patient_structures(ct, structures, plan, options);
    for (const Beam& beam : plan.beams)
        require_no_beam_through(found.beyond_ct, beam, plan.position,
                                models(beam).head.maximum_field_radius_mm, options);
    return std::move(found.notes);
}

}  // namespace libdose
