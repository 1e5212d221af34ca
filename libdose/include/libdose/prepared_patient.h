// A calculation in stages, for those who reuse them: prepare a patient once, make the fluence of a beam or
// bring one's own, compute the dose of a fluence. A changed beam costs that beam. docs/guide/stages.md.
#pragma once

#include <Eigen/Core>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libdose/density.h"
#include "libdose/dose.h"
#include "libdose/engine.h"
#include "libdose/grid.h"
#include "libdose/plan.h"

namespace libdose {

/// Photon fluence of one geometry in the isocentre plane.
struct FluenceRaster {
    Vec3 isocentre_mm = Vec3::Zero();  ///< LPS
    /// Columns: directions of u, of v, and from the isocentre to the source; LPS. beam_axes() has those of
    /// angles.
    Eigen::Matrix3d axes = Eigen::Matrix3d::Identity();
    double source_axis_distance_mm = 1000;
    double pixel_mm = 1;
    int size_u = 0, size_v = 0;             ///< pixels
    double lower_u_mm = 0, lower_v_mm = 0;  ///< lower corner of pixel (0, 0), beam-limiting-device frame
    std::vector<float> values;              ///< [v][u], MU × fluence; 1 per MU: the open field on the axis

    /// Throws bad_input, saying what and where: a size that does not fit the values, pixels outside 0.1 to
    /// 20 mm, axes that are not at right angles, a value that is negative or not finite.
    void check(const std::string& where) const;
};

/// FluenceRaster::axes of a gantry, collimator and couch angle, IEC 61217, degrees.
Eigen::Matrix3d beam_axes(PatientPosition position, double gantry_deg, double collimator_deg,
                          double couch_deg);

/// Fluence of a beam: what PreparedPatient::fluence() makes and PreparedPatient::dose() takes. Copies share
/// it.
class BeamFluence {
public:
    /// One raster for a static beam, one for each sub-arc of an arc.
    std::vector<FluenceRaster> rasters() const;
    /// Notes for the user on the beam: leaves, wedges, the edge of the grid.
    const std::vector<std::string>& notes() const;

    struct Parts;  ///< of the library itself
    explicit BeamFluence(std::shared_ptr<const Parts> parts);
    const Parts& parts() const { return *parts_; }

private:
    std::shared_ptr<const Parts> parts_;
};

/// A patient whose density is on the dose grid and on the backend. The dose of a fluence is Gy of one
/// fraction in the medium of the options. Not to be used by two threads at once. `models` are asked for each
/// beam, and must outlive the patient; nothing else needs to.
class PreparedPatient {
public:
    /// `plan` places the dose grid and says which boluses there are. Throws what calculate() throws.
    PreparedPatient(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                    const MaterialTable& materials, const BeamModelProvider& models,
                    const EngineOptions& options);
    ~PreparedPatient();
    PreparedPatient(PreparedPatient&&) noexcept;
    PreparedPatient& operator=(PreparedPatient&&) noexcept;

    /// Grid of the doses.
    const Grid& grid() const;
    /// Notes on how it was made: densities, grid, backend.
    const std::vector<std::string>& notes() const;
    /// Density that a beam meets, its boluses included, on the grid of the calculation.
    const DensityGrid& density(const Beam& beam) const;

    /// Fluence of a beam of the plan, or of a changed or new one. Throws what calculate() throws for the
    /// beam, and bad_input where its field leaves the grid or it wears boluses that no beam of the plan does:
    /// then the patient has to be prepared for it.
    BeamFluence fluence(const Beam& beam) const;
    /// One's own fluence, calculated with the beam model and the boluses of `beam`. There are no
    /// contaminating electrons in it, and a note says so.
    BeamFluence fluence(const std::vector<FluenceRaster>& rasters, const Beam& beam) const;

    /// Dose of one fraction. Throws bad_input for a fluence that another patient made.
    Dose dose(const BeamFluence& fluence, const ProgressCallback& progress = {});

    /// Dose of the plan that it was prepared for, as libdose::calculate() has it, bit for bit.
    CalculationResult calculate(const ProgressCallback& progress = {});

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Density of a patient as the transport sees it, on the dose grid of a plan, without the boluses of single
/// beams.
DensityGrid patient_density(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                            const MaterialTable& materials, const BeamModelProvider& models,
                            const EngineOptions& options);

/// Memory that a calculation needs and what this machine has, bytes. An estimate, as calculate() makes it.
struct MemoryEstimate {
    double needed_bytes = 0, available_bytes = 0;  ///< available: 0 where the system does not say
};
MemoryEstimate estimate_memory(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                               const BeamModelProvider& models, const EngineOptions& options);

}  // namespace libdose
