#include "fluence/fluence_plan.h"

#include <algorithm>
#include <cmath>

#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "fluence/head.h"
#include "plan/dynamic_wedge.h"

namespace libdose {

namespace {

/// Part of a sub-arc by which a step may exceed it: 178 control points of a full turn lie 2.03 degrees apart.
constexpr double sub_arc_tolerance = 0.05;

double blend(double a, double b, double part) { return a + part * (b - a); }
double angle_step(double from, double to) { return std::remainder(to - from, 360.0); }

/// Gantry travel from one control point to the next, in degrees, in the direction that the plan states.
/// Rounding is no full turn.
double gantry_step(const Beam& beam, std::size_t i) {
    constexpr double same_deg = 1e-6;
    const double from = beam.control_points[i].gantry_deg, to = beam.control_points[i + 1].gantry_deg;
    double step = angle_step(from, to);
    if (std::abs(step) <= same_deg) return step;
    const Rotation rotation = i < beam.gantry_rotation.size() ? beam.gantry_rotation[i] : Rotation::none;
    if (rotation == Rotation::clockwise && step < 0) step += 360.0;
    if (rotation == Rotation::counter_clockwise && step > 0) step -= 360.0;
    return step;
}

/// The devices between two control points, `part` of the way.
ControlPoint between(const ControlPoint& a, const ControlPoint& b, double gantry_travel_deg, double part) {
    ControlPoint point = a;
    point.gantry_deg = a.gantry_deg + part * gantry_travel_deg;
    point.collimator_deg = a.collimator_deg + part * angle_step(a.collimator_deg, b.collimator_deg);
    point.couch_deg = a.couch_deg + part * angle_step(a.couch_deg, b.couch_deg);
    point.isocentre_mm = a.isocentre_mm + part * (b.isocentre_mm - a.isocentre_mm);
    const auto move_jaw = [&](std::optional<JawOpening>& jaw, const std::optional<JawOpening>& end) {
        if (jaw && end)
            jaw = JawOpening{blend(jaw->lower_mm, end->lower_mm, part),
                             blend(jaw->upper_mm, end->upper_mm, part)};
    };
    move_jaw(point.jaw_x, b.jaw_x);
    move_jaw(point.jaw_y, b.jaw_y);
    for (std::size_t m = 0; m < point.leaves.size(); ++m)
        for (std::size_t l = 0; l < point.leaves[m].lower_mm.size(); ++l) {
            point.leaves[m].lower_mm[l] = blend(a.leaves[m].lower_mm[l], b.leaves[m].lower_mm[l], part);
            point.leaves[m].upper_mm[l] = blend(a.leaves[m].upper_mm[l], b.leaves[m].upper_mm[l], part);
        }
    return point;
}

double largest_travel_mm(const ControlPoint& a, const ControlPoint& b) {
    double travel = 0;
    const auto jaw = [&](const std::optional<JawOpening>& from, const std::optional<JawOpening>& to) {
        if (from && to)
            travel = std::max(
                {travel, std::abs(to->lower_mm - from->lower_mm), std::abs(to->upper_mm - from->upper_mm)});
    };
    jaw(a.jaw_x, b.jaw_x);
    jaw(a.jaw_y, b.jaw_y);
    for (std::size_t m = 0; m < a.leaves.size(); ++m)
        for (std::size_t l = 0; l < a.leaves[m].lower_mm.size(); ++l)
            travel = std::max({travel, std::abs(b.leaves[m].lower_mm[l] - a.leaves[m].lower_mm[l]),
                               std::abs(b.leaves[m].upper_mm[l] - a.leaves[m].upper_mm[l])});
    return travel;
}

/// The same rays through the same wedges: such steps share a map.
bool same_geometry(const ControlPoint& a, const ControlPoint& b) {
    return a.wedge_in == b.wedge_in && angle_step(a.gantry_deg, b.gantry_deg) == 0 &&
           angle_step(a.collimator_deg, b.collimator_deg) == 0 && angle_step(a.couch_deg, b.couch_deg) == 0 &&
           a.isocentre_mm == b.isocentre_mm;
}

/// Parts of a segment during each of which the geometry counts as fixed.
int sub_arcs(const ControlPoint& a, const ControlPoint& b, double gantry_travel_deg, double sub_arc_deg) {
    const double turn =
        std::max({std::abs(gantry_travel_deg), std::abs(angle_step(a.collimator_deg, b.collimator_deg)),
                  std::abs(angle_step(a.couch_deg, b.couch_deg))});
    return std::max(1, static_cast<int>(std::ceil(turn / sub_arc_deg - sub_arc_tolerance)));
}

std::vector<FluencePlan::Group> groups_of(const Beam& beam, double sub_arc_deg) {
    std::vector<FluencePlan::Group> groups;
    for (std::size_t i = 0; i + 1 < beam.control_points.size(); ++i) {
        const ControlPoint &a = beam.control_points[i], &b = beam.control_points[i + 1];
        const double mu = beam.segment_mu(static_cast<int>(i));
        if (mu == 0) continue;
        const double travel = gantry_step(beam, i);
        const int parts = sub_arcs(a, b, travel, sub_arc_deg);
        for (int p = 0; p < parts; ++p) {
            const double begin = static_cast<double>(p) / parts, end = static_cast<double>(p + 1) / parts;
            const FluencePlan::Step step{i, begin, end, mu / parts, travel};
            const ControlPoint middle = between(a, b, travel, 0.5 * (begin + end));
            const auto found = std::find_if(groups.begin(), groups.end(), [&](const FluencePlan::Group& g) {
                return same_geometry(g.geometry, middle);
            });
            if (found != groups.end())
                found->steps.push_back(step);
            else
                groups.push_back({middle, {step}});
        }
    }
    return groups;
}

}  // namespace

std::vector<ControlPoint> moments_of(const Beam& beam, double sub_arc_deg) {
    constexpr double travel_mm = 20;
    std::vector<ControlPoint> moments;
    for (std::size_t i = 0; i < beam.control_points.size(); ++i) {
        const ControlPoint& a = beam.control_points[i];
        moments.push_back(a);
        if (i + 1 == beam.control_points.size() || !(beam.segment_mu(static_cast<int>(i)) > 0)) continue;
        const ControlPoint& b = beam.control_points[i + 1];
        const double turn = gantry_step(beam, i);
        const int parts = std::max(sub_arcs(a, b, turn, sub_arc_deg),
                                   static_cast<int>(std::ceil(largest_travel_mm(a, b) / travel_mm)));
        for (int p = 1; p < parts; ++p)
            moments.push_back(between(a, b, turn, static_cast<double>(p) / parts));
    }
    return moments;
}

FluencePlan::FluencePlan(const Beam& planned, PatientPosition position, const HeadModel& head,
                         const FluenceOptions& options)
    : beam_(with_moving_jaw(planned, head)),
      position_(position),
      head_(head),
      options_(options),
      groups_(groups_of(beam_, options.sub_arc_deg)) {
    for (const Group& group : groups_)
        if (!filters_.contains(group.geometry.wedge_in))
            filters_[group.geometry.wedge_in] = beam_filter(beam_, group.geometry.wedge_in, head);
}

FluenceMap FluencePlan::empty_map(std::size_t n) const {
    const ControlPoint& geometry = groups_[n].geometry;
    FluenceMap map;
    map.frame = physics::beam_frame(position_, geometry.gantry_deg, geometry.collimator_deg,
                                    geometry.couch_deg, geometry.isocentre_mm, beam_.source_axis_distance_mm);
    map.pixel_mm = options_.pixel_mm;
    const int half = static_cast<int>(std::ceil(head_.maximum_field_radius_mm / map.pixel_mm));
    map.size_u = map.size_v = 2 * half;
    map.lower_u_mm = map.lower_v_mm = -half * map.pixel_mm;
    map.values.assign(static_cast<std::size_t>(map.size_u) * static_cast<std::size_t>(map.size_v), 0.0f);
    map.filter = filters_.at(geometry.wedge_in);
    return map;
}

std::vector<WeightedAperture> FluencePlan::apertures(std::size_t n) const {
    std::vector<WeightedAperture> list;
    for (const Step& step : groups_[n].steps) {
        const ControlPoint &a = beam_.control_points[step.segment],
                           &b = beam_.control_points[step.segment + 1];
        const double travel = largest_travel_mm(a, b) * (step.end - step.begin);
        const int samples = std::max(1, static_cast<int>(std::ceil(travel / options_.travel_mm - 1e-9)));
        for (int s = 0; s < samples; ++s) {
            const double part = blend(step.begin, step.end, (s + 0.5) / samples);
            ControlPoint now = between(a, b, step.gantry_travel_deg, part);
            const double weight = step.mu / samples * output_factor(beam_, now, head_);
            list.push_back({std::move(now), weight});
        }
    }
    return list;
}

}  // namespace libdose
