// What the causes of a difference amount to: none, one, several, or none that explains it.
#pragma once

#include <vector>

#include "check/attribution_candidate.h"
#include "libdose/check/check.h"

namespace libdose::check {

/// Size of a difference; the verdict is "none" where it is too small to look for a cause.
Attribution size_of(const Field& difference, double planned_maximum_gy);

/// Sets verdict, sentence and causes. `candidates`: fitted, the specific ones first.
void judge_causes(Attribution& attribution, const std::vector<Candidate>& candidates,
                  const Field& difference);

}  // namespace libdose::check
