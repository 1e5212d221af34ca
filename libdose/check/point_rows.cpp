#include "check/point_rows.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace libdose::check {

namespace {

// A point whose dose changes by this part within this distance says more about its place than about the dose.
constexpr double steep_part = 0.10, steep_mm = 3;
// A point with less than this part of the maximum lies outside the field.
constexpr double low_part = 0.20;

/// Dose inside the grid, NaN outside.
double dose_in(const Volume<float>& gy, const Vec3& point_mm) {
    return interpolate(gy, point_mm, std::nan(""));
}

bool is_steep(const Volume<float>& gy, const Vec3& point_mm) {
    const double here = dose_in(gy, point_mm);
    for (int axis = 0; axis < 3; ++axis)
        for (const double side : {-steep_mm, steep_mm}) {
            Vec3 beside = point_mm;
            beside[axis] += side;
            const double there = dose_in(gy, beside);
            if (!(std::abs(there - here) <= steep_part * here)) return true;
        }
    return false;
}

Row point_row(const std::string& id, const std::string& name, const std::string& subject,
              const Limits& limits) {
    Row row;
    row.section = "dose";
    row.id = id;
    row.name = name;
    row.subject = subject;
    row.unit = "%";
    row.limit = fmt::format("look beyond {:g} %, fail beyond {:g} %", limits.look, limits.fail);
    row.source = limits.source;
    return row;
}

std::string beam_text(const Beam& beam) { return fmt::format("beam {} \"{}\"", beam.number, beam.name); }

/// Why a point says little about the dose there, or empty.
std::string why_uncertain(const Volume<float>& gy, const Vec3& point_mm) {
    const double largest = static_cast<double>(*std::max_element(gy.values.begin(), gy.values.end()));
    if (dose_in(gy, point_mm) < low_part * largest)
        return fmt::format("the point receives less than {:g} % of the maximum: outside the field",
                           100 * low_part);
    if (is_steep(gy, point_mm))
        return fmt::format("the dose changes by more than {:g} % within {:g} mm there", 100 * steep_part,
                           steep_mm);
    return {};
}

/// Judges the difference of two doses at a point. Where the point says little, it is no worse than LOOK.
void judge_point(Row& row, const ComparedPoint& point, const Limits& limits, const std::string& uncertain) {
    if (!std::isfinite(point.calculated_gy) || !std::isfinite(*point.planned_gy)) {
        row.reason = "the point lies outside a dose grid";
        return;
    }
    row.calculated = fmt::format("{:.3f} Gy", point.calculated_gy);
    row.planned = fmt::format("{:.3f} Gy", *point.planned_gy);
    if (!(*point.planned_gy > 0)) {
        row.reason = "the planned dose at the point is zero";
        return;
    }
    row.value = 100 * (point.calculated_gy - *point.planned_gy) / *point.planned_gy;
    row.verdict = judge(*row.value, limits.look, limits.fail);
    if (row.verdict == Verdict::pass) return;
    row.reason = fmt::format("{:.3f} Gy recalculated, {:.3f} Gy planned at the {}: {:+.1f} %",
                             point.calculated_gy, *point.planned_gy, point.name, *row.value);
    if (uncertain.empty()) return;
    if (row.verdict == Verdict::fail) row.verdict = Verdict::look;
    row.reason += "; " + uncertain;
}

/// Dose that the planning system states for a beam at a point: its RTDOSE, else Beam Dose at its own point.
std::optional<double> planned_beam_gy(const CheckInput& input, const Beam& beam, const Vec3& point_mm) {
    for (const Dose& dose : input.planned_beams)
        if (dose.beam_number == beam.number) {
            const double gy = dose_in(dose.gy, point_mm);
            if (std::isfinite(gy)) return gy;
        }
    if (beam.dose_point_gy && beam.dose_point_mm && (point_mm - *beam.dose_point_mm).norm() < 0.1)
        return beam.dose_point_gy;
    return std::nullopt;
}

const Dose* dose_of_beam(const CalculationResult& calculation, int beam_number) {
    for (const Dose& dose : calculation.beams)
        if (dose.beam_number == beam_number) return &dose;
    return nullptr;
}

/// Where a beam is compared: its dose specification point, else its isocentre.
ComparedPoint point_of(const Beam& beam) {
    ComparedPoint point;
    point.beam_number = beam.number;
    point.name = beam.dose_point_mm ? "dose point" : "isocentre";
    point.position_mm = beam.dose_point_mm ? *beam.dose_point_mm : beam.control_points.front().isocentre_mm;
    return point;
}

Limits limits_or_none(const std::optional<Limits>& limits) { return limits.value_or(Limits{}); }

/// The MU that would give the planned dose at the point.
Row mu_row(const Beam& beam, const ComparedPoint& point, const Limits& limits, const Row& dose_row,
           const std::string& uncertain) {
    Row row = point_row("mu-beam", "MU", beam_text(beam), limits);
    row.planned = fmt::format("{:.1f} MU", beam.meterset_mu);
    if (!dose_row.value) {
        row.reason = dose_row.reason;
        return row;
    }
    const double independent = beam.meterset_mu * *point.planned_gy / point.calculated_gy;
    row.calculated = fmt::format("{:.1f} MU", independent);
    row.value = 100 * (independent - beam.meterset_mu) / beam.meterset_mu;
    row.verdict = judge(*row.value, limits.look, limits.fail);
    if (row.verdict == Verdict::fail && !uncertain.empty()) row.verdict = Verdict::look;
    if (row.verdict != Verdict::pass)
        row.reason = fmt::format("the planned dose at the {} needs {:.1f} MU, the plan gives {:.1f}",
                                 point.name, independent, beam.meterset_mu) +
                     (uncertain.empty() ? "" : "; " + uncertain);
    return row;
}

void add_beam(const CheckInput& input, const CalculationResult& calculation, const Protocol& protocol,
              const Beam& beam, DoseComparison& comparison) {
    const Dose* dose = dose_of_beam(calculation, beam.number);
    if (!dose) return;
    ComparedPoint point = point_of(beam);
    point.calculated_gy = dose_in(dose->gy, point.position_mm);
    point.planned_gy = planned_beam_gy(input, beam, point.position_mm);
    comparison.points.push_back(point);
    if (!point.planned_gy && !protocol.beam_doses_required) return;
    const Limits limits = limits_or_none(protocol.point_beam_percent);
    Row row = point_row("point-beam", "Dose at the " + point.name, beam_text(beam), limits);
    const std::string uncertain = why_uncertain(dose->gy, point.position_mm);
    if (point.planned_gy)
        judge_point(row, point, limits, uncertain);
    else
        row.reason =
            "the plan states no dose of this beam (Beam Dose 300A,0084, or an RTDOSE of the beam); "
            "export one, or set points.beam_doses_required to false in the protocol";
    if (protocol.point_beam_percent) comparison.rows.push_back(row);
    if (protocol.mu_percent)
        comparison.rows.push_back(mu_row(beam, point, *protocol.mu_percent, row, uncertain));
}

void add_plan(const CheckInput& input, const CalculationResult& calculation, const Protocol& protocol,
              DoseComparison& comparison) {
    std::vector<Vec3> seen;
    for (const Beam& beam : input.plan->beams) {
        ComparedPoint point;
        point.name = "isocentre";
        point.position_mm = beam.control_points.front().isocentre_mm;
        bool known = false;
        for (const Vec3& other : seen) known = known || (other - point.position_mm).norm() < 0.1;
        if (known) continue;
        seen.push_back(point.position_mm);
        point.calculated_gy = dose_in(calculation.plan.gy, point.position_mm);
        if (input.planned) point.planned_gy = dose_in(input.planned->gy, point.position_mm);
        comparison.points.push_back(point);
        if (!protocol.point_plan_percent) continue;
        Row row = point_row("point-plan", "Dose at the isocentre", "plan", *protocol.point_plan_percent);
        if (!input.planned)
            row.reason = "the planning system's dose is not there";
        else
            judge_point(row, point, *protocol.point_plan_percent,
                        why_uncertain(calculation.plan.gy, point.position_mm));
        comparison.rows.push_back(row);
    }
}

}  // namespace

void add_points(const CheckInput& input, const CalculationResult& calculation, const Protocol& protocol,
                DoseComparison& comparison) {
    add_plan(input, calculation, protocol, comparison);
    for (const Beam& beam : input.plan->beams) add_beam(input, calculation, protocol, beam, comparison);
}

}  // namespace libdose::check
