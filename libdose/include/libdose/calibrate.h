// The dose that each engine gives in the reference condition: water, SSD 100 cm, 10x10 cm at the surface, on the axis.
#pragma once

#include "libdose/beam_model.h"

namespace libdose {

/// Calculates both engines in a 40x40x40 cm water phantom (quality high, 2.5 mm, depth steps of the grid interpolated) and
/// returns the model's calibration with those figures and the depth of maximum of the collapsed cone filled in.
Calibration calibrate(const BeamModel& model);

}  // namespace libdose
