#include "patient/contour_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <tuple>

#include "patient/contour_planes.h"
#include "patient/plane_outlines.h"

namespace libdose {
namespace {

void add(ContourReport::Finding& finding, std::size_t count, double z_mm) {
    if (count == 0) return;
    if (finding.count == 0) finding.first_z_mm = z_mm;
    finding.last_z_mm = z_mm;
    finding.count += count;
}

std::string with_digits(double value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

std::string where(const ContourReport::Finding& finding) {
    const std::string first = with_digits(finding.first_z_mm, 1), last = with_digits(finding.last_z_mm, 1);
    return first == last ? "at z = " + first + " mm" : "at z = " + first + " to " + last + " mm";
}

std::string contours(std::size_t count) {
    return std::to_string(count) + (count == 1 ? " contour" : " contours");
}

}  // namespace

ContourReport report_contours(const Structure& structure, double single_plane_mm) {
    ContourReport report;
    for (const ContourPlane& plane : stack_contours(structure, single_plane_mm).planes) {
        const PlaneOutlines nested = nested_outlines(plane.contours);
        const double cm3_per_mm2 = (plane.upper_mm - plane.lower_mm) / 1000;
        add(report.copies, nested.copies, plane.z_mm);
        add(report.overlaps, nested.overlap_mm2 > 0 ? 1 : 0, plane.z_mm);
        report.overlap_cm3 += nested.overlap_mm2 * cm3_per_mm2;
        double single_mm2 = 0;
        for (const Polygon2& polygon : nested.polygons) {
            single_mm2 = even_odd_area({polygon});
            const double twice_mm2 = self_overlap_mm2(polygon, single_mm2);
            // Where a drawn outline closes, it may cross itself a little.
            if (std::abs(twice_mm2) > 0.01 * single_mm2) add(report.crossings, 1, plane.z_mm);
            report.lost_cm3 += std::max(0.0, twice_mm2) * cm3_per_mm2;
        }
        const bool single = nested.polygons.size() == 1;
        const double nested_mm2 = single ? single_mm2 : area_mm2(nested);
        const double inside_mm2 =
            structure.xor_contours ? area_mm2(exclusive_outlines(plane.contours)) : nested_mm2;
        report.lost_cm3 += std::max(0.0, nested_mm2 - inside_mm2) * cm3_per_mm2;
        report.covered_cm3 += inside_mm2 * cm3_per_mm2;
        report.filled_cm3 += (single ? single_mm2 : filled_area_mm2(nested)) * cm3_per_mm2;
    }
    return report;
}

std::vector<std::string> contour_notes(const Structure& structure) {
    std::vector<std::string> notes;
    const ContourReport report = report_contours(structure, 0);
    const auto& [copies, overlaps, crossings] = std::tie(report.copies, report.overlaps, report.crossings);
    if (structure.xor_contours && copies.count + overlaps.count > 0) {
        notes.push_back("contours are copies of others or overlap " +
                        where(copies.count > 0 ? copies : overlaps) + ": by their type, CLOSEDPLANAR_XOR, " +
                        with_digits(report.lost_cm3, 2) + " cm3 that they share are outside");
    } else {
        if (copies.count > 0)
            notes.push_back(contours(copies.count) + " left out " + where(copies) +
                            ": the same contour is there already");
        if (overlaps.count > 0)
            notes.push_back(
                "contours overlap in " + std::to_string(overlaps.count) +
                (overlaps.count == 1 ? " plane " : " planes ") + where(overlaps) +
                (report.overlap_cm3 > 0 ? ", by " + with_digits(report.overlap_cm3, 2) + " cm3" : "") +
                ": taken as one volume");
    }
    if (crossings.count > 0)
        notes.push_back(
            contours(crossings.count) + (crossings.count == 1 ? " crosses itself " : " cross themselves ") +
            where(crossings) + ": what an outline goes round twice is outside, each loop by itself inside");
    for (const auto& [lower, upper] : stack_contours(structure, 0).gaps_mm)
        notes.push_back("no contours between z = " + std::to_string(lower) + " and " + std::to_string(upper) +
                        " mm: taken as separate pieces");
    return notes;
}

}  // namespace libdose
