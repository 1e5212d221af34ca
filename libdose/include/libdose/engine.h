// The pipeline: CT + structures + plan + beam model -> dose.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libdose/beam_model.h"
#include "libdose/ct_image.h"
#include "libdose/density.h"
#include "libdose/dose.h"
#include "libdose/leaf_design.h"
#include "libdose/material.h"
#include "libdose/plan.h"
#include "libdose/structure.h"

namespace libdose {

enum class Algorithm { collapsed_cone, pencil_beam };
enum class Quality { draft, standard, high };
/// Collapsed cone: geometries grouped into transports. `shared`: one transport for all geometries of a plan,
/// along directions fixed in the patient. `per_geometry`: one for each, along directions aligned with its
/// beam. `automatic`: by an estimate of the cost.
enum class Grouping {
    automatic,
    shared,
    per_geometry,
    one = shared,        ///< synonym, until version 0.3
    each = per_geometry  ///< synonym, until version 0.3
};
using Transport = Grouping;  ///< synonym, until version 0.3
/// Processor that calculates: `cuda` needs the CUDA library and a device; `automatic` takes them where they
/// are there, else the CPU, and a note says why.
enum class BackendChoice { cpu, cuda, automatic };

/// Leaves as they are built, with rounded ends, tongue and groove, or with sharp ends and neither.
enum class LeafEnds { rounded, sharp };

std::string to_string(Algorithm algorithm);  ///< "collapsed-cone", "pencil-beam"
std::string to_string(Quality quality);
Algorithm algorithm_from_string(const std::string& text);  ///< throws bad_input
Quality quality_from_string(const std::string& text);      ///< throws bad_input
std::string to_string(Grouping grouping);                  ///< "auto", "shared", "per-geometry"
/// "auto", "shared", "per-geometry"; also "one" and "each", the words before version 0.2. Throws bad_input.
Grouping grouping_from_string(const std::string& text);
inline Grouping transport_from_string(const std::string& text) { return grouping_from_string(text); }
std::string to_string(BackendChoice backend);                ///< "cpu", "cuda", "auto"
BackendChoice backend_from_string(const std::string& text);  ///< throws bad_input
std::string to_string(LeafEnds ends);                        ///< "rounded", "sharp"
LeafEnds leaf_ends_from_string(const std::string& text);     ///< throws bad_input

/// Called with a fraction 0…1 and what is being done; may be called from a worker thread, never concurrently.
using ProgressCallback = std::function<void(double fraction, const std::string& stage)>;

/// CUDA devices that calculations have opened, kept with the memory that they took, so that a later one of
/// the same size takes none. Share one among calculations, of several threads too: each has a device's memory
/// and order of work to itself while it runs.
class OpenDevices {
public:
    OpenDevices();
    ~OpenDevices();
    OpenDevices(const OpenDevices&) = delete;
    OpenDevices& operator=(const OpenDevices&) = delete;
    /// Closes those that no calculation uses.
    void close();

    struct Idle;                     ///< of the library itself
    Idle& idle() { return *idle_; }  ///< for the library itself

private:
    std::unique_ptr<Idle> idle_;
};

/// The CUDA devices that can be used, in the order in which CUDA counts them: name and memory. Empty where
/// there is none, or no CUDA library.
std::vector<std::string> cuda_devices();

/// How a dose is calculated; the defaults are those of the command, C and Python.
struct EngineOptions {
    Algorithm algorithm = Algorithm::collapsed_cone;
    Quality quality = Quality::standard;
    Grouping grouping = Grouping::automatic;
    BackendChoice backend = BackendChoice::cpu;
    int device = 0;  ///< CUDA device, in the order in which CUDA counts them
    std::shared_ptr<OpenDevices>
        devices;  ///< where it is kept open; null: closed at the end of the calculation
    /// Spacing of the dose grid, 0.5 to 20. 0: 2.5, or finer where an opening of jaws, leaves and blocks is
    /// narrow; a note says so (docs/theory/small-fields.md).
    double grid_mm = 0;
    /// The result is on exactly this grid, whatever grid_mm and beam_margin_mm say: that of a planning
    /// system's dose, or of the CT. The calculation goes on with its voxels as far as fields and body reach,
    /// so that nothing is lost at its edges. Spacings 0.5 to 20 mm.
    std::optional<Grid> grid;
    int threads = 0;              ///< 0: all cores
    double beam_margin_mm = 100;  ///< the grid ends this far from the fields, or at the body
    bool per_beam = false;        ///< also keep the dose of every beam
    bool accept_gaps = false;     ///< a body in which contour planes are missing is taken as it is, vacuum
                                  ///< between; else it is refused
    DoseMedium dose_to = DoseMedium::medium;
    bool lateral_scaling = true;  ///< pencil beam: kernels widen where the density is low
    double sub_arc_deg = 2.0;     ///< largest gantry, collimator or couch step that one ray trace stands for,
                                  ///< give or take a twentieth
    std::vector<DensityOverride> overrides;
    LeafEnds leaf_ends = LeafEnds::rounded;  ///< sharp: only by wish, and a note says so
    /// Built shapes of leaves, found by boundaries, device type and manufacturer; a plan with a collimator
    /// that none or several fit is refused. Empty: those of data_folder() / "mlc", read when a plan has
    /// leaves.
    std::vector<LeafDesign> leaf_designs;
    std::string leaves;  ///< name of the design for every collimator whose boundaries it has, whatever else
                         ///< the plan says; may be empty
    HuCurve hu_curve = HuCurve::default_curve();
    ProgressCallback progress;
};

/// Result of calculate().
struct CalculationResult {
    Dose plan;                              ///< whole course (all fractions), Gy
    std::vector<Dose> beams;                ///< per beam and fraction, when asked for
    std::vector<std::string> notes;         ///< what the user should know: densities, skipped beams, grid
    std::map<std::string, double> seconds;  ///< time per stage
};

/// The model of a beam: by nominal energy and fluence mode. Throws refused_plan when there is none.
using BeamModelProvider = std::function<const BeamModel&(const Beam&)>;

/// Calculates the dose of a plan. `structures` may be null: then the whole CT is calculated.
/// Frames of reference must agree. Results do not depend on the number of threads, bit for bit; on one CUDA
/// device they repeat, and agree with the CPU's within 0.1 % of the largest dose.
CalculationResult calculate(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                            const MaterialTable& materials, const BeamModelProvider& models,
                            const EngineOptions& options);

}  // namespace libdose
