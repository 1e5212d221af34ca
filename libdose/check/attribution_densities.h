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

/// A change, and the cause that it stands for.
struct PatientChange {
    std::string group;  ///< sort of cause
    std::string name;   ///< of the cause
    Change change;
    /// What its difference may be a multiple of, as explains most. Empty: it is there or not.
    std::string multiple_of = {};
};

/// Other HU tables that have a name; a couch where the patient lies on none, else no couch; no density
/// overrides where there are any.
std::vector<PatientChange> patient_changes(const CheckInput& input, const CheckOptions& options);

}  // namespace libdose::check
