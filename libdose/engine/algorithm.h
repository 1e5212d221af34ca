// A dose algorithm: what the engine asks of the collapsed cone, the pencil beam, and any other.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "collapsed_cone/sweep_plan.h"
#include "engine/prepared_density.h"
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
    Grouping grouping = Grouping::automatic;
    QualitySettings settings = quality_settings(Quality::standard);
    PencilSettings pencil;
    Backend* backend = nullptr;  ///< null: the CPU
    std::function<void(double)> progress;
    std::map<std::string, double>* seconds = nullptr;  ///< time per stage is added here
    std::vector<std::string>* notes = nullptr;         ///< how geometries were grouped is added here
};

/// Has no state: one object serves every calculation.
class DoseAlgorithm {
public:
    virtual ~DoseAlgorithm() = default;
    /// As commands, files and provenance name it: "collapsed-cone".
    virtual std::string name() const = 0;
    /// Dose per voxel, contaminating electrons included, Gy per unit of the maps' values × unit photon
    /// fluence (Gy cm²). All maps belong to one beam model.
    virtual std::vector<float> dose(PreparedDensity& patient, const std::vector<FluenceMap>& maps,
                                    const BeamModel& model, const ComputeOptions& options) const = 0;
    /// That dose of one MU of the reference field, where the calibration holds.
    virtual double reference_dose(const Calibration& calibration) const = 0;
    /// The options that change its dose alone, for the provenance.
    virtual std::map<std::string, std::string> settings(const EngineOptions& options) const = 0;
};

const DoseAlgorithm& dose_algorithm(Algorithm algorithm);

}  // namespace libdose
