// Published metrics of apertures. Equations and sources: docs/theory/complexity.md.
#include "libdose/check/complexity.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "check/complexity_apertures.h"

namespace libdose::check {

namespace {

using Aperture = std::vector<PairOpening>;

/// Apertures of a beam and the MU between them. Empty for a beam that the metrics do not describe.
struct Sequence {
    std::vector<Aperture> apertures;  ///< of each control point
    std::vector<double> mu;           ///< of each segment between two
};

/// Metrics are of one multileaf collimator and what is open of it. Blocks would change the aperture.
Sequence sequence(const Beam& beam) {
    Sequence result;
    if (beam.collimators.size() != 1 || !beam.blocks.empty() || beam.control_points.size() < 2) return result;
    for (const ControlPoint& point : beam.control_points)
        result.apertures.push_back(openings(beam.collimators[0], point.leaves[0], point));
    for (std::size_t i = 0; i + 1 < beam.control_points.size(); ++i)
        result.mu.push_back(beam.segment_mu(static_cast<int>(i)));
    return result;
}

/// Mean of a metric of segments, weighted by MU. NaN: the metric has no value there, and its MU do not count.
std::optional<double> weighted(const std::vector<double>& mu,
                               const std::function<double(std::size_t)>& metric) {
    double sum = 0, total = 0;
    for (std::size_t i = 0; i < mu.size(); ++i) {
        const double value = mu[i] > 0 ? metric(i) : std::nan("");
        if (std::isnan(value)) continue;
        sum += mu[i] * value;
        total += mu[i];
    }
    return total > 0 ? std::optional(sum / total) : std::nullopt;
}

/// Mean of a metric of apertures over the MU of the segments that they begin and end.
template <class Metric>
std::optional<double> mean_of_apertures(const Sequence& beam, const Metric& metric) {
    std::vector<double> values;
    for (const Aperture& aperture : beam.apertures) values.push_back(metric(aperture));
    return weighted(beam.mu, [&](std::size_t i) { return 0.5 * (values[i] + values[i + 1]); });
}

/// Leaf sequence variability of one bank: 1 for leaves in line.
double bank_variability(const std::vector<double>& positions) {
    if (positions.size() < 2) return 1;
    const auto [least, greatest] = std::minmax_element(positions.begin(), positions.end());
    const double range = *greatest - *least;
    if (!(range > 0)) return 1;
    double sum = 0;
    for (std::size_t n = 0; n + 1 < positions.size(); ++n)
        sum += range - std::abs(positions[n] - positions[n + 1]);
    return sum / (range * static_cast<double>(positions.size() - 1));
}

double leaf_sequence_variability(const Aperture& aperture) {
    std::vector<double> lower, upper;
    for (const PairOpening& pair : aperture)
        if (pair.open()) {
            lower.push_back(pair.lower_mm);
            upper.push_back(pair.upper_mm);
        }
    return bank_variability(lower) * bank_variability(upper);
}

/// Area between the outermost positions of the two ends of each pair's opening in the beam, mm².
double largest_area_mm2(const Sequence& beam) {
    double area = 0;
    for (std::size_t i = 0; i < beam.apertures.front().size(); ++i) {
        double lower = std::numeric_limits<double>::max(), upper = -lower, width = 0;
        for (const Aperture& aperture : beam.apertures) {
            const PairOpening& pair = aperture[i];
            if (!pair.open()) continue;
            lower = std::min(lower, pair.open_lower_mm);
            upper = std::max(upper, pair.open_upper_mm);
            width = std::max(width, pair.width_mm);
        }
        area += std::max(0.0, upper - lower) * width;
    }
    return area;
}

/// Modulation complexity score: each factor is the mean of a segment's two ends.
std::optional<double> modulation_complexity_score(const Sequence& beam) {
    const double largest = largest_area_mm2(beam);
    if (!(largest > 0)) return {};
    std::vector<double> shape, area;
    for (const Aperture& aperture : beam.apertures) {
        shape.push_back(leaf_sequence_variability(aperture));
        area.push_back(area_mm2(aperture) / largest);
    }
    return weighted(beam.mu, [&](std::size_t i) {
        return 0.5 * (shape[i] + shape[i + 1]) * 0.5 * (area[i] + area[i + 1]);
    });
}

/// Part of the open pairs whose gap is narrower; NaN where none is open.
double small_apertures(const Aperture& aperture, double narrower_than_mm) {
    int open = 0, small = 0;
    for (const PairOpening& pair : aperture) {
        if (!pair.open()) continue;
        ++open;
        if (pair.gap_mm() < narrower_than_mm) ++small;
    }
    return open > 0 ? static_cast<double>(small) / open : std::nan("");
}

double edge_per_mm(const Aperture& aperture) {
    const double area = area_mm2(aperture);
    return area > 0 ? side_length_mm(aperture) / area : std::nan("");
}

/// Mean way of the leaves that move and are not under the jaws all the time.
std::optional<double> leaf_travel_mm(const Sequence& beam) {
    double travel = 0;
    int moving = 0;
    for (std::size_t pair = 0; pair < beam.apertures.front().size(); ++pair) {
        double lower = 0, upper = 0;
        for (std::size_t i = 0; i + 1 < beam.apertures.size(); ++i) {
            const PairOpening &begin = beam.apertures[i][pair], &end = beam.apertures[i + 1][pair];
            if (begin.under_jaws() && end.under_jaws()) continue;
            lower += std::abs(end.lower_mm - begin.lower_mm);
            upper += std::abs(end.upper_mm - begin.upper_mm);
        }
        travel += lower + upper;
        moving += (lower > 0 ? 1 : 0) + (upper > 0 ? 1 : 0);
    }
    return moving > 0 ? travel / moving : 0;
}

bool is_arc(const Beam& beam) {
    return std::any_of(beam.gantry_rotation.begin(), beam.gantry_rotation.end(),
                       [](Rotation rotation) { return rotation != Rotation::none; });
}

Complexity of_beam(const Beam& beam) {
    Complexity result;
    result.beam_number = beam.number;
    result.mu = beam.meterset_mu;
    const Sequence apertures = sequence(beam);
    if (apertures.apertures.empty()) return result;
    result.modulation_complexity_score = modulation_complexity_score(apertures);
    if (is_arc(beam)) result.leaf_travel_mm = leaf_travel_mm(apertures);
    result.small_aperture_score_5mm =
        mean_of_apertures(apertures, [](const Aperture& a) { return small_apertures(a, 5); });
    result.small_aperture_score_10mm =
        mean_of_apertures(apertures, [](const Aperture& a) { return small_apertures(a, 10); });
    result.edge_metric_per_mm = mean_of_apertures(apertures, edge_per_mm);
    result.mean_aperture_area_cm2 =
        mean_of_apertures(apertures, [](const Aperture& a) { return 0.01 * area_mm2(a); });
    return result;
}

using Metric = std::optional<double> Complexity::*;

Complexity of_plan(const std::vector<Complexity>& beams, double prescribed_gy_per_fraction) {
    Complexity plan;
    std::vector<double> mu;
    for (const Complexity& beam : beams) {
        plan.mu += beam.mu;
        mu.push_back(beam.mu);
    }
    if (prescribed_gy_per_fraction > 0) plan.mu_per_gy = plan.mu / prescribed_gy_per_fraction;
    for (const Metric metric : {&Complexity::modulation_complexity_score, &Complexity::leaf_travel_mm,
                                &Complexity::small_aperture_score_5mm, &Complexity::small_aperture_score_10mm,
                                &Complexity::edge_metric_per_mm, &Complexity::mean_aperture_area_cm2})
        plan.*metric = weighted(mu, [&](std::size_t i) { return (beams[i].*metric).value_or(std::nan("")); });
    return plan;
}

}  // namespace

std::vector<Complexity> complexity(const Plan& plan, double prescribed_gy_per_fraction) {
    std::vector<Complexity> all;
    for (const Beam& beam : plan.beams) all.push_back(of_beam(beam));
    all.push_back(of_plan(all, prescribed_gy_per_fraction));
    return all;
}

}  // namespace libdose::check
