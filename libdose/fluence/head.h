// From the opening of the devices to what leaves the head: sources, filters, monitor.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "fluence/fluence_map.h"
#include "fluence/head_equations.h"
#include "libdose/beam_model.h"
#include "libdose/plan.h"
#include "machine/leaf_edges.h"
#include "terma/terma_table.h"

namespace libdose {

/// Distance on the isocentre plane over which an aperture is felt: focal spot, extrafocal source, electrons.
double head_reach_mm(const Beam& beam, const HeadModel& head, const std::vector<LeafEdges>& leaves);
/// How the extrafocal source is seen past the edges that limit it along x and y; scale 1 without such a
/// source.
std::array<physics::ExtrafocalView, 2> extrafocal_views(const Beam& beam, const HeadModel& head,
                                                        const std::vector<LeafEdges>& leaves);

/// Part of a monitor unit's fluence that a control point gives: scatter of the jaws into the monitor chamber,
/// and the model's table of output.
double output_factor(const Beam& beam, const ControlPoint& point, const HeadModel& head);

/// Absorbers that change the spectrum with these wedges in; null where nothing does.
std::shared_ptr<const BeamFilter> beam_filter(const Beam& beam, const std::vector<bool>& wedge_in,
                                              const HeadModel& head);

/// Transmission and profile of the head (physics::OpenHeadView). The arguments must outlive it.
class OpenHead {
public:
    /// `filter` may be null. Throws internal_error for a filter that absorbs without the spectrum's table.
    OpenHead(const Beam& beam, const HeadModel& head, const BeamFilter* filter, const TermaTable* table,
             double rim_mm);
    double profile(double u_mm, double v_mm) const { return view().profile(u_mm, v_mm); }
    double transmission(double u_mm, double v_mm) const { return view().transmission(u_mm, v_mm); }
    physics::OpenHeadView view() const;
    /// The filter with wedge and trays; null where nothing absorbs.
    const BeamFilter* absorber() const { return absorber_; }
    const BeamFilter& without_absorber() const { return open_; }

private:
    const HeadModel& head_;
    double tray_factor_, rim_mm_;
    const BeamFilter* absorber_;
    const TermaTable* table_;
    BeamFilter open_;  ///< the filter without wedge and trays
};

/// Kernels along the rows (u) and columns (v) of maps, of odd length and sum 1; empty: nothing is blurred.
struct HeadBlurs {
    std::vector<double> spot_u, spot_v;              ///< on pixels of the map
    std::vector<double> extrafocal_u, extrafocal_v;  ///< on pixels of the coarse map
    std::vector<double> electrons_uv;                ///< on pixels of the coarse map, along both axes
    double extrafocal_scale_u = 1, extrafocal_scale_v = 1, extrafocal_amplitude = 0;
    bool electrons = false;
};
HeadBlurs head_blurs(const FluenceMap& map, const Beam& beam, const HeadModel& head,
                     const std::vector<LeafEdges>& leaves, double collimator_deg);

/// Pixels of a map along a side of a large one.
int coarse_pixels(const FluenceMap& map);
/// Large pixels over a map, without values: extrafocal source and electrons blur over centimetres.
CoarseMap coarse_raster(const FluenceMap& map);

}  // namespace libdose
