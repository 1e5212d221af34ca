#include "io/dicom/character_sets.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/utf8.h"

namespace libdose::io {
namespace {

// Names of sets that need more than an encoding of single bytes above ASCII.
const char* const katakana = "JIS X 0201";
const char* const kanji = "JIS X 0208";
const char* const more_kanji = "JIS X 0212";

/// Sets by the number at the end of their defined term: "ISO_IR 100", "ISO 2022 IR 100".
struct Numbered {
    int number;
    const char* encoding;
};
constexpr std::array numbered{
    Numbered{100, "CP1252"},  // Latin-1; what lies between 0x80 and 0x9F is never meant as control characters
    Numbered{101, "ISO-8859-2"}, Numbered{109, "ISO-8859-3"}, Numbered{110, "ISO-8859-4"},
    Numbered{144, "ISO-8859-5"}, Numbered{127, "ISO-8859-6"}, Numbered{126, "ISO-8859-7"},
    Numbered{138, "ISO-8859-8"}, Numbered{148, "ISO-8859-9"}, Numbered{203, "ISO-8859-15"},
    Numbered{166, "TIS-620"},    Numbered{149, "EUC-KR"},     Numbered{58, "EUC-CN"},
    Numbered{13, katakana},
};

/// Escape sequences without their first byte. G0 are the bytes below 0x80, G1 those from 0x80.
struct Escape {
    const char* sequence;
    bool g1;
    const char* encoding;  ///< empty: ASCII
};
constexpr std::array escapes{
    Escape{"(B", false, ""},           Escape{"(J", false, ""},          Escape{"$B", false, kanji},
    Escape{"$@", false, kanji},        Escape{"$(B", false, kanji},      Escape{"$(D", false, more_kanji},
    Escape{")I", true, katakana},      Escape{"$)C", true, "EUC-KR"},    Escape{"$)A", true, "EUC-CN"},
    Escape{"-A", true, "CP1252"},      Escape{"-B", true, "ISO-8859-2"}, Escape{"-C", true, "ISO-8859-3"},
    Escape{"-D", true, "ISO-8859-4"},  Escape{"-L", true, "ISO-8859-5"}, Escape{"-G", true, "ISO-8859-6"},
    Escape{"-F", true, "ISO-8859-7"},  Escape{"-H", true, "ISO-8859-8"}, Escape{"-M", true, "ISO-8859-9"},
    Escape{"-b", true, "ISO-8859-15"}, Escape{"-T", true, "TIS-620"},
};

bool is_ascii(std::string_view bytes) {
    return std::all_of(bytes.begin(), bytes.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80 && c != '\x1b'; });
}

/// EUC-JP holds all sets of JIS: 0208 in two bytes from 0x80, katakana after 0x8E, 0212 after 0x8F.
std::string as_euc_jp(std::string_view bytes, const std::string& set) {
    std::string euc;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const bool high = static_cast<unsigned char>(bytes[i]) >= 0x80;
        if (set == katakana && high) euc += '\x8e';
        if (set == more_kanji && i % 2 == 0) euc += '\x8f';
        euc += set == katakana ? bytes[i] : static_cast<char>(bytes[i] | 0x80);
    }
    return euc;
}

std::vector<std::string> values_of(const std::string& declared) {
    std::vector<std::string> values(1);
    for (const char c : declared)
        if (c == '\\')
            values.emplace_back();
        else
            values.back() += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return values;
}

/// The number at the end of a term, however its words are joined ("ISO-IR 100", "ISO_IR_100"); 0: none.
int number_of(const std::string& term) {
    const auto last = term.find_last_not_of(' ');
    if (last == std::string::npos) return 0;
    int number = 0, unit = 1;
    for (std::size_t i = last + 1;
         i > 0 && std::isdigit(static_cast<unsigned char>(term[i - 1])) && unit < 10000; --i, unit *= 10)
        number += unit * (term[i - 1] - '0');
    return number;
}

}  // namespace

CharacterSets::CharacterSets(const std::string& declared) {
    for (const std::string& term : values_of(declared)) {
        if (term.find("GB18030") != std::string::npos) whole_ = "GB18030";
        if (term.find("GBK") != std::string::npos) whole_ = "GBK";
        if (number_of(term) == 192 || term.find("UTF") != std::string::npos) whole_ = "UTF-8";
        for (const Numbered& set : numbered)
            if (set.number == number_of(term) && whole_.empty() && first_.empty()) first_ = set.encoding;
    }
}

std::optional<std::string> CharacterSets::convert(std::string_view bytes, const std::string& encoding) {
    if (encoding == katakana || encoding == kanji || encoding == more_kanji) {
        const std::string euc = as_euc_jp(bytes, encoding);
        return convert(euc, "EUC-JP");
    }
    if (encoding == "UTF-8") return is_utf8(bytes) ? std::optional(std::string(bytes)) : std::nullopt;
    const auto [entry, made] = encoders_.try_emplace(encoding);
    if (made && entry->second.selectEncoding(encoding.c_str(), "UTF-8").bad()) entry->second.clear();
    if (!entry->second) return std::nullopt;
    OFString text;
    if (entry->second.convertString(bytes.data(), bytes.size(), text).bad()) return std::nullopt;
    return std::string(text.c_str(), text.length());
}

std::optional<std::string> CharacterSets::decode_declared(std::string_view bytes,
                                                          std::string_view delimiters) {
    if (!whole_.empty()) return convert(bytes, whole_);
    std::string text, run, g0, g1 = first_;
    const auto finish_run = [&] {
        const std::string encoding = !g0.empty() ? g0 : is_ascii(run) ? "UTF-8" : g1;
        const auto part = encoding.empty() ? std::nullopt : convert(run, encoding);
        run.clear();
        if (part) text += *part;
        return part.has_value();
    };
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::string_view rest = bytes.substr(i + 1);
        if (bytes[i] == '\x1b') {
            const auto found = std::find_if(escapes.begin(), escapes.end(),
                                            [&](const Escape& e) { return rest.starts_with(e.sequence); });
            if (found == escapes.end() || !finish_run()) return std::nullopt;
            (found->g1 ? g1 : g0) = found->encoding;
            i += std::string_view(found->sequence).size();
        } else if (g0.empty() && (std::string_view("\t\n\f\r").find(bytes[i]) != std::string_view::npos ||
                                  delimiters.find(bytes[i]) != std::string_view::npos)) {
            if (!finish_run()) return std::nullopt;
            text += bytes[i];
            g1 = first_;
        } else {
            run += bytes[i];
        }
    }
    return finish_run() ? std::optional(text) : std::nullopt;
}

CharacterSets::Text CharacterSets::decode(std::string_view bytes, std::string_view delimiters) {
    if (is_ascii(bytes)) return {std::string(bytes), {}};
    if (auto text = decode_declared(bytes, delimiters)) return {*text, {}};
    std::string shown(bytes);  // escape sequences that mean nothing here
    std::replace(shown.begin(), shown.end(), '\x1b', '?');
    if (is_utf8(shown)) return {shown, "UTF-8"};
    return {convert(shown, "CP1252").value_or(valid_utf8(shown)), "Windows-1252"};
}

}  // namespace libdose::io
