// What the columns of an influence matrix share.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "engine/backend_choice.h"
#include "engine/compute.h"
#include "engine/dose_in_gray.h"
#include "fluence/fluence_options.h"
#include "libdose/influence.h"
#include "machine/leaf_edges.h"
#include "patient/bolus_density.h"

namespace libdose {

/// What every beamlet of a plan needs: the request, densities, the head of every beam. It refers to plan,
/// models and options.
class InfluenceCase {
public:
    InfluenceCase(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                  const MaterialTable& materials, const BeamModelProvider& models,
                  const InfluenceOptions& options);

    InfluenceHeader header;

    std::size_t first() const { return first_; }
    std::size_t last() const { return last_; }
    const Beam& beam(const Beamlet& beamlet) const {
        return plan_.beams[static_cast<std::size_t>(beamlet.beam)];
    }
    const ControlPoint& point(const Beamlet& beamlet) const {
        return beam(beamlet).control_points[static_cast<std::size_t>(beamlet.control_point)];
    }
    const BeamModel& model(const Beamlet& beamlet) const { return models_(beam(beamlet)); }
    const DensityGrid& density(const Beamlet& beamlet) const { return densities_->of(beam(beamlet)); }
    const Dose& dose_header_of_plan() const { return dose_header_; }
    PatientPosition position() const { return plan_.position; }
    bool on_cpu() const { return !backend_.own; }
    FluenceOptions fluence(const Beamlet& beamlet, const TermaTable& table) const;
    ComputeOptions compute() const;
    /// One past the last beamlet with the geometry of beamlet `begin`.
    std::size_t end_of_geometry(std::size_t begin) const;
    /// From the algorithm's dose of a beamlet to Gy in the medium that was asked for.
    DoseInGray gray(const Beamlet& beamlet) const;

private:
    void choose_part();
    void prepare(const CtImage& ct, const StructureSet* structures, const MaterialTable& materials);
    void name_beams(const std::vector<LeafDesign>& designs);

    const Plan& plan_;
    const BeamModelProvider& models_;
    const InfluenceOptions& options_;
    std::size_t first_ = 0, last_ = 0;
    ChosenBackend backend_;
    std::unique_ptr<BolusDensities> densities_;
    Dose dose_header_;
    std::vector<std::vector<LeafEdges>> leaves_;  ///< by beam
};

}  // namespace libdose
