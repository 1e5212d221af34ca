#include "check/attribution_candidate.h"

#include <fmt/core.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

namespace libdose::check {

namespace {

// A step that changes the sizes by less needs no further recalculation.
constexpr double small_step = 0.1;

/// Least squares of `difference` in the columns. Columns that hardly change the dose stay near zero: the
/// ridge is a ten thousandth of the largest column.
Sizes least_squares(const Eigen::MatrixXd& columns, const Field& difference) {
    Eigen::MatrixXd normal = columns.transpose() * columns;
    const double ridge = 1e-4 * normal.diagonal().maxCoeff();
    if (!(ridge > 0)) return Sizes::Zero(columns.cols());
    for (Eigen::Index i = 0; i < normal.cols(); ++i)
        if (normal.cols() > 1) normal(i, i) += ridge;
    return normal.ldlt().solve(columns.transpose() * difference);
}

Sizes limited(const Candidate& candidate, const Sizes& sizes) {
    return sizes.cwiseMax(candidate.least.value_or(-candidate.largest)).cwiseMin(candidate.largest);
}

void set_found(Candidate& candidate, const Field& difference, const Sizes& sizes, Field found) {
    candidate.sizes = sizes;
    candidate.cause.explained = explained_part(difference, found);
    candidate.found = std::move(found);
    if (candidate.describe) {
        candidate.describe(candidate);
        return;
    }
    candidate.cause.size = sizes[0];
    candidate.description = candidate.cause.name;
    if (candidate.choice) return;
    candidate.description += fmt::format(" {:+.1f} {}", sizes[0], candidate.cause.unit);
    if (std::abs(sizes[0]) >= candidate.largest) candidate.description += " or more";
}

}  // namespace

double explained_part(const Field& difference, const Field& field) {
    const double all = difference.squaredNorm();
    return all > 0 ? std::max(0.0, 1 - (difference - field).squaredNorm() / all) : 0;
}

void fit(Candidate& candidate, const Field& difference) {
    const Sizes sizes = candidate.choice ? Sizes(Sizes::Ones(1))
                                         : limited(candidate, least_squares(candidate.fields, difference));
    set_found(candidate, difference, sizes, candidate.fields * sizes);
}

void refine(Candidate& candidate, const Field& difference) {
    if (candidate.choice || !candidate.recalculated) return;
    // Secants from no change to the sizes found (Broyden's update). Two of them: what is left is a
    // second-order error of the last step.
    for (int step = 0; step < 2 && candidate.sizes.norm() > 0; ++step) {
        const Sizes at = candidate.sizes;
        const Field there = candidate.recalculated(at);
        candidate.fields += (there - candidate.fields * at) * at.transpose() / at.squaredNorm();
        const Sizes sizes = limited(candidate, least_squares(candidate.fields, difference));
        set_found(candidate, difference, sizes, there + candidate.fields * (sizes - at));
        if ((sizes - at).norm() < small_step * sizes.norm()) break;
    }
}

double best_part(const std::vector<Candidate>& candidates) {
    double best = 0;
    for (const Candidate& candidate : candidates) best = std::max(best, candidate.cause.explained);
    return best;
}

Candidate scaled(Candidate candidate, double factor) {
    const double alone = candidate.cause.explained;
    set_found(candidate, candidate.found, factor * candidate.sizes, factor * candidate.found);
    candidate.cause.explained = alone;
    return candidate;
}

Together fit_together(const Candidate& a, const Candidate& b, const Field& difference) {
    const Candidate* const both[2] = {&a, &b};
    Field target = difference;
    Eigen::MatrixXd columns = Eigen::MatrixXd::Zero(difference.size(), 2);
    for (int i = 0; i < 2; ++i) {
        if (both[i]->choice)
            target -= both[i]->found;
        else
            columns.col(i) = both[i]->found;
    }
    // A column of zeros has the factor 0.
    const Eigen::Vector2d factors = columns.completeOrthogonalDecomposition().solve(target);
    Together together;
    together.part = std::max(0.0, 1 - (target - columns * factors).squaredNorm() / difference.squaredNorm());
    for (int i = 0; i < 2; ++i)
        if (!both[i]->choice) together.factors[i] = factors[i];
    return together;
}

}  // namespace libdose::check
