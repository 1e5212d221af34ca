#include "cli/commission_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "cli/common.h"

namespace libdose::cli {

namespace {

const char* const cone = "collapsed-cone";

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text)
        out += c == '<'   ? "&lt;"
               : c == '>' ? "&gt;"
               : c == '&' ? "&amp;"
               : c == '"' ? "&quot;"
                          : std::string(1, c);
    return out;
}

/// The pencil beam's comparison of the same curve.
const CurveComparison* pencil_of(const CommissionResult& result, const CurveComparison& c) {
    for (const CurveComparison& other : result.curves)
        if (other.engine != cone && other.name == c.name) return &other;
    return nullptr;
}

const char* axis_label(CurveKind kind) {
    switch (kind) {
        case CurveKind::depth_dose:
        case CurveKind::tissue_phantom_ratio:
            return "depth, mm";
        case CurveKind::profile:
            return "off the axis, mm";
        case CurveKind::primary_fluence:
            return "radius at the isocentre plane, mm";
        case CurveKind::leaf_gap:
            return "gap of the leaves, mm";
        default:
            return "side of the field, mm";
    }
}

/// A round step that cuts a span into about `count` parts.
double round_step(double span, int count) {
    const double raw = span / count, power = std::pow(10.0, std::floor(std::log10(raw)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (raw <= factor * power) return factor * power;
    return 10 * power;
}

/// Measured points, the model's line, and their difference under it.
std::string chart(const CurveComparison& c) {
    constexpr double left = 46, width = 430, top = 8, height = 190, gap = 24, lower = 80, right = 22,
                     bottom = 34;
    const double x0 = c.position_mm.front(), x1 = std::max(c.position_mm.back(), x0 + 1e-9);
    const std::vector<double>& line =
        c.before_residual_table.empty() ? c.calculated : c.before_residual_table;
    double y1 = 0;
    for (std::size_t i = 0; i < c.measured.size(); ++i) y1 = std::max({y1, c.measured[i], line[i]});
    y1 *= 1.05;
    double largest = 2;
    std::vector<double> difference;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const double part = c.calculated[i] != 0 ? line[i] / c.calculated[i] : 1;
        difference.push_back(c.before_residual_table.empty()
                                 ? c.difference_percent[i]
                                 : 100 * (part * c.calculated[i] / c.measured[i] - 1));
        if (c.counts[i]) largest = std::max(largest, std::abs(difference.back()));
    }
    largest = std::ceil(largest);
    const auto px = [&](double x) { return left + (x - x0) / (x1 - x0) * width; };
    const auto py = [&](double y) { return top + (1 - y / y1) * height; };
    const auto pd = [&](double d) {
        return top + height + gap + (0.5 - 0.5 * std::clamp(d / largest, -1.0, 1.0)) * lower;
    };
    std::string svg = fmt::format("<svg viewBox='0 0 {:.0f} {:.0f}' width='{:.0f}'>", left + width + right,
                                  top + height + gap + lower + bottom, left + width + right);
    const auto text = [&](double x, double y, const std::string& words, const char* anchor) {
        svg += fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='{}'>{}</text>", x, y, anchor, words);
    };
    for (double y = 0; y <= y1; y += round_step(y1, 4)) {
        svg += fmt::format("<path class='g' d='M{:.1f} {:.1f}h{:.0f}'/>", left, py(y), width);
        text(left - 5, py(y) + 4, fmt::format("{:g}", y), "end");
    }
    for (double x = std::ceil(x0 / round_step(x1 - x0, 6)) * round_step(x1 - x0, 6); x <= x1;
         x += round_step(x1 - x0, 6)) {
        svg += fmt::format("<path class='g' d='M{0:.1f} {1:.1f}v{2:.0f}M{0:.1f} {3:.1f}v{4:.0f}'/>", px(x),
                           top, height, top + height + gap, lower);
        text(px(x), top + height + gap + lower + 14, fmt::format("{:g}", x), "middle");
    }
    for (const double d : {-largest, 0.0, largest}) {
        svg += fmt::format("<path class='g' d='M{:.1f} {:.1f}h{:.0f}'/>", left, pd(d), width);
        text(left - 5, pd(d) + 4, d == 0 ? std::string("0 %") : fmt::format("{:+g} %", d), "end");
    }
    text(left + 0.5 * width, top + height + gap + lower + 29, axis_label(c.kind), "middle");
    const auto path = [&](const std::vector<double>& values, auto&& to, const char* kind) {
        svg += fmt::format("<path class='{}' d='", kind);
        for (std::size_t i = 0; i < values.size(); ++i)
            svg += fmt::format("{}{:.1f} {:.1f}", i ? "L" : "M", px(c.position_mm[i]), to(values[i]));
        svg += "'/>";
    };
    const std::size_t every = std::max<std::size_t>(1, c.measured.size() / 75);
    for (std::size_t i = 0; i < c.measured.size(); i += every)
        svg +=
            fmt::format("<circle cx='{:.1f}' cy='{:.1f}' r='2.2'/>", px(c.position_mm[i]), py(c.measured[i]));
    path(line, py, "m");
    path(difference, pd, "d");
    return svg + "</svg>";
}

std::string verdict(bool passed) { return passed ? "<td class='p'>pass</td>" : "<td class='f'>fail</td>"; }

nlohmann::json parameter_json(const FittedParameter& p) {
    return {{"name", p.name},           {"unit", p.unit},   {"value", finite(p.value)},
            {"sigma", finite(p.sigma)}, {"prior", p.prior}, {"prior_sigma", p.prior_sigma},
            {"lower", p.lower},         {"upper", p.upper}, {"at_bound", p.at_bound()}};
}

nlohmann::json criterion_json(const CommissionCriterion& c) {
    return {{"standard", c.standard},   {"test", c.test}, {"curve", c.curve},  {"value", finite(c.value)},
            {"tolerance", c.tolerance}, {"unit", c.unit}, {"passed", c.passed}};
}

/// Rows of the correlation matrix.
nlohmann::json correlation_rows(const CommissionResult& result) {
    nlohmann::json rows = nlohmann::json::array();
    const auto count = static_cast<std::ptrdiff_t>(result.parameters.size());
    for (std::ptrdiff_t a = 0; a < count; ++a) {
        const auto begin = result.correlation.begin() + a * count;
        rows.push_back(std::vector<double>(begin, begin + count));
    }
    return rows;
}

nlohmann::json residual_table(const HeadModel& head) {
    nlohmann::json rows = nlohmann::json::array();
    for (std::size_t i = 0; i < head.output_side_mm.size(); ++i)
        rows.push_back(
            {{"side_mm", head.output_side_mm[i]}, {"correction", finite(head.output_correction[i])}});
    return rows;
}

/// Differences of one engine on a curve, and its doses.
nlohmann::json figures_of(const CurveComparison& c) {
    nlohmann::json entry = {{"max_abs_percent", finite(c.max_abs_percent)},
                            {"rms_percent", finite(c.rms_percent)},
                            {"calculated", c.calculated}};
    if (!c.before_residual_table.empty()) {
        entry["before_residual_table"] = finite(c.before_max_abs_percent);
        entry["before_residual_table_rms_percent"] = finite(c.before_rms_percent);
        entry["calculated_before_residual_table"] = c.before_residual_table;
    }
    return entry;
}

/// A curve with the collapsed cone's differences, and the pencil beam's.
nlohmann::json curve_entry(const CommissionResult& result, const CurveComparison& c) {
    nlohmann::json entry = figures_of(c);
    entry.update({{"kind", to_string(c.kind)},
                  {"name", c.name},
                  {"engine", c.engine},
                  {"judged", c.judged},
                  {"position_mm", c.position_mm},
                  {"measured", c.measured},
                  {"difference_percent", c.difference_percent}});
    if (c.held_out_rms_percent >= 0) entry["held_out_rms_percent"] = finite(c.held_out_rms_percent);
    if (const CurveComparison* pencil = pencil_of(result, c)) entry["pencil_beam"] = figures_of(*pencil);
    return entry;
}

const char* const style =
    "\nbody{font:15px/1.45 system-ui,sans-serif;max-width:1040px;margin:2em auto;padding:0 1em;color:#1a1a1a}"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}h3{font-size:1em;margin:0}\n"
    "table{border-collapse:collapse;margin:.6em 0}"
    "td,th{padding:.2em .7em;text-align:left;border-bottom:1px solid #ddd;font-variant-numeric:tabular-nums}"
    ".n{text-align:right}\n"
    ".p{color:#176d2c}.f{color:#b00020;font-weight:600}.grid{display:flex;flex-wrap:wrap;gap:1.4em}"
    "figure{margin:0;width:490px}figcaption{font-size:.9em}\n"
    "svg{max-width:100%}svg text{font-size:11px;fill:#444}.g{stroke:#e2e2e2;fill:none}"
    ".m{stroke:#0b62a3;fill:none;stroke-width:1.4}.d{stroke:#b3541e;fill:none;stroke-width:1.1}"
    "circle{fill:none;stroke:#222;stroke-width:.8}\n";

