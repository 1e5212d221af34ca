#include "fluence/head.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/units.h"
#include "fluence/aperture.h"
#include "fluence/fluence_map.h"
#include "fluence/head_equations.h"
#include "libdose/error.h"
#include "machine/leaf_edges.h"
#include "plan/wedge.h"
#include "terma/terma_table.h"

namespace libdose {

namespace {

constexpr double coarse_mm = 4;  // extrafocal source and electrons blur over centimetres

/// Pixel-integrated Gaussian; empty when it is too narrow to matter.
std::vector<double> gaussian(double sigma_px) {
    if (sigma_px < 0.05) return {};
    const int reach = static_cast<int>(std::ceil(4 * sigma_px + 0.5));
    std::vector<double> kernel;
    double sum = 0;
    for (int i = -reach; i <= reach; ++i) {
        const double value = std::erf((i + 0.5) / (sigma_px * std::sqrt(2.0))) -
                             std::erf((i - 0.5) / (sigma_px * std::sqrt(2.0)));
        kernel.push_back(value);
        sum += value;
    }
    for (double& value : kernel) value /= sum;
    return kernel;
}

/// Distance from the source to the edges that limit the view along x and along y: the leaves where they move,
/// or where there is no jaw.
std::array<double, 2> edge_distances_mm(const Beam& beam, const HeadModel& head,
                                        const std::vector<LeafEdges>& leaves) {
    std::array<double, 2> distance{head.jaw_x_distance_mm, head.jaw_y_distance_mm};
    const ControlPoint& first = beam.control_points.front();
    for (std::size_t m = 0; m < beam.collimators.size() && m < leaves.size(); ++m) {
        if (!leaves[m].source_distance_mm) continue;
        const bool along_x = beam.collimators[m].motion == MultileafCollimator::Motion::along_x;
        distance[along_x ? 0 : 1] = *leaves[m].source_distance_mm;
        if (along_x ? !first.jaw_y : !first.jaw_x) distance[along_x ? 1 : 0] = *leaves[m].source_distance_mm;
    }
    return distance;
}

/// Sides along x and y of the rectangle around what jaws and leaves leave open. Pairs that are closed do not
/// count, wherever they are parked; machines keep about half a millimetre between them.
std::array<double, 2> open_sides_mm(const Beam& beam, const ControlPoint& point, double radius_mm) {
    constexpr double closed_mm = 1;
    const physics::Interval jaws[2] = {jaw_x_of(point), jaw_y_of(point)};
    double low[2], high[2];
    for (int a = 0; a < 2; ++a) {
        low[a] = std::max(-radius_mm, jaws[a].low);
        high[a] = std::min(radius_mm, jaws[a].high);
    }
    for (std::size_t m = 0; m < beam.collimators.size(); ++m) {
        const MultileafCollimator& mlc = beam.collimators[m];
        const LeafPositions& leaves = point.leaves[m];
        const int along = mlc.motion == MultileafCollimator::Motion::along_x ? 0 : 1, across = 1 - along;
        const auto pairs = static_cast<std::size_t>(mlc.leaf_pairs());
        const auto within = [](double lower, double upper, const physics::Interval& jaw) {
            return std::max(lower, jaw.low) < std::min(upper, jaw.high);
        };
        std::vector<std::size_t> open;
        double widest = 0;
        for (std::size_t l = 0; l < pairs; ++l) {
            if (!within(leaves.lower_mm[l], leaves.upper_mm[l], jaws[along])) continue;
            if (!within(mlc.leaf_boundaries_mm[l], mlc.leaf_boundaries_mm[l + 1], jaws[across])) continue;
            open.push_back(l);
            widest = std::max(widest, leaves.upper_mm[l] - leaves.lower_mm[l]);
        }
        double begin[2] = {1e30, 1e30}, end[2] = {-1e30, -1e30};
        for (const std::size_t l : open) {
            // Slits of a millimetre count where nothing is wider.
            if (leaves.upper_mm[l] - leaves.lower_mm[l] <= std::min(closed_mm, 0.5 * widest)) continue;
            begin[along] = std::min(begin[along], leaves.lower_mm[l]);
            end[along] = std::max(end[along], leaves.upper_mm[l]);
            begin[across] = std::min(begin[across], mlc.leaf_boundaries_mm[l]);
            end[across] = std::max(end[across], mlc.leaf_boundaries_mm[l + 1]);
        }
        for (int a = 0; a < 2; ++a) {
            low[a] = std::max(low[a], begin[a]);
            high[a] = std::min(high[a], end[a]);
        }
    }
    return {std::max(0.0, high[0] - low[0]), std::max(0.0, high[1] - low[1])};
}

}  // namespace

std::array<physics::ExtrafocalView, 2> extrafocal_views(const Beam& beam, const HeadModel& head,
                                                        const std::vector<LeafEdges>& leaves) {
    if (!(head.extrafocal.amplitude > 0)) return {};
    const auto edges = edge_distances_mm(beam, head, leaves);
    const double disc = head.extrafocal.distance_mm, sad = beam.source_axis_distance_mm;
    return {physics::extrafocal_view(disc, edges[0], sad), physics::extrafocal_view(disc, edges[1], sad)};
}

double head_reach_mm(const Beam& beam, const HeadModel& head, const std::vector<LeafEdges>& leaves) {
    constexpr double sigmas = 4;
    const double spot =
        physics::projected_spot_sigma_mm(std::max(head.spot_fwhm_x_mm, head.spot_fwhm_y_mm),
                                         head.source_collimator_distance_mm, beam.source_axis_distance_mm);
    double reach = sigmas * spot;
    if (head.extrafocal.amplitude > 0)
        for (const auto& view : extrafocal_views(beam, head, leaves))
            reach = std::max(reach, sigmas * view.stretch * head.extrafocal.sigma_mm);
    if (head.electrons.amplitude_gy_cm2 > 0) reach = std::max(reach, sigmas * head.electrons.sigma_mm);
    return reach;
}

double output_factor(const Beam& beam, const ControlPoint& point, const HeadModel& head) {
    constexpr double reference_mm = 100;  // the calibration's field
    double here = 1, reference = 1;
    const auto jaw = [&](const std::optional<JawOpening>& opening, double backscatter) {
        if (!opening) return;
        here += backscatter * physics::closed_part(opening->upper_mm - opening->lower_mm);
        reference += backscatter * physics::closed_part(reference_mm);
    };
    jaw(point.jaw_x, head.monitor_backscatter_x);
    jaw(point.jaw_y, head.monitor_backscatter_y);
    double factor = reference / here;
    if (!head.output_side_mm.empty()) {
        const auto sides = open_sides_mm(beam, point, head.maximum_field_radius_mm);
        factor *= physics::table_value(head.output_side_mm, head.output_correction,
                                       physics::equivalent_square(sides[0], sides[1]));
    }
    return factor;
}

std::shared_ptr<const BeamFilter> beam_filter(const Beam& beam, const std::vector<bool>& wedge_in,
                                              const HeadModel& head) {
    auto filter = std::make_shared<BeamFilter>();
    bool any = false;
    if (std::any_of(head.softening_g_cm2.begin(), head.softening_g_cm2.end(),
                    [](double s) { return s != 0; })) {
        filter->softening_radius_mm = head.softening_radius_mm;
        filter->softening_g_cm2 = head.softening_g_cm2;
        any = true;
    }
    for (std::size_t w = 0; w < beam.wedges.size() && w < wedge_in.size(); ++w) {
        if (!wedge_in[w] || beam.wedges[w].kind == Wedge::Kind::dynamic) continue;
        if (!filter->wedge_mm.empty())
            throw refused_plan("two wedges are in the beam at once", "beam " + std::to_string(beam.number));
        const WedgeModel& model = wedge_model_for(beam.wedges[w], head);
        filter->wedge_mm = model.position_mm;
        filter->wedge_water_g_cm2 = model.water_g_cm2;
        filter->wedge_high_z_g_cm2 = model.high_z_g_cm2;
        filter->wedge_cos = std::cos(physics::radians(beam.wedges[w].orientation_deg));
        filter->wedge_sin = std::sin(physics::radians(beam.wedges[w].orientation_deg));
        any = true;
    }
    filter->tray_water_g_cm2 = beam.tray_water_mm * cm_per_mm;
    return any || filter->tray_water_g_cm2 > 0 ? filter : nullptr;
}

OpenHead::OpenHead(const Beam& beam, const HeadModel& head, const BeamFilter* filter, const TermaTable* table,
                   double rim_mm)
    : head_(head), tray_factor_(beam.tray_factor), rim_mm_(rim_mm), absorber_(nullptr), table_(table) {
    if (!filter || (filter->wedge_mm.empty() && !(filter->tray_water_g_cm2 > 0))) return;
    if (!table)
        throw internal_error("a beam with a wedge or a tray needs the table of its spectrum", "fluence");
    absorber_ = filter;
    open_ = *filter;
    open_.wedge_mm.clear();
    open_.tray_water_g_cm2 = 0;
}

physics::OpenHeadView OpenHead::view() const {
    physics::OpenHeadView view;
    view.profile_nodes = head_.profile_radius_mm.size();
    view.profile_radius_mm = head_.profile_radius_mm.data();
    view.profile_value = head_.profile.data();
    view.maximum_radius_mm = head_.maximum_field_radius_mm;
    view.rim_mm = rim_mm_;
    view.tray_factor = tray_factor_;
    view.absorbs = absorber_ != nullptr;
    if (absorber_) {
        view.absorber = absorber_->view();
        view.open = open_.view();
        view.table = table_->view();
    }
    return view;
}

HeadBlurs head_blurs(const FluenceMap& map, const Beam& beam, const HeadModel& head,
                     const std::vector<LeafEdges>& leaves, double collimator_deg) {
    HeadBlurs blurs;
    const double coarse_pixel_mm = coarse_pixels(map) * map.pixel_mm;
    if (head.extrafocal.amplitude > 0) {
        const auto [x, y] = extrafocal_views(beam, head, leaves);
        blurs.extrafocal_u = gaussian(x.stretch * head.extrafocal.sigma_mm / coarse_pixel_mm);
        blurs.extrafocal_v = gaussian(y.stretch * head.extrafocal.sigma_mm / coarse_pixel_mm);
        blurs.extrafocal_scale_u = x.scale;
        blurs.extrafocal_scale_v = y.scale;
        blurs.extrafocal_amplitude = head.extrafocal.amplitude;
    }
    blurs.electrons = head.electrons.amplitude_gy_cm2 > 0;
    if (blurs.electrons) blurs.electrons_uv = gaussian(head.electrons.sigma_mm / coarse_pixel_mm);
    // The spot is given in the gantry frame; the map is in the frame of the collimator: variances along its
    // axes are used, the cross term of an uneven spot is not.
    const double c = std::cos(physics::radians(collimator_deg)),
                 s = std::sin(physics::radians(collimator_deg));
    const double sad = map.frame.source_axis_distance_mm;
    const double sx =
        physics::projected_spot_sigma_mm(head.spot_fwhm_x_mm, head.source_collimator_distance_mm, sad);
    const double sy =
        physics::projected_spot_sigma_mm(head.spot_fwhm_y_mm, head.source_collimator_distance_mm, sad);
    blurs.spot_u = gaussian(std::hypot(sx * c, sy * s) / map.pixel_mm);
    blurs.spot_v = gaussian(std::hypot(sx * s, sy * c) / map.pixel_mm);
    return blurs;
}

int coarse_pixels(const FluenceMap& map) {
    return std::max(1, static_cast<int>(std::lround(coarse_mm / map.pixel_mm)));
}

CoarseMap coarse_raster(const FluenceMap& map) {
    const int n = coarse_pixels(map);
    CoarseMap out;
    out.pixel_mm = n * map.pixel_mm;
    out.size_u = (map.size_u + n - 1) / n;
    out.size_v = (map.size_v + n - 1) / n;
    out.lower_u_mm = map.lower_u_mm;
    out.lower_v_mm = map.lower_v_mm;
    return out;
}

}  // namespace libdose
