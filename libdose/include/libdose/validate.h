// Comparison of the engine with a Monte Carlo reference case, like with like: the engine calculates on a
// uniform grid at least as fine as the case's voxels and its dose is averaged over them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libdose/beam_model.h"
#include "libdose/engine.h"
#include "libdose/leaf_design.h"
#include "libdose/material.h"
#include "libdose/reference_case.h"

namespace libdose {

/// Parts of the physical model switched off or changed, for the ablation table
/// (docs/validation/ablation.md); as it stands, the engine is as `Quality` says.
struct ModelSwitches {
    bool tilt = true;            ///< kernels follow the local ray; off: all point along the axis of the beam
    bool hardening = true;       ///< kernels follow the depth; off: that of the surface
    bool sharpening = true;      ///< the fluence is sharpened by the lattice's blur
    int rings = 0, sectors = 0;  ///< beam-aligned directions; 0: by quality
    int isotropic = 0;           ///< patient-fixed directions instead of beam-aligned ones; 0: off
    std::string lattice;         ///< "rounded", "interpolated"; empty: by quality
};
using Ablation = ModelSwitches;  ///< synonym, until version 0.3

/// How a reference case is calculated and judged.
struct ValidationOptions {
    Algorithm algorithm = Algorithm::collapsed_cone;
    Quality quality = Quality::standard;
    Vec3 grid_mm =
        Vec3::Zero();  ///< voxel sides; 0: the smallest voxel edge of the case, between 1 and 2.5 mm
    int threads = 0;
    bool lateral_scaling = true;  ///< pencil beam
    BackendChoice backend = BackendChoice::cpu;
    int device = 0;
    std::shared_ptr<OpenDevices> devices;  ///< as EngineOptions::devices
    ModelSwitches switches;
};

/// Differences calculated − reference in one region, over voxels whose reference uncertainty is below 2 %
/// (out of field: all).
struct RegionStatistics {
    std::size_t voxels = 0;
    double mean_percent = 0, sd_percent = 0;  ///< of the local reference dose
    double mean_percent_of_maximum = 0, sd_percent_of_maximum = 0;
    double largest_percent_of_maximum = 0;  ///< largest absolute difference
    double reference_noise_percent = 0;     ///< rms of the reference's σ
    double sd_beyond_noise_percent = 0;     ///< sqrt(max(0, sd² − noise²))
};

/// Calculated and reference dose at a point of the axis.
struct AxisPoint {
    double depth_cm, reference, calculated, sigma;  ///< Gy cm²; σ absolute
};

/// Where a voxel of a case lies.
enum class Region : unsigned char { none, build_up, in_field, penumbra, out_of_field };

/// Result of a reference case: what passed, and by how much.
struct ValidationResult {
    std::string name, engine, backend, quality, model;
    Vec3 grid_mm = Vec3::Zero();
    double seconds = 0;           ///< of the dose calculation
    double maximum = 0;           ///< D_max of the reference, Gy cm²
    double maximum_depth_mm = 0;  ///< along the beam, from the surface z = 0
    std::size_t evaluated = 0;    ///< voxels above 10 % with σ < 2 %
    std::map<std::string, double> gamma,
        gamma_raw;  ///< "2%/2mm" -> pass rate in percent; widened by 2σ, and raw
    std::map<std::string, RegionStatistics>
        regions;  ///< "build-up", "in-field", "penumbra", "out-of-field", "material: …"
    std::vector<AxisPoint>
        axis;  ///< along the beam axis through the field centre's voxel column (beam angle 0)
    std::vector<float> calculated;      ///< on the case's voxels, Gy cm²
    std::vector<Region> region;         ///< of the case's voxels
    std::vector<unsigned char> passed;  ///< 2%/2mm, widened: 0 not judged, 1 failed, 2 passed
    Volume<float> dose;                 ///< on the engine's own grid, Gy cm²
};

/// Name of the generic model with the case's spectrum, for example "generic-6MV". Throws bad_input.
std::string model_name_for(const ReferenceCase& reference);

/// Throws bad_input on an unknown material, a field that is empty, a beam that is not consistent.
ValidationResult validate(const ReferenceCase& reference, const BeamModel& model,
                          const MaterialTable& materials, const ValidationOptions& options);

/// One criterion of a standard (docs/validation/suites.md).
struct SuiteRow {
    std::string test;      ///< "δ1 central axis"
    double value = 0;      ///< what was measured, in `unit`
    double tolerance = 0;  ///< `value` must not be above it, or not below it when `at_least`
    bool at_least = false;
    std::string unit;  ///< "%", "mm"
    std::size_t points = 0;
    bool passed = false;
};

/// A field that needs a head model, calculated as a plan in water and judged against the same equations
/// without a grid: exact rays to single points (docs/validation/suites.md). What it shows is that a plan's
/// dose is the model's; it says nothing of the model.
struct PlanCheck {
    std::string test;   ///< "5.4 small field of leaves"
    std::string where;  ///< set-up, in words
    std::vector<SuiteRow> rows;
    double seconds = 0;
    std::string backend;             ///< that calculated the plan; the exact rays are the CPU's
    std::vector<std::string> notes;  ///< of the calculation
};
/// How the checks on plans in water are calculated.
struct PlanCheckOptions {
    Algorithm algorithm = Algorithm::collapsed_cone;
    Quality quality = Quality::standard;
    double grid_mm = 2.5;
    int threads = 0;
    BackendChoice backend = BackendChoice::cpu;
    int device = 0;
    std::shared_ptr<OpenDevices> devices;  ///< as EngineOptions::devices
    ProgressCallback progress;
};
/// AAPM MPPG 5.b, tests 5.4 to 5.8. `design`: of the leaves that shape the fields. Throws bad_input when the
/// leaves do not reach a field.
std::vector<PlanCheck> check_plans(const BeamModel& model, const LeafDesign& design,
                                   const MaterialTable& materials, const PlanCheckOptions& options);

/// "gates", "venselaar", "tg53", "mppg5b".
std::vector<std::string> suite_names();
/// The criteria of suites that a case allows, by suite; a suite may have none for a case. Throws bad_input
/// for an unknown suite.
std::map<std::string, std::vector<SuiteRow>> evaluate_suites(const std::vector<std::string>& suites,
                                                             const ReferenceCase& reference,
                                                             const ValidationResult& result);

}  // namespace libdose
