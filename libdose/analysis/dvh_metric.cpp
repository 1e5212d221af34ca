#include "libdose/dvh_metric.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "base/text.h"
#include "libdose/error.h"

namespace libdose {
namespace {

using Kind = DvhMetric::Kind;

enum class Unit { none, gy, cgy, percent, cm3 };

/// Reads a metric from left to right. Small letters, without white space.
class Reader {
public:
    explicit Reader(const std::string& text) {
        for (const char c : lower_case(text))
            if (c != ' ' && c != '\t') rest_ += c;
    }

    bool take(const std::string& word) {
        if (rest_.compare(0, word.size(), word) != 0) return false;
        rest_.erase(0, word.size());
        return true;
    }

    std::optional<double> number() {
        double value = 0;
        const auto [end, error] =
            std::from_chars(rest_.data(), rest_.data() + rest_.size(), value, std::chars_format::fixed);
        if (error != std::errc{} || !std::isfinite(value) || std::signbit(value)) return std::nullopt;
        rest_.erase(0, static_cast<std::size_t>(end - rest_.data()));
        return value;
    }

    Unit unit() {
        static const std::pair<const char*, Unit> units[] = {
            {"cgy", Unit::cgy}, {"gy", Unit::gy},    {"%", Unit::percent},   {"cc", Unit::cm3},
            {"cm3", Unit::cm3}, {"cm^3", Unit::cm3}, {"cm\u00b3", Unit::cm3}};
        for (const auto& [word, unit] : units)
            if (take(word)) return unit;
        return Unit::none;
    }

    /// The unit of the result, in brackets or not.
    std::optional<Unit> result_unit() {
        const bool bracket = take("[");
        const Unit found = unit();
        if (bracket && (found == Unit::none || !take("]"))) return std::nullopt;
        return found;
    }

    bool at_end() const { return rest_.empty(); }

private:
    std::string rest_;
};

Error trouble(const std::string& text, const std::string& what) {
    return bad_input("the metric \"" + text + "\" is not understood: " + what, "dose-volume histogram",
                     "Write for example D95%, D0.1cc, D2cc, V20Gy, V20Gy[cm3], V95%, Dmean, Dmin or Dmax");
}

/// Mean, minimum or maximum, with or without the D.
std::optional<Kind> extreme(Reader& reader) {
    static const std::pair<const char*, Kind> words[] = {
        {"mean", Kind::mean}, {"min", Kind::minimum}, {"max", Kind::maximum}};
    for (const auto& [word, kind] : words)
        if (reader.take(word) || reader.take(std::string("d") + word)) return kind;
    return std::nullopt;
}

bool is_dose_at(Kind kind) { return kind == Kind::dose_at_volume || kind == Kind::dose_at_coldest_volume; }
bool is_volume_at(Kind kind) { return kind == Kind::volume_at_dose || kind == Kind::volume_below_dose; }

/// The volume of D and DC.
void read_volume(Reader& reader, const std::string& text, DvhMetric& metric) {
    const auto number = reader.number();
    if (!number) throw trouble(text, "a volume must follow, in % or cc");
    const Unit unit = reader.unit();
    if (unit == Unit::gy || unit == Unit::cgy)
        throw trouble(text, "the dose at a volume needs a volume, in % or cc");
    metric.at = *number;
    metric.at_is_percent = unit != Unit::cm3;
    if (metric.at_is_percent && metric.at > 100) throw trouble(text, "the volume is above 100 %");
}

/// The dose of V and CV.
void read_dose(Reader& reader, const std::string& text, DvhMetric& metric) {
    const auto number = reader.number();
    if (!number) throw trouble(text, "a dose must follow, in Gy, cGy or % of the prescription");
    const Unit unit = reader.unit();
    if (unit == Unit::none || unit == Unit::cm3)
        throw trouble(text,
                      "the volume at a dose needs the unit of the dose: Gy, cGy or % of the prescription");
    metric.at = unit == Unit::cgy ? *number / 100 : *number;
    metric.at_is_percent = unit == Unit::percent;
}

}  // namespace

DvhMetric parse_dvh_metric(const std::string& text) {
    Reader reader(text);
    DvhMetric metric;
    metric.name = text;
    if (const auto kind = extreme(reader)) {
        metric.kind = *kind;
    } else if (reader.take("dc")) {
        metric.kind = Kind::dose_at_coldest_volume;
    } else if (reader.take("d")) {
        metric.kind = Kind::dose_at_volume;
    } else if (reader.take("cv")) {
        metric.kind = Kind::volume_below_dose;
    } else if (reader.take("v")) {
        metric.kind = Kind::volume_at_dose;
    } else {
        throw trouble(text, "it begins with none of D, DC, V, CV, mean, min and max");
    }
    if (is_dose_at(metric.kind)) read_volume(reader, text, metric);
    if (is_volume_at(metric.kind)) read_dose(reader, text, metric);

    const auto unit = reader.result_unit();
    if (!unit || !reader.at_end()) throw trouble(text, "what follows is not a unit");
    metric.result_is_percent = is_volume_at(metric.kind) ? *unit != Unit::cm3 : *unit == Unit::percent;
    if (is_volume_at(metric.kind) ? (*unit == Unit::gy || *unit == Unit::cgy)
                                  : (*unit == Unit::cm3 || *unit == Unit::cgy))
        throw trouble(text, is_volume_at(metric.kind) ? "a volume is in % or cm3"
                                                      : "a dose is in Gy or % of the prescription");
    return metric;
}

bool DvhMetric::needs_prescription() const { return is_volume_at(kind) ? at_is_percent : result_is_percent; }

const char* DvhMetric::unit() const { return result_is_percent ? "%" : is_volume_at(kind) ? "cm3" : "Gy"; }

double DvhMetric::value(const DoseVolumeHistogram& h, double prescription_gy) const {
    if (needs_prescription() && !(std::isfinite(prescription_gy) && prescription_gy > 0))
        throw bad_input("the metric \"" + name + "\" needs the prescribed dose",
                        "dose-volume histogram of " + h.structure,
                        "Give the prescription in Gy (--prescription-gy), or write the metric in Gy");
    const double cm3 = at_is_percent ? at / 100 * h.volume_cm3 : at;
    if (is_dose_at(kind) && cm3 > h.volume_cm3 * (1 + 1e-9))
        throw bad_input("the structure has only " + short_number(h.volume_cm3) + " cm3, less than \"" + name +
                            "\" asks for",
                        "dose-volume histogram of " + h.structure);
    const double gy = at_is_percent ? at / 100 * prescription_gy : at;
    const double dose_scale = result_is_percent ? 100 / prescription_gy : 1;
    const double whole = result_is_percent ? h.volume_cm3 / 100 : 1;
    switch (kind) {
        case Kind::dose_at_volume:
            return dose_scale * h.dose_at_volume_cm3(std::min(cm3, h.volume_cm3));
        // The part outside the dose grid has no known dose: it counts as the coldest, not irradiated.
        case Kind::dose_at_coldest_volume:
            return dose_scale * h.dose_at_volume_cm3(std::max(0.0, h.volume_cm3 - cm3));
        case Kind::volume_at_dose:
            return h.volume_cm3_at_dose(gy) / whole;
        case Kind::volume_below_dose:
            return (h.volume_cm3 - h.volume_cm3_at_dose(gy)) / whole;
        case Kind::mean:
            return dose_scale * h.mean_gy;
        case Kind::minimum:
            return dose_scale * h.minimum_gy;
        case Kind::maximum:
            return dose_scale * h.maximum_gy;
    }
    throw internal_error("a kind of metric is not handled");
}

}  // namespace libdose
