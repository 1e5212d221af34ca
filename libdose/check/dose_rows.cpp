// Targets and goals: figures of the histograms of both doses.
#include "check/dose_rows.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "check/point_rows.h"
#include "check/targets.h"
#include "libdose/dvh_metric.h"
#include "libdose/error.h"
#include "libdose/structure_expression.h"

namespace libdose::check {

namespace {

Row dose_row(const std::string& id, const std::string& name, const std::string& subject) {
    Row row;
    row.section = "dose";
    row.id = id;
    row.name = name;
    row.subject = subject;
    return row;
}

std::string with_unit(double value, const char* unit) { return fmt::format("{:.2f} {}", value, unit); }

bool is_target(const std::vector<const Structure*>& targets, const Structure& structure) {
    return std::find(targets.begin(), targets.end(), &structure) != targets.end();
}

/// Structures that a page draws: not couches, markers and other things without a dose of interest.
bool is_drawn(const Structure& structure) {
    static const std::vector<std::string> left_out{"support",      "fixation",       "marker", "isocenter",
                                                   "registration", "treated_volume", "bolus"};
    return !structure.contours.empty() &&
           std::find(left_out.begin(), left_out.end(), lower_case(structure.type)) == left_out.end();
}

/// Histogram of a region, or none with the reason.
std::optional<DoseVolumeHistogram> histogram(const Dose* dose, const StructureExpression& region,
                                             std::string& why_not) {
    if (!dose) {
        why_not = "the planning system's dose is not there";
        return std::nullopt;
    }
    try {
        return dose_volume_histogram(dose->gy, region);
    } catch (const Error& error) {
        why_not = error.what();
        return std::nullopt;
    }
}

/// One figure of a target in both doses.
Row target_row(const ComparedHistogram& h, const TargetCriterion& criterion, bool planned,
               double prescription_gy) {
    const DvhMetric metric = parse_dvh_metric(criterion.metric);
    Row row = dose_row("target-" + lower_case(criterion.metric), criterion.metric, h.structure);
    const Limits& limits = criterion.difference_percent;
    row.limit = fmt::format("look beyond {:g} %, fail beyond {:g} % of planned", limits.look, limits.fail);
    row.source = limits.source;
    row.unit = "%";
    double calculated = 0, expected = 0;
    try {
        calculated = metric.value(h.calculated, prescription_gy);
        if (planned) expected = metric.value(h.planned, prescription_gy);
    } catch (const Error& error) {
        row.reason = error.what();
        return row;
    }
    row.calculated = with_unit(calculated, metric.unit());
    if (!planned) {
        row.reason = "the planning system's dose is not there";
        return row;
    }
    row.planned = with_unit(expected, metric.unit());
    if (!(expected > 0)) {
        row.reason =
            fmt::format("{} of {} is zero in the planned dose: part of the target may lie outside its grid",
                        criterion.metric, h.structure);
        return row;
    }
    row.value = 100 * (calculated - expected) / expected;
    row.verdict = judge(*row.value, limits.look, limits.fail);
    if (row.verdict != Verdict::pass)
        row.reason =
            fmt::format("{} of {} is {:.2f} {} recalculated, {:.2f} {} planned: {:+.1f} %", criterion.metric,
                        h.structure, calculated, metric.unit(), expected, metric.unit(), *row.value);
    return row;
}

/// Histograms of all structures, and rows for the targets among them.
class StructureDoses {
public:
    StructureDoses(const CheckInput& input, const CalculationResult& calculation, const Protocol& protocol)
        : planned_(input.planned ? &*input.planned : nullptr),
          calculated_(calculation.plan),
          set_(*input.structures),
          protocol_(protocol),
          targets_(targets_of(set_, protocol)),
          prescription_gy_(prescription_gy(input)) {}

    void add_to(DoseComparison& comparison) const {
        for (const Structure& structure : set_.structures)
            if (is_drawn(structure) || is_target(targets_, structure)) add(structure, comparison);
        add_missing_targets(comparison);
        if (targets_.empty() && protocol_.targets.empty()) {
            Row row = dose_row("target", "Dose of the targets", "");
            row.reason =
                "the structure set has no target with contours (types PTV, CTV, GTV); name the "
                "targets in the protocol";
            comparison.rows.push_back(row);
        }
    }

private:
    /// A target that the protocol names and the plan does not have is not passed over.
    void add_missing_targets(DoseComparison& comparison) const {
        for (const std::string& name : protocol_.targets) {
            const bool there = std::any_of(targets_.begin(), targets_.end(), [&](const Structure* target) {
                return lower_case(target->name) == lower_case(name);
            });
            if (there) continue;
            Row row = dose_row("target", "Dose of the target", name);
            row.reason = "the protocol names the target \"" + name +
                         "\", and the structure set has no such structure with contours";
            comparison.rows.push_back(row);
        }
    }

