// The linter of profiles.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "commissioning/lint.h"
#include "commissioning/profile_edges.h"

namespace libdose::linting {

namespace {

double side_along(const MeasuredCurve& c) {
    return c.axis == ProfileAxis::inplane ? c.side_y_mm : c.side_x_mm;
}

/// The primary collimator rounds the corners of large fields.
bool has_rounded_corners(const MeasuredCurve& c) {
    constexpr double farthest_corner_mm = 230;
    return c.axis == ProfileAxis::diagonal && side_along(c) / std::sqrt(2.0) > farthest_corner_mm;
}

void lint_width(Findings& findings, const MeasuredCurve& c, double left, double right) {
    const double magnification = (c.ssd_mm + c.depth_mm) / c.sad_mm, side = side_along(c);
    const double width =
        (right - left) / magnification / (c.axis == ProfileAxis::diagonal ? std::sqrt(2.0) : 1.0);
    const double off = width - side;
    const std::string at = "the field is " + text_of(width) + " mm wide at the isocentre plane, stated " +
                           short_number(side) + " mm";
    if (std::abs(width - 10 * side) < side || std::abs(width - 0.1 * side) < 0.01 * side)
        return findings.add(Severity::error, c.name, at + ": were positions read in the wrong unit?");
    if (has_rounded_corners(c)) return;
    if (std::abs(off) > std::max(5.0, 0.05 * side))
        findings.add(Severity::error, c.name,
                     at + ": is it the field, the depth or the source-surface distance that is stated "
                          "wrongly?");
    else if (std::abs(off) > 2)
        findings.add(Severity::warning, c.name, at);
}

void lint_centre(Findings& findings, const MeasuredCurve& c, double centre) {
    if (std::abs(centre) > 10)
        findings.add(Severity::error, c.name,
                     "the profile is centred at " + text_of(centre) + " mm: take the offset off before");
    else if (std::abs(centre) > 1)
        findings.add(Severity::warning, c.name, "the profile is centred at " + text_of(centre) + " mm");
}

/// Positions are 2 % of the reach apart, at least 1 mm.
double step_over(double reach) { return std::max(1.0, reach / 50); }

void lint_symmetry(Findings& findings, const MeasuredCurve& c, double axis, double reach) {
    double worst = 0;
    for (double x = 0; x <= reach; x += step_over(reach))
        worst = std::max(worst, std::abs(value_at(c, x) - value_at(c, -x)) / axis);
    if (worst > 0.1)
        findings.add(Severity::error, c.name,
                     "the two sides differ by " + text_of(100 * worst) + " %: is there a wedge?");
    else if (worst > 0.02)
        findings.add(Severity::warning, c.name, "the two sides differ by " + text_of(100 * worst) + " %");
}

void lint_flatness(Findings& findings, const MeasuredCurve& c, double reach) {
    double low = 1e9, high = 0;
    for (double x = -reach; x <= reach; x += step_over(reach)) {
        low = std::min(low, value_at(c, x));
        high = std::max(high, value_at(c, x));
    }
    if ((high - low) / (high + low) > 0.08)
        findings.add(Severity::warning, c.name,
                     "flatness of " + text_of(100 * (high - low) / (high + low)) + " % for a flattened beam");
}

}  // namespace

void lint_profile(Findings& findings, const MeasuredCurve& c, const MeasurementSet& set) {
    const double side = side_along(c), axis = value_at(c, 0);
    if (!covers(c, 0)) return findings.add(Severity::error, c.name, "the profile does not cross the axis");
    const auto edges = edges_at(c.position_mm, c.value, 0.5 * axis);
    if (!edges)
        return findings.add(Severity::warning, c.name, "the profile does not reach both edges of the field");
    const auto [left, right] = *edges;
    const bool flattened = set.fluence_mode == "STANDARD";
    // Without a flattening filter the edges of large fields are not at half of the axis.
    if (flattened || side <= 100) lint_width(findings, c, left, right);
    lint_centre(findings, c, 0.5 * (right + left));
    const double reach = 0.8 * std::min(-left, right);
    lint_symmetry(findings, c, axis, reach);
    if (flattened && side >= 60 && side < 400) lint_flatness(findings, c, reach);
}

void lint_wedged_profile(Findings& findings, const MeasuredCurve& c) {
    // Orientation 0 has the thin end at +y, 270 at +x.
    const double orientation = *c.wedge->orientation_deg;
    const bool along_y = orientation == 0 || orientation == 180;
    if (along_y != (c.axis == ProfileAxis::inplane)) return;
    const double sign = orientation == 0 || orientation == 270 ? 1 : -1,
                 half = 0.25 * (along_y ? c.side_y_mm : c.side_x_mm);
    if (!covers(c, half) || !covers(c, -half))
        return findings.add(Severity::warning, c.name, "the profile does not cross half of the field");
    if (!(value_at(c, sign * half) > value_at(c, -sign * half)))
        findings.add(Severity::error, c.name,
                     "the dose falls towards the thin end of the wedge: is the thin end stated wrongly, or "
                     "does the axis run the other way?");
}

}  // namespace libdose::linting
