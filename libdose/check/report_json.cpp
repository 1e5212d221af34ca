// A check as JSON (docs/reference/check-json.md).
#include <fmt/core.h>

#include <chrono>
#include <cmath>
#include <ctime>

#include "check/report_parts.h"
#include "libdose/check/report.h"

namespace libdose::check {

using nlohmann::json;

namespace {

constexpr int curve_points = 300;  // of a histogram; a screen shows no more

json complexity_json(const Complexity& c) {
    const auto value = [](const std::optional<double>& v) { return v ? number_json(*v, 4) : json(nullptr); };
    return {{"beam", c.beam_number},
            {"mu", number_json(c.mu, 2)},
            {"mu_per_gy", value(c.mu_per_gy)},
            {"mcs", value(c.modulation_complexity_score)},
            {"leaf_travel_mm", value(c.leaf_travel_mm)},
            {"sas_5mm", value(c.small_aperture_score_5mm)},
            {"sas_10mm", value(c.small_aperture_score_10mm)},
            {"edge_metric_per_mm", value(c.edge_metric_per_mm)},
            {"mean_aperture_area_cm2", value(c.mean_aperture_area_cm2)}};
}

std::string criterion_text(const GammaCriterion& c) {
    return fmt::format("{:g} % / {:g} mm, {}, above {:g} %", c.dose_percent, c.distance_mm,
                       c.local ? "local" : "global", c.threshold_percent);
}

json gammas_json(const std::vector<ComparedGamma>& gammas) {
    json list = json::array();
    for (const ComparedGamma& g : gammas)
        list.push_back({{"criterion", criterion_text(g.criterion)},
                        {"region", g.region},
                        {"passed", g.passed},
                        {"failed", g.failed},
                        {"not_evaluated", g.not_evaluated},
                        {"pass_rate_percent", number_json(g.pass_rate_percent, 2)}});
    return list;
}

json attribution_json(const Attribution& attribution) {
    json causes = json::array();
    for (const Cause& c : attribution.causes)
        causes.push_back({{"kind", c.kind},
                          {"name", c.name},
                          {"size", number_json(c.size, 3)},
                          {"unit", c.unit},
                          {"explained", number_json(c.explained, 3)}});
    return {{"verdict", attribution.verdict},
            {"sentence", attribution.sentence},
            {"difference_percent", number_json(attribution.difference_percent, 3)},
            {"causes", causes},
            {"not_tried", attribution.not_tried}};
}

json method_json(const CheckResult& result, const CheckOptions& options) {
    json method = {{"algorithm", to_string(options.engine.algorithm)},
                   {"quality", to_string(options.engine.quality)},
                   {"seconds", result.seconds}};
    if (!result.calculation) return method;
    const Provenance& p = result.calculation->plan.provenance;
    method["backend"] = p.backend;
    method["settings"] = p.settings;
    method["model_hashes"] = p.model_hashes;
    method["hu_curve"] = {{"name", p.hu_curve_name}, {"hash", p.hu_curve_hash}};
    method["notes"] = result.calculation->notes;
    const Grid& grid = result.calculation->plan.gy.grid;
    method["grid"] = {{"size", grid.size},
                      {"spacing_mm", {grid.spacing_mm[0], grid.spacing_mm[1], grid.spacing_mm[2]}}};
    return method;
}

/// Now, UTC, ISO 8601.
std::string time_text() {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm utc{};
    gmtime_r(&now, &utc);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return text;
}

}  // namespace

json number_json(double value, int decimals) {
    if (!std::isfinite(value)) return nullptr;
    const double scale = std::pow(10.0, decimals);
    return std::round(value * scale) / scale;
}

json rows_json(const std::vector<Row>& rows) {
    json list = json::array();
    for (const Row& row : rows)
        list.push_back({{"section", row.section},
                        {"id", row.id},
                        {"name", row.name},
                        {"subject", row.subject},
                        {"verdict", to_string(row.verdict)},
                        {"reason", row.reason},
                        {"planned", row.planned},
                        {"calculated", row.calculated},
                        {"limit", row.limit},
                        {"source", row.source},
                        {"value", row.value ? number_json(*row.value, 3) : json(nullptr)},
                        {"unit", row.unit}});
    return list;
}

json histograms_json(const std::vector<ComparedHistogram>& histograms) {
    json list = json::array();
    for (const ComparedHistogram& h : histograms) {
        const double highest = std::max(h.planned.maximum_gy, h.calculated.maximum_gy);
        json dose = json::array(), planned = json::array(), calculated = json::array();
        for (int i = 0; i <= curve_points; ++i) {
            const double gy = highest * 1.02 * i / curve_points;
            dose.push_back(number_json(gy, 3));
            if (h.planned.volume_cm3 > 0)
                planned.push_back(number_json(h.planned.volume_percent_at_dose(gy), 2));
            calculated.push_back(number_json(h.calculated.volume_percent_at_dose(gy), 2));
        }
        list.push_back({{"structure", h.structure},
                        {"type", h.type},
                        {"target", h.target},
                        {"volume_cm3", number_json(h.calculated.volume_cm3, 2)},
                        {"dose_gy", dose},
                        {"planned_percent", planned},
                        {"calculated_percent", calculated}});
    }
    return list;
}

json outlines_json(const CheckInput& input) {
    json list = json::array();
    if (!input.structures) return list;
    for (const Structure& structure : input.structures->structures) {
        json contours = json::array();
        for (const Contour& contour : structure.contours) {
            if (contour.points_mm.size() < 3) continue;
            json points = json::array();
            for (const Vec3& p : contour.points_mm) {
                points.push_back(number_json(p[0], 1));
                points.push_back(number_json(p[1], 1));
            }
            contours.push_back({{"z_mm", number_json(contour.points_mm.front()[2], 2)}, {"points", points}});
        }
        if (!contours.empty())
            list.push_back({{"name", structure.name}, {"type", structure.type}, {"contours", contours}});
    }
    return list;
}

json check_json(const CheckInput& input, const CheckResult& result, const CheckOptions& options) {
    json check = {{"format", "libdose-check 1"},
                  {"libdose", LIBDOSE_VERSION},
                  {"created", time_text()},
                  {"verdict", to_string(result.verdict)},
                  {"patient", patient_json(input)},
                  {"plan", plan_json(input)},
                  {"objects", objects_json(input)},
                  {"protocol",
                   {{"name", options.protocol.name},
                    {"version", options.protocol.version},
                    {"site", options.protocol.site},
                    {"hash", options.protocol.hash}}},
                  {"rows", rows_json(result.rows)},
                  {"beams", beams_json(input, result)},
                  {"histograms", histograms_json(result.histograms)},
                  {"gammas", gammas_json(result.gammas)},
                  {"attribution", attribution_json(result.attribution)},
                  {"known_offsets", result.known_offsets},
                  {"speed_notes", result.speed_notes},
                  {"assumptions", result.assumptions},
                  {"method", method_json(result, options)}};
    check["complexity"] = json::array();
    for (const Complexity& c : result.complexity) check["complexity"].push_back(complexity_json(c));
    return check;
}

std::string report_json(const CheckInput& input, const CheckResult& result, const CheckOptions& options) {
    return check_json(input, result, options).dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace libdose::check
