#include "cpu/fluence/square_fluence.h"

#include <algorithm>
#include <cmath>

#include "cpu/fluence/finish_head.h"
#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "fluence/head.h"
#include "fluence/head_equations.h"

namespace libdose::cpu {

namespace {

/// Edges of a raster axis, in pixels from the axis, that hold what squares from `low_mm` to `high_mm` give:
/// near them, and where the extrafocal source shows them.
std::array<int, 2> raster_axis(double low_mm, double high_mm, double scale, double margin_mm,
                               double pixel_mm) {
    const double low = std::min(low_mm - margin_mm, (low_mm - margin_mm) / scale),
                 high = std::max(high_mm + margin_mm, (high_mm + margin_mm) / scale);
    // Whole pixels of the coarse maps, wherever the squares lie: their maps then add up.
    constexpr int coarse_pixels = 4;
    return {coarse_pixels * static_cast<int>(std::floor(low / pixel_mm / coarse_pixels)),
            coarse_pixels * static_cast<int>(std::ceil(high / pixel_mm / coarse_pixels))};
}

}  // namespace

FluenceMap square_fluence(const Beam& beam, const ControlPoint& point, PatientPosition position,
                          const HeadModel& head, const FluenceOptions& options,
                          const std::vector<OpenSquare>& squares, double side_mm) {
    FluenceMap map;
    map.frame = physics::beam_frame(position, point.gantry_deg, point.collimator_deg, point.couch_deg,
                                    point.isocentre_mm, beam.source_axis_distance_mm);
    map.pixel_mm = options.pixel_mm;
    map.filter = beam_filter(beam, point.wedge_in, head);
    if (squares.empty()) return map;
    Rect bounds = Rect::nothing();
    for (const OpenSquare& s : squares) bounds = bounds.around(Rect::point(s.u_mm, s.v_mm));
    const double half = 0.5 * side_mm;
    bounds = bounds.grown(half);
    const double margin = head_reach_mm(beam, head, options.leaves);
    const auto views = extrafocal_views(beam, head, options.leaves);
    const auto along_u = raster_axis(bounds.low_u_mm, bounds.high_u_mm, views[0].scale, margin, map.pixel_mm);
    const auto along_v = raster_axis(bounds.low_v_mm, bounds.high_v_mm, views[1].scale, margin, map.pixel_mm);
    map.size_u = along_u[1] - along_u[0];
    map.size_v = along_v[1] - along_v[0];
    map.lower_u_mm = along_u[0] * map.pixel_mm;
    map.lower_v_mm = along_v[0] * map.pixel_mm;
    map.values.assign(static_cast<std::size_t>(map.size_u) * static_cast<std::size_t>(map.size_v), 0.0f);

    const double output = output_factor(beam, point, head);
    const auto range = [&](double centre, double lower, int size) {
        return std::array<int, 2>{
            std::max(0, static_cast<int>(std::floor((centre - half - lower) / map.pixel_mm))),
            std::min(size, static_cast<int>(std::ceil((centre + half - lower) / map.pixel_mm)))};
    };
    const auto share = [&](double centre, double lower, int pixel) {
        const double low = lower + pixel * map.pixel_mm;
        return physics::overlap(low, low + map.pixel_mm, centre - half, centre + half) / map.pixel_mm;
    };
    for (const OpenSquare& s : squares) {
        const auto columns = range(s.u_mm, map.lower_u_mm, map.size_u),
                   rows = range(s.v_mm, map.lower_v_mm, map.size_v);
        for (int v = rows[0]; v < rows[1]; ++v)
            for (int u = columns[0]; u < columns[1]; ++u)
                map.at(u, v) += static_cast<float>(s.mu * output * share(s.u_mm, map.lower_u_mm, u) *
                                                   share(s.v_mm, map.lower_v_mm, v));
    }
    finish(map, beam, head, open_plane(map, beam, head, map.filter.get(), options.terma), options.leaves,
           point.collimator_deg);
    return map;
}

}  // namespace libdose::cpu
