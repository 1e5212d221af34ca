// Bounded least squares with priors.
#pragma once

#include <Eigen/Dense>
#include <functional>
#include <string>
#include <vector>

namespace libdose::commission {

struct Parameter {
    std::string name, unit;
    double value = 0, lower = 0, upper = 0;
    double prior = 0, prior_sigma = 0;  ///< what is known before the data; a sigma of 0: nothing
    double step = 0;                    ///< of the numerical derivative
};

/// Residuals in units of their own standard deviations, always as many.
using Residuals = std::function<Eigen::VectorXd(const std::vector<double>& values)>;

struct LeastSquaresResult {
    std::vector<double> values, sigma;  ///< one standard deviation, from the curvature, widened by the root
                                        ///< of the reduced chi-square where that is above 1
    Eigen::MatrixXd correlation;
    double chi_square = 0;  ///< of the residuals without the priors
    std::size_t residuals = 0;
    int evaluations = 0;
    bool converged = false;
};

/// Correlations of parameters of two fits that know nothing of each other.
Eigen::MatrixXd side_by_side(const Eigen::MatrixXd& first, const Eigen::MatrixXd& second);

/// Levenberg-Marquardt (Eigen's port of MINPACK) on a parameter that the sine folds into its bounds.
/// Deterministic. Throws bad_input when the residuals are not finite, internal_error for bounds that are
/// none.
LeastSquaresResult least_squares(const std::vector<Parameter>& parameters, const Residuals& residuals,
                                 int most_evaluations, const std::function<void(double)>& progress = {});

}  // namespace libdose::commission
