#include "io/measurement_text.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <regex>

#include "libdose/error.h"
#include "model/text.h"

namespace libdose::io {

namespace {

constexpr const char* number_pattern = "([0-9]+(?:[.,][0-9]+)?)";

double plain(std::string text) {
    std::replace(text.begin(), text.end(), ',', '.');
    return std::stod(text);
}

/// Keeps a statement; a second one with another value is an error.
template <class T>
void keep(std::optional<T>& value, const T& found, const char* what, const std::string& file) {
    if (value && *value != found) throw bad_input(std::string("the comments state ") + what + " twice, with different values", file, "Keep one of the two");
    value = found;
}

/// Every length that a pattern finds: its first group is the number, its second the unit.
void find_lengths(const std::string& text, const std::string& pattern, std::optional<double>& value, const char* what, const std::string& file) {
    const std::regex regex(pattern, std::regex::icase);
    for (auto it = std::sregex_iterator(text.begin(), text.end(), regex); it != std::sregex_iterator(); ++it)
        keep(value, in_mm(plain((*it)[1]), (*it)[2], file), what, file);
}

}  // namespace

double in_mm(double value, const std::string& unit, const std::string& where) {
    const std::string name = lower_case(unit);
    if (name == "mm") return value;
    if (name == "cm") return 10 * value;
    throw bad_input("the unit \"" + unit + "\" is neither mm nor cm", where);
}

double number_of(const std::string& text, const std::string& where) {
    const std::string word = trimmed(text);
    char* end = nullptr;
    const double value = std::strtod(word.c_str(), &end);
    if (word.empty() || *end != 0 || !std::isfinite(value))
        throw bad_input("\"" + word + "\" is not a number", where, "Numbers have a point and no unit, such as 12.5");
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
    std::string text;
    for (const std::string& comment : comments) {
        const std::string line = trimmed(comment);
        if (found.title.empty()) found.title = line;
        static const std::regex key_line("^([A-Za-z][A-Za-z _-]{1,30}):\\s+(.+)$");
        std::smatch match;
        if (std::regex_match(line, match, key_line)) {
            std::string key = lower_case(match[1]);
            std::replace(key.begin(), key.end(), ' ', '_'), std::replace(key.begin(), key.end(), '-', '_');
            const auto [at, fresh] = found.keys.emplace(key, trimmed(match[2]));
            if (!fresh && at->second != trimmed(match[2])) throw bad_input("the comments state " + key + " twice, with different values", file);
            // A stated set-up reads the same way in a key as in a sentence.
            static const std::regex quantity("^(ssd|sad|depth|energy|fluence_mode|field)$");
            if (!std::regex_match(key, quantity)) continue;
        }
        text += line + "\n";
    }
    const std::string n = number_pattern, unit = "\\s*(mm|cm)\\b", is = "\\s*(?:=|:|of|is)?\\s*";
    find_lengths(text, "\\bSSD\\b" + is + n + unit, found.ssd_mm, "the SSD", file);
    find_lengths(text, "\\b(?:SAD|SID)\\b" + is + n + unit, found.sad_mm, "the SAD", file);
    find_lengths(text, "\\bdepth\\b" + is + n + unit, found.depth_mm, "the depth", file);
    find_lengths(text, n + unit + "\\s+(?:depth|deep)\\b", found.depth_mm, "the depth", file);

    static const std::regex energy("\\b([0-9]+(?:\\.[0-9]+)?)\\s*MV\\b|\\benergy:\\s*([0-9]+(?:\\.[0-9]+)?)\\s*(?:MV)?|\\b([0-9]{1,2})X\\b");
    for (auto it = std::sregex_iterator(text.begin(), text.end(), energy); it != std::sregex_iterator(); ++it)
        keep(found.energy_mv, plain((*it)[1].matched ? (*it)[1] : (*it)[2].matched ? (*it)[2] : (*it)[3]), "the energy", file);

    // The longer words first: "flattening filter free" holds "flattening filter".
    static const std::regex free_words("\\bFFF\\b|flattening[- ]filter[- ]free|unflattened|without (?:a )?flattening filter", std::regex::icase);
    static const std::regex flat_words("\\bWFF\\b|\\bflattened\\b|with (?:a )?flattening filter|fluence_mode:\\s*STANDARD|fluence mode:\\s*STANDARD",
                                       std::regex::icase);
    std::string rest = std::regex_replace(text, free_words, "#");
    if (rest.find('#') != std::string::npos) keep(found.fluence_mode, std::string("FFF"), "the fluence mode", file);
    if (std::regex_search(rest, flat_words)) keep(found.fluence_mode, std::string("STANDARD"), "the fluence mode", file);

    static const std::regex reference("([0-9.]+)\\s*(?:x|\xC3\x97|by)\\s*([0-9.]+)\\s*(mm|cm)(?:2|\xC2\xB2)?\\s*(?:=|is)\\s*1\\b", std::regex::icase);
    for (auto it = std::sregex_iterator(text.begin(), text.end(), reference); it != std::sregex_iterator(); ++it) {
        if ((*it)[1] != (*it)[2]) throw bad_input("the field whose output factor is 1 is not a square", file);
        keep(found.reference_side_mm, in_mm(plain((*it)[1]), (*it)[3], file), "the field whose output factor is 1", file);
    }
    static const std::regex field("\\bfield\\b[^0-9\n]{0,12}([0-9.]+)\\s*(?:x|\xC3\x97|by)\\s*([0-9.]+)\\s*(mm|cm)", std::regex::icase);
    for (auto it = std::sregex_iterator(text.begin(), text.end(), field); it != std::sregex_iterator(); ++it) {
        keep(found.side_x_mm, in_mm(plain((*it)[1]), (*it)[3], file), "the field", file);
        keep(found.side_y_mm, in_mm(plain((*it)[2]), (*it)[3], file), "the field", file);
    }
    static const std::regex at_maximum("\\b(?:1|100\\s*%?|normali[sz]ed)\\s+(?:at|to)\\s+(?:the\\s+|its\\s+)?(?:maximum|dmax|depth of maximum)",
                                       std::regex::icase);
    found.one_at_maximum = std::regex_search(text, at_maximum);
    return found;
}

std::optional<double> SetBuilder::settle(const std::optional<double>& stated, const std::optional<double>& asked, const std::string& what,
                                         const std::string& option, const std::string& where, bool needed) const {
    if (stated && asked && *stated != *asked)
        throw bad_input("the file states " + what + " " + short_number(*stated) + ", " + option + " says " + short_number(*asked), where,
                        "Leave the option out, or correct the file");
    if (!stated && !asked && needed)
        throw bad_input("the file does not state " + what, where, "Give " + option + ", or add a comment line such as \"# " + what.substr(4) + " 900 mm\"");
    return stated ? stated : asked;
}

void SetBuilder::energy(const std::optional<double>& mv, const std::string& where) {
    const auto value = settle(mv, asked_.energy_mv, "the nominal energy", "--energy-mv", where, false);
    if (!value) return;
    if (set.nominal_energy_mv > 0 && set.nominal_energy_mv != *value)
        throw bad_input("the files are of different energies: " + short_number(set.nominal_energy_mv) + " MV and " + short_number(*value) + " MV",
                        energy_where_ + " and " + where, "Commission one beam at a time");
    set.nominal_energy_mv = *value, energy_where_ = where;
}

void SetBuilder::fluence_mode(const std::optional<std::string>& mode, const std::string& where) {
    if (mode && asked_.fluence_mode && *mode != *asked_.fluence_mode)
        throw bad_input("the file states the fluence mode " + *mode + ", --fluence-mode says " + *asked_.fluence_mode, where);
    const auto value = mode ? mode : asked_.fluence_mode;
    if (!value) return;
    if (!set.fluence_mode.empty() && set.fluence_mode != *value)
        throw bad_input("the files are of different fluence modes: " + set.fluence_mode + " and " + *value, mode_where_ + " and " + where);
    set.fluence_mode = *value, mode_where_ = where;
}

void SetBuilder::machine(const std::string& name, const std::string& where) {
    if (name.empty()) return;
    if (asked_.machine && *asked_.machine != name)
        throw bad_input("the file is of the machine \"" + name + "\", --machine says \"" + *asked_.machine + "\"", where);
    if (!set.machine.empty() && set.machine != name)
        throw bad_input("the files are of different machines: \"" + set.machine + "\" and \"" + name + "\"", machine_where_ + " and " + where);
    set.machine = name, machine_where_ = where;
}

void SetBuilder::title(const std::string& text) {
    if (set.title.empty()) set.title = text;
}

void SetBuilder::add(MeasuredCurve curve) {
    const bool output = curve.kind == CurveKind::output_factor || curve.kind == CurveKind::output_factor_in_air;
    std::vector<std::size_t> order(curve.position_mm.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto key = [&](std::size_t i) { return std::pair{curve.position_mm[i], output ? curve.side_y_of_mm[i] : 0.0}; };
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    const auto sorted = [&](std::vector<double>& values) {
        if (values.size() != order.size()) return;
        std::vector<double> copy;
        for (const std::size_t i : order) copy.push_back(values[i]);
        values = std::move(copy);
    };
    sorted(curve.value), sorted(curve.side_y_of_mm), sorted(curve.position_mm);
    const auto mm = [](double value) { return short_number(value); };
    const std::string field = mm(curve.side_x_mm) + " x " + mm(curve.side_y_mm) + " mm";
    switch (curve.kind) {
        case CurveKind::depth_dose:
            curve.name = "depth dose " + field + ", SSD " + mm(curve.ssd_mm) + " mm";
            break;
        case CurveKind::tissue_phantom_ratio:
            curve.name = "tpr " + field;
            break;
        case CurveKind::profile:
            curve.name = to_string(curve.axis) + " profile " + field + ", " + mm(curve.depth_mm) + " mm deep, SSD " + mm(curve.ssd_mm) + " mm";
            break;
        case CurveKind::output_factor:
            curve.name = "output factors, " + mm(curve.depth_mm) + " mm deep, SSD " + mm(curve.ssd_mm) + " mm";
            break;
        case CurveKind::output_factor_in_air:
            curve.name = "output factors in air";
            break;
        case CurveKind::primary_fluence:
            curve.name = "primary fluence";
            break;
    }
    for (const MeasuredCurve& other : set.curves)
        if (other.name == curve.name)
            throw bad_input("two curves are of the same quantity, field and depth: " + curve.name, other.source + " and " + curve.source, "Keep one of them");
    set.curves.push_back(std::move(curve));
}

}  // namespace libdose::io
