#include "patient/contour_planes.h"

#include <algorithm>
#include <cmath>

#include "libdose/error.h"

namespace libdose {
namespace {

// Rounding, and a registration by a hundredth of a degree, tilt contours by this much; scan planes are never
// as close.
constexpr double axial_tolerance_mm = 0.1;
constexpr double same_plane_mm = 0.1;
constexpr double gap_factor = 1.5;

double plane_of(const Contour& contour, const std::string& name) {
    double lowest = contour.points_mm.front()[2], highest = lowest;
    for (const Vec3& point : contour.points_mm) {
        if (!point.allFinite())
            throw bad_input("a contour has a coordinate that is not a finite number", "structure " + name);
        lowest = std::min(lowest, point[2]);
        highest = std::max(highest, point[2]);
    }
    if (highest - lowest > axial_tolerance_mm * (1 + 1e-9))
        throw bad_input("a contour is not axial: its z goes from " + std::to_string(lowest) + " to " +
                            std::to_string(highest) + " mm",
                        "structure " + name,
                        "Export the structure with contours on the axial planes of the CT");
    return 0.5 * (lowest + highest);
}

std::vector<ContourPlane> group(const Structure& structure) {
    std::vector<std::pair<double, const Contour*>> by_z;
    for (const Contour& contour : structure.contours)
        if (contour.points_mm.size() >= 3)  // fewer enclose nothing
            by_z.emplace_back(plane_of(contour, structure.name), &contour);
    std::stable_sort(by_z.begin(), by_z.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<ContourPlane> planes;
    for (const auto& [z, contour] : by_z) {
        if (planes.empty() || z - planes.back().z_mm > same_plane_mm) {
            planes.emplace_back();
            planes.back().z_mm = z;
        }
        planes.back().contours.push_back(contour);
    }
    return planes;
}

std::vector<double> distances(const std::vector<ContourPlane>& planes) {
    std::vector<double> result;
    for (std::size_t i = 1; i < planes.size(); ++i) result.push_back(planes[i].z_mm - planes[i - 1].z_mm);
    return result;
}

double lower_median(std::vector<double> values) {
    if (values.empty()) return 0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// Three or more equal distances in a row are a coarser scan or sparser contouring, not missing slices.
bool in_regular_run(const std::vector<double>& step, std::size_t i) {
    const auto like = [&](std::size_t j) { return std::abs(step[j] - step[i]) <= 0.1 * step[i]; };
    std::size_t first = i, last = i;
    while (first > 0 && like(first - 1)) --first;
    while (last + 1 < step.size() && like(last + 1)) ++last;
    return last - first >= 2;
}

}  // namespace

double usual_plane_spacing_mm(const Structure& structure) {
    return lower_median(distances(group(structure)));
}

ContourStack stack_contours(const Structure& structure, double single_plane_mm) {
    ContourStack stack;
    stack.planes = group(structure);
    auto& planes = stack.planes;
    if (planes.empty()) return stack;

    const std::vector<double> step = distances(planes);
    double usual_mm = lower_median(step);
    if (step.empty())
        usual_mm = structure.plane_spacing_mm > 0 ? structure.plane_spacing_mm : single_plane_mm;
    // The one distance of two planes may be two separate slices: only the set can tell.
    if (step.size() == 1 && structure.plane_spacing_mm > 0)
        usual_mm = std::min(usual_mm, structure.plane_spacing_mm);

    planes.front().lower_mm = planes.front().z_mm - 0.5 * usual_mm;
    planes.back().upper_mm = planes.back().z_mm + 0.5 * usual_mm;
    for (std::size_t i = 0; i < step.size(); ++i) {
        const bool wide = step[i] > gap_factor * usual_mm;
        const bool gap = wide && !in_regular_run(step, i);
        const double half_thickness_mm = 0.5 * (gap ? usual_mm : step[i]);
        planes[i].upper_mm = planes[i].z_mm + half_thickness_mm;
        planes[i + 1].lower_mm = planes[i + 1].z_mm - half_thickness_mm;
        if (gap) stack.gaps_mm.emplace_back(planes[i].z_mm, planes[i + 1].z_mm);
        // The end of a coarser part is as thick as that part.
        if (wide && !gap && i == 0) planes.front().lower_mm = planes.front().z_mm - half_thickness_mm;
        if (wide && !gap && i + 1 == step.size())
            planes.back().upper_mm = planes.back().z_mm + half_thickness_mm;
    }
    return stack;
}

}  // namespace libdose
