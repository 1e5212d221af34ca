#include "check/complexity_apertures.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace libdose::check {

namespace {

constexpr double everywhere = std::numeric_limits<double>::max();

JawOpening or_open(const std::optional<JawOpening>& jaw) {
    return jaw.value_or(JawOpening{-everywhere, everywhere});
}

double overlap(double a_lower, double a_upper, double b_lower, double b_upper) {
    return std::max(0.0, std::min(a_upper, b_upper) - std::max(a_lower, b_lower));
}

}  // namespace

std::vector<PairOpening> openings(const MultileafCollimator& mlc, const LeafPositions& leaves,
                                  const ControlPoint& point) {
    const bool along_x = mlc.motion == MultileafCollimator::Motion::along_x;
    const JawOpening along = or_open(along_x ? point.jaw_x : point.jaw_y),
                     across = or_open(along_x ? point.jaw_y : point.jaw_x);
    std::vector<PairOpening> pairs(static_cast<std::size_t>(mlc.leaf_pairs()));
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        PairOpening& pair = pairs[i];
        pair.lower_mm = leaves.lower_mm[i];
        pair.upper_mm = leaves.upper_mm[i];
        pair.width_mm = overlap(mlc.leaf_boundaries_mm[i], mlc.leaf_boundaries_mm[i + 1], across.lower_mm,
                                across.upper_mm);
        if (pair.under_jaws() || pair.gap_mm() <= closed_gap_mm) continue;
        pair.open_lower_mm = std::max(pair.lower_mm, along.lower_mm);
        pair.open_upper_mm = std::min(pair.upper_mm, along.upper_mm);
        pair.open_mm = std::max(0.0, pair.open_upper_mm - pair.open_lower_mm);
    }
    return pairs;
}

double area_mm2(const std::vector<PairOpening>& aperture) {
    double area = 0;
    for (const PairOpening& pair : aperture) area += pair.open_mm * pair.width_mm;
    return area;
}

double side_length_mm(const std::vector<PairOpening>& aperture) {
    PairOpening before;
    double length = 0;
    for (const PairOpening& pair : aperture) {
        const double common =
            pair.open() && before.open()
                ? overlap(pair.open_lower_mm, pair.open_upper_mm, before.open_lower_mm, before.open_upper_mm)
                : 0;
        length += pair.open_mm + before.open_mm - 2 * common;
        before = pair;
    }
    return length + before.open_mm;
}

}  // namespace libdose::check
