// The causes that a check tries, from the specific to the general: among those that explain nearly the same,
// the first is named.
#pragma once

#include <string>
#include <vector>

#include "check/attribution_candidate.h"
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

/// Causes that need recalculations.
class RecalculatedCauses {
public:
    RecalculatedCauses(const CheckInput& input, const CheckOptions& options, const BeamModelProvider& models,
                       const DoseSamples& samples);

    /// Fields of all that apply to the plan, in order. `recalculation()` must outlive them.
    std::vector<Candidate> candidates();
    /// With recalculations at the sizes found; a refused one leaves the candidate as it is.
    void refine_candidate(Candidate& candidate, const Field& difference);
    /// Causes that could not be tried, and why.
    const std::vector<std::string>& not_tried() const { return not_tried_; }

private:
    struct Model {
        std::string name;
        const BeamModel* model;
    };
    /// A cause whose sizes make a change; `steps`: sizes at which its fields are found, one for each.
    Candidate linear(Cause cause, double largest, const Sizes& steps,
                     std::function<Change(const Sizes&)> change_of);
    Candidate choice(Cause cause, const Change& change);
    /// Adds what `make` returns; what cannot be calculated is noted.
    void try_cause(const std::string& stage, std::vector<Candidate>& list,
                   const std::function<std::vector<Candidate>()>& make);
    std::vector<Candidate> aperture();
    std::vector<Candidate> isocentre();
    std::vector<Candidate> densities();
    std::vector<Model> other_energies();

    const CheckInput& input_;
    const CheckOptions& options_;
    io::ModelStore store_;
    StepProgress progress_;
    Recalculation recalculation_;
    std::vector<std::string> not_tried_;
};

}  // namespace libdose::check
