// The linter of measurements. Its limits, with their sources: docs/theory/commissioning.md.
#include "commissioning/lint.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "fluence/head_equations.h"

namespace libdose {

namespace linting {

void Findings::add(std::vector<Finding> more) {
    all_.insert(all_.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

double value_at(const MeasuredCurve& c, double position) {
    return physics::table_value(c.position_mm, c.value, position);
}
bool covers(const MeasuredCurve& c, double position) {
    return position >= c.position_mm.front() && position <= c.position_mm.back();
}
std::string text_of(double value) {
    const double rounded = std::round(value * 1000) / 1000;
    return short_number(rounded);
}

}  // namespace linting

namespace {

using namespace linting;

/// What a curve says where it is stated to be 1.
void lint_normalisation(Findings& findings, const MeasuredCurve& c) {
    if (!c.normalised) return;
    double value = 0;
    if (is_output(c)) {
        bool found = false;
        for (std::size_t i = 0; i < c.value.size(); ++i)
            if (c.position_mm[i] == c.normalisation_mm && c.side_y_of_mm[i] == c.normalisation_mm) {
                value = c.value[i];
                found = true;
            }
        if (!found)
            return findings.add(Severity::note, c.name,
                                "the field that is stated to be 1 is not in the table");
    } else if (!covers(c, c.normalisation_mm)) {
        return findings.add(Severity::error, c.name,
                            "the curve does not reach " + short_number(c.normalisation_mm) +
                                " mm, where it is stated to be 1");
    } else {
        value = value_at(c, c.normalisation_mm);
    }
    const double off = std::abs(value - 1);
    if (off > 0.02)
        findings.add(Severity::error, c.name,
                     "the value at " + short_number(c.normalisation_mm) + " mm is " + text_of(value) +
                         ", not 1: state the right normalisation, or divide by it");
    else if (off > 0.003)
        findings.add(
            Severity::warning, c.name,
            "the value at " + short_number(c.normalisation_mm) + " mm is " + text_of(value) + ", not 1");
}

/// Noise by third differences over four neighbours, of which a smooth curve has next to none.
void lint_noise(Findings& findings, const MeasuredCurve& c) {
    if (is_output(c) || c.value.size() < 20) return;
    const double largest = *std::max_element(c.value.begin(), c.value.end());
    double sum = 0;
    int count = 0;
    for (std::size_t i = 3; i < c.value.size(); ++i) {
        const double mean = 0.25 * (c.value[i] + c.value[i - 1] + c.value[i - 2] + c.value[i - 3]);
        const bool steep = std::abs(c.value[i] - c.value[i - 3]) > 0.05 * largest;
        if (mean < 0.2 * largest || steep) continue;
        // White noise of one unit has third differences of sqrt(20) units.
        sum +=
            std::pow((c.value[i] - 3 * c.value[i - 1] + 3 * c.value[i - 2] - c.value[i - 3]) / mean, 2) / 20;
        ++count;
    }
    if (count < 10) return;
    const double percent = 100 * std::sqrt(sum / count);
    if (percent > 1)
        findings.add(Severity::warning, c.name,
                     "noise of " + text_of(percent) + " % from point to point: measure again, or longer");
}

void lint_fluence(Findings& findings, const MeasuredCurve& c, const MeasurementSet& set) {
    if (!covers(c, 100))
        return findings.add(Severity::warning, c.name, "the fluence ends before a radius of 100 mm");
    const double at = value_at(c, 100) / value_at(c, 0);
    const bool free = set.fluence_mode == "FFF";
    if (free ? at > 0.95 : at < 0.98 || at > 1.15)
        findings.add(free       ? at > 1.02 ? Severity::error : Severity::warning
                     : at < 0.9 ? Severity::error
                                : Severity::warning,
                     c.name,
                     "at 100 mm the fluence is " + text_of(at) + " of the axis, which a beam " +
                         (free ? "without" : "with") + " flattening filter does not have");
    if (c.position_mm.back() < 200)
        findings.add(Severity::warning, c.name,
                     "the fluence ends at " + short_number(c.position_mm.back()) +
                         " mm; the corners of large fields lie beyond");
}

/// Whether there is enough to fit a model to.
void lint_coverage(Findings& findings, const MeasurementSet& set) {
    int fields = 0, sides = 0;
    bool reference = false, off_axis = false;
    for (const MeasuredCurve& c : set.curves) {
        if (by_depth(c)) {
            ++fields;
            const double side = physics::equivalent_square(c.side_x_mm, c.side_y_mm);
            reference = reference || (side >= 80 && side <= 120);
        }
        if (is_output(c)) sides = std::max(sides, static_cast<int>(c.position_mm.size()));
        off_axis = off_axis || c.kind == CurveKind::profile || c.kind == CurveKind::primary_fluence;
    }
    if (fields < 3 || !reference)
        findings.add(Severity::error, "",
                     "there are depth doses or tissue-phantom ratios of " + std::to_string(fields) +
                         " fields" + (reference ? "" : ", none near 100 mm") +
                         ": at least three are needed, one of them of 80 to 120 mm");
    if (sides < 3)
        findings.add(Severity::error, "",
                     "there are fewer than three output factors: the output of fields cannot be fitted");
    if (!off_axis)
        findings.add(
            Severity::warning, "",
            "there are neither profiles nor primary fluence: the shape of the open field is taken from "
            "the generic model");
    if (!set.absolute)
        findings.add(Severity::warning, "",
                     "there is no absolute dose: 1 cGy/MU at the maximum, SSD 100 cm, 10x10 cm is assumed; "
                     "correct it before any dose in Gy is used");
    if (!set.leaf_transmission)
        findings.add(
            Severity::note, "",
            "the transmission of the leaves is not given: the generic model's, or the leaf design's, is "
            "used");
    if (!set.jaw_transmission)
        findings.add(Severity::note, "",
                     "the transmission of the jaws is not given: the generic model's is used");
}

void lint_transmissions(Findings& findings, const MeasurementSet& set) {
    if (set.leaf_transmission && (*set.leaf_transmission < 0.002 || *set.leaf_transmission > 0.03))
        findings.add(Severity::warning, "",
                     "the transmission of the leaves is " + text_of(100 * *set.leaf_transmission) +
                         " %, outside of 0.2 to 3 %");
    if (set.jaw_transmission && (*set.jaw_transmission < 0.0005 || *set.jaw_transmission > 0.02))
        findings.add(Severity::warning, "",
                     "the transmission of the jaws is " + text_of(100 * *set.jaw_transmission) +
                         " %, outside of 0.05 to 2 %");
}

/// A curve of an open field of the jaws.
void lint_open(Findings& findings, const MeasuredCurve& c, const MeasurementSet& set) {
    lint_normalisation(findings, c);
    lint_noise(findings, c);
    if (by_depth(c)) lint_depth(findings, c, set);
    if (c.kind == CurveKind::profile) lint_profile(findings, c, set);
    if (is_output(c)) lint_output(findings, c, set);
    if (c.kind == CurveKind::primary_fluence) lint_fluence(findings, c, set);
}

/// A curve behind a wedge, or of leaves.
void lint_device(Findings& findings, const MeasuredCurve& c, const MeasurementSet& set) {
    lint_noise(findings, c);
    if (c.kind == CurveKind::wedge_factor) lint_wedge_factor(findings, c);
    if (c.kind == CurveKind::depth_dose) lint_depth(findings, c, set);
    if (c.kind == CurveKind::profile && c.wedge && c.wedge->orientation_deg) lint_wedged_profile(findings, c);
    if (!c.shaped_by_leaves()) return;
    if (c.kind == CurveKind::profile) lint_profile(findings, c, set);
    if (is_output(c)) lint_output(findings, c, set);
    if (c.unity_of_leaves) lint_normalisation(findings, c);
}

}  // namespace

std::vector<Finding> lint(const MeasurementSet& set) {
    Findings findings;
    for (const MeasuredCurve& curve : set.curves) lint_open(findings, curve, set);
    for (const MeasuredCurve& curve : set.device_curves) lint_device(findings, curve, set);
    findings.add(lint_leaves(set));
    lint_quality_twice(findings, set);
    lint_output_twice(findings, set);
    lint_wedges_by_angle(findings, set);
    lint_coverage(findings, set);
    lint_transmissions(findings, set);
    if (!has_published_spread(set))
        findings.add(Severity::note, "",
                     "there is no published spread for " + short_number(set.nominal_energy_mv) + " MV, " +
                         set.fluence_mode + ": depth doses were not compared with one");
    return findings.take();
}

}  // namespace libdose
