// The single cause that explains most of a difference of doses. docs/theory/attribution.md.
#include "check/attribution.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "check/attribution_causes.h"
#include "check/attribution_verdict.h"

namespace libdose::check {

namespace {

// A cause that is found without recalculation and explains as much leaves nothing to look for.
constexpr double settled_part = 0.99;
// Linear causes whose size is found by recalculation: the leading ones, within this part of the best.
constexpr double contender_part = 0.15;
constexpr std::size_t contenders = 3;

void fit_all(std::vector<Candidate>& candidates, const Field& difference) {
    for (Candidate& candidate : candidates) fit(candidate, difference);
}

double best_part(const std::vector<Candidate>& candidates) {
    double best = 0;
    for (const Candidate& candidate : candidates) best = std::max(best, candidate.cause.explained);
    return best;
}

/// Sizes of the leading causes by recalculation.
void refine_leading(std::vector<Candidate>& candidates, RecalculatedCauses& causes, const Field& difference) {
    std::vector<Candidate*> leading;
    const double least = best_part(candidates) - contender_part;
    for (Candidate& candidate : candidates)
        if (candidate.recalculated && !candidate.choice && candidate.cause.explained >= least)
            leading.push_back(&candidate);
    std::stable_sort(leading.begin(), leading.end(), [](const Candidate* a, const Candidate* b) {
        return a->cause.explained > b->cause.explained;
    });
    for (std::size_t i = 0; i < std::min(leading.size(), contenders); ++i)
        causes.refine_candidate(*leading[i], difference);
}

Attribution not_tried(const std::string& why) {
    Attribution attribution;
    attribution.verdict = "not tried";
    attribution.sentence = "No cause was looked for: " + why + ".";
    return attribution;
}

}  // namespace

Attribution attribute(const CheckInput& input, const CalculationResult& calculation,
                      const CheckOptions& options, const BeamModelProvider& models) {
    if (!input.planned) return not_tried("there is no planned dose");
    if (!input.can_calculate()) return not_tried("the plan cannot be recalculated");
    if (input.planned->plane) return not_tried("the planned dose is one plane");
    const DoseSamples samples(input.planned->gy, input.structures->external());
    if (samples.size() == 0)
        return not_tried("no voxel of the planned dose has a tenth of its maximum in the body");
    const Field difference = samples.of(input.planned->gy) - samples.of(calculation.plan.gy);
    Attribution attribution = size_of(difference, samples.planned_maximum_gy());
    if (attribution.verdict == "none") return attribution;

    std::vector<Candidate> candidates = output_causes(input, calculation, samples);
    std::vector<Candidate> of_grid = grid_causes(calculation.plan.gy, samples);
    fit_all(candidates, difference);
    fit_all(of_grid, difference);
    RecalculatedCauses causes(input, options, models, samples);
    if (best_part(candidates) < settled_part) {
        std::vector<Candidate> recalculated = causes.candidates();
        fit_all(recalculated, difference);
        std::move(recalculated.begin(), recalculated.end(), std::back_inserter(candidates));
    }
    std::move(of_grid.begin(), of_grid.end(), std::back_inserter(candidates));
    if (best_part(candidates) < settled_part) refine_leading(candidates, causes, difference);
    judge_causes(attribution, candidates, difference);
    attribution.not_tried = causes.not_tried();
    if (options.progress) options.progress(1, "cause");
    return attribution;
}

}  // namespace libdose::check
