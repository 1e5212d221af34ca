// The causes that a check tries, from the specific to the general: among those that explain nearly the same,
// the first is named.
#pragma once

#include <string>
#include <vector>

#include "check/attribution_candidate.h"
#include "check/attribution_densities.h"
#include "check/attribution_recalculation.h"
#include "libdose/io/model_store.h"

namespace libdose::check {

/// "(+5.0, +0.0, -0.1) mm".
std::string text_of(const Vec3& mm);

/// Output of each beam and of all, from the doses of the calculation. Nothing is recalculated.
std::vector<Candidate> output_causes(const CheckInput& input, const CalculationResult& calculation,
                                     const DoseSamples& samples);

/// The dose moved on its grid, and blurred as a coarse grid does. Nothing is recalculated.
std::vector<Candidate> grid_causes(const Volume<float>& calculated_gy, const DoseSamples& samples);

/// Causes that need recalculations, tried in order until one explains the difference.
class RecalculatedCauses {
public:
    /// All of them must outlive it and its candidates.
    RecalculatedCauses(const CheckInput& input, const CheckOptions& options, const BeamModelProvider& models,
                       const DoseSamples& samples, const Field& difference);

    /// Parts that are explained without recalculation: what explains little of them is not tried.
    struct Parts {
        double moved = 0;   ///< by moving the dose: a moved isocentre is much the same
        double output = 0;  ///< by the output: a couch and another energy change it
    };
    /// Adds fitted candidates of every group that applies to the plan.
    void add_to(std::vector<Candidate>& candidates, const Parts& parts);
    /// Causes that were not tried, and why.
    const std::vector<std::string>& not_tried() const { return not_tried_; }

private:
    /// A cause whose sizes make a change; `steps`: sizes at which its fields are found, one for each.
    Candidate linear(Cause cause, double largest, const Sizes& steps,
                     std::function<Change(const Sizes&)> change_of);
    Candidate choice(Cause cause, const Change& change);
    void try_group(const std::string& name, std::vector<Candidate>& candidates,
                   const std::function<std::vector<Candidate>()>& make);
    void refine_size(Candidate& candidate);
    std::vector<Candidate> isocentre();
    std::vector<Candidate> leaves();
    Candidate patient(const PatientChange& change);
    std::vector<Candidate> energies();
    std::vector<Candidate> densities();

    const CheckInput& input_;
    const CheckOptions& options_;
    const Field& difference_;
    io::ModelStore store_;
    StepProgress progress_;
    Recalculation recalculation_;
    std::vector<std::string> not_tried_;
};

}  // namespace libdose::check
