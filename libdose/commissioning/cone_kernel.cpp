// Collapsed-cone coefficients: C_m(r) = sum_k c_mk (1 - exp(-a_k r)) with rates that all cones share, of
// either sign, where no cone deposits less than nothing anywhere: docs/theory/collapsed-cone.md.
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <unsupported/Eigen/NonLinearOptimization>
#include <unsupported/Eigen/NumericalDiff>

#include "commissioning/point_kernels.h"
#include "libdose/error.h"
#include "libdose/kernels.h"

namespace libdose {

namespace {

using namespace commission;

constexpr double rate_depths_g_cm2[] = {0, 5, 22};  // hardening at which the rates are fitted, together
constexpr double least_ratio =
    1.5;  // of neighbouring rates that pass energy on: nearer to each other their coefficients only grow

/// Up to three rates, one of them for scattered photons, cannot have the shape of what those leave, and
/// coefficients are positive; more can.
bool has_stages(Eigen::Index rates) { return rates > 3; }

/// What a misfit counts. From 1 to 6 cm the cumulative energy is what the electrons of the first interaction
/// leave, which is most of the dose of a small field at any depth; beyond 30 cm little is left.
struct Importance {
    double within_1_cm, beyond_6_cm, beyond_30_cm, whole_cone;
};
Importance importance_for(Eigen::Index rates) {
    return has_stages(rates) ? Importance{2, 3, 1, 10} : Importance{1, 1, 0.3, 30};
}
double at_radius(const Importance& importance, double radius_cm) {
    return radius_cm > 30    ? importance.beyond_30_cm
           : radius_cm > 6.1 ? importance.beyond_6_cm
           : radius_cm > 0.9 ? 3.0
                             : importance.within_1_cm;
}

/// Coefficients [k][part] of what a cone is made of, each part of energy 1 and nowhere negative: a rate by
/// itself, or, in stages, energy that is left at the fastest rate and energy that passes from every rate to
/// the next slower one before it is left (a b / (a - b) (exp(-b r) - exp(-a r)), which rises from nothing). A
/// rate by itself is a sum of stages.
Eigen::MatrixXd parts_of_a_cone(const Eigen::VectorXd& rates) {
    Eigen::MatrixXd made_of = Eigen::MatrixXd::Identity(rates.size(), rates.size());
    if (!has_stages(rates.size())) return made_of;
    for (Eigen::Index k = 1; k < rates.size(); ++k) {
        const double difference = rates[k - 1] - rates[k];
        made_of(k, k) = rates[k - 1] / difference;
        made_of(k - 1, k) = -rates[k] / difference;
    }
    return made_of;
}

/// Non-negative least squares of few unknowns: every subset of them is tried.
class SmallNnls {
public:
    explicit SmallNnls(const Eigen::MatrixXd& rows) : rows_(rows) {
        for (int set = 1; set < (1 << rows.cols()); ++set) {
            Subset subset;
            for (int k = 0; k < rows.cols(); ++k)
                if (set & (1 << k)) subset.columns.push_back(k);
            Eigen::MatrixXd part(rows.rows(), static_cast<Eigen::Index>(subset.columns.size()));
            for (std::size_t c = 0; c < subset.columns.size(); ++c)
                part.col(static_cast<Eigen::Index>(c)) = rows.col(subset.columns[c]);
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
            for (std::size_t c = 0; c < subset.columns.size(); ++c)
                all[subset.columns[c]] = x[static_cast<Eigen::Index>(c)];
            const double residual = (rows_ * all - target).squaredNorm();
            if (residual < least) {
                least = residual;
                best = all;
            }
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
    const auto shells = static_cast<Eigen::Index>(kernels.radius_edges_cm.size() - 1),
               cones = static_cast<Eigen::Index>(kernel.escape.size());
    Eigen::MatrixXd rows(shells + 1, rates.size());
    Eigen::VectorXd importance(shells);
    const Importance weights = importance_for(rates.size());
    for (Eigen::Index r = 0; r < shells; ++r) {
        const double radius = kernels.radius_edges_cm[static_cast<std::size_t>(r) + 1];
        importance[r] = at_radius(weights, radius);
        for (Eigen::Index k = 0; k < rates.size(); ++k)
            rows(r, k) = importance[r] * (1 - std::exp(-radius * rates[k]));
    }
    rows.row(shells).setConstant(weights.whole_cone);
    const Eigen::MatrixXd made_of = parts_of_a_cone(rates);
    rows *= made_of;
    const SmallNnls solve(rows);
    ConeFit fit{Eigen::MatrixXd(cones, rates.size()), Eigen::VectorXd(cones * (shells + 1))};
    for (Eigen::Index m = 0; m < cones; ++m) {
        Eigen::VectorXd target(shells + 1);
        double cumulative = 0;
        for (Eigen::Index r = 0; r < shells; ++r) {
            cumulative += kernel.cells[static_cast<std::size_t>(m * shells + r)];
            target[r] = importance[r] * cumulative;
        }
        target[shells] = weights.whole_cone * (cumulative + kernel.escape[static_cast<std::size_t>(m)]);
        const Eigen::VectorXd energies = solve(target);
        fit.coefficients.row(m) = made_of * energies;
        fit.residuals.segment(m * (shells + 1), shells + 1) = rows * energies - target;
    }
    fit.coefficients /= fit.coefficients.sum();
    return fit;
}

/// What a fit of the rates varies, any real numbers: their logarithms; in stages the slowest, and how much
/// faster each next one is than it must be.
Eigen::VectorXd logs_of(const Eigen::VectorXd& rates) {
    Eigen::VectorXd logs = rates.array().log();
    if (!has_stages(rates.size())) return logs;
    for (Eigen::Index k = 0; k + 1 < rates.size(); ++k)
        logs[k] = std::log(std::max(1e-3, rates[k] / rates[k + 1] - least_ratio));
    return logs;
}
Eigen::VectorXd rates_of(const Eigen::VectorXd& logs) {
    Eigen::VectorXd rates = logs.array().exp();
    if (!has_stages(rates.size())) return rates;
    for (Eigen::Index k = rates.size() - 1; k-- > 0;) rates[k] = (least_ratio + rates[k]) * rates[k + 1];
    return rates;
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
    int values() const {
        return static_cast<int>(sets.size() * sets.front().escape.size() * kernels.radius_edges_cm.size());
    }
    int operator()(const Eigen::VectorXd& logs, Eigen::VectorXd& f) const {
        Eigen::Index row = 0;
        for (const AverageKernel& kernel : sets) {
            const Eigen::VectorXd part = fit_cones(kernel, kernels, rates_of(logs)).residuals;
            f.segment(row, part.size()) = 100 * part;
            row += part.size();
        }
        return 0;
    }
};

}  // namespace

std::vector<double> start_rates(double nominal_energy_mv, int count) {
    constexpr double known[][4] = {
        {4, 5.5, 2.6, 0.038}, {6, 4.4, 2.1, 0.036}, {10, 3.0, 1.2, 0.030}, {15, 2.5, 0.83, 0.028}};
    const double* best = known[0];
    for (const auto& row : known)
        if (std::abs(row[0] - nominal_energy_mv) < std::abs(best[0] - nominal_energy_mv)) best = row;
    const double fast = best[1], middle = best[2], slow = best[3];
    switch (count) {
        case 2:
            return {fast, slow};
        case 3:
            return {fast, middle, slow};
        case 4:
            return {fast, middle, 2.5 * slow, slow};
        case 5:
            return {fast, middle, 5 * slow, 2.2 * slow, slow};
        default:
            throw bad_input("there must be two to five rates", "cone kernel");
    }
}

ConeKernel make_cone_kernel(const Spectrum& spectrum, const PointKernels& kernels,
                            const std::vector<double>& start, bool fit_rates) {
    if (start.empty() || start.size() > 5 ||
        !std::all_of(start.begin(), start.end(), [](double a) { return a > 0 && std::isfinite(a); }) ||
        std::adjacent_find(start.begin(), start.end(), std::less_equal<>()) != start.end())
        throw bad_input("there must be one to five positive rates that descend", "cone kernel");
    Eigen::VectorXd rates =
        Eigen::Map<const Eigen::VectorXd>(start.data(), static_cast<Eigen::Index>(start.size()));
    if (fit_rates) {
        std::vector<AverageKernel> sets;
        for (const double depth : rate_depths_g_cm2) sets.push_back(average_kernel(spectrum, kernels, depth));
        Eigen::VectorXd logs = logs_of(rates);
        Eigen::NumericalDiff<RateFunctor, Eigen::Central> functor(RateFunctor{sets, kernels, rates.size()},
                                                                  1e-8);
        Eigen::LevenbergMarquardt<Eigen::NumericalDiff<RateFunctor, Eigen::Central>> solver(functor);
        solver.parameters.xtol = 1e-6;
        solver.parameters.ftol = 1e-9;
        solver.minimize(logs);
        rates = rates_of(logs);
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
            for (Eigen::Index k = 0; k < rates.size(); ++k)
                result.coefficients.push_back(fit.coefficients(m, k));
    }
    return result;
}

}  // namespace libdose
