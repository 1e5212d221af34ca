#include "phantom_plans.h"

#include <algorithm>
#include <cmath>

#include "phantom_anatomy.h"

namespace phantom {

namespace {

constexpr double margin_mm = 6;
constexpr double parked_gap_mm = 0.5;  // leaf pairs outside the field stay this far open, under the jaw

/// Half opening of every leaf pair for a circular target with margin, 0 where the pair does not cross it.
std::vector<double> half_widths(const std::vector<double>& edges) {
    const double radius = target_radius() + margin_mm;
    std::vector<double> widths;
    for (std::size_t l = 0; l + 1 < edges.size(); ++l) {
        const double nearest =
            edges[l] <= 0 && edges[l + 1] >= 0 ? 0 : std::min(std::abs(edges[l]), std::abs(edges[l + 1]));
        widths.push_back(nearest < radius ? std::sqrt(radius * radius - nearest * nearest) : 0);
    }
    return widths;
}

/// Leaves for an opening from `begin` to `end` of the target's width (both -1 … 1).
std::vector<std::vector<double>> leaves(double begin, double end,
                                        const std::vector<Collimator>& collimators = PlanBeam::millennium(),
                                        double parked_mm = parked_gap_mm) {
    std::vector<std::vector<double>> all;
    for (const Collimator& collimator : collimators) {
        std::vector<double> lower, upper;
        for (const double half : half_widths(collimator.boundaries_mm)) {
            const bool open = half > 0;
            lower.push_back(open ? begin * half : -0.5 * parked_mm);
            upper.push_back(open ? end * half : 0.5 * parked_mm);
        }
        lower.insert(lower.end(), upper.begin(), upper.end());
        all.push_back(lower);
    }
    return all;
}

/// Boundaries of leaves of one width, mm.
std::vector<double> even_boundaries(double first, double width, int pairs) {
    std::vector<double> edges;
    for (int l = 0; l <= pairs; ++l) edges.push_back(first + width * l);
    return edges;
}

std::vector<double> jaws() {
    const double half = std::ceil(target_radius() + margin_mm);
    return {-half, half};
}

PlanDescription four_field() {
    PlanDescription plan{"four-field", "Four static fields", 30, {}};
    const struct {
        const char* name;
        double gantry, collimator, mu;
    } fields[] = {{"AP", 0, 0, 62}, {"LPO", 135, 15, 66}, {"L LAT", 80, 0, 54}, {"RAO", 330, 345, 58}};
    for (const auto& field : fields) {
        Point first{field.gantry, field.collimator, 0, jaws(), jaws(), leaves(-1, 1)};
        Point last{field.gantry, field.collimator, 1, {}, {}, {}};
        plan.beams.push_back({field.name, field.mu, false, false, {first, last}});
    }
    return plan;
}

/// A window sweeps over the target; its width changes from beam to beam. One beam's final weight is not 1.
PlanDescription sliding_window() {
    PlanDescription plan{"sliding-window", "Three sliding-window fields", 30, {}};
    const struct {
        const char* name;
        double gantry, mu, window, final_weight;
    } fields[] = {{"SW 0", 0, 220, 0.9, 1}, {"SW 110", 110, 245, 0.7, 1}, {"SW 320", 320, 210, 1.1, 50}};
    constexpr int steps = 20;
    for (const auto& field : fields) {
        PlanBeam beam{field.name, field.mu, true, false, {}};
        for (int s = 0; s <= steps; ++s) {
            const double part = static_cast<double>(s) / steps;
            const double lead = std::clamp(-1 + part * (2 + field.window), -1.0, 1.0),
                         trail = std::clamp(-1 + part * (2 + field.window) - field.window, -1.0, 1.0);
            // A little slower in the middle than at the ends.
            const double weight = part - 0.02 * std::sin(2 * 3.14159265358979 * part);
            Point point{field.gantry, 0, weight * field.final_weight, {}, {}, leaves(trail, lead)};
            if (s == 0) point.x_jaws = point.y_jaws = jaws();
            beam.points.push_back(point);
        }
        plan.beams.push_back(beam);
    }
    return plan;
}

/// One arc with leaves that breathe; `first` holds the jaws of its first control point.
PlanBeam arc(const std::string& name, double mu, int points, const std::vector<Collimator>& collimators,
             double parked_mm, const Point& first) {
    PlanBeam beam{name, mu, true, true, {}, collimators};
    double weight = 0;
    for (int p = 0; p < points; ++p) {
        const double part = static_cast<double>(p) / (points - 1);
        const double phase = 2 * 3.14159265358979 * part;
        if (p > 0) weight += 1 + 0.4 * std::sin(3 * phase);
        const double begin = -1 + 0.35 * (1 + std::sin(5 * phase)) / 2,
                     end = 1 - 0.35 * (1 + std::cos(4 * phase)) / 2;
        Point point{std::fmod(181 + 358 * part, 360.0),        first.collimator_deg, weight, {}, {},
                    leaves(begin, end, collimators, parked_mm)};
        if (p == 0) {
            point.x_jaws = first.x_jaws;
            point.y_jaws = first.y_jaws;
        }
        beam.points.push_back(point);
    }
    for (Point& point : beam.points) point.weight /= weight;
    return beam;
}

PlanDescription vmat() {
    return {"vmat",
            "One arc",
            30,
            {arc("ARC CW", 290, 178, PlanBeam::millennium(), parked_gap_mm, {0, 30, 0, jaws(), jaws(), {}})}};
}

/// Two layers of leaves, shifted by half a leaf; what the plan calls jaws are the fixed edges of the largest
/// field.
PlanDescription halcyon() {
    const std::vector<Collimator> layers = {{"MLCX1", even_boundaries(-140, 10, 28)},
                                            {"MLCX2", even_boundaries(-145, 10, 29)}};
    const std::vector<double> fixed = {-140, 140};
    PlanBeam beam = arc("ARC CW", 310, 60, layers, 0, {0, 30, 0, fixed, fixed, {}});
    beam.x_jaws = "X";
    beam.y_jaws = "Y";
    beam.flattening_filter = false;
    return {"halcyon", "One arc of two layers of leaves", 30, {beam}};
}

/// A square field of 10 cm with the leaves out of the way.
PlanBeam open_field(const std::string& name, double mu, double gantry_deg, double collimator_deg) {
    constexpr double half = 50, leaf = 60;
    std::vector<double> positions(60, -leaf);
    positions.insert(positions.end(), 60, leaf);
    Point first{gantry_deg, collimator_deg, 0, {-half, half}, {-half, half}, {positions}};
    Point last{gantry_deg, collimator_deg, 1, {}, {}, {}};
    return {name, mu, false, false, {first, last}};
}

/// A pair at right angles, its thick ends towards each other: with the collimator at 90 degrees the
/// collimator's y axis lies in the axial plane. And a dynamic wedge, made by a moving Y jaw.
PlanDescription wedge() {
    PlanDescription plan{"wedge",
                         "Physical and dynamic wedges",
                         30,
                         {open_field("AP W30", 90, 0, 90), open_field("L LAT W30", 80, 90, 90),
                          open_field("AP EDW", 60, 0, 0)}};
    plan.beams[0].wedges = {{"STANDARD", "W30", 30, 0}};
    plan.beams[1].wedges = {{"STANDARD", "W30", 30, 180}};
    plan.beams[2].wedges = {{"DYNAMIC", "EDW30IN", 30, 0}};
    return plan;
}

PlanDescription bolus() {
    PlanDescription plan{"bolus",
                         "A field with bolus, one without",
                         30,
                         {open_field("AP BOLUS", 80, 0, 0), open_field("L LAT", 70, 90, 0)}};
    plan.beams[0].bolus = true;
    return plan;
}

}  // namespace

std::vector<Collimator> PlanBeam::millennium() {
    std::vector<double> edges;
    for (int l = 0; l <= 10; ++l) edges.push_back(-200 + 10 * l);
    for (int l = 1; l <= 40; ++l) edges.push_back(-100 + 5 * l);
    for (int l = 1; l <= 10; ++l) edges.push_back(100 + 10 * l);
    return {{"MLCX", edges}};
}

std::vector<PlanDescription> plans() {
    return {four_field(), sliding_window(), vmat(), wedge(), bolus(), halcyon()};
}

}  // namespace phantom
