// Gamma of a box average against a Monte Carlo tally.
#pragma once

#include "geometry/box_average.h"

namespace libdose {

/// Whether gamma <= 1 for a reference `dose` that is the average over the box: the box is moved up to
/// `distance_mm`, in steps of a tenth of a millimetre where it matters (at a sharp field edge the dose
/// changes by a percent within a tenth). A distance of 0 asks for the dose alone.
bool box_gamma_passes(const BoxAverage& calculated, const Vec3& low, const Vec3& high, double dose,
                      double tolerance, double distance_mm);

}  // namespace libdose
