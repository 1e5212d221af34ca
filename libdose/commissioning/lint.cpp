// The linter of measurements. Its limits, with their sources: docs/theory/commissioning.md.
#include "commissioning/lint.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "commissioning/profile_edges.h"
#include "fluence/head_equations.h"

namespace libdose {

namespace linting {

double value_at(const MeasuredCurve& c, double position) {
    return physics::table_value(c.position_mm, c.value, position);
}
bool covers(const MeasuredCurve& c, double position) {
    return position >= c.position_mm.front() && position <= c.position_mm.back();
}
std::string text_of(double value) {
    const double rounded = std::round(value * 1000) / 1000;
    return short_number(rounded);
}

}  // namespace linting

namespace {

using namespace linting;
using Severity = Finding::Severity;

bool by_depth(const MeasuredCurve& c) {
    return c.kind == CurveKind::depth_dose || c.kind == CurveKind::tissue_phantom_ratio;
}
bool is_output(const MeasuredCurve& c) {
    return c.kind == CurveKind::output_factor || c.kind == CurveKind::output_factor_in_air;
}

/// What beams of an energy are like.
struct EnergyRange {
    double energy_mv;
    bool free;                               ///< without flattening filter
    double maximum_low_mm, maximum_high_mm;  ///< depth of the maximum, 100 x 100 mm
    double tpr_low, tpr_high;                ///< TPR 20,10
};
constexpr EnergyRange energy_ranges[] = {{4, false, 7, 14, 0.58, 0.65},   {6, false, 11, 19, 0.64, 0.70},
                                         {8, false, 15, 23, 0.68, 0.73},  {10, false, 18, 28, 0.71, 0.76},
                                         {15, false, 23, 34, 0.74, 0.79}, {18, false, 26, 40, 0.76, 0.80},
                                         {6, true, 10, 18, 0.60, 0.66},   {10, true, 17, 27, 0.68, 0.73}};

std::optional<EnergyRange> range_for(const MeasurementSet& set) {
    for (const EnergyRange& range : energy_ranges)
        if (std::abs(range.energy_mv - set.nominal_energy_mv) < 0.5 &&
            range.free == (set.fluence_mode == "FFF"))
            return range;
    return std::nullopt;
}

/// Followill et al, J. Appl. Clin. Med. Phys. 13(5) (2012) 282: output factors of small fields, 100 mm deep.
struct SmallField {
    double side_mm, at_6_mv, at_10_mv;
};
constexpr SmallField small_fields[] = {
    {60, 0.930, 0.937}, {40, 0.878, 0.890}, {30, 0.842, 0.857}, {20, 0.790, 0.796}};

class Linter {
public:
    explicit Linter(const MeasurementSet& set) : set_(set), range_(range_for(set)) {}

    std::vector<Finding> run() {
        for (const MeasuredCurve& curve : set_.curves) {
            normalisation(curve);
            noise(curve);
            if (by_depth(curve)) depth(curve);
            if (curve.kind == CurveKind::profile) profile(curve);
            if (is_output(curve)) output(curve);
            if (curve.kind == CurveKind::primary_fluence) fluence(curve);
        }
        for (const MeasuredCurve& curve : set_.device_curves) {
            noise(curve);
            if (curve.kind == CurveKind::wedge_factor) wedge_factor(curve);
            if (curve.kind == CurveKind::depth_dose) depth(curve);
            if (curve.kind == CurveKind::profile && curve.wedge && curve.wedge->orientation_deg)
                wedged_profile(curve);
            if (!curve.shaped_by_leaves()) continue;
            if (curve.kind == CurveKind::profile) profile(curve);
            if (is_output(curve)) output(curve);
            if (curve.unity_of_leaves) normalisation(curve);
        }
        for (Finding& finding : lint_leaves(set_)) findings_.push_back(std::move(finding));
        contradictions();
        wedges_by_angle();
        coverage();
        transmissions();
        if (!range_)
            add(Severity::note, "",
                "there is no published spread for " + short_number(set_.nominal_energy_mv) + " MV, " +
                    set_.fluence_mode + ": depth doses were not compared with one");
        return std::move(findings_);
    }

private:
    void add(Severity severity, const std::string& curve, const std::string& text) {
        findings_.push_back({severity, curve, text});
    }

