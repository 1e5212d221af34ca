#include "phantom_anatomy.h"

#include <cmath>

namespace phantom {

namespace {

constexpr double air_hu = -1000, soft_hu = 20;
// Densities through the default HU curve (Schneider 2000): lung 0.26, heart 1.05, bone 1.4 g/cm³.
constexpr double lung_hu = -1000 + (0.26 - 0.00121) / (0.930 - 0.00121) * 902,
                 heart_hu = (1.05 - 1.003) / 1.169e-3, bone_hu = (1.4 - 1.017) / 0.592e-3;
const Vec3 target_centre(95, -15, 0);
constexpr double gross_radius = 16, planning_radius = 22;

}  // namespace

bool Solid::contains(const Vec3& p) const {
    const Vec3 d = p - centre;
    const double in_plane = std::pow(d[0] / half_axes[0], 2) + std::pow(d[1] / half_axes[1], 2);
    return in_plane + (half_axes[2] > 0 ? std::pow(d[2] / half_axes[2], 2) : 0.0) <= 1;
}

std::array<double, 2> Solid::section(double z) const {
    double scale = 1;
    if (half_axes[2] > 0) {
        const double rest = 1 - std::pow((z - centre[2]) / half_axes[2], 2);
        if (rest <= 0) return {0, 0};
        scale = std::sqrt(rest);
    }
    return {half_axes[0] * scale, half_axes[1] * scale};
}

std::vector<Organ> organs() {
    return {
        {"BODY", "EXTERNAL", {Vec3(0, 0, 0), Vec3(170, 115, 0)}, soft_hu, true, {0, 255, 0}},
        {"LUNG_R", "ORGAN", {Vec3(-82, -8, 0), Vec3(58, 78, 120)}, lung_hu, true, {0, 160, 255}},
        {"LUNG_L", "ORGAN", {Vec3(82, -8, 0), Vec3(58, 78, 120)}, lung_hu, true, {0, 100, 255}},
        {"HEART", "ORGAN", {Vec3(22, -38, -30), Vec3(40, 38, 48)}, heart_hu, true, {255, 80, 80}},
        {"SPINE", "ORGAN", {Vec3(0, 68, 0), Vec3(20, 20, 0)}, bone_hu, true, {255, 220, 150}},
        {"CORD", "ORGAN", {Vec3(0, 74, 0), Vec3(7, 7, 0)}, soft_hu, true, {255, 255, 0}},
        {"GTV",
         "GTV",
         {target_centre, Vec3(gross_radius, gross_radius, gross_radius)},
         30,
         true,
         {200, 0, 0}},
        {target_name,
         "PTV",
         {target_centre, Vec3(planning_radius, planning_radius, planning_radius)},
         0,
         false,
         {255, 0, 0}},
    };
}

Vec3 isocentre() { return target_centre; }
double target_radius() { return planning_radius; }

std::vector<std::array<double, 2>> bolus_outline(double z) {
    constexpr double thickness = 5, half_length = 70;
    constexpr int steps = 40;
    std::vector<std::array<double, 2>> outline;
    if (std::abs(z) > half_length) return outline;
    const Vec3 half = organs().front().solid.half_axes;
    // Along the skin to the patient's left and back, one thickness farther out along the normal of the
    // ellipse.
    const double from = std::acos(20 / half[0]), to = std::acos(155 / half[0]);
    const auto add = [&](double angle, double out) {
        const double c = std::cos(angle), s = -std::sin(angle);  // the front is at negative y
        const double length = std::hypot(c / half[0], s / half[1]);
        outline.push_back(
            {half[0] * c + out * c / half[0] / length, half[1] * s + out * s / half[1] / length});
    };
    for (int i = 0; i <= steps; ++i) add(from + (to - from) * i / steps, 0);
    for (int i = steps; i >= 0; --i) add(from + (to - from) * i / steps, thickness);
    return outline;
}

double hounsfield(const Vec3& p) {
    static const std::vector<Organ> all = organs();
    double hu = air_hu;
    for (const Organ& organ : all)
        if (organ.fills && organ.solid.contains(p)) hu = organ.hu;
    if (hu == soft_hu) hu += 10 * std::sin(p[0] / 9) * std::sin(p[1] / 7) * std::sin(p[2] / 11);
    return std::round(hu);
}

}  // namespace phantom
