#include "plan/dynamic_wedge.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "geometry/coordinates.h"
#include "libdose/error.h"
#include "plan/wedge.h"

namespace libdose {

namespace {

constexpr int sweep_points = 20;  // of a segmented treatment table
constexpr double virtual_gap_mm = 10;
constexpr double golden_angle_deg = 60;

/// Golden table of 60 degrees, exponential between its nodes as the wedge itself is.
double golden(const DynamicWedgeModel& model, double at_mm) {
    const auto& x = model.golden_position_mm;
    const auto upper = std::clamp<std::size_t>(
        static_cast<std::size_t>(std::upper_bound(x.begin(), x.end(), at_mm) - x.begin()), 1, x.size() - 1);
    const double part = (at_mm - x[upper - 1]) / (x[upper] - x[upper - 1]);
    return std::exp((1 - part) * std::log(model.golden_fraction[upper - 1]) +
                    part * std::log(model.golden_fraction[upper]));
}

}  // namespace

Beam with_moving_jaw(const Beam& beam, const HeadModel& head) {
    const auto points_in = [&](std::size_t w) {
        return std::count_if(beam.control_points.begin(), beam.control_points.end(),
                             [&](const ControlPoint& p) { return w < p.wedge_in.size() && p.wedge_in[w]; });
    };
    std::size_t index = 0;
    while (index < beam.wedges.size() &&
           !(beam.wedges[index].kind == Wedge::Kind::dynamic && points_in(index) > 0))
        ++index;
    if (index == beam.wedges.size()) return beam;
    const Wedge* wedge = &beam.wedges[index];
    const std::string where =
        "beam " + std::to_string(beam.number) + " \"" + beam.name + "\", wedge \"" + wedge->id + "\"";
    if (points_in(index) != static_cast<std::ptrdiff_t>(beam.control_points.size()))
        throw refused_plan("the dynamic wedge is in during a part of the beam only", where);
    const double turn = std::remainder(wedge->orientation_deg, 360.0);
    const bool upward = std::abs(turn) < 0.5;  // the thin end is at +y
    if (!upward && std::abs(std::abs(turn) - 180) > 0.5)
        throw refused_plan("a dynamic wedge of orientation " + std::to_string(wedge->orientation_deg) +
                               " degrees is not modelled",
                           where, "The y jaws make 0 and 180");
    const ControlPoint& first = beam.control_points.front();
    if (!first.jaw_y) throw refused_plan("a dynamic wedge needs y jaws", where);
    if (beam.control_points.size() != 2)
        throw refused_plan("a dynamic wedge in a beam of more than two control points is not modelled",
                           where);

    // Positions along the wedge's axis, towards the thin end: the moving jaw starts at the thick end.
    const double start = upward ? first.jaw_y->lower_mm : -first.jaw_y->upper_mm,
                 fixed = upward ? first.jaw_y->upper_mm : -first.jaw_y->lower_mm;
    const bool enhanced = dynamic_wedge_kind(beam, *wedge) == DynamicWedgeKind::enhanced;
    const DynamicWedgeModel& model = head.dynamic_wedge;
    const double stop = fixed - (enhanced ? model.closest_gap_mm : virtual_gap_mm);
    if (!(stop > start)) throw refused_plan("the field is too small for a dynamic wedge", where);
    const double steepness = std::tan(physics::radians(wedge->angle_deg));
    std::function<double(double)> fluence;  // part of the MU that a point along the axis sees
    double monitor = beam.meterset_mu;
    if (enhanced) {
        if (model.golden_position_mm.empty())
            throw refused_plan("the beam model knows no enhanced dynamic wedge", where);
        if (start < model.golden_position_mm.front() || stop > model.golden_position_mm.back())
            throw refused_plan("the jaw would move from " + std::to_string(start) + " to " +
                                   std::to_string(stop) + " mm, beyond the segmented treatment table",
                               where);
        const double share = steepness / std::tan(physics::radians(golden_angle_deg)),
                     open = golden(model, 0);
        const double all = share * golden(model, stop) + (1 - share) * open;
        fluence = [&model, share, open, all](double at) {
            return (share * golden(model, at) + (1 - share) * open) / all;
        };
    } else {
        if (!(model.virtual_attenuation_per_mm > 0))
            throw refused_plan("the beam model knows no virtual wedge", where);
        const double slope = model.virtual_attenuation_per_mm * steepness;
        // The plan's MU are those on the axis; the whole field takes more.
        monitor *= std::exp(slope * stop);
        fluence = [slope, stop](double at) { return std::exp(slope * (at - stop)); };
    }

    Beam moving = beam;
    moving.meterset_mu = monitor;
    moving.final_cumulative_weight = 1;
    moving.control_points = {first};  // the open part, then the sweep; the order does not matter to the dose
    for (int i = 0; i <= sweep_points; ++i) {
        ControlPoint point = first;
        const double at = start + (stop - start) * i / sweep_points;
        (upward ? point.jaw_y->lower_mm : point.jaw_y->upper_mm) = upward ? at : -at;
        point.cumulative_weight = fluence(at);
        moving.control_points.push_back(point);
    }
    moving.gantry_rotation.assign(moving.control_points.size(), Rotation::none);
    return moving;
}

}  // namespace libdose
