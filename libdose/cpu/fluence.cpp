#include "cpu/fluence.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <map>
#include <memory>

#include "cpu/aperture.h"
#include "cpu/head.h"
#include "model/dynamic_wedge.h"

namespace libdose::cpu {

namespace {

/// Part of a sub-arc by which a step may exceed it: 178 control points of a full turn lie 2.03 degrees apart.
constexpr double sub_arc_tolerance = 0.05;

double blend(double a, double b, double part) { return a + part * (b - a); }
double angle_step(double from, double to) { return std::remainder(to - from, 360.0); }

/// Gantry travel from one control point to the next, in degrees, in the direction that the plan states.
double gantry_step(const Beam& beam, std::size_t i) {
    const double from = beam.control_points[i].gantry_deg, to = beam.control_points[i + 1].gantry_deg;
    double step = angle_step(from, to);
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
        if (jaw && end) jaw = JawOpening{blend(jaw->lower_mm, end->lower_mm, part), blend(jaw->upper_mm, end->upper_mm, part)};
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
        if (from && to) travel = std::max({travel, std::abs(to->lower_mm - from->lower_mm), std::abs(to->upper_mm - from->upper_mm)});
    };
    jaw(a.jaw_x, b.jaw_x);
    jaw(a.jaw_y, b.jaw_y);
    for (std::size_t m = 0; m < a.leaves.size(); ++m)
        for (std::size_t l = 0; l < a.leaves[m].lower_mm.size(); ++l)
            travel =
                std::max({travel, std::abs(b.leaves[m].lower_mm[l] - a.leaves[m].lower_mm[l]), std::abs(b.leaves[m].upper_mm[l] - a.leaves[m].upper_mm[l])});
    return travel;
}

FluenceMap empty_map(const physics::BeamFrame& frame, const HeadModel& head, double pixel_mm) {
    FluenceMap map;
    map.frame = frame;
    map.pixel_mm = pixel_mm;
    const int half = static_cast<int>(std::ceil(head.maximum_field_radius_mm / pixel_mm));
    map.size_u = map.size_v = 2 * half;
    map.lower_u_mm = map.lower_v_mm = -half * pixel_mm;
    map.values.assign(static_cast<std::size_t>(map.size_u) * static_cast<std::size_t>(map.size_v), 0.0f);
    return map;
}

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

/// The same rays through the same wedges: such steps share a map.
bool same_geometry(const ControlPoint& a, const ControlPoint& b) {
    return a.wedge_in == b.wedge_in && angle_step(a.gantry_deg, b.gantry_deg) == 0 && angle_step(a.collimator_deg, b.collimator_deg) == 0 &&
           angle_step(a.couch_deg, b.couch_deg) == 0 && a.isocentre_mm == b.isocentre_mm;
}

std::vector<Group> groups_of(const Beam& beam, double sub_arc_deg) {
    std::vector<Group> groups;
    for (std::size_t i = 0; i + 1 < beam.control_points.size(); ++i) {
        const ControlPoint &a = beam.control_points[i], &b = beam.control_points[i + 1];
        const double mu = beam.segment_mu(static_cast<int>(i));
        if (mu == 0) continue;
        const double travel = gantry_step(beam, i);
        const double turn =
            std::max({std::abs(travel), std::abs(angle_step(a.collimator_deg, b.collimator_deg)), std::abs(angle_step(a.couch_deg, b.couch_deg))});
        const int parts = std::max(1, static_cast<int>(std::ceil(turn / sub_arc_deg - sub_arc_tolerance)));
        for (int p = 0; p < parts; ++p) {
            const double begin = static_cast<double>(p) / parts, end = static_cast<double>(p + 1) / parts;
            const Step step{i, begin, end, mu / parts, travel};
            const ControlPoint middle = between(a, b, travel, 0.5 * (begin + end));
            const auto found = std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return same_geometry(g.geometry, middle); });
            if (found != groups.end())
                found->steps.push_back(step);
            else
                groups.push_back({middle, {step}});
        }
    }
    return groups;
}

}  // namespace