/// The word of a model's lineage; empty where it has none.
std::string lineage_of(const BeamModel& model, const char* key) {
    return model.lineage.contains(key) ? model.lineage.at(key) : "";
}

std::string html_head(const BeamModel& model, const MeasurementSet& set) {
    const std::string name = escaped(model.name);
    std::string html = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Beam model " +
                       name + "</title><style>" + style + "</style></head><body><h1>Beam model " + name +
                       "</h1>\n";
    html += fmt::format(
        "<p>{:g} MV, fluence mode {}{}. Content hash <code>{}</code>. Made by libdose {} from {} (SHA-256 "
        "<code>{}</code>). libdose is not a medical device; a qualified physicist decides whether this model "
        "may be used.</p>",
        model.nominal_energy_mv, escaped(model.fluence_mode),
        model.machine.empty() ? std::string(", of no named machine")
                              : ", machine \"" + escaped(model.machine) + "\"",
        model.content_hash, lineage_of(model, "engine_version"), escaped(lineage_of(model, "files")),
        set.data_hash);
    if (!set.title.empty()) html += "<p>Measurements: " + escaped(set.title) + "</p>";
    html += "<table>";
    for (const char* key : {"centre", "by", "on"})
        if (model.lineage.contains(key))
            html += fmt::format("<tr><th>{}</th><td>{}</td></tr>", key, escaped(model.lineage.at(key)));
    return html + "<tr><th>reviewed and signed</th><td style='width:24em;height:2.2em'></td></tr></table>";
}

