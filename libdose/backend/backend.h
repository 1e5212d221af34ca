// What a backend provides to the pipeline of engine/, which is written once for all of them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backend/memory.h"
#include "collapsed_cone/directions.h"
#include "collapsed_cone/sweep_plan.h"
#include "fluence/aperture.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "fluence/open_square.h"
#include "libdose/beam_model.h"
#include "libdose/density.h"
#include "libdose/engine.h"
#include "libdose/plan.h"

namespace libdose {

/// How one transport is made.
struct TransportSettings {
    LatticeMode lattice = LatticeMode::interpolated;
    double ray_spacing_voxels = 0.5;  ///< between rays of the ray trace at the isocentre plane, in voxels
    bool tilt = true, hardening = true, sharpening = true;
};

/// How a pencil beam is calculated.
struct PencilSettings {
    bool lateral_scaling = true;  ///< kernels widen where the density is low
    /// Raster of the convolution around the field, 1 or 2; 0: 2 where the voxels are as large. Fluence that
    /// changes from one beamlet to the next needs 1.
    double near_pixel_mm = 0;
};

/// Where the time goes, and how far it is.
struct StageObserver {
    std::function<void(double)> progress;              ///< 0 … 1 of this call; may be empty
    std::map<std::string, double>* seconds = nullptr;  ///< time per stage is added here
};

/// A density grid as a backend holds it, and the stages that run on it. It keeps a reference to the grid.
/// Doses are per voxel, Gy per unit of the maps' values × unit photon fluence. Not to be used by two threads
/// at once.
class PatientOnBackend {
public:
    virtual ~PatientOnBackend() = default;
    /// TERMA of all maps and one superposition along the directions for all of them.
    virtual std::vector<float> transport(const std::vector<FluenceMap>& maps, const BeamModel& model,
                                         const DirectionSet& directions, const TransportSettings& settings,
                                         const StageObserver& observer) = 0;
    virtual std::vector<float> pencil_beam(const FluenceMap& map, const BeamModel& model,
                                           const PencilSettings& settings) = 0;
    /// Adds the dose of the maps' contaminating electrons.
    virtual void add_electrons(std::vector<float>& dose, const std::vector<FluenceMap>& maps,
                               const ElectronContamination& electrons) = 0;
};

class Backend {
public:
    virtual ~Backend() = default;
    virtual std::string description() const = 0;  ///< "cpu", or "cuda" and the device
    /// Maps of a beam, as cpu::beam_fluence.
    virtual std::vector<FluenceMap> fluence(const Beam& beam, PatientPosition position, const HeadModel& head,
                                            const FluenceOptions& options) = 0;
    virtual std::unique_ptr<PatientOnBackend> prepare(const DensityGrid& density) = 0;
    /// Throws bad_input, with both figures, where the calculation needs more memory than the backend has
    /// free.
    virtual void require_memory(const MemoryNeeds& needs, const std::string& where) = 0;
    /// Waits for what was begun and is still going on; throws where the backend cannot be used further.
    virtual void finish_work() = 0;
};

/// Value of one voxel in a column of the influence matrix.
struct VoxelDose {
    std::uint32_t voxel;
    float dose;  ///< Gy per MU × unit photon fluence (Gy cm²)
};

/// Pencil-beam doses of equal squares of one geometry, square by square. Safe to use by several threads at
/// once.
class BeamletDoses {
public:
    virtual ~BeamletDoses() = default;
    /// Dose of the square whose middle is (u, v), one MU; voxels ascending. Near the square every voxel is
    /// calculated; far from it, those that `seed` draws, with as many times their dose: right on average.
    virtual void column(double u_mm, double v_mm, std::uint64_t seed, std::vector<VoxelDose>& out) const = 0;
};

/// One geometry of a beam, for its beamlets. What it refers to must outlive what is made of it.
struct BeamletGeometry {
    const DensityGrid& density;
    const Beam& beam;
    const ControlPoint& point;
    PatientPosition position;
    const BeamModel& model;
    const FluenceOptions& fluence;
    bool lateral_scaling = true;
    double side_mm = 5;
};

/// The beamlets of a plan, geometry by geometry. Geometries with the same fluence share one convolution.
class BeamletCalculator {
public:
    virtual ~BeamletCalculator() = default;
    /// `squares`: all that will be asked for.
    virtual std::unique_ptr<BeamletDoses> doses(const BeamletGeometry& geometry,
                                                const std::vector<OpenSquare>& squares) = 0;
};

/// The CPU, which also does what no device does.
class CpuBackend : public Backend {
public:
    /// Adds weight × transmission of every aperture to a map.
    virtual void add_apertures(FluenceMap& map, const DevicesOnRaster& devices,
                               const std::vector<WeightedAperture>& apertures) = 0;
    /// Map of squares that may lie anywhere, with the geometry, wedges and monitor of a control point;
    /// nothing comes through beside them. Focal spot, profile, extrafocal source and electrons are the
    /// head's, so that the map of several squares is the sum of their maps.
    virtual FluenceMap square_fluence(const Beam& beam, const ControlPoint& point, PatientPosition position,
                                      const HeadModel& head, const FluenceOptions& options,
                                      const std::vector<OpenSquare>& squares, double side_mm) = 0;
    virtual std::unique_ptr<BeamletCalculator> beamlets() = 0;
};

/// The CPU of this machine, always there. Safe to use by several threads at once.
CpuBackend& cpu_backend();

}  // namespace libdose
