// The documented CSV layout: docs/reference/measurements.md.
#include <algorithm>
#include <cmath>
#include <regex>

#include "base/text.h"
#include "io/measurements/measurement_text.h"
#include "libdose/error.h"

namespace libdose::io {

namespace {

struct Table {
    std::vector<std::string> names;         ///< names of the columns, as column_name writes them
    std::vector<std::vector<double>> rows;  ///< NaN where a cell is empty
};

/// "Depth (mm)" and "side 10 x 10 cm2" as depth_mm and side_10x10_cm.
std::string column_name(const std::string& cell) {
    std::string name;
    for (const char c : lower_case(trimmed(cell)))
        if (c == ' ' || c == '(' || c == ')' || c == '[' || c == ']' || c == '-' || c == '/')
            name += name.empty() || name.back() == '_' ? "" : "_";
        else if (c != '"')
            name += c;
    name = std::regex_replace(name, std::regex("_?(?:\xC3\x97|x|\\*)_?(?=[0-9])"), "x");
    name = std::regex_replace(name, std::regex("(mm|cm)(?:2|\xC2\xB2|\\^2)$"), "$1");
    while (!name.empty() && name.back() == '_') name.pop_back();
    return name;
}

Table table_of(const std::vector<std::string>& lines, const std::string& file) {
    Table table;
    char separator = ',';
    for (std::size_t n = 0; n < lines.size(); ++n) {
        const std::string line = trimmed(lines[n]);
        if (line.empty() || line[0] == '#') continue;
        const std::string where = file + ", line " + std::to_string(n + 1);
        if (table.names.empty()) {
            separator = line.find(';') != std::string::npos   ? ';'
                        : line.find(',') != std::string::npos ? ','
                                                              : '\t';
            for (const std::string& cell : split(line, separator)) table.names.push_back(column_name(cell));
            for (std::size_t a = 0; a < table.names.size(); ++a)
                for (std::size_t b = 0; b < a; ++b)
                    if (table.names[a] == table.names[b])
                        throw bad_input("the column \"" + table.names[a] + "\" is there twice", where);
            if (table.names.size() < 2)
                throw bad_input("the header has fewer than two columns", where,
                                "Columns are separated by commas");
            continue;
        }
        const std::vector<std::string> cells = split(line, separator);
        if (cells.size() != table.names.size())
            throw bad_input("the line has " + std::to_string(cells.size()) + " values, the header " +
                                std::to_string(table.names.size()),
                            where, "The file may be truncated");
        std::vector<double> row;
        for (const std::string& cell : cells)
            row.push_back(trimmed(cell).empty() ? std::nan("") : number_of(cell, where));
        if (std::isnan(row[0])) throw bad_input("the first cell is empty", where);
        table.rows.push_back(std::move(row));
    }
    if (table.names.empty()) throw bad_input("there is no header line", file);
    if (table.rows.empty()) throw bad_input("there is no line of values", file);
    return table;
}

std::string underscored(std::string text) {
    text = lower_case(text);
    std::replace(text.begin(), text.end(), '-', '_');
    std::replace(text.begin(), text.end(), ' ', '_');
    return text;
}

/// The kind of curve that the words of a file's name, or of its key "kind", state.
std::optional<CurveKind> kind_in(const std::string& text) {
    const std::pair<const char*, CurveKind> words[] = {{"wedge_factor", CurveKind::wedge_factor},
                                                       {"leaf_gap", CurveKind::leaf_gap},
                                                       {"in_air", CurveKind::output_factor_in_air},
                                                       {"head_scatter", CurveKind::output_factor_in_air},
                                                       {"output", CurveKind::output_factor},
                                                       {"total_scatter", CurveKind::output_factor},
                                                       {"tissue_phantom", CurveKind::tissue_phantom_ratio},
                                                       {"tissue_maximum", CurveKind::tissue_phantom_ratio},
                                                       {"tpr", CurveKind::tissue_phantom_ratio},
                                                       {"tmr", CurveKind::tissue_phantom_ratio},
                                                       {"depth_dose", CurveKind::depth_dose},
                                                       {"pdd", CurveKind::depth_dose},
                                                       {"profile", CurveKind::profile},
                                                       {"fluence", CurveKind::primary_fluence}};
    for (const auto& [word, kind] : words)
        if (text.find(word) != std::string::npos) return kind;
    return std::nullopt;
}

CurveKind kind_of(const std::string& stem, const std::map<std::string, std::string>& keys,
                  const std::string& file) {
    for (const char* key : {"kind", "quantity"})
        if (const auto at = keys.find(key); at != keys.end()) {
            if (const auto kind = kind_in(underscored(at->second))) return *kind;
            try {
                return curve_kind_from_string(at->second);
            } catch (const Error& error) {
                throw bad_input(error.problem(), file, error.advice());
            }
        }
    if (const auto kind = kind_in(stem)) return *kind;
    throw bad_input("neither the file's name nor a comment says what was measured", file,
                    "Add a line such as \"# kind: depth_dose\"");
}

/// Millimetres per unit of a column: of the unit that ends its name, or else of the user's.
double column_scale(const std::string& name, const MeasurementQuestions& asked, const std::string& file) {
    const auto ends = [&](const char* unit) {
        return name.size() > 3 && name.compare(name.size() - 3, 3, unit) == 0;
    };
    const std::optional<std::string> stated = ends("_mm")   ? std::optional<std::string>("mm")
                                              : ends("_cm") ? std::optional<std::string>("cm")
                                                            : std::nullopt;
    if (stated && asked.unit && *stated != *asked.unit)
        throw bad_input("the column \"" + name + "\" is in " + *stated + ", --unit says " + *asked.unit,
                        file);
    const auto unit = stated ? stated : asked.unit;
    if (!unit)
        throw bad_input("the unit of the column \"" + name + "\" is not stated", file,
                        "End its name in _mm or _cm, or give --unit");
    return in_mm(1, *unit, file);
}

/// Field and depth of a column's curve, as its name states them: side_100_mm, side_40x100_mm, depth_10_cm,
/// side_10_cm_depth_5_cm.
struct ColumnLengths {
    std::optional<std::pair<double, double>> field_mm;
    std::optional<double> depth_mm;
    bool field_named = false;  ///< by a word, such as "side"
    bool of_leaves = false;    ///< the word is "leaf": the opening of the leaves
};

ColumnLengths lengths_in(const std::string& name, const std::string& where) {
    ColumnLengths found;
    static const std::regex part(
        "([a-z]*)_?([0-9]+(?:\\.[0-9]+)?)(?:x([0-9]+(?:\\.[0-9]+)?))?_?(mm|cm)(?![a-z0-9])");
    for (auto it = std::sregex_iterator(name.begin(), name.end(), part); it != std::sregex_iterator(); ++it) {
        const std::smatch& m = *it;
        const std::string word = m[1];
        const double a = in_mm(std::stod(m[2]), m[4], where),
                     b = m[3].matched ? in_mm(std::stod(m[3]), m[4], where) : a;
        const bool depth = word == "depth" || word == "d" || word == "z";
        if (depth ? found.depth_mm.has_value() : found.field_mm.has_value())
            throw bad_input("the column's name states a length twice", where);
        if (depth)
            found.depth_mm = a;
        else {
            found.field_mm = std::pair{a, b};
            found.of_leaves = word == "leaf";
            found.field_named = found.of_leaves || word == "side" || word == "field" || word == "size" ||
                                word == "square" || word == "fs";
        }
    }
    return found;
}

ProfileAxis axis_of(const std::string& column, const std::string& stem, const Statements& stated,
                    const std::string& file) {
    const std::pair<const char*, ProfileAxis> words[] = {
        {"crossline", ProfileAxis::crossplane},  {"cross_line", ProfileAxis::crossplane},
        {"crossplane", ProfileAxis::crossplane}, {"cross_plane", ProfileAxis::crossplane},
        {"inline", ProfileAxis::inplane},        {"in_line", ProfileAxis::inplane},
        {"inplane", ProfileAxis::inplane},       {"in_plane", ProfileAxis::inplane},
        {"diagonal", ProfileAxis::diagonal}};
    std::optional<ProfileAxis> axis;
    const auto found = [&](ProfileAxis value) {
        if (axis && *axis != value) throw bad_input("the axis of the profile is ambiguous", file);
        axis = value;
    };
    const auto look = [&](const std::string& text) {
        for (const auto& [word, value] : words)
            if (text.find(word) != std::string::npos) found(value);
    };
    if (const auto at = stated.keys.find("axis"); at != stated.keys.end()) {
        const std::string text = underscored(at->second);
        if (text == "x") found(ProfileAxis::crossplane);
        if (text == "y") found(ProfileAxis::inplane);
        look(text);
    }
    if (column == "x_mm" || column == "x_cm") found(ProfileAxis::crossplane);
    if (column == "y_mm" || column == "y_cm") found(ProfileAxis::inplane);
    look(column);
    look(stem);
    if (!axis) look(underscored(stated.text));
    if (!axis)
        throw bad_input("the axis of the profile is not stated", file,
                        "Add a line \"# axis: crossplane\" (along x), inplane (along y) or diagonal");
    return *axis;
}

/// Error for a column of fields whose name and comments disagree on whether leaves shape them.
Error wrong_sides(const std::string& column, bool by_leaves, const std::string& file) {
    if (by_leaves)
        return bad_input("the column \"" + column + "\" does not say that it is of the leaves' opening", file,
                         "Name it leaf_40_mm; output factors: leaf_mm, or leaf_x_mm and leaf_y_mm");
    return bad_input("the column \"" + column + "\" is of leaves that are not stated", file,
                     "Add lines such as \"# leaves: varian-millennium-120\" and \"# jaws: 100 x 100 mm\"");
}

bool is_uncertainty(const std::string& column) {
    for (const char* word : {"uncert", "sigma", "standard_dev", "std", "error"})
        if (column.find(word) != std::string::npos) return true;
    return false;
}

bool ends_in(const std::string& text, const std::string& end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool is_side_along(const std::string& column, const std::string& axis) {
    return ends_in("_" + column, "_" + axis + "_mm") || ends_in("_" + column, "_" + axis + "_cm") ||
           column == "side_" + axis;
}

/// Sides of the fields of a table of factors: the first column for squares, or the first two.
struct FieldSides {
    std::size_t columns;  ///< 1 or 2
    double scale_x, scale_y;

    FieldSides(const Table& table, std::size_t sides, const MeasurementQuestions& asked,
               const std::string& file)
        : columns(sides),
          scale_x(column_scale(table.names[0], asked, file)),
          scale_y(columns == 2 ? column_scale(table.names[1], asked, file) : scale_x) {}

    double x_mm(const std::vector<double>& row) const { return row[0] * scale_x; }
    double y_mm(const std::vector<double>& row) const { return row[columns - 1] * scale_y; }
};

/// Throws bad_input where the first columns are not the sides of fields by jaws or, if so stated, by leaves.
void check_side_columns(const Table& table, std::size_t sides, bool by_leaves, const std::string& file) {
    const std::string &first = table.names[0], &second = table.names[1];
    if ((first.rfind("leaf", 0) == 0) != by_leaves) throw wrong_sides(first, by_leaves, file);
    const auto second_is_length = [&] {
        return table.names.size() > 2 && (ends_in(second, "_mm") || ends_in(second, "_cm")) &&
               !lengths_in(second, file).field_mm;
    };
    if (sides == 1 && (is_side_along(first, "y") || second_is_length()))
        throw bad_input(
            "the columns \"" + first + "\" and \"" + second + "\" are not side_x_mm and side_y_mm", file);
    if (sides == 2 && table.names.size() < 3)
        throw bad_input("there is no column of output factors", file,
                        "Columns: side_x_mm, side_y_mm, output_factor");
}

/// Side of the field whose output factor is 1.
double reference_side_of(const Statements& stated, const std::string& file) {
    if (stated.reference_side_mm && stated.unity_mm && *stated.reference_side_mm != *stated.unity_mm)
        throw bad_input("the comments state the field whose output factor is 1 twice, with different values",
                        file);
    const auto reference = stated.reference_side_mm ? stated.reference_side_mm : stated.unity_mm;
    if (!reference)
        throw bad_input("the file does not state the field whose output factor is 1", file,
                        "Add a comment such as \"# 100 x 100 mm = 1\"");
    return *reference;
}

/// Adds the factors of a column. `side_y_mm`: side along y, where the column is of one side.
void add_factors(MeasuredCurve& curve, const Table& table, std::size_t column, const FieldSides& sides,
                 const std::optional<double>& side_y_mm = std::nullopt) {
    for (const auto& row : table.rows) {
        if (std::isnan(row[column])) continue;
        curve.position_mm.push_back(sides.x_mm(row));
        curve.value.push_back(row[column]);
        curve.side_y_of_mm.push_back(side_y_mm ? *side_y_mm : sides.y_mm(row));
    }
}

/// Curves of output factors by their kind. One table may hold the factors in water and in air: a column each.
/// Or one column for each side along y.
std::map<CurveKind, MeasuredCurve> output_curves(const Table& table, const MeasuredCurve& base,
                                                 const FieldSides& sides, const std::string& file) {
    std::map<CurveKind, MeasuredCurve> curves;
    std::map<CurveKind, std::string> column_of;
    for (std::size_t c = sides.columns; c < table.names.size(); ++c) {
        const std::string& name = table.names[c];
        if (is_uncertainty(name)) continue;
        const auto field = lengths_in(name, file).field_mm;
        const bool in_air = kind_in(name) == CurveKind::output_factor_in_air;
        const CurveKind kind = in_air ? CurveKind::output_factor_in_air : base.kind;
        if (!field && !column_of.emplace(kind, name).second)
            throw bad_input("the columns \"" + column_of[kind] + "\" and \"" + name +
                                "\" are both output factors of the same fields",
                            file, "Keep one; detectors go into files of their own");
        MeasuredCurve& curve = curves.emplace(kind, base).first->second;
        curve.kind = kind;
        add_factors(curve, table, c, sides, field ? std::optional(field->first) : std::nullopt);
    }
    return curves;
}

void read_output_factors(const Table& table, const MeasuredCurve& base, const Statements& stated,
                         SetBuilder& builder, const std::string& file) {
    const bool two = is_side_along(table.names[0], "x") && is_side_along(table.names[1], "y");
    const std::size_t side_columns = two ? 2 : 1;
    check_side_columns(table, side_columns, base.shaped_by_leaves(), file);
    const double reference_mm = reference_side_of(stated, file);
    const FieldSides sides(table, side_columns, builder.asked(), file);
    for (auto& [kind, curve] : output_curves(table, base, sides, file)) {
        if (kind == CurveKind::output_factor_in_air) curve.ssd_mm = curve.depth_mm = 0;
        curve.normalised = true;
        curve.normalisation_mm = reference_mm;
        curve.source = file;
        builder.add(std::move(curve));
    }
}

/// Puts the angle that the name of the column states into the wedge of its curve. Throws bad_input where none
/// is stated, or two.
void take_wedge_angle(MeasuredCurve& curve, const std::string& column, const std::string& file) {
    static const std::regex angle("^wedge_([0-9]+(?:\\.[0-9]+)?)_?(?:deg|degrees?)?$");
    std::smatch m;
    if (std::regex_match(column, m, angle)) {
        const double stated = std::stod(m[1]);
        if (curve.wedge->angle_deg > 0 && curve.wedge->angle_deg != stated)
            throw bad_input("the comments state a wedge of " + short_number(curve.wedge->angle_deg) +
                                " degrees, the column is \"" + column + "\"",
                            file);
        curve.wedge->angle_deg = stated;
    } else if (column != "wedge_factor" && column != "factor") {
        throw bad_input("the column \"" + column + "\" is no wedge factor", file,
                        "Name it wedge_60_deg, or wedge_factor where the comments state the angle");
    }
    if (!(curve.wedge->angle_deg > 0))
        throw bad_input("the angle of the wedge is not stated", curve.source, "Name the column wedge_60_deg");
}

/// Dose behind a wedge over that without it: the side, or both, and a column for each angle.
void read_wedge_factors(const Table& table, const MeasuredCurve& base, SetBuilder& builder,
                        const std::string& file) {
    const bool two = table.names[0].rfind("side_x", 0) == 0 && table.names[1].rfind("side_y", 0) == 0;
    if (!two && table.names[0].rfind("side", 0) != 0)
        throw bad_input("the first column is not the side of the field", file,
                        "Columns: side_mm, then wedge_60_deg, or wedge_factor");
    const FieldSides sides(table, two ? 2 : 1, builder.asked(), file);
    const auto factors =
        std::count_if(table.names.begin() + static_cast<std::ptrdiff_t>(sides.columns), table.names.end(),
                      [](const std::string& name) { return !is_uncertainty(name); });
    if (!base.wedge->id.empty() && factors > 1)
        throw bad_input("one id is stated for several wedges", file,
                        "Write a file for each wedge that plans name");
    for (std::size_t c = sides.columns; c < table.names.size(); ++c) {
        const std::string& name = table.names[c];
        if (is_uncertainty(name)) continue;
        MeasuredCurve curve = base;
        curve.source = file + ", column " + name;
        take_wedge_angle(curve, name, file);
        add_factors(curve, table, c, sides);
        if (curve.position_mm.empty()) throw bad_input("the column has no value", curve.source);
        builder.add(std::move(curve));
    }
}

/// Readings of a gap that sweeps the field over that of the open field, by the gap as the plan has it.
void read_leaf_gaps(const Table& table, MeasuredCurve curve, const Statements& stated, SetBuilder& builder,
                    const std::string& file) {
    if (table.names.size() != 2 || table.names[0].rfind("gap", 0) != 0 ||
        table.names[1] != "reading_over_open")
        throw bad_input("the columns are not gap_mm and reading_over_open", file,
                        "The reading is that of the sweep over that of the open field, per MU");
    if (!stated.side_x_mm)
        throw bad_input("the field of the jaws is not stated", file,
                        "Add a line such as \"# field: 100 x 100 mm\"");
    if (!stated.travel_mm)
        throw bad_input("the travel of the gap is not stated", file,
                        "Add the way that the gap's middle goes, as \"# travel: 120 mm\"");
    const auto leaves = stated.keys.find("leaves");
    if (leaves == stated.keys.end())
        throw bad_input(
            "the leaves are not stated", file,
            "Add a line such as \"# leaves: varian-millennium-120\"; dose model list has the names");
    curve.side_x_mm = *stated.side_x_mm;
    curve.side_y_mm = *stated.side_y_mm;
    curve.travel_mm = *stated.travel_mm;
    curve.leaves = leaves->second;
    curve.source = file;
    const double scale = column_scale(table.names[0], builder.asked(), file);
    for (const auto& row : table.rows) {
        if (std::isnan(row[1])) continue;
        curve.position_mm.push_back(row[0] * scale);
        curve.value.push_back(row[1]);
    }
    builder.add(std::move(curve));
}

/// A file of a depth dose, a profile, a ratio or primary fluence: its name, its table and its statements.
struct CurveFile {
    const Table& table;
    const std::string &stem, &file;
    const Statements& stated;
    const SetBuilder& builder;
    double scale;  ///< unit of the first column, mm

    bool says(const char* word) const {
        return stem.find(word) != std::string::npos ||
               underscored(stated.text).find(word) != std::string::npos;
    }
};

/// Puts axis and depth into a profile.
void take_axis_and_depth(MeasuredCurve& curve, const std::string& column, const ColumnLengths& lengths,
                         const CurveFile& from) {
    curve.axis = axis_of(from.table.names[0], from.stem, from.stated, from.file);
    if (lengths.field_mm && !lengths.field_named)
        throw bad_input("the column \"" + column + "\" does not say whether that is the field or the depth",
                        from.file, "Name it depth_100_mm or side_100_mm");
    curve.depth_mm = lengths.depth_mm
                         ? *lengths.depth_mm
                         : *from.builder.settle(from.stated.depth_mm, from.builder.asked().depth_mm,
                                                "the depth", "--depth-mm", curve.source, true);
}

/// Puts the field into a curve: the column states it, or else the comments.
void take_field(MeasuredCurve& curve, const std::string& column, const ColumnLengths& lengths,
                const CurveFile& from) {
    const Statements& stated = from.stated;
    if (!lengths.field_mm && curve.shaped_by_leaves() && !stated.leaf_opening_mm)
        throw bad_input("the opening of the leaves is not stated", curve.source,
                        "Add a line such as \"# leaf opening: 40 x 40 mm\"");
    if (!lengths.field_mm && !stated.leaf_opening_mm && !stated.side_x_mm)
        throw bad_input("the field is not stated", curve.source,
                        "Add a line such as \"# field: 100 x 100 mm\"; a file's name does not count");
    if (lengths.field_mm && lengths.of_leaves != curve.shaped_by_leaves())
        throw wrong_sides(column, curve.shaped_by_leaves(), from.file);
    if (lengths.field_mm && stated.leaf_opening_mm)
        throw bad_input("the opening of the leaves is stated by a column and by a comment", curve.source,
                        "Keep one of the two");
    const auto field = lengths.field_mm         ? *lengths.field_mm
                       : stated.leaf_opening_mm ? *stated.leaf_opening_mm
                                                : std::pair{*stated.side_x_mm, *stated.side_y_mm};
    curve.side_x_mm = field.first;
    curve.side_y_mm = field.second;
}

/// Puts into a tissue-phantom ratio the depth at which it is 1. A tissue-maximum ratio is 1 at the maximum by
/// its definition.
void normalise_ratio(MeasuredCurve& curve, const CurveFile& from) {
    const Statements& stated = from.stated;
    const auto asked = from.builder.asked().depth_mm;
    const auto depth = stated.unity_mm ? stated.unity_mm : stated.depth_mm;
    const bool maximum_ratio = from.stem.find("tmr") != std::string::npos || from.says("tissue_maximum");
    if (stated.one_at_maximum || (maximum_ratio && !depth && !asked)) {
        const auto top = std::max_element(curve.value.begin(), curve.value.end()) - curve.value.begin();
        curve.normalisation_mm = curve.position_mm[static_cast<std::size_t>(top)];
    } else {
        curve.normalisation_mm = *from.builder.settle(depth, asked, "the depth at which the ratio is 1",
                                                      "--depth-mm", curve.source, true);
    }
    curve.depth_mm = curve.normalisation_mm;
    curve.normalised = true;
}

/// The curve of one column, against the first. `base`: the set-up that all columns share.
MeasuredCurve curve_in(std::size_t column, const MeasuredCurve& base, const CurveFile& from) {
    const std::string& name = from.table.names[column];
    MeasuredCurve curve = base;
    curve.source = from.file + ", column " + name;
    const ColumnLengths lengths = lengths_in(name, curve.source);
    if (curve.kind == CurveKind::profile)
        take_axis_and_depth(curve, name, lengths, from);
    else if (lengths.depth_mm)
        throw bad_input(
            "the column \"" + name + "\" is of one depth, which a " + to_string(curve.kind) + " is not",
            from.file);
    if (curve.kind != CurveKind::primary_fluence) take_field(curve, name, lengths, from);
    for (const auto& row : from.table.rows) {
        if (std::isnan(row[column])) continue;
        curve.position_mm.push_back(row[0] * from.scale);
        curve.value.push_back(row[column]);
    }
    if (curve.position_mm.empty()) throw bad_input("the column has no value", curve.source);
    if (curve.kind == CurveKind::tissue_phantom_ratio) normalise_ratio(curve, from);
    if (curve.kind == CurveKind::primary_fluence) {
        curve.normalised = true;
        curve.normalisation_mm = 0;
    }
    return curve;
}

/// One curve a column, against the first.
void read_curves(const Table& table, const MeasuredCurve& base, const std::string& stem,
                 const Statements& stated, SetBuilder& builder, const std::string& file) {
    const CurveFile from{table,  stem,    file,
                         stated, builder, column_scale(table.names[0], builder.asked(), file)};
    for (std::size_t c = 1; c < table.names.size(); ++c)
        if (!is_uncertainty(table.names[c])) builder.add(curve_in(c, base, from));
}

/// Statements of a file's comments and of the keys that are given beside it.
Statements statements_in(const std::vector<std::string>& lines,
                         const std::map<std::string, std::string>& given, const std::string& file) {
    std::vector<std::string> comments;
    for (const std::string& line : lines)
        if (const std::string text = trimmed(line); !text.empty() && text[0] == '#')
            comments.push_back(text.substr(1));
    for (const auto& [key, value] : given) comments.push_back(key + ": " + value);
    return statements_of(comments, file);
}

/// Whether a file is passed over, with a note: behind a wedge that is not stated, or of electrons. Throws
/// bad_input for wedge factors without a wedge.
bool passed_over(const Statements& stated, const std::string& stem, SetBuilder& builder,
                 const std::string& file) {
    if (!stated.wedge_in && (stated.wedge || stem.find("wedge") != std::string::npos)) {
        if (kind_in(stem) == CurveKind::wedge_factor)
            throw bad_input(
                "the wedge is not stated", file,
                "Add a line such as \"# wedge: physical\" and a column for each angle: wedge_60_deg");
        builder.set.notes.push_back(file +
                                    ": behind a wedge that no line \"# wedge: physical 60 degrees, thin end "
                                    "+y\" states, passed over");
        return true;
    }
    if (stem.find("electron") == std::string::npos) return false;
    builder.set.notes.push_back(file + ": electrons, passed over");
    return true;
}

void note_uncertainties(const Table& table, SetBuilder& builder, const std::string& file) {
    for (const std::string& name : table.names)
        if (is_uncertainty(name))
            builder.set.notes.push_back(file + ": the column \"" + name +
                                        "\" is an uncertainty, passed over");
}

/// Takes energy, fluence mode, machine and title of a file into the set.
void take_beam(const Statements& stated, SetBuilder& builder, const std::string& file) {
    builder.energy(stated.energy_mv, file);
    builder.fluence_mode(stated.fluence_mode, file);
    if (const auto at = stated.keys.find("machine"); at != stated.keys.end())
        builder.machine(at->second, file);
    builder.title(stated.title);
}

/// Puts detector, SAD, SSD and depth into the curve that a file's columns start from.
void take_set_up(MeasuredCurve& base, const Statements& stated, const SetBuilder& builder,
                 const std::string& file) {
    const MeasurementQuestions& asked = builder.asked();
    const bool at_depth = base.kind == CurveKind::output_factor || base.kind == CurveKind::wedge_factor ||
                          base.kind == CurveKind::leaf_gap;
    if (const auto at = stated.keys.find("detector"); at != stated.keys.end()) base.detector = at->second;
    base.sad_mm = builder
                      .settle(stated.sad_mm, asked.sad_mm, "the SAD", "--sad-mm", file,
                              base.kind == CurveKind::tissue_phantom_ratio)
                      .value_or(1000);
    if (base.kind == CurveKind::depth_dose || base.kind == CurveKind::profile || at_depth)
        base.ssd_mm = *builder.settle(stated.ssd_mm, asked.ssd_mm, "the SSD", "--ssd-mm", file, true);
    if (at_depth)
        base.depth_mm =
            *builder.settle(stated.depth_mm, asked.depth_mm, "the depth", "--depth-mm", file, true);
}

void read_table(const Table& table, const MeasuredCurve& base, const std::string& stem,
                const Statements& stated, SetBuilder& builder, const std::string& file) {
    if (base.kind == CurveKind::output_factor || base.kind == CurveKind::output_factor_in_air)
        return read_output_factors(table, base, stated, builder, file);
    if (base.kind == CurveKind::wedge_factor) return read_wedge_factors(table, base, builder, file);
    if (base.kind == CurveKind::leaf_gap) return read_leaf_gaps(table, base, stated, builder, file);
    if (base.kind == CurveKind::primary_fluence && table.names.size() != 2)
        throw bad_input("primary fluence has a radius and one value", file,
                        "Columns: radius_mm, relative_fluence");
    read_curves(table, base, stem, stated, builder, file);
}

}  // namespace

void read_measurement_csv(const std::filesystem::path& path, SetBuilder& builder,
                          const std::map<std::string, std::string>& given) {
    const std::string file = path.string(), stem = underscored(path.stem().string());
    const std::vector<std::string> lines = lines_of(path);
    const Statements stated = statements_in(lines, given, file);
    if (passed_over(stated, stem, builder, file)) return;
    const Table table = table_of(lines, file);
    note_uncertainties(table, builder, file);
    MeasuredCurve base;
    base.kind = kind_of(stem, stated.keys, file);
    base.wedge = stated.wedge_in;
    if (base.kind == CurveKind::wedge_factor && !base.wedge)
        throw bad_input("the wedge is not stated", file, "Add a line such as \"# wedge: physical\"");
    if (!state_leaves(base, stated, stem, builder, file)) return;
    take_beam(stated, builder, file);
    take_set_up(base, stated, builder, file);
    read_table(table, base, stem, stated, builder, file);
}

}  // namespace libdose::io
