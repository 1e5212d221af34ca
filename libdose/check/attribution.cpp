// The single cause that explains most of a difference of doses. docs/theory/attribution.md.
#include "check/attribution.h"

#include "check/attribution_causes.h"
#include "check/attribution_verdict.h"

namespace libdose::check {

namespace {

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
        return not_tried(
            "no voxel well inside the body and the planned grid has a tenth of the planned maximum");
    const Field difference = samples.of(input.planned->gy) - samples.of(calculation.plan.gy);
    Attribution attribution = size_of(difference, samples.planned_maximum_gy());
    if (attribution.verdict == "none") return attribution;

    std::vector<Candidate> candidates = output_causes(input, calculation, samples);
    std::vector<Candidate> of_grid = grid_causes(calculation.plan.gy, samples);
    for (Candidate& candidate : candidates) fit(candidate, difference);
    for (Candidate& candidate : of_grid) fit(candidate, difference);
    RecalculatedCauses causes(input, options, models, samples, difference);
    causes.add_to(candidates, {of_grid.front().cause.explained, best_part(candidates)});
    for (Candidate& candidate : of_grid) {
        if (candidate.cause.explained >= best_part(candidates)) refine(candidate, difference);
        candidates.push_back(std::move(candidate));
    }
    judge_causes(attribution, candidates, difference);
    attribution.not_tried = causes.not_tried();
    if (options.progress) options.progress(1, "cause");
    return attribution;
}

}  // namespace libdose::check
