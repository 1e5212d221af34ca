// Gamma comparisons of a check, by regions.
#pragma once

#include <optional>
#include <vector>

#include "libdose/check/check.h"

namespace libdose::check {

/// Rows of section "gamma", with counts and the map of the first criterion.
struct GammaComparison {
    std::vector<Row> rows;
    std::vector<ComparedGamma> gammas;
    std::optional<Volume<float>> map;
};

/// Every criterion of the protocol. The planning system's dose is the reference.
GammaComparison compare_gamma(const CheckInput& input, const CalculationResult& calculation,
                              const Protocol& protocol, int threads);

}  // namespace libdose::check
