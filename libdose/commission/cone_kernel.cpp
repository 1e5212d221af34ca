// Collapsed-cone coefficients: C_m(r) = sum_k c_mk (1 - exp(-a_k r)) with rates that all cones share.
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <unsupported/Eigen/NonLinearOptimization>
#include <unsupported/Eigen/NumericalDiff>

#include "commission/point_kernels.h"
#include "libdose/error.h"
#include "libdose/kernels.h"

namespace libdose {

namespace {

using namespace commission;

constexpr double total_weight = 30;                 // how much the energy of the whole cone counts beside the cumulative values
constexpr double rate_depths_g_cm2[] = {0, 5, 22};  // hardening at which the rates are fitted, together

/// What a misfit at a radius counts. From 1 to 6 cm the cumulative energy is what the electrons of the first interaction leave, which is
/// most of the dose of a small field at any depth; beyond 30 cm little is left.
double importance_at(double radius_cm) { return radius_cm > 30 ? 0.3 : radius_cm > 0.9 && radius_cm < 6.1 ? 3.0 : 1.0; }

/// Non-negative least squares of few unknowns: every subset of them is tried.
class SmallNnls {
public:
    explicit SmallNnls(const Eigen::MatrixXd& rows) : rows_(rows) {
        for (int set = 1; set < (1 << rows.cols()); ++set) {
            Subset subset;
            for (int k = 0; k < rows.cols(); ++k)
                if (set & (1 << k)) subset.columns.push_back(k);
            Eigen::MatrixXd part(rows.rows(), static_cast<Eigen::Index>(subset.columns.size()));
            for (std::size_t c = 0; c < subset.columns.size(); ++c) part.col(static_cast<Eigen::Index>(c)) = rows.col(subset.columns[c]);
            subset.inverse = part.completeOrthogonalDecomposition().pseudoInverse();
            subsets_.push_back(std::move(subset));
        }
    }
    Eigen::VectorXd operator()(const Eigen::VectorXd& target) const {
        Eigen::VectorXd best = Eigen::VectorXd::Zero(rows_.cols());
        double least = target.squaredNorm();
        for (const Subset& subset : subsets_) {
            const Eigen::VectorXd x = subset.inverse * target;
            if (x.minCoeff() < 0) continue;
            Eigen::VectorXd all = Eigen::VectorXd::Zero(rows_.cols());
            for (std::size_t c = 0; c < subset.columns.size(); ++c) all[subset.columns[c]] = x[static_cast<Eigen::Index>(c)];
            const double residual = (rows_ * all - target).squaredNorm();
            if (residual < least) least = residual, best = all;
        }
        return best;
    }

private:
    struct Subset {
        std::vector<int> columns;
        Eigen::MatrixXd inverse;
    };
    Eigen::MatrixXd rows_;
    std::vector<Subset> subsets_;
};

struct ConeFit {
    Eigen::MatrixXd coefficients;  ///< [m][k], sum 1
    Eigen::VectorXd residuals;     ///< of all cones, before the sum was set to 1
};

ConeFit fit_cones(const AverageKernel& kernel, const PointKernels& kernels, const Eigen::VectorXd& rates) {
    const auto shells = static_cast<Eigen::Index>(kernels.radius_edges_cm.size() - 1), cones = static_cast<Eigen::Index>(kernel.escape.size());
    Eigen::MatrixXd rows(shells + 1, rates.size());
    Eigen::VectorXd importance(shells);
    for (Eigen::Index r = 0; r < shells; ++r) {
        const double radius = kernels.radius_edges_cm[static_cast<std::size_t>(r) + 1];
        importance[r] = importance_at(radius);
        for (Eigen::Index k = 0; k < rates.size(); ++k) rows(r, k) = importance[r] * (1 - std::exp(-radius * rates[k]));
    }
    rows.row(shells).setConstant(total_weight);
    const SmallNnls solve(rows);
    ConeFit fit{Eigen::MatrixXd(cones, rates.size()), Eigen::VectorXd(cones * (shells + 1))};
    for (Eigen::Index m = 0; m < cones; ++m) {
        Eigen::VectorXd target(shells + 1);
        double cumulative = 0;
        for (Eigen::Index r = 0; r < shells; ++r) {
            cumulative += kernel.cells[static_cast<std::size_t>(m * shells + r)];
            target[r] = importance[r] * cumulative;
        }
        target[shells] = total_weight * (cumulative + kernel.escape[static_cast<std::size_t>(m)]);
        const Eigen::VectorXd c = solve(target);
        fit.coefficients.row(m) = c;
        fit.residuals.segment(m * (shells + 1), shells + 1) = rows * c - target;
    }
    fit.coefficients /= fit.coefficients.sum();
    return fit;
}

struct RateFunctor {
    using Scalar = double;
    enum { InputsAtCompileTime = Eigen::Dynamic, ValuesAtCompileTime = Eigen::Dynamic };
    using InputType = Eigen::VectorXd;
    using ValueType = Eigen::VectorXd;
    using JacobianType = Eigen::MatrixXd;
    const std::vector<AverageKernel>& sets;
    const PointKernels& kernels;
    Eigen::Index rates;
    int inputs() const { return static_cast<int>(rates); }
    int values() const { return static_cast<int>(sets.size() * sets.front().escape.size() * kernels.radius_edges_cm.size()); }
    int operator()(const Eigen::VectorXd& logs, Eigen::VectorXd& f) const {
        Eigen::Index row = 0;
        for (const AverageKernel& kernel : sets) {
            const Eigen::VectorXd part = fit_cones(kernel, kernels, logs.array().exp()).residuals;
            f.segment(row, part.size()) = 100 * part;
            row += part.size();
        }
        return 0;
    }
};

}  // namespace

std::vector<double> start_rates(double nominal_energy_mv, int count) {
    if (count < 2 || count > 4) throw bad_input("there must be two to four rates", "cone kernel");
    constexpr double known[][4] = {{4, 5.5, 2.6, 0.038}, {6, 4.4, 2.1, 0.036}, {10, 3.0, 1.2, 0.030}, {15, 2.5, 0.83, 0.028}};
    const double* best = known[0];
    for (const auto& row : known)
        if (std::abs(row[0] - nominal_energy_mv) < std::abs(best[0] - nominal_energy_mv)) best = row;
    if (count == 2) return {best[1], best[3]};
    if (count == 4) return {best[1], best[2], best[2] / 3, best[3]};
    return {best[1], best[2], best[3]};
}

ConeKernel make_cone_kernel(const Spectrum& spectrum, const PointKernels& kernels, const std::vector<double>& start, bool fit_rates) {
    if (start.empty() || start.size() > 4 || !std::all_of(start.begin(), start.end(), [](double a) { return a > 0 && std::isfinite(a); }))
        throw bad_input("there must be one to four positive rates", "cone kernel");
    Eigen::VectorXd rates = Eigen::Map<const Eigen::VectorXd>(start.data(), static_cast<Eigen::Index>(start.size()));
    if (fit_rates) {
        std::vector<AverageKernel> sets;
        for (const double depth : rate_depths_g_cm2) sets.push_back(average_kernel(spectrum, kernels, depth));
        Eigen::VectorXd logs = rates.array().log();
        Eigen::NumericalDiff<RateFunctor, Eigen::Central> functor(RateFunctor{sets, kernels, rates.size()}, 1e-8);
        Eigen::LevenbergMarquardt<Eigen::NumericalDiff<RateFunctor, Eigen::Central>> solver(functor);
        solver.parameters.xtol = 1e-6, solver.parameters.ftol = 1e-9;
        solver.minimize(logs);
        rates = logs.array().exp();
        if (!rates.allFinite()) throw bad_input("the rates of the kernel could not be fitted", "cone kernel");
        std::sort(rates.begin(), rates.end(), std::greater<>());
    }
    ConeKernel result;
    result.rates_cm2_g.assign(rates.begin(), rates.end());
    result.theta_edges_deg = kernels.theta_edges_deg;
    for (const double depth : hardening_depths_g_cm2) {
        result.depth_g_cm2.push_back(depth);
        const ConeFit fit = fit_cones(average_kernel(spectrum, kernels, depth), kernels, rates);
        for (Eigen::Index m = 0; m < fit.coefficients.rows(); ++m)
            for (Eigen::Index k = 0; k < rates.size(); ++k) result.coefficients.push_back(fit.coefficients(m, k));
    }
    return result;
}

}  // namespace libdose