std::string html_notes(const CommissionResult& result, const MeasurementSet& set) {
    if (result.notes.empty() && set.notes.empty()) return "";
    std::string html = "<h2>What was assumed</h2><ul>";
    for (const auto* list : {&result.notes, &set.notes})
        for (const std::string& note : *list) html += "<li>" + escaped(note) + "</li>";
    return html + "</ul>";
}

std::string html_findings(const CommissionResult& result) {
    std::string html = "<h2>Findings of the linter</h2><table>";
    for (const Finding& f : result.findings)
        html += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td></tr>", severity_name(f.severity),
                            escaped(f.curve), escaped(f.text));
    return html + (result.findings.empty() ? "<tr><td>none</td></tr></table>" : "</table>");
}

/// The criteria, those that failed first.
std::string html_criteria(const CommissionResult& result) {
    const auto failed = std::count_if(result.criteria.begin(), result.criteria.end(),
                                      [](const auto& c) { return !c.passed; });
    std::string html = fmt::format(
        "<h2>Criteria: {} passed, {} failed</h2><table><tr><th>standard</th><th>test</th><th>curve</th><th "
        "class='n'>measured</th><th "
        "class='n'>tolerance</th><th></th></tr>",
        result.criteria.size() - static_cast<std::size_t>(failed), failed);
    for (const bool passed : {false, true})
        for (const CommissionCriterion& c : result.criteria)
            if (c.passed == passed)
                html += fmt::format(
                    "<tr><td>{}</td><td>{}</td><td>{}</td><td class='n'>{:.2f} {}</td><td class='n'>{:g} "
                    "{}</td>{}</tr>",
                    c.standard, c.test, escaped(c.curve), c.value, c.unit, c.tolerance, c.unit,
                    verdict(c.passed));
    return html + "</table>";
}