    void normalisation(const MeasuredCurve& c) {
        if (!c.normalised) return;
        double value = 0;
        if (is_output(c)) {
            bool found = false;
            for (std::size_t i = 0; i < c.value.size(); ++i)
                if (c.position_mm[i] == c.normalisation_mm && c.side_y_of_mm[i] == c.normalisation_mm) {
                    value = c.value[i];
                    found = true;
                }
            if (!found)
                return add(Severity::note, c.name, "the field that is stated to be 1 is not in the table");
        } else if (!covers(c, c.normalisation_mm)) {
            return add(Severity::error, c.name,
                       "the curve does not reach " + short_number(c.normalisation_mm) +
                           " mm, where it is stated to be 1");
        } else {
            value = value_at(c, c.normalisation_mm);
        }
        const double off = std::abs(value - 1);
        if (off > 0.02)
            add(Severity::error, c.name,
                "the value at " + short_number(c.normalisation_mm) + " mm is " + text_of(value) +
                    ", not 1: state the right normalisation, or divide by it");
        else if (off > 0.003)
            add(Severity::warning, c.name,
                "the value at " + short_number(c.normalisation_mm) + " mm is " + text_of(value) + ", not 1");
    }

    /// Third differences over four neighbours, of which a smooth curve has next to none.
    void noise(const MeasuredCurve& c) {
        if (is_output(c) || c.value.size() < 20) return;
        const double largest = *std::max_element(c.value.begin(), c.value.end());
        double sum = 0;
        int count = 0;
        for (std::size_t i = 3; i < c.value.size(); ++i) {
            const double mean = 0.25 * (c.value[i] + c.value[i - 1] + c.value[i - 2] + c.value[i - 3]);
            const bool steep = std::abs(c.value[i] - c.value[i - 3]) > 0.05 * largest;
            if (mean < 0.2 * largest || steep) continue;
            // White noise of one unit has third differences of sqrt(20) units.
            sum +=
                std::pow((c.value[i] - 3 * c.value[i - 1] + 3 * c.value[i - 2] - c.value[i - 3]) / mean, 2) /
                20;
            ++count;
        }
        if (count < 10) return;
        const double percent = 100 * std::sqrt(sum / count);
        if (percent > 1)
            add(Severity::warning, c.name,
                "noise of " + text_of(percent) + " % from point to point: measure again, or longer");
    }

