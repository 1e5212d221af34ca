// The documented CSV layout: docs/data/measurements.md.
#include <algorithm>
#include <cmath>
#include <regex>

#include "io/measurement_text.h"
#include "libdose/error.h"
#include "model/text.h"

namespace libdose::io {

namespace {

struct Table {
    std::vector<std::string> names;         ///< of the columns
    std::vector<std::vector<double>> rows;  ///< NaN where a cell is empty
    std::vector<int> line;                  ///< of each row
};

Table table_of(const std::vector<std::string>& lines, const std::string& file) {
    Table table;
    for (std::size_t n = 0; n < lines.size(); ++n) {
        const std::string line = trimmed(lines[n]);
        if (line.empty() || line[0] == '#') continue;
        std::vector<std::string> cells = split(line, ',');
        const std::string where = file + ", line " + std::to_string(n + 1);
        if (table.names.empty()) {
            for (const std::string& cell : cells) table.names.push_back(lower_case(trimmed(cell)));
            for (std::size_t a = 0; a < table.names.size(); ++a)
                for (std::size_t b = 0; b < a; ++b)
                    if (table.names[a] == table.names[b]) throw bad_input("the column \"" + table.names[a] + "\" is there twice", where);
            if (table.names.size() < 2) throw bad_input("the header has fewer than two columns", where, "Columns are separated by commas");
            continue;
        }
        if (cells.size() != table.names.size())
            throw bad_input("the line has " + std::to_string(cells.size()) + " values, the header " + std::to_string(table.names.size()), where,
                            "The file may be truncated");
        std::vector<double> row;
        for (const std::string& cell : cells) row.push_back(trimmed(cell).empty() ? std::nan("") : number_of(cell, where));
        if (std::isnan(row[0])) throw bad_input("the first cell is empty", where);
        table.rows.push_back(std::move(row));
        table.line.push_back(static_cast<int>(n) + 1);
    }
    if (table.names.empty()) throw bad_input("there is no header line", file);
    if (table.rows.empty()) throw bad_input("there is no line of values", file);
    return table;
}

CurveKind kind_of(const std::string& stem, const std::map<std::string, std::string>& keys, const std::string& file) {
    if (const auto at = keys.find("kind"); at != keys.end()) {
        try {
            return curve_kind_from_string(at->second);
        } catch (const Error& error) {
            throw bad_input(error.problem(), file, error.advice());
        }
    }
    const std::pair<const char*, CurveKind> words[] = {{"in_air", CurveKind::output_factor_in_air},
                                                       {"head_scatter", CurveKind::output_factor_in_air},
                                                       {"output", CurveKind::output_factor},
                                                       {"tissue_phantom", CurveKind::tissue_phantom_ratio},
                                                       {"tissue_maximum", CurveKind::tissue_phantom_ratio},
                                                       {"tpr", CurveKind::tissue_phantom_ratio},
                                                       {"tmr", CurveKind::tissue_phantom_ratio},
                                                       {"depth_dose", CurveKind::depth_dose},
                                                       {"pdd", CurveKind::depth_dose},
                                                       {"profile", CurveKind::profile},
                                                       {"primary_fluence", CurveKind::primary_fluence},
                                                       {"fluence", CurveKind::primary_fluence}};
    for (const auto& [word, kind] : words)
        if (stem.find(word) != std::string::npos) return kind;
    throw bad_input("neither the file's name nor a comment says what was measured", file, "Add a line such as \"# kind: depth_dose\"");
}

/// Length unit at the end of a column's name; else what the user says.
double column_scale(const std::string& name, const MeasurementQuestions& asked, const std::string& file) {
    const auto ends = [&](const char* unit) { return name.size() > 3 && name.compare(name.size() - 3, 3, unit) == 0; };
    const std::optional<std::string> stated = ends("_mm") ? std::optional<std::string>("mm") : ends("_cm") ? std::optional<std::string>("cm") : std::nullopt;
    if (stated && asked.unit && *stated != *asked.unit) throw bad_input("the column \"" + name + "\" is in " + *stated + ", --unit says " + *asked.unit, file);
    const auto unit = stated ? stated : asked.unit;
    if (!unit) throw bad_input("the unit of the column \"" + name + "\" is not stated", file, "End its name in _mm or _cm, or give --unit");
    return in_mm(1, *unit, file);
}

/// Sides (mm) or a depth (mm) in the name of a column: side_100_mm, side_40x100_mm, depth_10_cm.
std::optional<std::pair<double, double>> lengths_in(const std::string& name) {
    static const std::regex pattern("^(?:[a-z]+_)*([0-9]+(?:\\.[0-9]+)?)(?:x([0-9]+(?:\\.[0-9]+)?))?_(mm|cm)$");
    std::smatch match;
    if (!std::regex_match(name, match, pattern)) return std::nullopt;
    const double a = in_mm(std::stod(match[1]), match[3], name);
    return std::pair{a, match[2].matched ? in_mm(std::stod(match[2]), match[3], name) : a};
}

ProfileAxis axis_of(const std::string& stem, const std::map<std::string, std::string>& keys, const std::string& file) {
    const auto at = keys.find("axis");
    const std::string text = at != keys.end() ? lower_case(at->second) : stem;
    std::optional<ProfileAxis> axis;
    for (const auto& [word, value] :
         {std::pair{"crossline", ProfileAxis::crossline}, std::pair{"inline", ProfileAxis::inline_axis}, std::pair{"diagonal", ProfileAxis::diagonal}})
        if (text.find(word) != std::string::npos) {
            if (axis) throw bad_input("the axis of the profile is ambiguous", file);
            axis = value;
        }
    if (!axis) throw bad_input("the axis of the profile is not stated", file, "Add a line \"# axis: crossline\" (along x), inline (along y) or diagonal");
    return *axis;
}

}  // namespace

void read_measurement_csv(const std::filesystem::path& path, SetBuilder& builder, const std::map<std::string, std::string>& given) {
    const std::string file = path.string();
    const std::vector<std::string> lines = lines_of(path);
    std::vector<std::string> comments;
    for (const std::string& line : lines)
        if (const std::string text = trimmed(line); !text.empty() && text[0] == '#') comments.push_back(text.substr(1));
    for (const auto& [key, value] : given) comments.push_back(key + ": " + value);
    const Statements stated = statements_of(comments, file);
    static const std::vector<std::string> known{"kind",         "ssd",     "sad",      "depth",         "field", "axis",  "energy",
                                                "fluence_mode", "machine", "detector", "normalisation", "note",  "source"};
    for (const auto& [key, value] : stated.keys)
        if (std::find(known.begin(), known.end(), key) == known.end())
            throw bad_input("the comment states \"" + key + "\", which means nothing here", file, "Write free remarks as \"# note: ...\", or without a colon");
    std::string stem = lower_case(path.stem().string());
    std::replace(stem.begin(), stem.end(), '-', '_'), std::replace(stem.begin(), stem.end(), ' ', '_');
    const Table table = table_of(lines, file);

    builder.energy(stated.energy_mv, file);
    builder.fluence_mode(stated.fluence_mode, file);
    if (const auto at = stated.keys.find("machine"); at != stated.keys.end()) builder.machine(at->second, file);
    builder.title(stated.title);
    const MeasurementQuestions& asked = builder.asked();

    MeasuredCurve base;
    base.kind = kind_of(stem, stated.keys, file);
    if (const auto at = stated.keys.find("detector"); at != stated.keys.end()) base.detector = at->second;
    base.sad_mm = builder.settle(stated.sad_mm, asked.sad_mm, "the SAD", "--sad-mm", file, base.kind == CurveKind::tissue_phantom_ratio).value_or(1000);
    const bool output = base.kind == CurveKind::output_factor || base.kind == CurveKind::output_factor_in_air;
    const bool in_water = base.kind != CurveKind::output_factor_in_air && base.kind != CurveKind::primary_fluence;
    if (in_water && base.kind != CurveKind::tissue_phantom_ratio) base.ssd_mm = *builder.settle(stated.ssd_mm, asked.ssd_mm, "the SSD", "--ssd-mm", file, true);
    const std::string& first = table.names.front();

    if (output) {
        if (base.kind == CurveKind::output_factor) base.depth_mm = *builder.settle(stated.depth_mm, asked.depth_mm, "the depth", "--depth-mm", file, true);
        const bool two = table.names.size() == 3;
        if (table.names.size() > 3)
            throw bad_input("an output factor has one or two sides and a value", file, "Columns: side_mm (or side_x_mm, side_y_mm), output_factor");
        if (two && (first.rfind("side_x", 0) != 0 || table.names[1].rfind("side_y", 0) != 0))
            throw bad_input("the columns \"" + first + "\" and \"" + table.names[1] + "\" are not side_x_mm and side_y_mm", file);
        const double scale_x = column_scale(first, asked, file), scale_y = two ? column_scale(table.names[1], asked, file) : scale_x;
        for (const auto& row : table.rows) {
            if (std::isnan(row.back())) continue;
            base.position_mm.push_back(row[0] * scale_x), base.side_y_of_mm.push_back(two ? row[1] * scale_y : row[0] * scale_x),
                base.value.push_back(row.back());
        }
        if (!stated.reference_side_mm)
            throw bad_input("the file does not state the field whose output factor is 1", file, "Add a comment such as \"# 100 x 100 mm = 1\"");
        base.normalised = true, base.normalisation_mm = *stated.reference_side_mm;
        base.source = file;
        builder.add(base);
        return;
    }
    if (base.kind == CurveKind::primary_fluence && table.names.size() != 2)
        throw bad_input("primary fluence has a radius and one value", file, "Columns: radius_mm, relative_fluence");

    const double scale = column_scale(first, asked, file);
    for (std::size_t c = 1; c < table.names.size(); ++c) {
        MeasuredCurve curve = base;
        curve.source = file + ", column " + table.names[c];
        const auto lengths = lengths_in(table.names[c]);
        if (base.kind == CurveKind::profile) {
            curve.axis = axis_of(stem, stated.keys, file);
            const auto depth = lengths ? std::optional<double>(lengths->first)
                                       : builder.settle(stated.depth_mm, asked.depth_mm, "the depth", "--depth-mm", curve.source, true);
            curve.depth_mm = *depth;
        }
        if (base.kind == CurveKind::profile || ((base.kind == CurveKind::depth_dose || base.kind == CurveKind::tissue_phantom_ratio) && !lengths)) {
            const auto in_name = lengths_in(stem.substr(0, stem.find_last_not_of('_') + 1));
            if (!stated.side_x_mm)
                throw bad_input("the field is not stated", curve.source,
                                "Add a line such as \"# field: 100 x 100 mm\"" + std::string(in_name ? "; a file's name does not count" : ""));
            curve.side_x_mm = *stated.side_x_mm, curve.side_y_mm = *stated.side_y_mm;
        } else if (lengths && base.kind != CurveKind::primary_fluence) {
            curve.side_x_mm = lengths->first, curve.side_y_mm = lengths->second;
        }
        for (std::size_t r = 0; r < table.rows.size(); ++r) {
            if (std::isnan(table.rows[r][c])) continue;
            curve.position_mm.push_back(table.rows[r][0] * scale), curve.value.push_back(table.rows[r][c]);
        }
        if (curve.position_mm.empty()) throw bad_input("the column has no value", curve.source);
        if (base.kind == CurveKind::tissue_phantom_ratio) {
            if (stated.one_at_maximum) {
                curve.normalisation_mm =
                    curve.position_mm[static_cast<std::size_t>(std::max_element(curve.value.begin(), curve.value.end()) - curve.value.begin())];
            } else {
                const auto depth = builder.settle(stated.depth_mm, asked.depth_mm, "the depth at which the ratio is 1", "--depth-mm", curve.source, true);
                curve.normalisation_mm = *depth;
            }
            curve.depth_mm = curve.normalisation_mm, curve.normalised = true;
        }
        if (base.kind == CurveKind::primary_fluence) curve.normalised = true, curve.normalisation_mm = 0;
        builder.add(std::move(curve));
    }
}

}  // namespace libdose::io
