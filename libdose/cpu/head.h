// From the opening of the devices to what leaves the head: sources, filters, monitor.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "cpu/fluence.h"
#include "physics/head.h"

namespace libdose::cpu {

/// Distance on the isocentre plane over which an aperture is felt: focal spot, extrafocal source, electrons.
double head_reach_mm(const Beam& beam, const HeadModel& head, const std::vector<LeafEdges>& leaves);
/// How the extrafocal source is seen past the edges that limit it along x and y; scale 1 without such a source.
std::array<physics::ExtrafocalView, 2> extrafocal_views(const Beam& beam, const HeadModel& head, const std::vector<LeafEdges>& leaves);

/// Part of a monitor unit's fluence that a control point gives: scatter of the jaws into the monitor chamber, and the model's table of output.
double output_factor(const Beam& beam, const ControlPoint& point, const HeadModel& head);

/// What changes the spectrum while the wedges are as given; null where nothing does.
std::shared_ptr<const BeamFilter> beam_filter(const Beam& beam, const std::vector<bool>& wedge_in, const HeadModel& head);

/// What the head does to open fluence at a point of the isocentre plane, beside the devices that open it.
class OpenHead {
public:
    /// `filter` may be null. Throws internal_error for a filter that absorbs without the spectrum's table.
    OpenHead(const Beam& beam, const HeadModel& head, const BeamFilter* filter, const TermaTable* table, double rim_mm);
    /// Of the focal source alone: the open-field profile.
    double profile(double u_mm, double v_mm) const;
    /// Of both sources: primary collimator (its rim `rim_mm` soft, so that its area is right), wedge, trays.
    double transmission(double u_mm, double v_mm) const;

private:
    const HeadModel& head_;
    double tray_factor_, rim_mm_;
    const BeamFilter* absorber_;  ///< null: nothing absorbs
    const TermaTable* table_;
    BeamFilter open_;  ///< the filter without what absorbs
};

/// OpenHead at the pixels of a raster, the same for all maps of a beam behind one filter.
struct OpenPlane {
    std::vector<float> profile, transmission;
};
OpenPlane open_plane(const FluenceMap& raster, const Beam& beam, const HeadModel& head, const BeamFilter* filter, const TermaTable* table);

/// Turns a sum of apertures into the fluence of the head: focal spot, open-field profile, primary collimator, extrafocal source, wedge, trays,
/// and the blurred aperture of the electrons.
void finish(FluenceMap& map, const Beam& beam, const HeadModel& head, const OpenPlane& open, const std::vector<LeafEdges>& leaves, double collimator_deg);

}  // namespace libdose::cpu
