// Targets, goals, points and MU: the recalculated dose against the planning system's.
#pragma once

#include <vector>

#include "libdose/check/check.h"

namespace libdose::check {

/// Rows of section "dose", with what reports draw of them.
struct DoseComparison {
    std::vector<Row> rows;
    std::vector<ComparedHistogram> histograms;
    std::vector<ComparedPoint> points;
};

/// Compares doses. `structures`: as calculated, with a couch where one was asked for. Where the planning
/// system's dose is absent, its rows are NOT CHECKED.
DoseComparison compare_doses(const CheckInput& input, const CalculationResult& calculation,
                             const Protocol& protocol);

}  // namespace libdose::check
