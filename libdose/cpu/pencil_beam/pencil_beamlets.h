// Pencil-beam dose of many equal squares: their fluence differs by a shift, so it is convolved once.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backend/backend.h"
#include "cpu/fluence/square_fluence.h"
#include "cpu/pencil_beam/beamlet_images.h"
#include "libdose/beam_model.h"
#include "libdose/density.h"
#include "pencil_beam/lateral_scale.h"

namespace libdose::cpu {

/// The square that all others of a beam are shifted from: its images serve every geometry of the beam, and of
/// others with the same fluence.
class BeamletShape {
public:
    BeamletShape(const Beam& beam, const ControlPoint& point, const BeamModel& model,
                 const FluenceOptions& options, double side_mm);
    /// Whether another geometry may use it.
    bool serves(const BeamletShape& other) const;

    BeamletImages& images() { return *images_; }
    const BeamletImages& images() const { return *images_; }
    const CoarseMap& electrons() const { return reference_.electrons; }
    double middle_mm() const { return middle_mm_; }

private:
    const BeamModel* model_;
    FluenceMap reference_, extrafocal_;  ///< extrafocal_: empty without such a source
    double middle_mm_;  ///< both coordinates: its edges lie in the pixels as those of all others do
    std::unique_ptr<BeamletImages> images_;
};

/// All squares of one geometry.
class PencilBeamlets {
public:
    /// `squares`: all that column() will be asked for. `options` as for square_fluence(). The arguments must
    /// outlive it.
    PencilBeamlets(const DensityGrid& density, const Beam& beam, const ControlPoint& point,
                   PatientPosition position, const BeamModel& model, const FluenceOptions& options,
                   const LateralScale& lateral, const std::vector<OpenSquare>& squares, BeamletShape& shape);
    ~PencilBeamlets();

    /// Dose of the square at (u, v), one MU; voxels ascending. Within `near_mm` of its middle (isocentre
    /// plane) every voxel is calculated; beyond, the fewer the farther: those that `seed` draws, with as many
    /// times their dose: right on average.
    void column(double u_mm, double v_mm, std::uint64_t seed, std::vector<VoxelDose>& out) const;

    static constexpr double near_mm = 45;

private:
    struct Parts;
    class SquareDose;
    std::unique_ptr<const Parts> parts_;
};

}  // namespace libdose::cpu
