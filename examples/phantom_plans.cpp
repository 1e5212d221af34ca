#include "phantom_plans.h"

#include <algorithm>
#include <cmath>

#include "phantom_anatomy.h"

namespace phantom {

namespace {

constexpr double margin_mm = 6;
constexpr double parked_gap_mm = 0.5;  // leaf pairs outside the field stay this far open, under the jaw

/// Half opening of every leaf pair for a circular target with margin, 0 where the pair does not cross it.
std::vector<double> half_widths() {
    const std::vector<double> edges = leaf_boundaries();
    const double radius = target_radius() + margin_mm;
    std::vector<double> widths;
    for (std::size_t l = 0; l + 1 < edges.size(); ++l) {
        const double nearest = edges[l] <= 0 && edges[l + 1] >= 0 ? 0 : std::min(std::abs(edges[l]), std::abs(edges[l + 1]));
        widths.push_back(nearest < radius ? std::sqrt(radius * radius - nearest * nearest) : 0);
    }
    return widths;
}

/// Leaves for an opening from `begin` to `end` of the target's width (both -1 … 1).
std::vector<double> leaves(double begin, double end) {
    std::vector<double> lower, upper;
    for (const double half : half_widths()) {
        const bool open = half > 0;
        lower.push_back(open ? begin * half : -0.5 * parked_gap_mm);
        upper.push_back(open ? end * half : 0.5 * parked_gap_mm);
    }
    lower.insert(lower.end(), upper.begin(), upper.end());
    return lower;
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

PlanDescription vmat() {
    PlanDescription plan{"vmat", "One arc", 30, {}};
    constexpr int points = 178;
    PlanBeam beam{"ARC CW", 290, true, true, {}};
    double weight = 0;
    for (int p = 0; p < points; ++p) {
        const double part = static_cast<double>(p) / (points - 1);
        const double phase = 2 * 3.14159265358979 * part;
        if (p > 0) weight += 1 + 0.4 * std::sin(3 * phase);
        const double begin = -1 + 0.35 * (1 + std::sin(5 * phase)) / 2, end = 1 - 0.35 * (1 + std::cos(4 * phase)) / 2;
        Point point{std::fmod(181 + 358 * part, 360.0), 30, weight, {}, {}, leaves(begin, end)};
        if (p == 0) point.x_jaws = point.y_jaws = jaws();
        beam.points.push_back(point);
    }
    for (Point& point : beam.points) point.weight /= weight;
    plan.beams.push_back(beam);
    return plan;
}

}  // namespace

std::vector<double> leaf_boundaries() {
    std::vector<double> edges;
    for (int l = 0; l <= 10; ++l) edges.push_back(-200 + 10 * l);
    for (int l = 1; l <= 40; ++l) edges.push_back(-100 + 5 * l);
    for (int l = 1; l <= 10; ++l) edges.push_back(100 + 10 * l);
    return edges;
}

std::vector<PlanDescription> plans() { return {four_field(), sliding_window(), vmat()}; }

}  // namespace phantom
