// Leaf speeds that an arc asks for at the full speed of the gantry. docs/theory/complexity.md.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "libdose/check/complexity.h"

namespace libdose::check {

namespace {

/// Largest speeds of a machine.
struct SpeedLimits {
    const char* machine;
    double leaf_mm_s, gantry_deg_s;
};

/// Of machines whose limits have been read; docs/theory/complexity.md has where.
std::optional<SpeedLimits> limits_of(const Beam& beam) {
    const std::string maker = lower_case(beam.manufacturer),
                      model = lower_case(beam.machine_model + beam.machine);
    if (maker.find("varian") == std::string::npos) return {};
    if (model.find("halcyon") != std::string::npos || model.find("ethos") != std::string::npos)
        return SpeedLimits{"Halcyon", 50, 24};
    return SpeedLimits{"Varian C-arm", 23, 4.8};
}

/// Gantry angle between two control points, degrees; 0 where it stands.
double turn_deg(const Beam& beam, std::size_t i) {
    if (i >= beam.gantry_rotation.size() || beam.gantry_rotation[i] == Rotation::none) return 0;
    const double sign = beam.gantry_rotation[i] == Rotation::clockwise ? 1 : -1;
    const double turn = sign * (beam.control_points[i + 1].gantry_deg - beam.control_points[i].gantry_deg);
    return turn < 0 ? turn + 360 : turn;
}

double largest_travel_mm(const ControlPoint& a, const ControlPoint& b) {
    double travel = 0;
    for (std::size_t m = 0; m < a.leaves.size(); ++m)
        for (std::size_t leaf = 0; leaf < a.leaves[m].lower_mm.size(); ++leaf)
            travel = std::max({travel, std::abs(a.leaves[m].lower_mm[leaf] - b.leaves[m].lower_mm[leaf]),
                               std::abs(a.leaves[m].upper_mm[leaf] - b.leaves[m].upper_mm[leaf])});
    return travel;
}

std::string note(const Beam& beam, const SpeedLimits& limits) {
    double worst_mm_deg = 0;
    std::size_t worst = 0, beyond = 0, turning = 0;
    for (std::size_t i = 0; i + 1 < beam.control_points.size(); ++i) {
        const double turn = turn_deg(beam, i);
        if (!(turn > 0)) continue;
        ++turning;
        const double mm_deg = largest_travel_mm(beam.control_points[i], beam.control_points[i + 1]) / turn;
        if (mm_deg * limits.gantry_deg_s > limits.leaf_mm_s) ++beyond;
        if (mm_deg > worst_mm_deg) {
            worst_mm_deg = mm_deg;
            worst = i;
        }
    }
    if (beyond == 0) return {};
    return fmt::format(
        "{}: at the full gantry speed of {:.1f}°/s leaves would have to move at up to {:.0f} mm/s, beyond "
        "the "
        "{:.0f} mm/s of a {} machine, in {} of {} segments, most between control points {} and {}; the "
        "gantry "
        "has to slow down to {:.1f}°/s there",
        beam.place(), limits.gantry_deg_s, worst_mm_deg * limits.gantry_deg_s, limits.leaf_mm_s,
        limits.machine, beyond, turning, worst + 1, worst + 2, limits.leaf_mm_s / worst_mm_deg);
}

}  // namespace

std::vector<std::string> speed_notes(const Plan& plan) {
    std::vector<std::string> notes;
    for (const Beam& beam : plan.beams) {
        bool turns = false;
        for (std::size_t i = 0; i + 1 < beam.control_points.size(); ++i) turns |= turn_deg(beam, i) > 0;
        if (!turns || beam.collimators.empty()) continue;
        const std::optional<SpeedLimits> limits = limits_of(beam);
        std::string text = limits ? note(beam, *limits)
                                  : beam.place() +
                                        ": the speeds of leaves and gantry were not looked at; the "
                                        "limits of this machine are not known here";
        if (!text.empty()) notes.push_back(std::move(text));
    }
    return notes;
}

}  // namespace libdose::check
