#include "commissioning/least_squares.h"

#include <algorithm>
#include <cmath>
#include <unsupported/Eigen/NonLinearOptimization>

#include "libdose/error.h"

namespace libdose::commission {

namespace {

/// x = lower + (upper - lower) (1 + sin t) / 2, so that every t is within the bounds.
double folded(const Parameter& p, double t) {
    return p.lower + 0.5 * (p.upper - p.lower) * (1 + std::sin(t));
}
double unfolded(const Parameter& p, double x) {
    // Off the very bound, where the derivative would vanish.
    return std::asin(std::clamp(2 * (x - p.lower) / (p.upper - p.lower) - 1, -0.999, 0.999));
}
double fold_slope(const Parameter& p, double t) { return 0.5 * (p.upper - p.lower) * std::cos(t); }

struct Functor {
    using Scalar = double;
    enum { InputsAtCompileTime = Eigen::Dynamic, ValuesAtCompileTime = Eigen::Dynamic };
    using InputType = Eigen::VectorXd;
    using ValueType = Eigen::VectorXd;
    using JacobianType = Eigen::MatrixXd;

    const std::vector<Parameter>& parameters;
    const Residuals& residuals;
    Eigen::Index data = 0, prior_rows = 0;
    int evaluations = 0;

    Functor(const std::vector<Parameter>& p, const Residuals& r) : parameters(p), residuals(r) {}
    int inputs() const { return static_cast<int>(parameters.size()); }
    int values() const { return static_cast<int>(data + prior_rows); }

    std::vector<double> values_at(const Eigen::VectorXd& t) const {
        std::vector<double> x;
        for (std::size_t i = 0; i < parameters.size(); ++i)
            x.push_back(folded(parameters[i], t[static_cast<Eigen::Index>(i)]));
        return x;
    }
    Eigen::VectorXd all(const std::vector<double>& x) {
        const Eigen::VectorXd r = residuals(x);
        ++evaluations;
        if (!r.allFinite())
            throw bad_input("the model cannot be evaluated for the measurements: a residual is not finite",
                            "commissioning");
        Eigen::VectorXd out(r.size() + static_cast<Eigen::Index>(parameters.size()));
        Eigen::Index n = r.size();
        out.head(n) = r;
        for (std::size_t i = 0; i < parameters.size(); ++i)
            if (parameters[i].prior_sigma > 0)
                out[n++] = (x[i] - parameters[i].prior) / parameters[i].prior_sigma;
        return out.head(n);
    }
    int operator()(const Eigen::VectorXd& t, Eigen::VectorXd& f) {
        f = all(values_at(t));
        return 0;
    }
    /// d residual / d x, one-sided, away from the nearer bound.
    Eigen::MatrixXd slopes(const std::vector<double>& x, const Eigen::VectorXd& here) {
        Eigen::MatrixXd j(here.size(), inputs());
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            const Parameter& p = parameters[i];
            std::vector<double> moved = x;
            const double step = x[i] + p.step < p.upper ? p.step : -p.step;
            moved[i] += step;
            j.col(static_cast<Eigen::Index>(i)) = (all(moved) - here) / step;
        }
        return j;
    }
    int df(const Eigen::VectorXd& t, Eigen::MatrixXd& jacobian) {
        const std::vector<double> x = values_at(t);
        jacobian = slopes(x, all(x));
        for (Eigen::Index i = 0; i < inputs(); ++i)
            jacobian.col(i) *= fold_slope(parameters[static_cast<std::size_t>(i)], t[i]);
        return 0;
    }
};

}  // namespace

Eigen::MatrixXd side_by_side(const Eigen::MatrixXd& first, const Eigen::MatrixXd& second) {
    Eigen::MatrixXd both =
        Eigen::MatrixXd::Identity(first.rows() + second.rows(), first.rows() + second.rows());
    both.topLeftCorner(first.rows(), first.rows()) = first;
    both.bottomRightCorner(second.rows(), second.rows()) = second;
    return both;
}

LeastSquaresResult least_squares(const std::vector<Parameter>& parameters, const Residuals& residuals,
                                 int most_evaluations, const std::function<void(double)>& progress) {
    Functor functor(parameters, residuals);
    Eigen::VectorXd t(static_cast<Eigen::Index>(parameters.size()));
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const Parameter& p = parameters[i];
        if (!(p.lower < p.upper && p.value >= p.lower && p.value <= p.upper && p.step > 0))
            throw internal_error("bounds of " + p.name, "least squares");
        t[static_cast<Eigen::Index>(i)] = unfolded(p, p.value);
        functor.prior_rows += p.prior_sigma > 0 ? 1 : 0;
    }
    const Eigen::VectorXd start = functor.all(functor.values_at(t));
    functor.data = start.size() - functor.prior_rows;
    if (functor.values() < functor.inputs())
        throw bad_input("there are fewer measured values than parameters to fit", "commissioning");

    Eigen::LevenbergMarquardt<Functor> solver(functor);
    solver.parameters.ftol = solver.parameters.xtol = 1e-4;
    solver.parameters.factor = 10;
    LeastSquaresResult result;
    auto status = solver.minimizeInit(t);
    for (status = Eigen::LevenbergMarquardtSpace::Running;
         status == Eigen::LevenbergMarquardtSpace::Running && functor.evaluations < most_evaluations;) {
        status = solver.minimizeOneStep(t);
        if (progress) progress(std::min(1.0, static_cast<double>(functor.evaluations) / most_evaluations));
    }
    result.converged = status != Eigen::LevenbergMarquardtSpace::Running &&
                       status != Eigen::LevenbergMarquardtSpace::ImproperInputParameters &&
                       status != Eigen::LevenbergMarquardtSpace::TooManyFunctionEvaluation;
    result.values = functor.values_at(t);
    const Eigen::VectorXd here = functor.all(result.values);
    const Eigen::MatrixXd j = functor.slopes(result.values, here);
    result.chi_square = here.head(functor.data).squaredNorm();
    result.residuals = static_cast<std::size_t>(functor.data);
    const double widen = std::sqrt(std::max(
        1.0, here.squaredNorm() / std::max<double>(1, static_cast<double>(here.size()) - functor.inputs())));
    const Eigen::MatrixXd covariance = (j.transpose() * j).completeOrthogonalDecomposition().pseudoInverse();
    const Eigen::VectorXd sigma = covariance.diagonal().cwiseMax(0).cwiseSqrt();
    result.correlation = Eigen::MatrixXd::Identity(j.cols(), j.cols());
    for (Eigen::Index a = 0; a < j.cols(); ++a) {
        result.sigma.push_back(widen * sigma[a]);
        for (Eigen::Index b = 0; b < j.cols(); ++b)
            if (a != b && sigma[a] > 0 && sigma[b] > 0)
                result.correlation(a, b) = covariance(a, b) / (sigma[a] * sigma[b]);
    }
    result.evaluations = functor.evaluations;
    return result;
}

}  // namespace libdose::commission