std::string html_parameters(const CommissionResult& result) {
    std::string html = fmt::format(
        "<h2>Fitted parameters</h2><p>Joint fit {}; reduced chi-square {:.2f}. One standard "
        "deviation, widened by its "
        "root.</p><table><tr><th>parameter</th><th class='n'>value</th><th class='n'>±</th><th>unit</th>"
        "<th class='n'>before the data</th><th class='n'>±</th><th></th></tr>",
        result.converged ? "converged" : "ended at its limit of evaluations", result.reduced_chi_square);
    for (const FittedParameter& p : result.parameters)
        html += fmt::format(
            "<tr><td>{}</td><td class='n'>{:.4g}</td><td class='n'>{:.2g}</td><td>{}</td><td "
            "class='n'>{:.4g}</td><td class='n'>{:.2g}</td><td>{}</td></tr>",
            p.name, p.value, p.sigma, p.unit, p.prior, p.prior_sigma, p.at_bound() ? "at its bound" : "");
    return html + "</table>";
}

std::string html_correlations(const CommissionResult& result) {
    std::string html = "<p>Correlations</p><table><tr><th></th>";
    const std::size_t count = result.parameters.size();
    for (std::size_t a = 0; a < count; ++a) html += fmt::format("<th class='n'>{}</th>", a + 1);
    html += "</tr>";
    for (std::size_t a = 0; a < count; ++a) {
        html += fmt::format("<tr><td>{} {}</td>", a + 1, result.parameters[a].name);
        for (std::size_t b = 0; b < count; ++b)
            html += fmt::format("<td class='n'>{:+.2f}</td>", result.correlation[a * count + b]);
        html += "</tr>";
    }
    return html + "</table>";
}

std::string html_residual_table(const HeadModel& head) {
    if (head.output_side_mm.empty()) return "";
    std::string html =
        "<h2>Residual table of output factors</h2><table><tr><th class='n'>side, mm</th><th "
        "class='n'>measured / calculated</th></tr>";
    for (std::size_t i = 0; i < head.output_side_mm.size(); ++i)
        html += fmt::format("<tr><td class='n'>{:g}</td><td class='n'>{:.4f}</td></tr>",
                            head.output_side_mm[i], head.output_correction[i]);
    return html + "</table>";
}

/// Largest difference and RMS of a comparison, percent.
struct Figures {
    double largest = 0, rms = 0;
};

Figures before_table(const CurveComparison& c) { return {c.before_max_abs_percent, c.before_rms_percent}; }
Figures after_table(const CurveComparison& c) { return {c.max_abs_percent, c.rms_percent}; }

std::string html_curve_row(const CommissionResult& result, const CurveComparison& c) {
    const CurveComparison* pencil = pencil_of(result, c);
    const bool before = !c.before_residual_table.empty();
    const auto figures = before ? before_table : after_table;
    const Figures cone_figures = figures(c), pencil_figures = pencil ? figures(*pencil) : Figures{};
    return fmt::format(
        "<tr><td>{}{}</td><td class='n'>{:.2f}</td><td class='n'>{:.2f}</td><td class='n'>{}</td><td "
        "class='n'>{:.2f}</td><td "
        "class='n'>{:.2f}</td><td>{}</td></tr>",
        escaped(c.name), before ? ", before the residual table" : "", cone_figures.largest, cone_figures.rms,
        c.held_out_rms_percent >= 0 ? fmt::format("{:.2f}", c.held_out_rms_percent) : "",
        pencil_figures.largest, pencil_figures.rms, c.judged);
}

