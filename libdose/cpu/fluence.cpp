#include "cpu/fluence.h"

#include <algorithm>
#include <cmath>
#include <exception>

#include "libdose/error.h"
#include "physics/head.h"

namespace libdose::cpu {

namespace {

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

constexpr double open_mm = 1e6;
constexpr int overlap_samples = 8;  // of a pixel, where tongue and groove overlap

/// Adds weight × transmission of the aperture. Devices that move along u share one exact product with the x jaw, devices that
/// move along v with the y jaw; the two families cross at right angles, so their product is exact per strip.
void add_aperture(FluenceMap& map, const Beam& beam, const ControlPoint& point, const HeadModel& head, const std::vector<LeafEdges>& edges, double weight) {
    const JawOpening jaw_x = point.jaw_x.value_or(JawOpening{-open_mm, open_mm});
    const JawOpening jaw_y = point.jaw_y.value_or(JawOpening{-open_mm, open_mm});
    const int nu = map.size_u, nv = map.size_v;
    // Factors of the whole plane from each multileaf collimator; a beam has one or two.
    std::vector<float> plane(map.values.size(), 1.0f);
    bool x_jaw_used = false, y_jaw_used = false;
    for (std::size_t m = 0; m < beam.collimators.size(); ++m) {
        const MultileafCollimator& mlc = beam.collimators[m];
        const LeafPositions& leaves = point.leaves[m];
        const bool along_x = mlc.motion == MultileafCollimator::Motion::along_x;
        // The jaw that moves with the leaves enters the exact product once, with the first such collimator.
        const bool with_jaw = along_x ? !x_jaw_used : !y_jaw_used;
        (along_x ? x_jaw_used : y_jaw_used) = true;
        const JawOpening jaw = with_jaw ? (along_x ? jaw_x : jaw_y) : JawOpening{-open_mm, open_mm};
        const int travel_size = along_x ? nu : nv, stack_size = along_x ? nv : nu;
        const double travel_lower = along_x ? map.lower_u_mm : map.lower_v_mm;
        const double stack_lower = along_x ? map.lower_v_mm : map.lower_u_mm;
        const int pairs = mlc.leaf_pairs();
        const LeafEdges edge = edges.empty() ? LeafEdges{} : edges[m];
        std::vector<std::vector<float>> strips(static_cast<std::size_t>(pairs) + 1);
        for (int l = 0; l <= pairs; ++l) {
            auto& strip = strips[static_cast<std::size_t>(l)];
            strip.resize(static_cast<std::size_t>(travel_size));
            // The last strip is where no leaf is: only the jaw.
            const bool leaf = l < pairs;
            const double low = leaf ? leaves.lower_mm[static_cast<std::size_t>(l)] : -open_mm;
            const double high = leaf ? leaves.upper_mm[static_cast<std::size_t>(l)] : open_mm;
            for (int i = 0; i < travel_size; ++i) {
                const double a = travel_lower + i * map.pixel_mm;
                strip[static_cast<std::size_t>(i)] = static_cast<float>(physics::jaw_leaf_transmission(
                    a, a + map.pixel_mm, jaw.lower_mm, jaw.upper_mm, head.jaw_transmission, low, high, head.leaf_transmission, edge.tip_decay));
            }
        }
        // Between two pairs, where tongue and groove overlap.
        std::vector<std::vector<float>> overlaps(edge.tongue_and_groove_mm > 0 ? static_cast<std::size_t>(pairs) - 1 : 0);
        for (std::size_t l = 0; l < overlaps.size(); ++l) {
            overlaps[l].resize(static_cast<std::size_t>(travel_size));
            const auto through = [&](std::size_t leaf, double at) {
                return head.leaf_transmission +
                       (1 - head.leaf_transmission) * physics::open_at(at, leaves.lower_mm[leaf], leaves.upper_mm[leaf], edge.tip_decay);
            };
            for (std::size_t i = 0; i < overlaps[l].size(); ++i) {
                if (std::abs(strips[l][i] - strips[l + 1][i]) < 1e-4f) {  // both open or both closed: no edge in this pixel
                    overlaps[l][i] = strips[l][i];
                    continue;
                }
                const double a = travel_lower + static_cast<double>(i) * map.pixel_mm;
                double sum = 0;
                for (int s = 0; s < overlap_samples; ++s) {
                    const double at = a + (s + 0.5) / overlap_samples * map.pixel_mm;
                    const double behind_jaw = at > jaw.lower_mm && at < jaw.upper_mm ? 1 : head.jaw_transmission;
                    sum += behind_jaw * physics::tongue_and_groove(through(l, at), through(l + 1, at));
                }
                overlaps[l][i] = static_cast<float>(sum / overlap_samples);
            }
        }
        for (int s = 0; s < stack_size; ++s) {
            const double a = stack_lower + s * map.pixel_mm, b = a + map.pixel_mm;
            std::vector<float> row(static_cast<std::size_t>(travel_size), 0.0f);
            double covered = 0;
            const auto add = [&](const std::vector<float>& strip, double share) {
                covered += share;
                for (std::size_t i = 0; i < row.size(); ++i) row[i] += static_cast<float>(share) * strip[i];
            };
            const double half = overlaps.empty() ? 0 : 0.5 * edge.tongue_and_groove_mm;
            for (int l = 0; l < pairs; ++l) {
                const double lower = mlc.leaf_boundaries_mm[static_cast<std::size_t>(l)] + (l > 0 ? half : 0);
                const double middle = mlc.leaf_boundaries_mm[static_cast<std::size_t>(l) + 1], upper = middle - (l + 1 < pairs ? half : 0);
                if (const double share = physics::overlap(a, b, lower, upper) / map.pixel_mm; share > 0) add(strips[static_cast<std::size_t>(l)], share);
                if (half > 0 && l + 1 < pairs)
                    if (const double share = physics::overlap(a, b, middle - half, middle + half) / map.pixel_mm; share > 0)
                        add(overlaps[static_cast<std::size_t>(l)], share);
            }
            if (covered < 1 - 1e-12) add(strips.back(), 1 - covered);
            for (int i = 0; i < travel_size; ++i) {
                const int u = along_x ? i : s, v = along_x ? s : i;
                plane[static_cast<std::size_t>(v) * static_cast<std::size_t>(nu) + static_cast<std::size_t>(u)] *= row[static_cast<std::size_t>(i)];
            }
        }
    }
    const auto jaw_factor = [&](double low, const JawOpening& jaw, bool used) {
        if (used) return 1.0;
        const double open = physics::overlap(low, low + map.pixel_mm, jaw.lower_mm, jaw.upper_mm) / map.pixel_mm;
        return open + (1 - open) * head.jaw_transmission;
    };
    for (int v = 0; v < nv; ++v) {
        const double row = weight * jaw_factor(map.lower_v_mm + v * map.pixel_mm, jaw_y, y_jaw_used);
        for (int u = 0; u < nu; ++u)
            map.at(u, v) += static_cast<float>(row * jaw_factor(map.lower_u_mm + u * map.pixel_mm, jaw_x, x_jaw_used)) *
                            plane[static_cast<std::size_t>(v) * static_cast<std::size_t>(nu) + static_cast<std::size_t>(u)];
    }
}

void blur_line(std::vector<double>& line, const std::vector<double>& kernel) {
    const int n = static_cast<int>(line.size()), reach = static_cast<int>(kernel.size()) / 2;
    std::vector<double> out(line.size(), 0.0);
    for (int i = 0; i < n; ++i)
        for (int k = -reach; k <= reach; ++k)
            if (i + k >= 0 && i + k < n)
                out[static_cast<std::size_t>(i)] += kernel[static_cast<std::size_t>(k + reach)] * line[static_cast<std::size_t>(i + k)];
    line.swap(out);
}

/// Pixel-integrated Gaussian; empty when it is too narrow to matter.
std::vector<double> gaussian(double sigma_px) {
    if (sigma_px < 0.05) return {};
    const int reach = static_cast<int>(std::ceil(4 * sigma_px + 0.5));
    std::vector<double> kernel;
    double sum = 0;
    for (int i = -reach; i <= reach; ++i) {
        const double value = std::erf((i + 0.5) / (sigma_px * std::sqrt(2.0))) - std::erf((i - 0.5) / (sigma_px * std::sqrt(2.0)));
        kernel.push_back(value);
        sum += value;
    }
    for (double& value : kernel) value /= sum;
    return kernel;
}

/// Focal spot, open-field profile and primary collimator. The spot is given in the gantry frame; the map is in the frame of
/// the collimator, turned by `collimator_deg`: variances along its axes are used, the cross term of an uneven spot is not.
void finish(FluenceMap& map, const HeadModel& head, double collimator_deg) {
    const double c = std::cos(physics::radians(collimator_deg)), s = std::sin(physics::radians(collimator_deg));
    const double sad = map.frame.source_axis_distance_mm;
    const double sx = physics::projected_spot_sigma_mm(head.spot_fwhm_x_mm, head.source_collimator_distance_mm, sad);
    const double sy = physics::projected_spot_sigma_mm(head.spot_fwhm_y_mm, head.source_collimator_distance_mm, sad);
    const auto along_u = gaussian(std::hypot(sx * c, sy * s) / map.pixel_mm);
    const auto along_v = gaussian(std::hypot(sx * s, sy * c) / map.pixel_mm);
    if (!along_u.empty()) {
        std::vector<double> line(static_cast<std::size_t>(map.size_u));
        for (int v = 0; v < map.size_v; ++v) {
            for (int u = 0; u < map.size_u; ++u) line[static_cast<std::size_t>(u)] = static_cast<double>(map.at(u, v));
            blur_line(line, along_u);
            for (int u = 0; u < map.size_u; ++u) map.at(u, v) = static_cast<float>(line[static_cast<std::size_t>(u)]);
        }
    }
    if (!along_v.empty()) {
        std::vector<double> line(static_cast<std::size_t>(map.size_v));
        for (int u = 0; u < map.size_u; ++u) {
            for (int v = 0; v < map.size_v; ++v) line[static_cast<std::size_t>(v)] = static_cast<double>(map.at(u, v));
            blur_line(line, along_v);
            for (int v = 0; v < map.size_v; ++v) map.at(u, v) = static_cast<float>(line[static_cast<std::size_t>(v)]);
        }
    }
    for (int v = 0; v < map.size_v; ++v)
        for (int u = 0; u < map.size_u; ++u) {
            const double radius = std::hypot(map.lower_u_mm + (u + 0.5) * map.pixel_mm, map.lower_v_mm + (v + 0.5) * map.pixel_mm);
            // The rim of the primary collimator is one pixel soft, so that its area is right.
            const double open = std::clamp((head.maximum_field_radius_mm - radius) / map.pixel_mm + 0.5, 0.0, 1.0);
            map.at(u, v) *= static_cast<float>(open * physics::table_value(head.profile_radius_mm, head.profile, radius));
        }
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

bool same_geometry(const ControlPoint& a, const ControlPoint& b) {
    return angle_step(a.gantry_deg, b.gantry_deg) == 0 && angle_step(a.collimator_deg, b.collimator_deg) == 0 && angle_step(a.couch_deg, b.couch_deg) == 0 &&
           a.isocentre_mm == b.isocentre_mm;
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
        const int parts = std::max(1, static_cast<int>(std::ceil(turn / sub_arc_deg - 1e-9)));
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

std::vector<FluenceMap> beam_fluence(const Beam& beam, PatientPosition position, const HeadModel& head, const FluenceOptions& options) {
    const std::vector<Group> groups = groups_of(beam, options.sub_arc_deg);
    std::vector<FluenceMap> maps(groups.size());
    std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t g = 0; g < groups.size(); ++g) {
        try {
            const Group& group = groups[g];
            FluenceMap map = empty_map(physics::beam_frame(position, group.geometry.gantry_deg, group.geometry.collimator_deg, group.geometry.couch_deg,
                                                           group.geometry.isocentre_mm, beam.source_axis_distance_mm),
                                       head, options.pixel_mm);
            for (const Step& step : group.steps) {
                const ControlPoint &a = beam.control_points[step.segment], &b = beam.control_points[step.segment + 1];
                const double travel = largest_travel_mm(a, b) * (step.end - step.begin);
                const int samples = std::max(1, static_cast<int>(std::ceil(travel / options.travel_mm - 1e-9)));
                for (int n = 0; n < samples; ++n) {
                    const double part = blend(step.begin, step.end, (n + 0.5) / samples);
                    add_aperture(map, beam, between(a, b, step.gantry_travel_deg, part), head, options.leaves, step.mu / samples);
                }
            }
            finish(map, head, group.geometry.collimator_deg);
            maps[g] = std::move(map);
        } catch (...) {
#pragma omp critical(libdose_fluence_failure)
            failure = std::current_exception();
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

double FluenceIntegral::integral_to(double x, double y) const {
    x = std::clamp(x, 0.0, static_cast<double>(size_u_));
    y = std::clamp(y, 0.0, static_cast<double>(size_v_));
    const int i = std::min(static_cast<int>(x), size_u_ - 1), j = std::min(static_cast<int>(y), size_v_ - 1);
    const double fx = x - i, fy = y - j;
    const double* p = &integral_[static_cast<std::size_t>(j) * static_cast<std::size_t>(size_u_ + 1) + static_cast<std::size_t>(i)];
    const double* q = p + size_u_ + 1;
    return (1 - fy) * ((1 - fx) * p[0] + fx * p[1]) + fy * ((1 - fx) * q[0] + fx * q[1]);
}

double FluenceIntegral::average(double u_mm, double v_mm, double width_u_mm, double width_v_mm) const {
    const double x = (u_mm - lower_u_mm_) / pixel_mm_, y = (v_mm - lower_v_mm_) / pixel_mm_;
    const double wx = 0.5 * width_u_mm / pixel_mm_, wy = 0.5 * width_v_mm / pixel_mm_;
    const double sum = integral_to(x + wx, y + wy) - integral_to(x - wx, y + wy) - integral_to(x + wx, y - wy) + integral_to(x - wx, y - wy);
    return sum / (4 * wx * wy);
}

}  // namespace libdose::cpu