    void depth(const MeasuredCurve& c) {
        const auto top =
            static_cast<std::size_t>(std::max_element(c.value.begin(), c.value.end()) - c.value.begin());
        const double maximum = c.position_mm[top];
        if (c.position_mm.size() < 5) return add(Severity::error, c.name, "fewer than five depths");
        if (c.value.back() > 0.95 * c.value[top] ||
            maximum > 0.5 * (c.position_mm.front() + c.position_mm.back()))
            return add(Severity::error, c.name,
                       "the dose does not fall with depth: does depth run from the surface down?");
        if (c.position_mm.back() > 1000)
            return add(Severity::error, c.name,
                       "depths reach " + short_number(c.position_mm.back()) +
                           " mm: are they in a smaller unit than stated?");
        // Small and large fields have their maxima elsewhere; a factor of ten is a unit.
        if (range_) {
            const bool reference = std::min(c.side_x_mm, c.side_y_mm) >= 40;
            const bool behind = top == 0 && c.position_mm.front() > range_->maximum_low_mm;
            if (behind)
                add(Severity::warning, c.name,
                    "the curve begins at " + short_number(c.position_mm.front()) +
                        " mm, behind the maximum: it tells nothing of the build-up");
            const auto within = [&](double mm) {
                return mm >= range_->maximum_low_mm && mm <= range_->maximum_high_mm;
            };
            if (reference && !behind && !within(maximum)) {
                const std::string at = "the maximum is at " + text_of(maximum) + " mm, where " +
                                       short_number(set_.nominal_energy_mv) + " MV has it from " +
                                       short_number(range_->maximum_low_mm) + " to " +
                                       short_number(range_->maximum_high_mm) + " mm";
                if (within(10 * maximum) || c.position_mm.back() < 45)
                    add(Severity::error, c.name, at + ": were depths in cm read as mm?");
                else if (within(0.1 * maximum))
                    add(Severity::error, c.name, at + ": were depths in mm read as cm?");
                else
                    add(std::abs(maximum -
                                 std::clamp(maximum, range_->maximum_low_mm, range_->maximum_high_mm)) > 10
                            ? Severity::error
                            : Severity::warning,
                        c.name, at);
            }
        }
        if (c.position_mm.back() < 200)
            add(Severity::warning, c.name,
                "the curve ends at " + short_number(c.position_mm.back()) +
                    " mm; the spectrum needs 200 mm or more");
        const auto step = [&](double from, double to) {
            double widest = 0;
            for (std::size_t i = 1; i < c.position_mm.size(); ++i)
                if (c.position_mm[i - 1] >= from && c.position_mm[i] <= to)
                    widest = std::max(widest, c.position_mm[i] - c.position_mm[i - 1]);
            return widest;
        };
        if (step(10, 300) > 50) add(Severity::warning, c.name, "points are more than 50 mm apart");
        const double side = physics::equivalent_square(c.side_x_mm, c.side_y_mm);
        if (range_ && std::abs(side - 100) <= 10 && covers(c, 100) && covers(c, 200)) {
            // IAEA TRS-398: TPR 20,10 = 1.2661 PDD 20,10 - 0.0595, PDD at SSD 100 cm.
            const double ratio = value_at(c, 200) / value_at(c, 100);
            const bool tpr = c.kind == CurveKind::tissue_phantom_ratio;
            if (!tpr && std::abs(c.ssd_mm - 1000) > 1) return;
            const double index = tpr ? ratio : 1.2661 * ratio - 0.0595;
            if (index < range_->tpr_low || index > range_->tpr_high)
                add(index < range_->tpr_low - 0.06 || index > range_->tpr_high + 0.06 ? Severity::error
                                                                                      : Severity::warning,
                    c.name,
                    "TPR 20,10 is " + text_of(index) + "; beams of this energy have " +
                        text_of(range_->tpr_low) + " to " + text_of(range_->tpr_high) +
                        ": is the energy, the fluence mode or the field another?");
        }
    }

    void profile(const MeasuredCurve& c) {
        const double magnification = (c.ssd_mm + c.depth_mm) / c.sad_mm;
        const double side = c.axis == ProfileAxis::inline_axis ? c.side_y_mm : c.side_x_mm;
        const double axis = value_at(c, 0);
        if (!covers(c, 0)) return add(Severity::error, c.name, "the profile does not cross the axis");
        const auto edges = edges_at(c.position_mm, c.value, 0.5 * axis);
        if (!edges)
            return add(Severity::warning, c.name, "the profile does not reach both edges of the field");
        const auto [left, right] = *edges;
        const double width = (right - left) / magnification /
                             (c.axis == ProfileAxis::diagonal ? std::sqrt(2.0) : 1.0),
                     centre = 0.5 * (right + left);
        // The primary collimator rounds the corners of large fields; without a flattening filter their edge
        // is not at half of the axis.
        constexpr double farthest_corner_mm = 230;
        const bool rounded = c.axis == ProfileAxis::diagonal && side / std::sqrt(2.0) > farthest_corner_mm;
        if (set_.fluence_mode == "STANDARD" || side <= 100) {
            const double off = width - side;
            const std::string at = "the field is " + text_of(width) +
                                   " mm wide at the isocentre plane, stated " + short_number(side) + " mm";
            if (std::abs(width - 10 * side) < side || std::abs(width - 0.1 * side) < 0.01 * side)
                add(Severity::error, c.name, at + ": were positions read in the wrong unit?");
            else if (!rounded && std::abs(off) > std::max(5.0, 0.05 * side))
                add(Severity::error, c.name,
                    at + ": is it the field, the depth or the source-surface distance that is stated "
                         "wrongly?");
            else if (!rounded && std::abs(off) > 2)
                add(Severity::warning, c.name, at);
        }
        if (std::abs(centre) > 10)
            add(Severity::error, c.name,
                "the profile is centred at " + text_of(centre) + " mm: take the offset off before");
        else if (std::abs(centre) > 1)
            add(Severity::warning, c.name, "the profile is centred at " + text_of(centre) + " mm");
        double worst = 0;
        const double reach = 0.8 * std::min(-left, right);
        for (double x = 0; x <= reach; x += std::max(1.0, reach / 50))
            worst = std::max(worst, std::abs(value_at(c, x) - value_at(c, -x)) / axis);
        if (worst > 0.1)
            add(Severity::error, c.name,
                "the two sides differ by " + text_of(100 * worst) + " %: is there a wedge?");
        else if (worst > 0.02)
            add(Severity::warning, c.name, "the two sides differ by " + text_of(100 * worst) + " %");
        const double wide = 400;
        if (side < wide && set_.fluence_mode == "STANDARD") {
            double low = 1e9, high = 0;
            for (double x = -reach; x <= reach; x += std::max(1.0, reach / 50)) {
                low = std::min(low, value_at(c, x));
                high = std::max(high, value_at(c, x));
            }
            if (side >= 60 && (high - low) / (high + low) > 0.08)
                add(Severity::warning, c.name,
                    "flatness of " + text_of(100 * (high - low) / (high + low)) + " % for a flattened beam");
        }
    }

