// From fluence maps to dose on a density grid: the part of the pipeline that plans, validation and
// calibration share.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "collapsed_cone/sweep_plan.h"
#include "fluence/fluence_map.h"
#include "libdose/beam_model.h"
#include "libdose/engine.h"

namespace libdose {

/// What a quality level means for the collapsed cone. docs/theory/collapsed-cone.md has what each costs in
/// accuracy.
struct QualitySettings {
    int rings, sectors;  ///< beam-aligned directions, one transport per map
    int isotropic;       ///< patient-fixed directions, one transport for many maps
    LatticeMode lattice;
    double ray_spacing_voxels;  ///< between rays of the ray trace at the isocentre plane, in voxels
    // Ingredients that the ablation table switches off; nothing else does.
    bool tilt = true, hardening = true, sharpening = true;
    bool always_isotropic = false;
};
QualitySettings quality_settings(Quality quality);

struct ComputeOptions {
    Algorithm algorithm = Algorithm::collapsed_cone;
    Transport transport = Transport::automatic;
    QualitySettings settings = quality_settings(Quality::standard);
    PencilSettings pencil;
    Backend* backend = nullptr;  ///< null: the CPU
    std::function<void(double)> progress;
    std::map<std::string, double>* seconds = nullptr;  ///< time per stage is added here
    std::vector<std::string>* notes = nullptr;         ///< how the transport was chosen is added here
};

/// Gray of one unit of compute_dose's dose and one MU. Throws bad_input for a model that is not calibrated.
double gray_per_unit(const BeamModel& model, Algorithm algorithm);

/// Dose per voxel, Gy per unit of the maps' values × unit photon fluence (Gy cm²): not yet multiplied by
/// Gy/MU. All maps belong to one beam model.
std::vector<float> compute_dose(const DensityGrid& density, const std::vector<FluenceMap>& maps,
                                const BeamModel& model, const ComputeOptions& options);

}  // namespace libdose
