// The dose that each engine gives in the reference condition: water, SSD 100 cm, 10x10 cm at the surface, on
// the axis.
#pragma once

#include <vector>

#include "libdose/beam_model.h"
#include "libdose/engine.h"

namespace libdose {

/// Calculates both engines in a 40x40x40 cm water phantom (quality high, 2.5 mm, depth steps of the grid
/// interpolated) and returns the model's calibration with those figures and the depth of maximum of the
/// collapsed cone filled in. On the CPU always: a model's numbers, and with them its hash, are the same on
/// every machine.
Calibration calibrate(const BeamModel& model);

/// Output of a square field.
struct OutputFactor {
    double side_mm = 0;               ///< of the square opening of the jaws
    double in_air = 0, in_water = 0;  ///< relative to 100 x 100 mm
};

/// Head scatter (reading in air at the isocentre) and total output factor (10 cm deep in water, SSD 90 cm,
/// isocentre at the detector) of square jaw fields; below 17.5 mm at the point itself, without voxels. Throws
/// bad_input for a side below 5 mm or beyond the primary collimator.
std::vector<OutputFactor> output_factors(const BeamModel& model, const std::vector<double>& sides_mm,
                                         Algorithm algorithm);

}  // namespace libdose
