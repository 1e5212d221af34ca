// A beam model from what a centre measured (docs/theory/commissioning.md).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "libdose/beam_model.h"
#include "libdose/engine.h"
#include "libdose/kernels.h"
#include "libdose/leaf_design.h"
#include "libdose/measurement.h"

namespace libdose {

/// A quantity of the model that was fitted.
struct FittedParameter {
    std::string name, unit;
    double value = 0, sigma = 0;  ///< one standard deviation, from the curvature at the end
    double lower = 0, upper = 0;
    double prior = 0, prior_sigma = 0;  ///< what was assumed before the data
    bool at_bound() const {
        return value - lower < 0.005 * (upper - lower) || upper - value < 0.005 * (upper - lower);
    }
};

/// A measured curve beside the model's.
struct CurveComparison {
    CurveKind kind = CurveKind::depth_dose;
    std::string name, engine;
    std::string judged;  ///< which points count for the figures below
    std::vector<double> position_mm, measured, calculated;
    std::vector<double> before_residual_table;  ///< output factors only: calculated without the table
    std::vector<double>
        difference_percent;    ///< of the measured value; profiles: of the measured value on the axis
    std::vector<bool> counts;  ///< whether the point is judged
    double max_abs_percent = 0, rms_percent = 0;
    double before_max_abs_percent = 0, before_rms_percent = 0;  ///< output factors only
    double held_out_rms_percent = -1;  ///< with the curve (or point) left out of the fit; -1: it was not
};

/// A criterion of a standard on a curve.
struct CommissionCriterion {
    std::string standard, test, curve;
    double value = 0, tolerance = 0;
    std::string unit;
    bool passed = false;
};

/// How a beam model is fitted.
struct CommissionOptions {
    std::string name;  ///< of the model; empty: from the machine and the energy
    bool cross_validate = true;
    int rates = 4;  ///< of the cone kernel, 3 to 5: docs/theory/collapsed-cone.md
    int threads = 0;
    std::vector<LeafDesign> leaf_designs;        ///< read_leaf_designs; measured gaps name one
    std::map<std::string, std::string> lineage;  ///< who, when, centre: as given
    ProgressCallback progress;
};

/// The fitted model, and how well it fits.
struct CommissionResult {
    BeamModel model;  ///< calibrated, not yet written
    std::vector<Finding> findings;
    std::vector<FittedParameter> parameters;
    std::vector<double> correlation;  ///< [parameter][parameter]
    double reduced_chi_square = 0;
    bool converged = false;
    std::vector<CurveComparison> curves;  ///< collapsed cone, then pencil beam
    std::vector<CommissionCriterion> criteria;
    std::vector<std::string> notes;  ///< what was assumed
    std::map<std::string, double> seconds;
};

/// Fits spectrum, profile, softening, focal spot, extrafocal source, contaminating electrons and the table of
/// residual output factors, then leaf ends and wedges where they were measured (the model holds no other
/// wedge but a jaw's that moves), starting from `generic` (same fluence mode, nearest energy), which also is
/// the prior. Deterministic. Throws bad_input when the linter finds an error, naming it.
CommissionResult commission_beam_model(const MeasurementSet& measurements, const BeamModel& generic,
                                       const PointKernels& kernels, const AttenuationTable& attenuation,
                                       const CommissionOptions& options);

}  // namespace libdose
