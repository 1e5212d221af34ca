// How complex a plan is: published metrics of its apertures. They are context, without a verdict. Part of
// libdose::check.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libdose/plan.h"

namespace libdose::check {

/// Metrics of a beam, or of a plan: means over its beams weighted by MU. Definitions and sources:
/// docs/theory/complexity.md. Empty for what they do not describe: no multileaf collimator or several,
/// blocks.
struct Complexity {
    int beam_number = 0;  ///< 0: the whole plan
    double mu = 0;
    std::optional<double> mu_per_gy;                    ///< plan only: MU of a fraction per Gy prescribed
    std::optional<double> modulation_complexity_score;  ///< MCS, MCSv for arcs; 0 … 1, 1: an open field
    std::optional<double> leaf_travel_mm;               ///< LT, mean over the leaves that move, arcs
    std::optional<double> small_aperture_score_5mm, small_aperture_score_10mm;  ///< 0 … 1
    std::optional<double> edge_metric_per_mm;
    std::optional<double> mean_aperture_area_cm2;
};

/// Of each beam, and of the plan (beam_number 0) last. `prescribed_gy_per_fraction`: 0: not known.
std::vector<Complexity> complexity(const Plan& plan, double prescribed_gy_per_fraction = 0);

/// Arcs whose leaves would have to move faster than the machine can at the full speed of its gantry: where
/// the gantry has to slow down. A note, too, for an arc of a machine whose limits are not known.
std::vector<std::string> speed_notes(const Plan& plan);

}  // namespace libdose::check
