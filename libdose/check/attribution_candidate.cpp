#include "check/attribution_candidate.h"

#include <fmt/core.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

namespace libdose::check {

namespace {

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

void set_found(Candidate& candidate, const Field& difference, const Sizes& sizes, Field found) {
    candidate.sizes = sizes;
    candidate.cause.explained = explained_part(difference, found);
    candidate.found = std::move(found);
    if (candidate.describe) {
        candidate.describe(candidate);
        return;
    }
    candidate.cause.size = sizes[0];
    candidate.description =
        candidate.choice ? candidate.cause.name
                         : fmt::format("{} {:+.1f} {}", candidate.cause.name, sizes[0], candidate.cause.unit);
}

}  // namespace

double explained_part(const Field& difference, const Field& field) {
    const double all = difference.squaredNorm();
    return all > 0 ? std::max(0.0, 1 - (difference - field).squaredNorm() / all) : 0;
}

void fit(Candidate& candidate, const Field& difference) {
    Sizes sizes = candidate.choice ? Sizes(Sizes::Ones(1)) : least_squares(candidate.fields, difference);
    if (candidate.largest > 0) sizes = sizes.cwiseMax(-candidate.largest).cwiseMin(candidate.largest);
    set_found(candidate, difference, sizes, candidate.fields * sizes);
}

void refine(Candidate& candidate, const Field& difference) {
    if (candidate.choice || !candidate.recalculated) return;
    Sizes sizes = candidate.sizes;
    // Gauss and Newton. Two steps: what is left is then a second-order error of a small step.
    for (int step = 0; step < 2 && sizes.norm() > 0; ++step) {
        const Field there = candidate.recalculated(sizes);
        Sizes correction = least_squares(candidate.fields, difference - there);
        correction = (sizes + correction).cwiseMax(-candidate.largest).cwiseMin(candidate.largest) - sizes;
        Field found = there + candidate.fields * correction;
        const bool better = explained_part(difference, found) > candidate.cause.explained || step == 0;
        sizes += correction;
        if (better) set_found(candidate, difference, sizes, std::move(found));
        if (correction.norm() < 0.1 * sizes.norm()) break;
    }
}

double explained_together(const Candidate& a, const Candidate& b, const Field& difference) {
    Field target = difference;
    Eigen::MatrixXd columns(difference.size(), 0);
    for (const Candidate* candidate : {&a, &b}) {
        if (candidate->choice) {
            target -= candidate->found;
        } else {
            columns.conservativeResize(Eigen::NoChange, columns.cols() + 1);
            columns.col(columns.cols() - 1) = candidate->found;
        }
    }
    const Field rest =
        columns.cols() > 0 ? Field(target - columns * columns.colPivHouseholderQr().solve(target)) : target;
    return std::max(0.0, 1 - rest.squaredNorm() / difference.squaredNorm());
}

}  // namespace libdose::check
