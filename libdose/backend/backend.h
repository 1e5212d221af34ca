// What a backend provides to the pipeline of engine/compute.cpp, which is written once for all of them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "collapsed_cone/directions.h"
#include "cpu/fluence/fluence.h"
#include "cpu/collapsed_cone/sweep.h"
#include "engine/memory_needs.h"
#include "fluence/stages.h"
#include "libdose/beam_model.h"
#include "libdose/engine.h"

namespace libdose {

/// How one transport is made.
struct TransportSettings {
    cpu::LatticeMode lattice = cpu::LatticeMode::interpolated;
    double ray_spacing_voxels = 0.5;  ///< between rays of the ray trace at the isocentre plane, in voxels
    bool tilt = true, hardening = true, sharpening = true;
};

/// How a pencil beam is calculated.
struct PencilSettings {
    bool lateral_scaling = true;  ///< kernels widen where the density is low
    /// Raster of the convolution around the field, 1 or 2; 0: 2 where the voxels are as large. Fluence that changes from one beamlet to the next needs 1.
    double near_pixel_mm = 0;
};

/// Where the time goes, and how far it is.
struct StageObserver {
    std::function<void(double)> progress;              ///< 0 … 1 of this call; may be empty
    std::map<std::string, double>* seconds = nullptr;  ///< time per stage is added here
};

/// A density grid as a backend holds it, and the stages that run on it. It keeps a reference to the grid. Doses are per voxel, Gy per unit of
/// the maps' values × unit photon fluence. Not to be used by two threads at once.
class Medium {
public:
    virtual ~Medium() = default;
    /// TERMA of all maps and one superposition along the directions for all of them.
    virtual std::vector<float> transport(const std::vector<FluenceMap>& maps, const BeamModel& model, const cpu::DirectionSet& directions,
                                         const TransportSettings& settings, const StageObserver& observer) = 0;
    virtual std::vector<float> pencil_beam(const FluenceMap& map, const BeamModel& model, const PencilSettings& settings) = 0;
    /// Adds the dose of the maps' contaminating electrons.
    virtual void add_electrons(std::vector<float>& dose, const std::vector<FluenceMap>& maps, const ElectronContamination& electrons) = 0;
};

class Backend {
public:
    virtual ~Backend() = default;
    virtual std::string description() const = 0;  ///< "cpu", or "cuda" and the device
    /// Maps of a beam, as cpu::beam_fluence.
    virtual std::vector<FluenceMap> fluence(const Beam& beam, PatientPosition position, const HeadModel& head, const cpu::FluenceOptions& options) = 0;
    virtual std::unique_ptr<Medium> medium(const DensityGrid& density) = 0;
    /// Throws bad_input, with both figures, where the calculation needs more memory than the backend has free.
    virtual void require_memory(const MemoryNeeds& needs, const std::string& where) = 0;
    /// Waits for what was begun and is still going on; throws where the backend cannot be used further.
    virtual void finish_work() = 0;
};

/// libdose/cpu.
Backend& cpu_backend();

}  // namespace libdose