    void output(const MeasuredCurve& c) {
        for (std::size_t i = 1; i < c.value.size(); ++i)
            if (c.position_mm[i] == c.side_y_of_mm[i] && c.position_mm[i - 1] == c.side_y_of_mm[i - 1] &&
                c.value[i] < c.value[i - 1] - 0.003)
                add(Severity::warning, c.name,
                    "the output falls from " + short_number(c.position_mm[i - 1]) + " to " +
                        short_number(c.position_mm[i]) + " mm");
        for (std::size_t i = 0; i < c.value.size(); ++i)
            if (c.value[i] > 2 || c.value[i] < 0.2)
                return add(Severity::error, c.name,
                           "the output factor of " + short_number(c.position_mm[i]) + " mm is " +
                               text_of(c.value[i]) + ": percent, or another quantity?");
        if (c.kind != CurveKind::output_factor || c.normalisation_mm != 100) return;
        const bool six = std::abs(set_.nominal_energy_mv - 6) < 0.5,
                   ten = std::abs(set_.nominal_energy_mv - 10) < 0.5;
        if ((six || ten) && std::abs(c.depth_mm - 100) < 1)
            for (const SmallField& field : small_fields)
                for (std::size_t i = 0; i < c.value.size(); ++i) {
                    if (c.position_mm[i] != field.side_mm || c.side_y_of_mm[i] != field.side_mm) continue;
                    const double published = six ? field.at_6_mv : field.at_10_mv,
                                 off = 100 * (c.value[i] / published - 1);
                    if (std::abs(off) > 4)
                        add(std::abs(off) > 12 ? Severity::error : Severity::warning, c.name,
                            "the output factor of " + short_number(field.side_mm) + " mm is " +
                                text_of(c.value[i]) + ", published " + text_of(published) +
                                ": detector, or size of the field?");
                }
        for (std::size_t i = 0; i < c.value.size(); ++i)
            if (c.position_mm[i] >= 300 && c.position_mm[i] == c.side_y_of_mm[i] &&
                (c.value[i] < 1.02 || c.value[i] > 1.30))
                add(Severity::warning, c.name,
                    "the output factor of " + short_number(c.position_mm[i]) + " mm is " +
                        text_of(c.value[i]) + ", outside of 1.02 to 1.30");
    }

    void wedge_factor(const MeasuredCurve& c) {
        double low = 1e9, high = 0;
        for (std::size_t i = 0; i < c.value.size(); ++i) {
            if (c.value[i] >= 1 || c.value[i] < 0.05)
                return add(Severity::error, c.name,
                           "the wedge factor of " + short_number(c.position_mm[i]) + " mm is " +
                               text_of(c.value[i]) +
                               ", not between 0.05 and 1: percent, or open over wedged?");
            low = std::min(low, c.value[i]);
            high = std::max(high, c.value[i]);
        }
        const bool moves = c.wedge->kind == "enhanced";
        // Palta et al, Med. Phys. 15 (1988): up to 7 % with the field. A jaw that moves does far more.
        if (!moves && high / low > 1.1)
            add(Severity::warning, c.name,
                "the wedge factor varies by " + text_of(100 * (high / low - 1)) + " % with the field");
        if (!moves && (low < 0.15 || high > 0.92))
            add(Severity::warning, c.name,
                "wedge factors from " + text_of(low) + " to " + text_of(high) + ", outside of 0.15 to 0.92");
    }

