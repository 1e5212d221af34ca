// Whether the plan's own prescription is what its fractions and the planned dose come to.
#include <algorithm>
#include <cmath>
#include <set>

#include "base/text.h"
#include "check/integrity_parts.h"
#include "libdose/comparable.h"
#include "libdose/error.h"

namespace libdose::check {

namespace {

using Rows = std::vector<Row>;

std::vector<io::Prescription> target_prescriptions(const IntegrityContext& context) {
    std::vector<io::Prescription> found;
    for (const io::Prescription& one : context.plan_facts().prescriptions)
        if (one.type != "ORGAN_AT_RISK" && one.target_dose_gy && *one.target_dose_gy > 0)
            found.push_back(one);
    std::stable_sort(found.begin(), found.end(), [](const io::Prescription& a, const io::Prescription& b) {
        return *a.target_dose_gy > *b.target_dose_gy;
    });
    return found;
}

double median_gy(const IntegrityContext& context, const Structure& structure) {
    return dose_volume_histogram(context.planned(), structure).dose_at_volume_percent(50);
}

std::string gy(double dose) { return decimal_text(dose) + " Gy"; }

/// A row of a difference in percent of `prescribed`, by the limits of the protocol; no worse than `worst`.
Row against(const IntegrityContext& context, Row row, double prescribed_gy, double found_gy,
            const std::string& found_words, Verdict worst_verdict) {
    const Limits& limits = context.options.protocol.prescription_percent;
    const double percent = 100 * (found_gy / prescribed_gy - 1);
    row.value = percent;
    row.unit = "%";
    row.planned = gy(prescribed_gy);
    row.calculated = gy(found_gy);
    row.limit =
        "look beyond " + decimal_text(limits.look) + " %, fail beyond " + decimal_text(limits.fail) + " %";
    row.source = limits.source;
    row.verdict = std::min(judge(percent, limits.look, limits.fail), worst_verdict);
    if (row.verdict != Verdict::pass)
        row.reason = found_words + " is " + gy(found_gy) + ", " + decimal_text(std::abs(percent), 1) +
                     (percent < 0 ? " % below" : " % above") + " the " + gy(prescribed_gy);
    return row;
}

const Structure* structure_of(const IntegrityContext& context, const io::Prescription& prescription) {
    for (const Structure& structure : context.structures().structures)
        if (prescription.structure_number != 0 && structure.number == prescription.structure_number)
            return &structure;
    return nullptr;
}

/// The target that receives most: what the highest prescription is for when it names no structure.
const Structure& hottest_target(const IntegrityContext& context) {
    const std::vector<const Structure*> targets = context.targets();
    if (targets.empty()) throw bad_input("the prescription names no structure, and there is no target");
    return **std::max_element(targets.begin(), targets.end(), [&](const Structure* a, const Structure* b) {
        return median_gy(context, *a) < median_gy(context, *b);
    });
}

Row target_row(const IntegrityContext& context, const Row& blank, const io::Prescription& prescription,
               bool highest) {
    const Structure* structure = structure_of(context, prescription);
    if (!structure && (prescription.structure_number != 0 || !highest))
        return judged(
            blank, Verdict::not_checked,
            prescription.structure_number != 0
                ? "the prescription is for structure number " +
                      std::to_string(prescription.structure_number) + ", which is not in the set"
                : "the prescription names no structure, and a higher one is held against the target");
    if (!structure) structure = &hottest_target(context);
    if (structure->contours.empty())
        return judged(blank, Verdict::not_checked,
                      "the prescription's structure " + structure->name + " has no contours");
    return against(context, blank, *prescription.target_dose_gy, median_gy(context, *structure),
                   "the median planned dose of " + structure->name, Verdict::fail);
}

Rows target_rows(const IntegrityContext& context, const Row& blank) {
    const std::vector<io::Prescription> prescriptions = target_prescriptions(context);
    if (prescriptions.empty())
        throw bad_input("the plan prescribes no dose to a target, so its dose cannot be held against one");
    context.planned();
    Rows rows;
    for (const io::Prescription& prescription : prescriptions) {
        Row row = blank;
        row.subject = prescription.description;
        const Structure* structure = structure_of(context, prescription);
        if (row.subject.empty() && structure) row.subject = structure->name;
        rows.push_back(target_row(context, row, prescription, rows.empty()));
    }
    return rows;
}

/// Sum of Beam Dose over the treatment beams, one fraction; none unless each states it.
std::optional<double> stated_dose_gy(const IntegrityContext& context) {
    double sum_gy = 0;
    for (const Beam& beam : context.plan().beams) {
        const auto& stated = context.fraction_group().beam_dose_gy;
        const auto found = stated.find(beam.number);
        if (found == stated.end() || !(found->second > 0)) return std::nullopt;
        sum_gy += found->second;
    }
    return sum_gy > 0 ? std::optional(sum_gy) : std::nullopt;
}

/// The point of all Beam Doses; none unless it is one and the same.
std::optional<Vec3> dose_point_mm(const Plan& plan) {
    std::optional<Vec3> point;
    for (const Beam& beam : plan.beams) {
        if (!beam.dose_point_mm || (point && (*point - *beam.dose_point_mm).norm() > 0.01))
            return std::nullopt;
        point = beam.dose_point_mm;
    }
    return point;
}

Rows beam_dose_rows(const IntegrityContext& context, const Row& blank) {
    if (!context.input.plan || !context.input.plan_facts) return {};
    const std::vector<io::Prescription> prescriptions = target_prescriptions(context);
    const std::optional<double> fraction_gy = stated_dose_gy(context);
    if (prescriptions.empty() || !fraction_gy) return {};
    // The planned dose at that point says more: the point need not have the prescribed dose.
    if (context.input.planned && dose_point_mm(context.plan())) return {};
    // The points of Beam Dose may lie where another dose than the prescribed one is meant: LOOK at worst.
    Row row = against(context, blank, *prescriptions.front().target_dose_gy,
                      *fraction_gy * context.plan().fractions,
                      "the plan's fractions times its Beam Doses, " +
                          std::to_string(context.plan().fractions) + " times " + gy(*fraction_gy) + ",",
                      Verdict::look);
    return {row};
}

Rows dose_point_rows(const IntegrityContext& context, const Row& blank) {
    if (!context.input.plan || !context.input.planned) return {};
    const std::optional<double> fraction_gy = stated_dose_gy(context);
    const std::optional<Vec3> point = dose_point_mm(context.plan());
    if (!fraction_gy || !point) return {};
    const double planned_gy = dose_at(context.planned(), {*point}).front();
    if (!std::isfinite(planned_gy)) throw bad_input("the dose point is outside the dose grid");
    return {against(context, blank, *fraction_gy * context.plan().fractions, planned_gy,
                    "the RTDOSE at the plan's dose point", Verdict::fail)};
}

}  // namespace

std::vector<IntegrityPart> prescription_parts() {
    return {{"prescription", "Prescription against the planned dose", target_rows},
            {"prescription-beam-dose", "Prescription against fractions times Beam Doses", beam_dose_rows},
            {"beam-dose-planned", "Fractions times Beam Doses against the planned dose", dose_point_rows}};
}

}  // namespace libdose::check
