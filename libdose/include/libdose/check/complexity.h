// How complex a plan is: published metrics of its apertures. They are context, without a verdict. Part of
// libdose::check.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libdose/plan.h"

namespace libdose::check {

/// Metrics of a beam, or of a plan weighted by MU. Definitions and sources: docs/theory/complexity.md.
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

}  // namespace libdose::check
