// The linter of output factors and wedge factors.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/text.h"
#include "commissioning/lint.h"

namespace libdose::linting {

namespace {

/// Followill et al, J. Appl. Clin. Med. Phys. 13(5) (2012) 282: output factors of small fields, 100 mm deep.
struct SmallField {
    double side_mm, at_6_mv, at_10_mv;
};
constexpr SmallField small_fields[] = {
    {60, 0.930, 0.937}, {40, 0.878, 0.890}, {30, 0.842, 0.857}, {20, 0.790, 0.796}};

bool is_square(const MeasuredCurve& c, std::size_t i) { return c.position_mm[i] == c.side_y_of_mm[i]; }

bool of_same_field(const MeasuredCurve& a, std::size_t i, const MeasuredCurve& b, std::size_t j) {
    return a.position_mm[i] == b.position_mm[j] && a.side_y_of_mm[i] == b.side_y_of_mm[j];
}

void lint_falling_output(Findings& findings, const MeasuredCurve& c) {
    for (std::size_t i = 1; i < c.value.size(); ++i)
        if (is_square(c, i) && is_square(c, i - 1) && c.value[i] < c.value[i - 1] - 0.003)
            findings.add(Severity::warning, c.name,
                         "the output falls from " + short_number(c.position_mm[i - 1]) + " to " +
                             short_number(c.position_mm[i]) + " mm");
}

/// Output factors of small fields at 6 and 10 MV beside the published ones.
void lint_small_fields(Findings& findings, const MeasuredCurve& c, double energy_mv) {
    const bool six = std::abs(energy_mv - 6) < 0.5, ten = std::abs(energy_mv - 10) < 0.5;
    if (!(six || ten) || !(std::abs(c.depth_mm - 100) < 1)) return;
    for (const SmallField& field : small_fields)
        for (std::size_t i = 0; i < c.value.size(); ++i) {
            if (c.position_mm[i] != field.side_mm || c.side_y_of_mm[i] != field.side_mm) continue;
            const double published = six ? field.at_6_mv : field.at_10_mv,
                         off = 100 * (c.value[i] / published - 1);
            if (std::abs(off) > 4)
                findings.add(std::abs(off) > 12 ? Severity::error : Severity::warning, c.name,
                             "the output factor of " + short_number(field.side_mm) + " mm is " +
                                 text_of(c.value[i]) + ", published " + text_of(published) +
                                 ": detector, or size of the field?");
        }
}

void lint_large_fields(Findings& findings, const MeasuredCurve& c) {
    for (std::size_t i = 0; i < c.value.size(); ++i)
        if (c.position_mm[i] >= 300 && is_square(c, i) && (c.value[i] < 1.02 || c.value[i] > 1.30))
            findings.add(Severity::warning, c.name,
                         "the output factor of " + short_number(c.position_mm[i]) + " mm is " +
                             text_of(c.value[i]) + ", outside of 1.02 to 1.30");
}

/// Whether depth and distance alone do not make the output factors of two tables different.
bool comparable(const MeasuredCurve& a, const MeasuredCurve& b) {
    return a.kind == CurveKind::output_factor && b.kind == CurveKind::output_factor &&
           !(std::abs(a.depth_mm - b.depth_mm) > 60) && a.normalisation_mm == b.normalisation_mm;
}

using PairOfPoints = std::pair<std::size_t, std::size_t>;

/// The first field whose factors in two tables are farther apart than depth and distance can make them.
std::optional<PairOfPoints> contradiction(const MeasuredCurve& a, const MeasuredCurve& b) {
    for (std::size_t i = 0; i < a.value.size(); ++i)
        for (std::size_t j = 0; j < b.value.size(); ++j)
            if (of_same_field(a, i, b, j) && std::abs(a.value[i] / b.value[j] - 1) > 0.06)
                return PairOfPoints{i, j};
    return std::nullopt;
}

/// The first field behind which the wedge of the smaller angle lets no more through than that of the larger.
std::optional<PairOfPoints> exchanged(const MeasuredCurve& smaller, const MeasuredCurve& larger) {
    for (std::size_t i = 0; i < smaller.value.size(); ++i)
        for (std::size_t j = 0; j < larger.value.size(); ++j)
            if (of_same_field(smaller, i, larger, j) && smaller.value[i] <= larger.value[j])
                return PairOfPoints{i, j};
    return std::nullopt;
}

/// Whether two tables are of wedges of one kind, the first of the smaller angle.
bool of_ascending_angle(const MeasuredCurve& a, const MeasuredCurve& b) {
    return a.kind == CurveKind::wedge_factor && b.kind == a.kind && a.wedge->kind == b.wedge->kind &&
           a.wedge->angle_deg < b.wedge->angle_deg;
}

}  // namespace

bool is_output(const MeasuredCurve& c) {
    return c.kind == CurveKind::output_factor || c.kind == CurveKind::output_factor_in_air;
}

void lint_output(Findings& findings, const MeasuredCurve& c, const MeasurementSet& set) {
    lint_falling_output(findings, c);
    for (std::size_t i = 0; i < c.value.size(); ++i)
        if (c.value[i] > 2 || c.value[i] < 0.2)
            return findings.add(Severity::error, c.name,
                                "the output factor of " + short_number(c.position_mm[i]) + " mm is " +
                                    text_of(c.value[i]) + ": percent, or another quantity?");
    if (c.kind != CurveKind::output_factor || c.normalisation_mm != 100) return;
    lint_small_fields(findings, c, set.nominal_energy_mv);
    lint_large_fields(findings, c);
}

void lint_output_twice(Findings& findings, const MeasurementSet& set) {
    for (std::size_t a = 0; a < set.curves.size(); ++a)
        for (std::size_t b = a + 1; b < set.curves.size(); ++b) {
            const MeasuredCurve &x = set.curves[a], &y = set.curves[b];
            if (!comparable(x, y)) continue;
            if (const auto at = contradiction(x, y))
                return findings.add(Severity::error, x.name,
                                    "the output factor of " + short_number(x.position_mm[at->first]) +
                                        " mm is " + text_of(x.value[at->first]) + " here and " +
                                        text_of(y.value[at->second]) + " in \"" + y.name + "\"");
        }
}

void lint_wedge_factor(Findings& findings, const MeasuredCurve& c) {
    double low = 1e9, high = 0;
    for (std::size_t i = 0; i < c.value.size(); ++i) {
        if (c.value[i] >= 1 || c.value[i] < 0.05)
            return findings.add(Severity::error, c.name,
                                "the wedge factor of " + short_number(c.position_mm[i]) + " mm is " +
                                    text_of(c.value[i]) +
                                    ", not between 0.05 and 1: percent, or open over wedged?");
        low = std::min(low, c.value[i]);
        high = std::max(high, c.value[i]);
    }
    // Palta et al, Med. Phys. 15 (1988): up to 7 % with the field. A jaw that moves does far more.
    if (c.wedge->kind == "enhanced") return;
    if (high / low > 1.1)
        findings.add(Severity::warning, c.name,
                     "the wedge factor varies by " + text_of(100 * (high / low - 1)) + " % with the field");
    if (low < 0.15 || high > 0.92)
        findings.add(
            Severity::warning, c.name,
            "wedge factors from " + text_of(low) + " to " + text_of(high) + ", outside of 0.15 to 0.92");
}

void lint_wedges_by_angle(Findings& findings, const MeasurementSet& set) {
    for (const MeasuredCurve& a : set.device_curves)
        for (const MeasuredCurve& b : set.device_curves) {
            if (!of_ascending_angle(a, b)) continue;
            if (const auto at = exchanged(a, b))
                return findings.add(Severity::error, b.name,
                                    "the factor of " + short_number(b.position_mm[at->second]) + " mm is " +
                                        text_of(b.value[at->second]) + ", that of the wedge of " +
                                        short_number(a.wedge->angle_deg) + " degrees " +
                                        text_of(a.value[at->first]) + ": are the wedges exchanged?");
        }
}

}  // namespace libdose::linting