std::string html_curves(const CommissionResult& result) {
    std::string html =
        "<h2>Every curve against the model</h2><p>Circles: measured. Line: collapsed cone (output factors: "
        "before the residual table). Below: calculated less "
        "measured.</p>"
        "<table><tr><th>curve</th><th class='n'>largest, %</th><th class='n'>RMS, %</th><th class='n'>RMS "
        "left out, %</th><th class='n'>pencil beam: largest, "
        "%</th><th class='n'>RMS, %</th><th>judged</th></tr>";
    for (const CurveComparison& c : result.curves)
        if (c.engine == cone) html += html_curve_row(result, c);
    html += "</table><div class='grid'>";
    for (const CurveComparison& c : result.curves)
        if (c.engine == cone && c.position_mm.size() > 1)
            html +=
                "<figure><figcaption><h3>" + escaped(c.name) + "</h3></figcaption>" + chart(c) + "</figure>";
    return html + "</div>";
}

std::string html_sources(const BeamModel& model) {
    std::string html = "<h2>Where the numbers come from</h2><table>";
    for (const auto& [quantity, source] : model.sources)
        html += fmt::format("<tr><th>{}</th><td>{}</td></tr>", escaped(quantity), escaped(source));
    return html + "</table>";
}

}  // namespace

const char* severity_name(Finding::Severity severity) {
    return severity == Finding::Severity::error     ? "error"
           : severity == Finding::Severity::warning ? "warning"
                                                    : "note";
}

nlohmann::json as_json(const std::vector<Finding>& findings) {
    nlohmann::json json = nlohmann::json::array();
    for (const Finding& f : findings)
        json.push_back({{"severity", severity_name(f.severity)}, {"curve", f.curve}, {"text", f.text}});
    return json;
}

nlohmann::json commission_json(const CommissionResult& result, const MeasurementSet& set) {
    const BeamModel& model = result.model;
    nlohmann::json json = {{"model", model.name},
                           {"hash", model.content_hash},
                           {"nominal_energy_mv", model.nominal_energy_mv},
                           {"fluence_mode", model.fluence_mode},
                           {"machine", model.machine},
                           {"lineage", model.lineage},
                           {"sources", model.sources},
                           {"converged", result.converged},
                           {"reduced_chi_square", finite(result.reduced_chi_square)},
                           {"notes", result.notes},
                           {"passed_over", set.notes},
                           {"findings", as_json(result.findings)},
                           {"correlation", correlation_rows(result)},
                           {"residual_table", residual_table(model.head)}};
    for (const char* list : {"parameters", "curves", "criteria"}) json[list] = nlohmann::json::array();
    for (const FittedParameter& p : result.parameters) json["parameters"].push_back(parameter_json(p));
    for (const CurveComparison& c : result.curves)
        if (c.engine == cone) json["curves"].push_back(curve_entry(result, c));
    for (const CommissionCriterion& c : result.criteria) json["criteria"].push_back(criterion_json(c));
    for (const auto& [stage, seconds] : result.seconds) json["seconds"][stage] = finite(seconds);
    return json;
}

std::string commission_html(const CommissionResult& result, const MeasurementSet& set) {
    return html_head(result.model, set) + html_notes(result, set) + html_findings(result) +
           html_criteria(result) + html_parameters(result) + html_correlations(result) +
           html_residual_table(result.model.head) + html_curves(result) + html_sources(result.model) +
           "</body></html>\n";
}

}  // namespace libdose::cli
