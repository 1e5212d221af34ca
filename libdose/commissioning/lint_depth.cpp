// The linter of depth doses and tissue-phantom ratios.
#include <algorithm>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "commissioning/lint.h"
#include "fluence/head_equations.h"

namespace libdose::linting {

namespace {

/// What beams of an energy are like.
struct EnergyRange {
    double energy_mv;
    bool free;                               ///< without flattening filter
    double maximum_low_mm, maximum_high_mm;  ///< depth of the maximum, 100 x 100 mm
    double tpr_low, tpr_high;                ///< TPR 20,10
};
constexpr EnergyRange energy_ranges[] = {{4, false, 7, 14, 0.58, 0.65},   {6, false, 11, 19, 0.64, 0.70},
                                         {8, false, 15, 23, 0.68, 0.73},  {10, false, 18, 28, 0.71, 0.76},
                                         {15, false, 23, 34, 0.74, 0.79}, {18, false, 26, 40, 0.76, 0.80},
                                         {6, true, 10, 18, 0.60, 0.66},   {10, true, 17, 27, 0.68, 0.73}};

std::optional<EnergyRange> range_for(const MeasurementSet& set) {
    for (const EnergyRange& range : energy_ranges)
        if (std::abs(range.energy_mv - set.nominal_energy_mv) < 0.5 &&
            range.free == (set.fluence_mode == "FFF"))
            return range;
    return std::nullopt;
}

/// IAEA TRS-398: TPR 20,10 = 1.2661 PDD 20,10 - 0.0595, PDD at SSD 100 cm.
constexpr double tpr_per_pdd = 1.2661, tpr_offset = -0.0595;

std::size_t index_of_maximum(const MeasuredCurve& c) {
    return static_cast<std::size_t>(std::max_element(c.value.begin(), c.value.end()) - c.value.begin());
}

/// Why a curve is not one against depth in mm; empty: it is.
std::string fault_of_depths(const MeasuredCurve& c) {
    const std::size_t top = index_of_maximum(c);
    if (c.position_mm.size() < 5) return "fewer than five depths";
    if (c.value.back() > 0.95 * c.value[top] ||
        c.position_mm[top] > 0.5 * (c.position_mm.front() + c.position_mm.back()))
        return "the dose does not fall with depth: does depth run from the surface down?";
    if (c.position_mm.back() > 1000)
        return "depths reach " + short_number(c.position_mm.back()) +
               " mm: are they in a smaller unit than stated?";
    return {};
}

/// The depth of the maximum. Small and large fields have theirs elsewhere; a factor of ten is a unit.
void lint_maximum(Findings& findings, const MeasuredCurve& c, const EnergyRange& range, double energy_mv) {
    const std::size_t top = index_of_maximum(c);
    const double maximum = c.position_mm[top];
    if (top == 0 && c.position_mm.front() > range.maximum_low_mm)
        return findings.add(Severity::warning, c.name,
                            "the curve begins at " + short_number(c.position_mm.front()) +
                                " mm, behind the maximum: it tells nothing of the build-up");
    const auto within = [&](double mm) { return mm >= range.maximum_low_mm && mm <= range.maximum_high_mm; };
    if (!(std::min(c.side_x_mm, c.side_y_mm) >= 40) || within(maximum)) return;
    const std::string at = "the maximum is at " + text_of(maximum) + " mm, where " + short_number(energy_mv) +
                           " MV has it from " + short_number(range.maximum_low_mm) + " to " +
                           short_number(range.maximum_high_mm) + " mm";
    if (within(10 * maximum) || c.position_mm.back() < 45)
        return findings.add(Severity::error, c.name, at + ": were depths in cm read as mm?");
    if (within(0.1 * maximum))
        return findings.add(Severity::error, c.name, at + ": were depths in mm read as cm?");
    const double off = std::abs(maximum - std::clamp(maximum, range.maximum_low_mm, range.maximum_high_mm));
    findings.add(off > 10 ? Severity::error : Severity::warning, c.name, at);
}

/// Largest distance between neighbours of the points between two depths.
double widest_step_mm(const MeasuredCurve& c, double from_mm, double to_mm) {
    double widest = 0;
    for (std::size_t i = 1; i < c.position_mm.size(); ++i)
        if (c.position_mm[i - 1] >= from_mm && c.position_mm[i] <= to_mm)
            widest = std::max(widest, c.position_mm[i] - c.position_mm[i - 1]);
    return widest;
}

/// TPR 20,10 of a field of about 100 mm, at the set-up for which it is defined.
void lint_quality(Findings& findings, const MeasuredCurve& c, const EnergyRange& range) {
    const double side = physics::equivalent_square(c.side_x_mm, c.side_y_mm);
    if (!(std::abs(side - 100) <= 10 && covers(c, 100) && covers(c, 200))) return;
    const double ratio = value_at(c, 200) / value_at(c, 100);
    const bool tpr = c.kind == CurveKind::tissue_phantom_ratio;
    if (!tpr && std::abs(c.ssd_mm - 1000) > 1) return;
    const double index = tpr ? ratio : tpr_per_pdd * ratio + tpr_offset;
    if (index < range.tpr_low || index > range.tpr_high) {
        const bool far = index < range.tpr_low - 0.06 || index > range.tpr_high + 0.06;
        findings.add(far ? Severity::error : Severity::warning, c.name,
                     "TPR 20,10 is " + text_of(index) + "; beams of this energy have " +
                         text_of(range.tpr_low) + " to " + text_of(range.tpr_high) +
                         ": is the energy, the fluence mode or the field another?");
    }
}

/// Whether a depth dose and a ratio are of the same field of 100 mm and tell its quality.
bool of_one_quality(const MeasuredCurve& pdd, const MeasuredCurve& tpr) {
    if (pdd.kind != CurveKind::depth_dose || tpr.kind != CurveKind::tissue_phantom_ratio ||
        std::abs(pdd.ssd_mm - 1000) > 1)
        return false;
    if (std::abs(pdd.side_x_mm - 100) > 1 || pdd.side_x_mm != tpr.side_x_mm || pdd.side_y_mm != tpr.side_y_mm)
        return false;
    return covers(pdd, 100) && covers(pdd, 200) && covers(tpr, 100) && covers(tpr, 200);
}

}  // namespace

bool by_depth(const MeasuredCurve& c) {
    return c.kind == CurveKind::depth_dose || c.kind == CurveKind::tissue_phantom_ratio;
}

bool has_published_spread(const MeasurementSet& set) { return range_for(set).has_value(); }

void lint_depth(Findings& findings, const MeasuredCurve& c, const MeasurementSet& set) {
    const std::optional<EnergyRange> range = range_for(set);
    if (const std::string fault = fault_of_depths(c); !fault.empty())
        return findings.add(Severity::error, c.name, fault);
    if (range) lint_maximum(findings, c, *range, set.nominal_energy_mv);
    if (c.position_mm.back() < 200)
        findings.add(Severity::warning, c.name,
                     "the curve ends at " + short_number(c.position_mm.back()) +
                         " mm; the spectrum needs 200 mm or more");
    if (widest_step_mm(c, 10, 300) > 50)
        findings.add(Severity::warning, c.name, "points are more than 50 mm apart");
    if (range) lint_quality(findings, c, *range);
}

void lint_quality_twice(Findings& findings, const MeasurementSet& set) {
    for (const MeasuredCurve& pdd : set.curves)
        for (const MeasuredCurve& tpr : set.curves) {
            if (!of_one_quality(pdd, tpr)) continue;
            const double from_pdd = tpr_per_pdd * value_at(pdd, 200) / value_at(pdd, 100) + tpr_offset,
                         direct = value_at(tpr, 200) / value_at(tpr, 100);
            if (std::abs(from_pdd - direct) > 0.015)
                findings.add(std::abs(from_pdd - direct) > 0.05 ? Severity::error : Severity::warning,
                             tpr.name,
                             "TPR 20,10 is " + text_of(direct) + "; the depth dose of the same field says " +
                                 text_of(from_pdd) + ": are both of one beam?");
        }
}

}  // namespace libdose::linting
