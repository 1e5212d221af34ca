// A cause that could explain a difference of doses, and how much of it, by least squares.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "check/attribution_samples.h"
#include "libdose/check/check.h"

namespace libdose::check {

/// Sizes of a cause: one, or one for each axis or range of densities.
using Sizes = Eigen::VectorXd;

/// A cause with the difference of doses that it makes. One that is there or not (another energy) has the
/// size 1; the others have what explains most.
struct Candidate {
    Cause cause;
    std::string description;      ///< with its size, for sentences
    bool choice = false;          ///< there or not
    Eigen::MatrixXd fields;       ///< [sample][size], Gy for one unit of each
    double largest = 0;           ///< size that is looked for
    std::optional<double> least;  ///< none: -largest
    Sizes sizes;
    Field found;  ///< difference that it makes at `sizes`, Gy

    /// Difference at sizes, recalculated. Empty: the fields are exact.
    std::function<Field(const Sizes&)> recalculated;
    /// Size and words of sizes that were found. Empty: those of a choice, or of one size.
    std::function<void(Candidate&)> describe;
};

/// Part of the sum of squares of `difference` that `field` explains; 0 where it explains nothing or makes it
/// larger.
double explained_part(const Field& difference, const Field& field);

/// Finds sizes, the field they make and the part that it explains, as if fields were linear.
void fit(Candidate& candidate, const Field& difference);

/// Finds them again with recalculations at the sizes that were found.
void refine(Candidate& candidate, const Field& difference);

/// The largest part that one of them explains; 0 for none.
double best_part(const std::vector<Candidate>& candidates);

/// A candidate with its sizes and its field times a factor; its part stays that which it explains alone.
Candidate scaled(Candidate candidate, double factor);

/// Two causes, as large as they explain most together.
struct Together {
    double part = 0;
    double factors[2] = {1, 1};  ///< of their own sizes; of a choice: 1
};
Together fit_together(const Candidate& a, const Candidate& b, const Field& difference);

}  // namespace libdose::check
