// Changes of a patient that a check tries: HU tables, couch, overrides.
#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "check/attribution_recalculation.h"

namespace libdose::check {

/// Ranges of a HU table that are scaled apart: lung, soft tissue, bone and above.
constexpr int density_ranges = 3;
constexpr double density_step_percent = 5, largest_density_percent = 40;

/// A HU table whose densities are larger by percents: up to -300 HU, from -100 to 100 HU, from 300 HU on;
/// linear between.
HuCurve scaled_curve(const HuCurve& curve, const Eigen::VectorXd& percent);

/// A change that is there or not.
struct PatientChange {
    std::string name;  ///< of the cause
    Change change;
    bool stops = false;  ///< where it explains little, those after it are not tried
};

/// Changes of one sort.
struct PatientChanges {
    std::string name;
    std::vector<PatientChange> changes;
};

/// Other HU tables that have a name; the couches that there are where the patient lies on none, else no
/// couch; no density overrides where there are any.
std::vector<PatientChanges> patient_changes(const CheckInput& input, const CheckOptions& options);

}  // namespace libdose::check
