// The linter of what leaves shape or sweep. Its limits, with their sources: docs/theory/commissioning.md.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "commissioning/lint.h"
#include "commissioning/profile_edges.h"

namespace libdose::linting {

namespace {

class LeafLinter {
public:
    explicit LeafLinter(const MeasurementSet& set) : set_(set) {}

    std::vector<Finding> run() {
        for (const MeasuredCurve& curve : set_.device_curves)
            if (curve.kind == CurveKind::leaf_gap) gaps(curve);
        for (const MeasuredCurve& curve : set_.device_curves) {
            if (!curve.shaped_by_leaves()) continue;
            if (curve.kind == CurveKind::output_factor) outputs(curve);
            if (curve.kind == CurveKind::profile) edges(curve);
        }
        return std::move(findings_);
    }

private:
    void add(Severity severity, const std::string& curve, const std::string& text) {
        findings_.push_back({severity, curve, text});
    }

    /// Readings less what comes through the leaves are a straight line against the gap; where it is zero is
    /// the dosimetric leaf gap (LoSasso, Chui, Ling, Med. Phys. 25 (1998) 1919).
    void gaps(const MeasuredCurve& c) {
        if (!set_.leaf_transmission)
            return add(Severity::error, c.name,
                       "the transmission of the leaves is not given, without which gaps do not tell the "
                       "offset of their ends: add leaf_transmission to "
                       "measurements.yaml");
        if (c.value.size() < 3) return add(Severity::error, c.name, "fewer than three gaps");
        const double n = static_cast<double>(c.value.size()), t = *set_.leaf_transmission;
        double sx = 0, sy = 0, sxx = 0, sxy = 0;
        for (std::size_t i = 0; i < c.value.size(); ++i) {
            if (c.value[i] > 1)
                return add(Severity::error, c.name,
                           "a reading is above that of the open field: divide by the open field's");
            const double x = c.position_mm[i], y = c.value[i] - t * (1 - x / c.travel_mm);
            sx += x;
            sy += y;
            sxx += x * x;
            sxy += x * y;
        }
        const double slope = (n * sxy - sx * sy) / (n * sxx - sx * sx), gap = (sy - slope * sx) / n / slope,
                     part = slope * c.travel_mm;
        if (!(part > 0.75 && part < 1.25))
            return add(Severity::error, c.name,
                       "the readings grow by " + text_of(part) +
                           " of the open field's for a gap as wide as the travel: is the travel, the unit of "
                           "the gaps or the open field's reading another?");
        if (part < 0.9 || part > 1.1)
            add(Severity::warning, c.name,
                "the readings grow by " + text_of(part) +
                    " of the open field's for a gap as wide as the travel");
        if (gap < -1 || gap > 5)
            add(Severity::error, c.name,
                "the dosimetric leaf gap is " + text_of(gap) + " mm: are the gaps those of the plan, in mm?");
        else if (gap < 0.1 || gap > 3)
            add(Severity::warning, c.name,
                "the dosimetric leaf gap is " + text_of(gap) + " mm, outside of 0.1 to 3 mm");
        gap_mm_ = gap;
    }

    /// What leaves take out of the field of the jaws is scatter: less is left than without them, and not less
    /// than jaws in their place would leave.
    void outputs(const MeasuredCurve& c) {
        for (const MeasuredCurve& jaws : set_.curves) {
            if (jaws.kind != CurveKind::output_factor || c.unity_of_leaves ||
                jaws.normalisation_mm != c.normalisation_mm || std::abs(jaws.depth_mm - c.depth_mm) > 1 ||
                std::abs(jaws.ssd_mm - c.ssd_mm) > 1)
                continue;
            const auto of_jaws = [&](double x, double y) {
                for (std::size_t i = 0; i < jaws.value.size(); ++i)
                    if (jaws.position_mm[i] == x && jaws.side_y_of_mm[i] == y) return jaws.value[i];
                return 0.0;
            };
            const double whole = of_jaws(c.jaw_x_mm, c.jaw_y_mm);
            for (std::size_t i = 0; i < c.value.size(); ++i) {
                const double x = c.position_mm[i], y = c.side_y_of_mm[i], same = of_jaws(x, y);
                const std::string here = "the output factor of " + short_number(x) + " x " + short_number(y) +
                                         " mm of leaves is " + text_of(c.value[i]);
                if (whole > 0 && c.value[i] > 1.02 * whole)
                    return add(Severity::error, c.name,
                               here + ", that of their jaws without leaves " + text_of(whole) +
                                   ": is the opening of the jaws or the field of the value 1 another?");
                if (same > 0 && c.value[i] < 0.9 * same)
                    add(Severity::warning, c.name, here + ", that of jaws in their place " + text_of(same));
            }
        }
    }

    void edges(const MeasuredCurve& c) {
        if (c.axis != ProfileAxis::crossplane) return;
        if (c.jaw_x_mm - c.side_x_mm < leaf_edges_clear_of_jaws_mm)
            return add(
                Severity::warning, c.name,
                "the jaws stand within 5 mm of the ends of the leaves: the edges tell nothing of the leaves");
        const double width = width_at(c.position_mm, c.value, 0.5 * value_at(c, 0));
        if (!std::isfinite(width) || !gap_mm_ || c.side_x_mm < leaf_edges_from_mm) return;
        // The gaps' is of all that comes through the ends, the edges' of half: up to a millimetre apart for
        // rounded ends.
        const double wider = width * c.sad_mm / (c.ssd_mm + c.depth_mm) - c.side_x_mm;
        if (std::abs(wider - *gap_mm_) > 2)
            add(Severity::warning, c.name,
                "the field is " + text_of(wider) + " mm wider than the leaves stand, the gaps say " +
                    text_of(*gap_mm_) + " mm: were the leaves calibrated in between?");
    }

    const MeasurementSet& set_;
    std::optional<double> gap_mm_;  ///< dosimetric leaf gap of the sweeping gaps
    std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> lint_leaves(const MeasurementSet& set) { return LeafLinter(set).run(); }

}  // namespace libdose::linting