std::vector<FluenceMap> beam_fluence(const Beam& planned, PatientPosition position, const HeadModel& head, const FluenceOptions& options) {
    const Beam beam = with_moving_jaw(planned, head);
    const std::vector<Group> groups = groups_of(beam, options.sub_arc_deg);
    // Maps of one state of the wedges share one filter, and what the head does to them.
    struct Behind {
        std::shared_ptr<const BeamFilter> filter;
        OpenPlane open;
    };
    std::map<std::vector<bool>, Behind> behind;
    for (const Group& group : groups) {
        const std::vector<bool>& wedges = group.geometry.wedge_in;
        if (behind.contains(wedges)) continue;
        const auto filter = beam_filter(beam, wedges, head);
        behind[wedges] = {filter, open_plane(empty_map({}, head, options.pixel_mm), beam, head, filter.get(), options.terma)};
    }
    std::vector<FluenceMap> maps(groups.size());
    std::exception_ptr failure;
    std::atomic<bool> failed{false};
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t g = 0; g < groups.size(); ++g) {
        if (failed) continue;
        try {
            const Group& group = groups[g];
            FluenceMap map = empty_map(physics::beam_frame(position, group.geometry.gantry_deg, group.geometry.collimator_deg, group.geometry.couch_deg,
                                                           group.geometry.isocentre_mm, beam.source_axis_distance_mm),
                                       head, options.pixel_mm);
            const Behind& wedges = behind.at(group.geometry.wedge_in);
            map.filter = wedges.filter;
            const std::vector<float> blocks = block_plane(map, beam);
            for (const Step& step : group.steps) {
                const ControlPoint &a = beam.control_points[step.segment], &b = beam.control_points[step.segment + 1];
                const double travel = largest_travel_mm(a, b) * (step.end - step.begin);
                const int samples = std::max(1, static_cast<int>(std::ceil(travel / options.travel_mm - 1e-9)));
                for (int n = 0; n < samples; ++n) {
                    const double part = blend(step.begin, step.end, (n + 0.5) / samples);
                    const ControlPoint now = between(a, b, step.gantry_travel_deg, part);
                    add_aperture(map, beam, now, head, options.leaves, blocks, step.mu / samples * output_factor(beam, now, head));
                }
            }
            finish(map, beam, head, wedges.open, options.leaves, group.geometry.collimator_deg);
            maps[g] = std::move(map);
        } catch (...) {
#pragma omp critical(libdose_fluence_failure)
            failure = std::current_exception(), failed = true;
        }
#pragma omp critical(libdose_fluence_failure)
        try {
            if (options.after_map && !failed) options.after_map();
        } catch (...) {
            failure = std::current_exception(), failed = true;
        }
    }
    if (failure) std::rethrow_exception(failure);
    return maps;
}

FluenceIntegral::FluenceIntegral(const FluenceMap& map)
    : size_u_(map.size_u),
      size_v_(map.size_v),
      pixel_mm_(map.pixel_mm),
      lower_u_mm_(map.lower_u_mm),
      lower_v_mm_(map.lower_v_mm),
      integral_(static_cast<std::size_t>(map.size_u + 1) * static_cast<std::size_t>(map.size_v + 1), 0.0) {
    int u0 = size_u_, u1 = -1, v0 = size_v_, v1 = -1;
    const auto width = static_cast<std::size_t>(size_u_ + 1);
    for (int v = 0; v < size_v_; ++v) {
        double row = 0;
        for (int u = 0; u < size_u_; ++u) {
            const float value = map.at(u, v);
            row += static_cast<double>(value);
            const std::size_t here = static_cast<std::size_t>(v + 1) * width + static_cast<std::size_t>(u + 1);
            integral_[here] = integral_[here - width] + row;
            if (value != 0.0f) u0 = std::min(u0, u), u1 = std::max(u1, u), v0 = std::min(v0, v), v1 = std::max(v1, v);
        }
    }
    if (u1 >= 0)
        support_ = {lower_u_mm_ + u0 * pixel_mm_, lower_u_mm_ + (u1 + 1) * pixel_mm_, lower_v_mm_ + v0 * pixel_mm_, lower_v_mm_ + (v1 + 1) * pixel_mm_};
}

}  // namespace libdose::cpu
