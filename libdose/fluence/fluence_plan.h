// Which apertures make up the fluence maps of a beam.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "fluence/aperture.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"

namespace libdose {

/// The control points of a beam and, where it turns or its devices travel farther than 20 mm while MU are
/// given, moments in between: `sub_arc_deg` apart, as the maps are.
std::vector<ControlPoint> moments_of(const Beam& beam, double sub_arc_deg);

/// The maps of a beam: where each is seen from, and the apertures that it sums. All have one raster.
class FluencePlan {
public:
    /// Throws as beam_fluence(). What it refers to must outlive it.
    FluencePlan(const Beam& planned, PatientPosition position, const HeadModel& head,
                const FluenceOptions& options);
    std::size_t size() const { return groups_.size(); }
    const Beam& beam() const { return beam_; }
    /// Map `n` with its geometry, raster and filter; all zero.
    FluenceMap empty_map(std::size_t n) const;
    const BeamFilter* filter(std::size_t n) const { return filters_.at(groups_[n].geometry.wedge_in).get(); }
    bool same_filter(std::size_t m, std::size_t n) const {
        return groups_[m].geometry.wedge_in == groups_[n].geometry.wedge_in;
    }
    double collimator_deg(std::size_t n) const { return groups_[n].geometry.collimator_deg; }
    std::vector<WeightedAperture> apertures(std::size_t n) const;

    /// A part of a segment during which the geometry counts as fixed.
    struct Step {
        std::size_t segment;
        double begin, end;  ///< part of the segment
        double mu;
        double gantry_travel_deg;
    };
    struct Group {
        ControlPoint geometry;
        std::vector<Step> steps;
    };

private:
    Beam beam_;
    PatientPosition position_;
    const HeadModel& head_;
    const FluenceOptions& options_;
    std::vector<Group> groups_;
    std::map<std::vector<bool>, std::shared_ptr<const BeamFilter>>
        filters_;  ///< maps of one state of the wedges share one
};

}  // namespace libdose
