// Beams of a report: apertures to draw, points, complexity.
#include <fmt/core.h>

#include <cmath>

#include "check/report_parts.h"

namespace libdose::check {

using nlohmann::json;

namespace {

json optional_json(const std::optional<double>& value, int decimals) {
    return value ? number_json(*value, decimals) : json(nullptr);
}

json jaw_json(const std::optional<JawOpening>& jaw) {
    if (!jaw) return nullptr;
    return json::array({number_json(jaw->lower_mm, 1), number_json(jaw->upper_mm, 1)});
}

json positions_json(const std::vector<double>& positions_mm) {
    json list = json::array();
    for (const double position : positions_mm) list.push_back(number_json(position, 1));
    return list;
}

/// What is open at a control point, with the MU that are given until the next one.
json aperture_json(const Beam& beam, std::size_t index) {
    const ControlPoint& point = beam.control_points[index];
    json aperture = {{"mu", number_json(beam.segment_mu(static_cast<int>(index)), 3)},
                     {"gantry_deg", number_json(point.gantry_deg, 1)},
                     {"collimator_deg", number_json(point.collimator_deg, 1)},
                     {"couch_deg", number_json(point.couch_deg, 1)},
                     {"jaw_x", jaw_json(point.jaw_x)},
                     {"jaw_y", jaw_json(point.jaw_y)}};
    aperture["leaves"] = json::array();
    for (std::size_t c = 0; c < beam.collimators.size() && c < point.leaves.size(); ++c) {
        const MultileafCollimator& mlc = beam.collimators[c];
        aperture["leaves"].push_back(
            {{"motion", mlc.motion == MultileafCollimator::Motion::along_x ? "x" : "y"},
             {"boundaries_mm", positions_json(mlc.leaf_boundaries_mm)},
             {"lower_mm", positions_json(point.leaves[c].lower_mm)},
             {"upper_mm", positions_json(point.leaves[c].upper_mm)}});
    }
    return aperture;
}

/// "90", or "181 to 179 clockwise".
std::string gantry_text(const Beam& beam) {
    const double first = beam.control_points.front().gantry_deg, last = beam.control_points.back().gantry_deg;
    for (const Rotation rotation : beam.gantry_rotation)
        if (rotation != Rotation::none)
            return fmt::format("{:g} to {:g} {}", first, last,
                               rotation == Rotation::clockwise ? "clockwise" : "counter-clockwise");
    return fmt::format("{:g}", first);
}

json complexity_of(const CheckResult& result, int beam_number) {
    for (const Complexity& c : result.complexity)
        if (c.beam_number == beam_number)
            return {{"mu", number_json(c.mu, 2)},
                    {"mu_per_gy", optional_json(c.mu_per_gy, 1)},
                    {"mcs", optional_json(c.modulation_complexity_score, 3)},
                    {"leaf_travel_mm", optional_json(c.leaf_travel_mm, 1)},
                    {"sas_5mm", optional_json(c.small_aperture_score_5mm, 3)},
                    {"sas_10mm", optional_json(c.small_aperture_score_10mm, 3)},
                    {"edge_metric_per_mm", optional_json(c.edge_metric_per_mm, 4)},
                    {"mean_aperture_area_cm2", optional_json(c.mean_aperture_area_cm2, 1)}};
    return nullptr;
}

json points_of(const CheckResult& result, int beam_number) {
    json points = json::array();
    for (const ComparedPoint& p : result.points)
        if (p.beam_number == beam_number)
            points.push_back({{"name", p.name},
                              {"position_mm",
                               {number_json(p.position_mm[0], 2), number_json(p.position_mm[1], 2),
                                number_json(p.position_mm[2], 2)}},
                              {"planned_gy", optional_json(p.planned_gy, 4)},
                              {"calculated_gy", number_json(p.calculated_gy, 4)}});
    return points;
}

}  // namespace

json beams_json(const CheckInput& input, const CheckResult& result) {
    json beams = json::array();
    if (!input.plan) return beams;
    for (const Beam& beam : input.plan->beams) {
        const ControlPoint& first = beam.control_points.front();
        json entry = {{"number", beam.number},
                      {"name", beam.name},
                      {"machine", beam.machine},
                      {"energy_mv", beam.nominal_energy_mv},
                      {"fluence_mode", beam.fluence_mode},
                      {"mu", number_json(beam.meterset_mu, 3)},
                      {"model", result.models.contains(beam.number) ? result.models.at(beam.number) : ""},
                      {"gantry", gantry_text(beam)},
                      {"collimator", fmt::format("{:g}", first.collimator_deg)},
                      {"couch", fmt::format("{:g}", first.couch_deg)},
                      {"complexity", complexity_of(result, beam.number)},
                      {"points", points_of(result, beam.number)}};
        entry["apertures"] = json::array();
        for (std::size_t i = 0; i + 1 < beam.control_points.size(); ++i)
            if (beam.segment_mu(static_cast<int>(i)) > 0 || beam.control_points.size() == 2)
                entry["apertures"].push_back(aperture_json(beam, i));
        beams.push_back(entry);
    }
    return beams;
}

}  // namespace libdose::check
