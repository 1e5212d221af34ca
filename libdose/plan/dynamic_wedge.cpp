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

/// "beam 1 \"name\", wedge \"id\"", as messages say it.
std::string place_of(const Beam& beam, const Wedge& wedge) {
    return "beam " + std::to_string(beam.number) + " \"" + beam.name + "\", wedge \"" + wedge.id + "\"";
}

/// The first dynamic wedge that is in at a control point; null without one. Throws refused_plan where it is
/// in at some of them only.
const Wedge* dynamic_wedge_of(const Beam& beam) {
    for (std::size_t w = 0; w < beam.wedges.size(); ++w) {
        if (beam.wedges[w].kind != Wedge::Kind::dynamic) continue;
        const auto points_in =
            std::count_if(beam.control_points.begin(), beam.control_points.end(),
                          [w](const ControlPoint& p) { return w < p.wedge_in.size() && p.wedge_in[w]; });
        if (points_in == 0) continue;
        if (points_in != static_cast<std::ptrdiff_t>(beam.control_points.size()))
            throw refused_plan("the dynamic wedge is in during a part of the beam only",
                               place_of(beam, beam.wedges[w]));
        return &beam.wedges[w];
    }
    return nullptr;
}

/// Whether the thin end is at +y, so that the lower y jaw moves. Throws refused_plan for an orientation that
/// no y jaw makes.
bool moves_upward(const Wedge& wedge, const std::string& where) {
    const double turn = std::remainder(wedge.orientation_deg, 360.0);
    const bool upward = std::abs(turn) < 0.5;
    if (!upward && std::abs(std::abs(turn) - 180) > 0.5)
        throw refused_plan("a dynamic wedge of orientation " + std::to_string(wedge.orientation_deg) +
                               " degrees is not modelled",
                           where, "The y jaws make 0 and 180");
    return upward;
}

/// The moving jaw's way along the wedge's axis, towards the thin end, mm on the isocentre plane: it starts at
/// the thick end.
struct JawTravel {
    double start_mm, stop_mm;
};

/// Throws refused_plan where the jaw comes nearer than `gap_mm` to the fixed one before it has moved.
JawTravel jaw_travel(const JawOpening& jaws, bool upward, double gap_mm, const std::string& where) {
    const double start = upward ? jaws.lower_mm : -jaws.upper_mm,
                 fixed = upward ? jaws.upper_mm : -jaws.lower_mm;
    const double stop = fixed - gap_mm;
    if (!(stop > start)) throw refused_plan("the field is too small for a dynamic wedge", where);
    return {start, stop};
}

/// Irradiation of a field with a moving jaw.
struct JawSweep {
    double meterset_factor;  ///< MU of the whole field per MU of the plan
    std::function<double(double)>
        fluence;  ///< part of these MU that a point along the wedge's axis (mm) sees
};

/// Varian enhanced dynamic wedge: by the golden segmented treatment table.
JawSweep enhanced_sweep(const DynamicWedgeModel& model, const JawTravel& travel, double steepness,
                        const std::string& where) {
    if (model.golden_position_mm.empty())
        throw refused_plan("the beam model knows no enhanced dynamic wedge", where);
    if (travel.start_mm < model.golden_position_mm.front() ||
        travel.stop_mm > model.golden_position_mm.back())
        throw refused_plan("the jaw would move from " + std::to_string(travel.start_mm) + " to " +
                               std::to_string(travel.stop_mm) + " mm, beyond the segmented treatment table",
                           where);
    const double share = steepness / std::tan(physics::radians(golden_angle_deg)), open = golden(model, 0);
    const double all = share * golden(model, travel.stop_mm) + (1 - share) * open;
    return {1, [&model, share, open, all](double at) {
                return (share * golden(model, at) + (1 - share) * open) / all;
            }};
}

/// Siemens virtual wedge: exponential along the axis. The plan's MU are those on the axis; the whole field
/// takes more.
JawSweep virtual_sweep(const DynamicWedgeModel& model, const JawTravel& travel, double steepness,
                       const std::string& where) {
    if (!(model.virtual_attenuation_per_mm > 0))
        throw refused_plan("the beam model knows no virtual wedge", where);
    const double slope = model.virtual_attenuation_per_mm * steepness, stop = travel.stop_mm;
    return {std::exp(slope * stop), [slope, stop](double at) { return std::exp(slope * (at - stop)); }};
}

}  // namespace

Beam with_moving_jaw(const Beam& beam, const HeadModel& head) {
    const Wedge* const wedge = dynamic_wedge_of(beam);
    if (!wedge) return beam;
    const std::string where = place_of(beam, *wedge);
    const bool upward = moves_upward(*wedge, where);
    const ControlPoint& first = beam.control_points.front();
    if (!first.jaw_y) throw refused_plan("a dynamic wedge needs y jaws", where);
    if (beam.control_points.size() != 2)
        throw refused_plan("a dynamic wedge in a beam of more than two control points is not modelled",
                           where);

    const bool enhanced = dynamic_wedge_kind(beam, *wedge) == DynamicWedgeKind::enhanced;
    const DynamicWedgeModel& model = head.dynamic_wedge;
    const JawTravel travel =
        jaw_travel(*first.jaw_y, upward, enhanced ? model.closest_gap_mm : virtual_gap_mm, where);
    const double steepness = std::tan(physics::radians(wedge->angle_deg));
    const JawSweep sweep = enhanced ? enhanced_sweep(model, travel, steepness, where)
                                    : virtual_sweep(model, travel, steepness, where);

    Beam moving = beam;
    moving.meterset_mu = beam.meterset_mu * sweep.meterset_factor;
    moving.final_cumulative_weight = 1;
    moving.control_points = {first};  // the open part, then the sweep; the order does not matter to the dose
    for (int i = 0; i <= sweep_points; ++i) {
        ControlPoint point = first;
        const double at = travel.start_mm + (travel.stop_mm - travel.start_mm) * i / sweep_points;
        (upward ? point.jaw_y->lower_mm : point.jaw_y->upper_mm) = upward ? at : -at;
        point.cumulative_weight = sweep.fluence(at);
        moving.control_points.push_back(point);
    }
    moving.gantry_rotation.assign(moving.control_points.size(), Rotation::none);
    return moving;
}

}  // namespace libdose