    void add(const Structure& structure, DoseComparison& comparison) const {
        const bool target = is_target(targets_, structure);
        std::string why;
        const StructureExpression region(structure);
        const auto calculated = histogram(&calculated_, region, why);
        if (!calculated) {
            if (target) comparison.rows.push_back(not_evaluated(structure, why));
            return;
        }
        ComparedHistogram h{structure.name, structure.type, target, {}, *calculated};
        const auto planned = histogram(planned_, region, why);
        if (planned) h.planned = *planned;
        for (const TargetCriterion& criterion : protocol_.target_criteria)
            if (target)
                comparison.rows.push_back(target_row(h, criterion, planned.has_value(), prescription_gy_));
        comparison.histograms.push_back(std::move(h));
    }

    static Row not_evaluated(const Structure& structure, const std::string& why) {
        Row row = dose_row("target", "Dose of the target", structure.name);
        row.reason = "its dose cannot be evaluated: " + why;
        return row;
    }

    const Dose* planned_;
    const Dose& calculated_;
    const StructureSet& set_;
    const Protocol& protocol_;
    std::vector<const Structure*> targets_;
    double prescription_gy_;
};

Verdict judge_goal(const Goal& goal, double value) {
    if (!std::isfinite(value)) return Verdict::not_checked;
    if (goal.at_most ? value <= goal.look : value >= goal.look) return Verdict::pass;
    return (goal.at_most ? value <= goal.fail : value >= goal.fail) ? Verdict::look : Verdict::fail;
}

/// Fills a goal's row from the histograms; throws bad_input for a figure that the structure cannot have.
void evaluate_goal(const Goal& goal, const CheckInput& input, const CalculationResult& calculation,
                   const StructureExpression& region, Row& row) {
    const DvhMetric metric = parse_dvh_metric(goal.metric);
    const double prescription = prescription_gy(input);
    std::string why;
    const auto calculated = histogram(&calculation.plan, region, why);
    if (!calculated) throw bad_input(why);
    const double value = metric.value(*calculated, prescription);
    row.calculated = with_unit(value, metric.unit());
    row.value = value;
    row.unit = metric.unit();
    row.verdict = judge_goal(goal, value);
    std::string planned_text;
    if (const auto planned = histogram(input.planned ? &*input.planned : nullptr, region, why)) {
        const double planned_value = metric.value(*planned, prescription);
        row.planned = with_unit(planned_value, metric.unit());
        if (judge_goal(goal, planned_value) == Verdict::pass) planned_text = "; the planned dose meets it";
    }
    if (row.verdict != Verdict::pass)
        row.reason = fmt::format("{} of {} is {} recalculated{}", goal.metric, region.name, row.calculated,
                                 planned_text);
}

void add_goals(const CheckInput& input, const CalculationResult& calculation, const Protocol& protocol,
               std::vector<Row>& rows) {
    for (const Goal& goal : protocol.goals) {
        Row row = dose_row("goal", goal.metric, goal.structure);
        row.limit = fmt::format("look {0} {1:g} {3}, fail {0} {2:g} {3}", goal.at_most ? "above" : "below",
                                goal.look, goal.fail, parse_dvh_metric(goal.metric).unit());
        row.source = goal.source;
        std::optional<StructureExpression> region;
        try {
            region = parse_structure_expression(goal.structure, *input.structures);
        } catch (const Error& error) {
            const bool absent = error.problem().rfind("there is no structure", 0) == 0;
            if (absent && !goal.required) continue;
            row.reason = error.what();
        }
        try {
            if (region) evaluate_goal(goal, input, calculation, *region, row);
        } catch (const Error& error) {
            row.verdict = Verdict::not_checked;
            row.reason = error.what();
        }
        rows.push_back(std::move(row));
    }
}

}  // namespace

DoseComparison compare_doses(const CheckInput& input, const CalculationResult& calculation,
                             const Protocol& protocol) {
    DoseComparison comparison;
    StructureDoses(input, calculation, protocol).add_to(comparison);
    add_goals(input, calculation, protocol, comparison.rows);
    add_points(input, calculation, protocol, comparison);
    return comparison;
}

}  // namespace libdose::check