    /// Steeper wedges of a kind let less through.
    void wedges_by_angle() {
        for (const MeasuredCurve& a : set_.device_curves)
            for (const MeasuredCurve& b : set_.device_curves) {
                if (a.kind != CurveKind::wedge_factor || b.kind != a.kind || a.wedge->kind != b.wedge->kind ||
                    !(a.wedge->angle_deg < b.wedge->angle_deg))
                    continue;
                for (std::size_t i = 0; i < a.value.size(); ++i)
                    for (std::size_t j = 0; j < b.value.size(); ++j)
                        if (a.position_mm[i] == b.position_mm[j] && a.side_y_of_mm[i] == b.side_y_of_mm[j] &&
                            a.value[i] <= b.value[j])
                            return add(Severity::error, b.name,
                                       "the factor of " + short_number(b.position_mm[j]) + " mm is " +
                                           text_of(b.value[j]) + ", that of the wedge of " +
                                           short_number(a.wedge->angle_deg) + " degrees " +
                                           text_of(a.value[i]) + ": are the wedges exchanged?");
            }
    }

    void wedged_profile(const MeasuredCurve& c) {
        // Orientation 0 has the thin end at +y, 270 at +x.
        const double orientation = *c.wedge->orientation_deg;
        const bool along_y = orientation == 0 || orientation == 180;
        if (along_y != (c.axis == ProfileAxis::inline_axis)) return;
        const double sign = orientation == 0 || orientation == 270 ? 1 : -1,
                     half = 0.25 * (along_y ? c.side_y_mm : c.side_x_mm);
        if (!covers(c, half) || !covers(c, -half))
            return add(Severity::warning, c.name, "the profile does not cross half of the field");
        if (!(value_at(c, sign * half) > value_at(c, -sign * half)))
            add(Severity::error, c.name,
                "the dose falls towards the thin end of the wedge: is the thin end stated wrongly, or does "
                "the axis run the other way?");
    }

    void fluence(const MeasuredCurve& c) {
        if (!covers(c, 100))
            return add(Severity::warning, c.name, "the fluence ends before a radius of 100 mm");
        const double at = value_at(c, 100) / value_at(c, 0);
        const bool free = set_.fluence_mode == "FFF";
        if (free ? at > 0.95 : at < 0.98 || at > 1.15)
            add(free       ? at > 1.02 ? Severity::error : Severity::warning
                : at < 0.9 ? Severity::error
                           : Severity::warning,
                c.name,
                "at 100 mm the fluence is " + text_of(at) + " of the axis, which a beam " +
                    (free ? "without" : "with") + " flattening filter does not have");
        if (c.position_mm.back() < 200)
            add(Severity::warning, c.name,
                "the fluence ends at " + short_number(c.position_mm.back()) +
                    " mm; the corners of large fields lie beyond");
    }

