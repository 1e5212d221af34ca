// What the parts of the linter of measurements share. Their limits, with their sources:
// docs/theory/commissioning.md.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "libdose/measurement.h"

namespace libdose::linting {

using Severity = Finding::Severity;

/// Findings in the order in which they are added.
class Findings {
public:
    void add(Severity severity, const std::string& curve, const std::string& text) {
        all_.push_back({severity, curve, text});
    }
    void add(std::vector<Finding> more);
    std::vector<Finding> take() { return std::move(all_); }

private:
    std::vector<Finding> all_;
};

double value_at(const MeasuredCurve& curve, double position);
bool covers(const MeasuredCurve& curve, double position);
std::string text_of(double value);  ///< to three decimals

/// Depth doses and tissue-phantom ratios.
bool by_depth(const MeasuredCurve& curve);
/// Output factors, in water or in air.
bool is_output(const MeasuredCurve& curve);

/// Whether a spread of depth doses is published for beams of this energy and fluence mode.
bool has_published_spread(const MeasurementSet& set);
/// A depth dose or ratio: does it fall, in the right unit, with the maximum and the quality of its energy.
void lint_depth(Findings& findings, const MeasuredCurve& curve, const MeasurementSet& set);
/// A depth dose and a ratio of the same field, in what they say of the quality.
void lint_quality_twice(Findings& findings, const MeasurementSet& set);

/// A profile of an open field or of one that leaves shape: width, centre, symmetry, flatness.
void lint_profile(Findings& findings, const MeasuredCurve& curve, const MeasurementSet& set);
/// Where a profile says that the thin end of its wedge is.
void lint_wedged_profile(Findings& findings, const MeasuredCurve& curve);

/// A table of output factors: against the published ones of small fields, and in its course.
void lint_output(Findings& findings, const MeasuredCurve& curve, const MeasurementSet& set);
/// The same field in two tables of output factors.
void lint_output_twice(Findings& findings, const MeasurementSet& set);
/// A table of wedge factors.
void lint_wedge_factor(Findings& findings, const MeasuredCurve& curve);
/// Wedge factors of wedges of one kind, by their angle.
void lint_wedges_by_angle(Findings& findings, const MeasurementSet& set);

/// Gaps that sweep a field, and fields that leaves shape.
std::vector<Finding> lint_leaves(const MeasurementSet& set);

}  // namespace libdose::linting
