// From fluence maps to dose on a density grid: the part of the pipeline that plans, validation and
// calibration share.
#pragma once

#include <vector>

#include "engine/algorithm.h"

namespace libdose {

/// Gray of one unit of compute_dose's dose and one MU. Throws bad_input for a model that is not calibrated.
double gray_per_unit(const BeamModel& model, Algorithm algorithm);

/// Dose per voxel, Gy per unit of the maps' values × unit photon fluence (Gy cm²): not yet multiplied by
/// Gy/MU. All maps belong to one beam model. Throws internal_error for a map with a value that is not finite.
std::vector<float> compute_dose(PreparedDensity& patient, const std::vector<FluenceMap>& maps,
                                const BeamModel& model, const ComputeOptions& options);
/// The same on a patient that is prepared for this dose only, on options.backend.
std::vector<float> compute_dose(const DensityGrid& density, const std::vector<FluenceMap>& maps,
                                const BeamModel& model, const ComputeOptions& options);

}  // namespace libdose