    /// A depth dose and a ratio of the same field, in what they say of the quality.
    void contradictions() {
        for (const MeasuredCurve& pdd : set_.curves)
            for (const MeasuredCurve& tpr : set_.curves) {
                if (pdd.kind != CurveKind::depth_dose || tpr.kind != CurveKind::tissue_phantom_ratio ||
                    std::abs(pdd.ssd_mm - 1000) > 1)
                    continue;
                if (std::abs(pdd.side_x_mm - 100) > 1 || pdd.side_x_mm != tpr.side_x_mm ||
                    pdd.side_y_mm != tpr.side_y_mm)
                    continue;
                if (!covers(pdd, 100) || !covers(pdd, 200) || !covers(tpr, 100) || !covers(tpr, 200))
                    continue;
                const double from_pdd = 1.2661 * value_at(pdd, 200) / value_at(pdd, 100) - 0.0595,
                             direct = value_at(tpr, 200) / value_at(tpr, 100);
                if (std::abs(from_pdd - direct) > 0.015)
                    add(std::abs(from_pdd - direct) > 0.05 ? Severity::error : Severity::warning, tpr.name,
                        "TPR 20,10 is " + text_of(direct) + "; the depth dose of the same field says " +
                            text_of(from_pdd) + ": are both of one beam?");
            }
        // The same field in two tables of output factors of different set-ups: within what depth and distance
        // can do.
        for (std::size_t a = 0; a < set_.curves.size(); ++a)
            for (std::size_t b = a + 1; b < set_.curves.size(); ++b) {
                const MeasuredCurve &x = set_.curves[a], &y = set_.curves[b];
                if (x.kind != CurveKind::output_factor || y.kind != CurveKind::output_factor ||
                    std::abs(x.depth_mm - y.depth_mm) > 60)
                    continue;
                for (std::size_t i = 0; i < x.value.size(); ++i)
                    for (std::size_t j = 0; j < y.value.size(); ++j)
                        if (x.position_mm[i] == y.position_mm[j] && x.side_y_of_mm[i] == y.side_y_of_mm[j] &&
                            x.normalisation_mm == y.normalisation_mm &&
                            std::abs(x.value[i] / y.value[j] - 1) > 0.06)
                            return add(Severity::error, x.name,
                                       "the output factor of " + short_number(x.position_mm[i]) + " mm is " +
                                           text_of(x.value[i]) + " here and " + text_of(y.value[j]) +
                                           " in \"" + y.name + "\"");
            }
    }

    void coverage() {
        int fields = 0, sides = 0;
        bool reference = false, off_axis = false;
        for (const MeasuredCurve& c : set_.curves) {
            if (by_depth(c)) {
                ++fields;
                const double side = physics::equivalent_square(c.side_x_mm, c.side_y_mm);
                reference = reference || (side >= 80 && side <= 120);
            }
            if (is_output(c)) sides = std::max(sides, static_cast<int>(c.position_mm.size()));
            off_axis = off_axis || c.kind == CurveKind::profile || c.kind == CurveKind::primary_fluence;
        }
        if (fields < 3 || !reference)
            add(Severity::error, "",
                "there are depth doses or tissue-phantom ratios of " + std::to_string(fields) + " fields" +
                    (reference ? "" : ", none near 100 mm") +
                    ": at least three are needed, one of them of 80 to 120 mm");
        if (sides < 3)
            add(Severity::error, "",
                "there are fewer than three output factors: the output of fields cannot be fitted");
        if (!off_axis)
            add(Severity::warning, "",
                "there are neither profiles nor primary fluence: the shape of the open field is taken from "
                "the generic model");
        if (!set_.absolute)
            add(Severity::warning, "",
                "there is no absolute dose: 1 cGy/MU at the maximum, SSD 100 cm, 10x10 cm is assumed; "
                "correct it before any dose in Gy is used");
        if (!set_.leaf_transmission)
            add(Severity::note, "",
                "the transmission of the leaves is not given: the generic model's, or the leaf design's, is "
                "used");
        if (!set_.jaw_transmission)
            add(Severity::note, "", "the transmission of the jaws is not given: the generic model's is used");
    }

    void transmissions() {
        if (set_.leaf_transmission && (*set_.leaf_transmission < 0.002 || *set_.leaf_transmission > 0.03))
            add(Severity::warning, "",
                "the transmission of the leaves is " + text_of(100 * *set_.leaf_transmission) +
                    " %, outside of 0.2 to 3 %");
        if (set_.jaw_transmission && (*set_.jaw_transmission < 0.0005 || *set_.jaw_transmission > 0.02))
            add(Severity::warning, "",
                "the transmission of the jaws is " + text_of(100 * *set_.jaw_transmission) +
                    " %, outside of 0.05 to 2 %");
    }

    const MeasurementSet& set_;
    std::optional<EnergyRange> range_;
    std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> lint(const MeasurementSet& set) { return Linter(set).run(); }

}  // namespace libdose
