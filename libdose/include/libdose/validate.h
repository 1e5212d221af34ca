// Comparison of the engine with a Monte Carlo reference case, like with like: the engine calculates on a uniform grid at
// least as fine as the case's voxels and its dose is averaged over them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "libdose/beam_model.h"
#include "libdose/engine.h"
#include "libdose/material.h"
#include "libdose/reference_case.h"

namespace libdose {

struct ValidationOptions {
    Algorithm algorithm = Algorithm::collapsed_cone;
    Quality quality = Quality::standard;
    double grid_mm = 0;  ///< 0: the smallest voxel edge of the case, between 1 and 2.5 mm
    int threads = 0;
};

/// Differences calculated − reference in one region, over voxels whose reference uncertainty is below 2 %.
struct RegionStatistics {
    std::size_t voxels = 0;
    double mean_percent = 0, sd_percent = 0;  ///< of the local reference dose
    double mean_percent_of_maximum = 0, sd_percent_of_maximum = 0;
    double largest_percent_of_maximum = 0;  ///< largest absolute difference
    double reference_noise_percent = 0;     ///< rms of the reference's σ
    double sd_beyond_noise_percent = 0;     ///< sqrt(max(0, sd² − noise²))
};

struct AxisPoint {
    double depth_cm, reference, calculated, sigma;  ///< Gy cm²; σ absolute
};

struct ValidationResult {
    std::string name, engine, quality, model;
    double grid_mm = 0, seconds = 0;
    double maximum = 0;                               ///< D_max of the reference, Gy cm²
    std::size_t evaluated = 0;                        ///< voxels above 10 % with σ < 2 %
    std::map<std::string, double> gamma, gamma_raw;   ///< "2%/2mm" -> pass rate in percent; widened by 2σ, and raw
    std::map<std::string, RegionStatistics> regions;  ///< "build-up", "in-field", "penumbra", "out-of-field", "material: …"
    std::vector<AxisPoint> axis;                      ///< along the beam axis through the field centre's voxel column (beam angle 0)
    std::vector<float> calculated;                    ///< on the case's voxels, Gy cm²
};

/// Name of the generic model with the case's spectrum, for example "generic-6MV". Throws bad_input.
std::string model_name_for(const ReferenceCase& reference);

/// Throws bad_input on an unknown material, a field that is empty, a beam that is not consistent.
ValidationResult validate(const ReferenceCase& reference, const BeamModel& model, const MaterialTable& materials, const ValidationOptions& options);

}  // namespace libdose
