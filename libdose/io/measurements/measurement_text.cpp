#include "io/measurements/measurement_text.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <regex>

#include "base/text.h"
#include "base/units.h"
#include "libdose/error.h"

namespace libdose::io {

namespace {

// Parts of the patterns. A decimal comma is read; one before three digits may as well part thousands.
const std::string number_text = "([0-9]+(?:[.,][0-9]+)?)", unit_text = "\\s*(mm|cm)\\b",
                  is_text = "\\s*(?:=|:|of|is)?\\s*";
const std::string times_text = "\\s*(?:mm|cm)?\\s*(?:x|\\*|\xC3\x97|by)\\s*",
                  area_text = "(?:2|\xC2\xB2|\\^2)?";
const std::string rectangle_text = number_text + times_text + number_text + "\\s*(mm|cm)" + area_text;
const std::string one_text = "1(?:[.]0+)?(?![.,]?[0-9])";

double plain(std::string text, const std::string& file) {
    const auto comma = text.find(',');
    if (comma != std::string::npos && text.size() == comma + 4)
        throw bad_input("\"" + text + "\" can be read in two ways", file,
                        "Write numbers with a point, and thousands without a comma");
    if (comma != std::string::npos) text[comma] = '.';
    return std::stod(text);
}

/// Keeps a statement; a second one with another value is an error.
template <class T>
void keep(std::optional<T>& value, const T& found, const char* what, const std::string& file) {
    if (value && *value != found)
        throw bad_input(std::string("the comments state ") + what + " twice, with different values", file,
                        "Keep one of the two");
    value = found;
}

template <class Found>
void for_each_match(const std::string& text, const std::string& pattern, Found&& found) {
    const std::regex regex(pattern, std::regex::icase);
    for (auto it = std::sregex_iterator(text.begin(), text.end(), regex); it != std::sregex_iterator(); ++it)
        found(*it);
}

/// Every length that a pattern finds: its first group is the number, its second the unit. Returns the text
/// without them.
std::string find_lengths(const std::string& text, const std::string& pattern, std::optional<double>& value,
                         const char* what, const std::string& file) {
    for_each_match(text, pattern, [&](const std::smatch& m) {
        keep(value, in_mm(plain(m[1], file), m[2], file), what, file);
    });
    return std::regex_replace(text, std::regex(pattern, std::regex::icase), "#");
}

/// "SSD 900 mm", "900 mm SSD".
void find_distance(const std::string& text, const std::string& name, std::optional<double>& value,
                   const char* what, const std::string& file) {
    const std::string rest =
        find_lengths(text, "\\b(?:" + name + ")\\b" + is_text + number_text + unit_text, value, what, file);
    find_lengths(rest, number_text + unit_text + "\\s+(?:" + name + ")\\b", value, what, file);
}

const std::map<std::string, bool> known_keys{
    // and whether their values are searched for a set-up
    {"kind", false},        {"quantity", false},     {"machine", false}, {"detector", false},
    {"note", false},        {"source", false},       {"axis", false},    {"ssd", true},
    {"sad", true},          {"depth", true},         {"field", true},    {"energy", true},
    {"wedge", false},       {"wedge_id", false},     {"leaves", false},  {"travel", false},
    {"fluence_mode", true}, {"normalisation", true}, {"jaws", false},    {"leaf_opening", false}};

/// "physical 60 degrees, thin end +y"; none where the value says that there is no wedge.
std::optional<MeasuredWedge> wedge_of(const std::string& value, const std::string& file) {
    static const std::regex none("^(?:0(?:[.]0*)?(?:\\s.*)?|no|none|open|without)$", std::regex::icase);
    if (std::regex_match(value, none)) return std::nullopt;
    static const std::regex form(
        "^(physical|motori[sz]ed|enhanced|virtual)(?: "
        "dynamic)?(?:\\s+wedge)?(?:,?\\s+([0-9]+(?:[.][0-9]+)?)\\s*(?:deg|degrees?|\xC2\xB0))?(?:,?\\s+thin "
        "end\\s*(?:at|towards|:)?\\s*"
        "([-+][xy]))?$",
        std::regex::icase);
    std::smatch m;
    if (!std::regex_match(value, m, form))
        throw bad_input("the wedge is \"" + value + "\", which cannot be read", file,
                        "Write \"physical 60 degrees, thin end +y\"; kinds: physical, motorised, enhanced");
    MeasuredWedge wedge;
    wedge.kind = lower_case(m[1]);
    if (wedge.kind == "motorized") wedge.kind = "motorised";
    if (m[2].matched) wedge.angle_deg = std::stod(m[2]);
    const std::map<std::string, double> orientation{{"+y", 0}, {"-x", 90}, {"-y", 180}, {"+x", 270}};
    if (m[3].matched) wedge.orientation_deg = orientation.at(lower_case(m[3]));
    return wedge;
}

/// "100 x 100 mm" behind a key.
std::optional<std::pair<double, double>> rectangle_of(const std::string& key,
                                                      const std::map<std::string, std::string>& keys,
                                                      const std::string& file) {
    const auto at = keys.find(key);
    if (at == keys.end()) return std::nullopt;
    static const std::regex form("^" + rectangle_text + "$", std::regex::icase);
    std::smatch m;
    if (!std::regex_match(at->second, m, form))
        throw bad_input("\"" + key + "\" is \"" + at->second + "\", which is no rectangle", file,
                        "Write \"100 x 100 mm\": along x and along y");
    return std::pair{in_mm(plain(m[1], file), m[3], file), in_mm(plain(m[2], file), m[3], file)};
}

/// Letters to insert, remove or change.
std::size_t edits_between(const std::string& a, const std::string& b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

/// Whether a line with a colon is a sentence. False: its key says that there is no such thing, as "gantry:
/// 0". Throws bad_input where it looks like a set-up that nobody reads.
bool is_sentence(const std::string& key, const std::string& value, const std::string& file) {
    for (const auto& [known, searched] : known_keys)
        if (key.size() > 3 && edits_between(key, known) == 1)
            throw bad_input("the comment states \"" + key + "\", which means nothing here", file,
                            "Did you mean \"" + known + "\"?");
    static const std::regex quantity("^[-+]?[0-9.,]+\\s*(?:mm|cm|MV|MeV|deg|degrees|\xC2\xB0|%)?$",
                                     std::regex::icase);
    static const std::regex modifier("wedge|block|bolus|tray|applicator|cone|gantry|collimator|offset|couch");
    static const std::regex none("^(?:0(?:[.]0*)?(?:\\s.*)?|no|none|open|without)$", std::regex::icase);
    const bool modifies = std::regex_search(key, modifier);
    if (modifies && std::regex_match(value, none)) return false;
    if (modifies || std::regex_match(value, quantity))
        throw bad_input("the comment states \"" + key + "\", which means nothing here", file,
                        "Write free remarks as \"# note: ...\"");
    return true;
}

/// Keeps one line of the comments: under its key where that is known, and in the text that is searched.
void take_comment(Statements& found, const std::string& line, const std::string& file) {
    static const std::regex key_line("^([A-Za-z][A-Za-z _-]{1,30}):\\s+(.+)$");
    std::smatch match;
    bool sentence = true, searched = true;
    if (std::regex_match(line, match, key_line)) {
        std::string key = lower_case(match[1]);
        std::replace(key.begin(), key.end(), ' ', '_');
        std::replace(key.begin(), key.end(), '-', '_');
        if (const auto known = known_keys.find(key); known != known_keys.end()) {
            const auto [at, fresh] = found.keys.emplace(key, trimmed(match[2]));
            if (!fresh && at->second != trimmed(match[2]))
                throw bad_input("the comments state " + key + " twice, with different values", file);
            sentence = false;
            searched = known->second;
        } else {
            sentence = searched = is_sentence(key, trimmed(match[2]), file);
        }
    }
    if (sentence && found.title.empty()) found.title = line;
    if (searched) found.text += line + "\n";
}

/// Reads the keys "wedge" and "wedge id".
void read_wedge(Statements& found, const std::string& file) {
    if (const auto at = found.keys.find("wedge"); at != found.keys.end())
        found.wedge_in = wedge_of(at->second, file);
    if (const auto at = found.keys.find("wedge_id"); at != found.keys.end()) {
        if (!found.wedge_in)
            throw bad_input("there is an id of a wedge, but no wedge", file,
                            "Add a line such as \"# wedge: physical 60 degrees\"");
        found.wedge_in->id = at->second;
    }
}

/// Length behind the key "travel".
std::optional<double> travel_of(const std::map<std::string, std::string>& keys, const std::string& file) {
    const auto at = keys.find("travel");
    if (at == keys.end()) return std::nullopt;
    static const std::regex length("^([0-9]+(?:[.][0-9]+)?)\\s*(mm|cm)$");
    std::smatch m;
    if (!std::regex_match(at->second, m, length))
        throw bad_input("the travel is \"" + at->second + "\", which is no length", file, "Write \"120 mm\"");
    return in_mm(std::stod(m[1]), m[2], file);
}

/// Finds SSD, SAD and depth in the text.
void find_distances(Statements& found, const std::string& file) {
    const std::string& text = found.text;
    find_distance(text, "SSD|source[- ](?:to[- ])?(?:surface|skin)(?:[- ]distance)?", found.ssd_mm, "the SSD",
                  file);
    find_distance(text, "SAD|SID|source[- ](?:to[- ])?(?:axis|isocent(?:re|er))(?:[- ]distance)?",
                  found.sad_mm, "the SAD", file);
    const std::string not_a_step = "(?!\\s*(?:steps?|resolution|intervals?|spacing|increments?))";
    const std::string rest =
        find_lengths(text, "\\bdepth(?:\\s+in\\s+water)?\\b" + is_text + number_text + unit_text + not_a_step,
                     found.depth_mm, "the depth", file);
    find_lengths(rest, number_text + unit_text + "\\s+(?:depth|deep)\\b" + not_a_step, found.depth_mm,
                 "the depth", file);
}

/// Finds the nominal energy in the text: "6 MV", "energy: 6", "6X".
void find_energy(Statements& found, const std::string& file) {
    const std::string& text = found.text;
    for_each_match(
        text,
        "\\b([0-9]+(?:\\.[0-9]+)?)\\s*MV\\b|\\benergy:\\s*([0-9]+(?:\\.[0-9]+)?)\\s*(?:MV)?\\s*(?:$|\\n|,|;)",
        [&](const std::smatch& m) {
            keep(found.energy_mv, plain(m[1].matched ? m[1] : m[2], file), "the energy", file);
        });
    static const std::regex energy_of_varian("\\b([0-9]{1,2})X\\b(?!\\s*[0-9])");
    for (auto it = std::sregex_iterator(text.begin(), text.end(), energy_of_varian);
         it != std::sregex_iterator(); ++it)
        keep(found.energy_mv, plain((*it)[1], file), "the energy", file);
}

/// Finds in the text whether the beam is flattened.
void find_fluence_mode(Statements& found, const std::string& file) {
    const std::string& text = found.text;
    // The longer words first: "flattening filter free" holds "flattening filter", "unflattened" holds
    // "flattened".
    static const std::regex free_words(
        "\\bFFF\\b|flattening[- ]filter[- ]free|\\b(?:un|non-?|not )flattened|(?:without|no) (?:a |the "
        ")?flattening filter|flattening filter removed",
        std::regex::icase);
    static const std::regex flat_words(
        "\\bWFF\\b|\\bflattened\\b|with (?:a |the )?flattening filter|fluence[_ ]mode:\\s*STANDARD",
        std::regex::icase);
    const std::string without = std::regex_replace(text, free_words, "#FREE#");
    if (without.find("#FREE#") != std::string::npos)
        keep(found.fluence_mode, std::string("FFF"), "the fluence mode", file);
    if (std::regex_search(without, flat_words))
        keep(found.fluence_mode, std::string("STANDARD"), "the fluence mode", file);
}

/// Finds in the text the field or the depth where a relative quantity is 1.
void find_unity(Statements& found, const std::string& file) {
    const std::string& text = found.text;
    const std::string normalised = "(?:\\b" + one_text + "|\\bunity|\\bnormali[sz]ed)(?:\\s+to\\s+" +
                                   one_text + ")?\\s+(?:at|to|for|in)\\s+(?:the\\s+|a\\s+)?";
    const auto reference = [&](const std::smatch& m) {
        if (m[1] != m[2]) throw bad_input("the field whose output factor is 1 is not a square", file);
        keep(found.reference_side_mm, in_mm(plain(m[1], file), m[3], file),
             "the field whose output factor is 1", file);
    };
    for_each_match(text, rectangle_text + "(?:\\s+field)?\\s*(?:=|is|:)\\s*" + one_text, reference);
    for_each_match(text, "\\b(leaves|jaws)\\s+" + rectangle_text + "\\s*(?:=|is|:)\\s*" + one_text,
                   [&](const std::smatch& m) {
                       keep(found.unity_of_leaves, lower_case(m[1]) == "leaves", "whose field is 1", file);
                   });
    for_each_match(
        text,
        "(?:" + normalised + "|\\breference field" + is_text + ")(?:field\\s+(?:of\\s+)?)?" + rectangle_text,
        reference);
    find_lengths(text,
                 normalised + "(?:side\\s+(?:of\\s+)?|depth\\s+(?:of\\s+)?)?" + number_text + unit_text +
                     "(?!" + times_text + "[0-9])",
                 found.unity_mm, "what is 1", file);
    find_lengths(text, "\\bside\\s+(?:of\\s+)?" + number_text + unit_text + "\\s*(?:=|is)\\s*" + one_text,
                 found.unity_mm, "what is 1", file);
}

/// Finds the sides of the field in the text.
void find_field(Statements& found, const std::string& file) {
    const std::string& text = found.text;
    for_each_match(text, "\\bfield(?:\\s+size)?\\b[^0-9\n]{0,12}" + rectangle_text,
                   [&](const std::smatch& m) {
                       keep(found.side_x_mm, in_mm(plain(m[1], file), m[3], file), "the field", file);
                       keep(found.side_y_mm, in_mm(plain(m[2], file), m[3], file), "the field", file);
                   });
    for_each_match(
        text,
        "\\bfield(?:\\s+(?:size|side))?" + is_text + number_text + unit_text + "(?!" + times_text + "[0-9])",
        [&](const std::smatch& m) {
            keep(found.side_x_mm, in_mm(plain(m[1], file), m[2], file), "the field", file);
            keep(found.side_y_mm, *found.side_x_mm, "the field", file);
        });
}

/// Finds in the text whether it speaks of a maximum that is 1, of a wedge or of a field of leaves.
void find_words(Statements& found) {
    const std::string& text = found.text;
    const std::string ratio = "(?:\\b" + one_text +
                              "|\\b100\\s*%?|\\bnormali[sz]ed)\\s+(?:at|to)\\s+(?:the\\s+|its\\s+|their\\s+)?"
                              "(?:maximum|d_?max|depth of (?:the )?maximum)";
    found.one_at_maximum = std::regex_search(text, std::regex(ratio, std::regex::icase));
    const std::string open = std::regex_replace(
        text, std::regex("(?:\\bno|\\bwithout(?: a| any)?)\\s+wedges?", std::regex::icase), "");
    static const std::regex leaf_words(
        "\\b(?:MLC|leaf|leaves|multi-?leaf(?: collimator)?)[- "
        "](?:shaped|defined|formed)|(?:shaped|defined|formed) by (?:the |an )?(?:MLC|leaves|multi)",
        std::regex::icase);
    found.leaf_field = std::regex_search(text, leaf_words);
    found.wedge = std::regex_search(open, std::regex("\\bwedged?\\b", std::regex::icase));
}

/// Puts the points of a curve into the order of their positions; of factors, then of the field's side along
/// y.
void sort_points(MeasuredCurve& curve) {
    const bool two_sides = curve.kind == CurveKind::output_factor ||
                           curve.kind == CurveKind::output_factor_in_air ||
                           curve.kind == CurveKind::wedge_factor;
    std::vector<std::size_t> order(curve.position_mm.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto key = [&](std::size_t i) {
        return std::pair{curve.position_mm[i], two_sides ? curve.side_y_of_mm[i] : 0.0};
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    const auto sorted = [&](std::vector<double>& values) {
        if (values.size() != order.size()) return;
        std::vector<double> copy;
        for (const std::size_t i : order) copy.push_back(values[i]);
        values = std::move(copy);
    };
    sorted(curve.value);
    sorted(curve.side_y_of_mm);
    sorted(curve.position_mm);
}

/// Name of a curve by its quantity, field, depth and SSD.
std::string name_of(const MeasuredCurve& curve) {
    const auto mm = [](double value) { return short_number(value); };
    const std::string by_leaves = curve.shaped_by_leaves()
                                      ? " by MLC " + curve.leaves + " in jaws " + mm(curve.jaw_x_mm) + " x " +
                                            mm(curve.jaw_y_mm) + " mm"
                                      : "";
    const std::string field = mm(curve.side_x_mm) + " x " + mm(curve.side_y_mm) + " mm" + by_leaves,
                      deep = mm(curve.depth_mm) + " mm deep", ssd = "SSD " + mm(curve.ssd_mm) + " mm";
    switch (curve.kind) {
        case CurveKind::depth_dose:
            return "depth dose " + field + ", " + ssd;
        case CurveKind::tissue_phantom_ratio:
            return "tpr " + field;
        case CurveKind::profile:
            return to_string(curve.axis) + " profile " + field + ", " + deep + ", " + ssd;
        case CurveKind::output_factor:
            return "output factors" + by_leaves + ", " + deep + ", " + ssd;
        case CurveKind::output_factor_in_air:
            return "output factors in air";
        case CurveKind::primary_fluence:
            return "primary fluence";
        case CurveKind::wedge_factor:
            return "wedge factors, " + deep + ", " + ssd;
        case CurveKind::leaf_gap:
            return "sweeping gaps of " + curve.leaves + " over " + mm(curve.travel_mm) + " mm, " + field +
                   ", " + deep + ", " + ssd;
    }
    return "";
}

}  // namespace

double in_mm(double value, const std::string& unit, const std::string& where) {
    const std::string name = lower_case(unit);
    if (name == "mm") return value;
    if (name == "cm") return mm_per_cm * value;
    throw bad_input("the unit \"" + unit + "\" is neither mm nor cm", where);
}

double number_of(const std::string& text, const std::string& where) {
    const std::string word = trimmed(text);
    char* end = nullptr;
    const double value = std::strtod(word.c_str(), &end);
    if (word.empty() || *end != 0 || !std::isfinite(value))
        throw bad_input("\"" + word + "\" is not a number", where,
                        "Numbers have a point and no unit, such as 12.5");
    return value;
}

std::string trimmed(const std::string& text) {
    const auto begin = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
    return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts{""};
    for (const char c : text)
        if (c == separator)
            parts.emplace_back();
        else
            parts.back() += c;
    return parts;
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw bad_input("the file cannot be read", file.string());
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) {
        if (line.find('\0') != std::string::npos) throw bad_input("this is not a text file", file.string());
        if (!line.empty() && line.back() == '\r') line.pop_back();
        lines.push_back(line);
    }
    if (lines.empty()) throw bad_input("the file is empty", file.string());
    return lines;
}

Statements statements_of(const std::vector<std::string>& comments, const std::string& file) {
    Statements found;
    for (const std::string& comment : comments) take_comment(found, trimmed(comment), file);
    read_wedge(found, file);
    found.travel_mm = travel_of(found.keys, file);
    found.jaws_mm = rectangle_of("jaws", found.keys, file);
    found.leaf_opening_mm = rectangle_of("leaf_opening", found.keys, file);
    find_distances(found, file);
    find_energy(found, file);
    find_fluence_mode(found, file);
    find_unity(found, file);
    find_field(found, file);
    find_words(found);
    return found;
}

std::optional<double> SetBuilder::settle(const std::optional<double>& stated,
                                         const std::optional<double>& asked, const std::string& what,
                                         const std::string& option, const std::string& where,
                                         bool needed) const {
    if (stated && asked && *stated != *asked)
        throw bad_input("the file states " + what + " " + short_number(*stated) + ", " + option + " says " +
                            short_number(*asked),
                        where, "Leave the option out, or correct the file");
    if (!stated && !asked && needed)
        throw bad_input(
            "the file does not state " + what, where,
            "Give " + option + ", or add a comment line such as \"# " + what.substr(4) + " 900 mm\"");
    return stated ? stated : asked;
}

void SetBuilder::energy(const std::optional<double>& mv, const std::string& where) {
    const auto value = settle(mv, asked_.energy_mv, "the nominal energy", "--energy-mv", where, false);
    if (!value) return;
    if (set.nominal_energy_mv > 0 && set.nominal_energy_mv != *value)
        throw bad_input("the files are of different energies: " + short_number(set.nominal_energy_mv) +
                            " MV and " + short_number(*value) + " MV",
                        energy_where_ + " and " + where, "Commission one beam at a time");
    set.nominal_energy_mv = *value;
    energy_where_ = where;
}

void SetBuilder::fluence_mode(const std::optional<std::string>& mode, const std::string& where) {
    if (mode && asked_.fluence_mode && *mode != *asked_.fluence_mode)
        throw bad_input(
            "the file states the fluence mode " + *mode + ", --fluence-mode says " + *asked_.fluence_mode,
            where);
    const auto value = mode ? mode : asked_.fluence_mode;
    if (!value) return;
    if (!set.fluence_mode.empty() && set.fluence_mode != *value)
        throw bad_input("the files are of different fluence modes: " + set.fluence_mode + " and " + *value,
                        mode_where_ + " and " + where);
    set.fluence_mode = *value;
    mode_where_ = where;
}

void SetBuilder::machine(const std::string& name, const std::string& where) {
    if (name.empty()) return;
    if (asked_.machine && *asked_.machine != name)
        throw bad_input(
            "the file is of the machine \"" + name + "\", --machine says \"" + *asked_.machine + "\"", where);
    if (!set.machine.empty() && set.machine != name)
        throw bad_input("the files are of different machines: \"" + set.machine + "\" and \"" + name + "\"",
                        machine_where_ + " and " + where);
    set.machine = name;
    machine_where_ = where;
}

void SetBuilder::title(const std::string& text) {
    if (set.title.empty()) set.title = text;
}

void SetBuilder::add(MeasuredCurve curve) {
    sort_points(curve);
    curve.name = name_of(curve);
    if (curve.wedge) curve.name += ", " + curve.wedge->words();
    std::vector<MeasuredCurve>& curves = curve.through_device() ? set.device_curves : set.curves;
    for (const MeasuredCurve& other : curves)
        if (other.name == curve.name)
            throw bad_input("two curves are of the same quantity, field and depth: " + curve.name,
                            other.source + " and " + curve.source, "Keep one of them");
    curves.push_back(std::move(curve));
}

}  // namespace libdose::io
