#include "validation/field_judgement.h"

#include <algorithm>
#include <cmath>

namespace libdose {

namespace {

double middle_of(const FieldLine& line, const std::vector<double>& values) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < line.position_mm.size(); ++i)
        if (std::abs(line.position_mm[i]) < std::abs(line.position_mm[best])) best = i;
    return values[best];
}

/// Steepest slope beside a point, per mm.
double slope_at(const FieldLine& line, const std::vector<double>& values, std::size_t i) {
    const auto between = [&](std::size_t a, std::size_t b) {
        return std::abs((values[b] - values[a]) / (line.position_mm[b] - line.position_mm[a]));
    };
    return std::max(i > 0 ? between(i - 1, i) : 0.0, i + 1 < values.size() ? between(i, i + 1) : 0.0);
}

/// Every place where the values cross a level faster than a slope (per mm).
std::vector<double> crossings(const FieldLine& line, const std::vector<double>& values, double level,
                              double least_slope) {
    std::vector<double> places;
    for (std::size_t i = 1; i < values.size(); ++i) {
        const double slope = (values[i] - values[i - 1]) / (line.position_mm[i] - line.position_mm[i - 1]);
        if ((values[i - 1] < level) != (values[i] < level) && std::abs(slope) > least_slope)
            places.push_back(line.position_mm[i - 1] + (level - values[i - 1]) / slope);
    }
    return places;
}

/// How far the edges of one curve are from the nearest place where the other has the same dose. An edge is
/// faster than 1 % of the middle in a millimetre: elsewhere a small difference of dose is a large shift.
void shift_of(const FieldLine& line, const std::vector<double>& edges_of, const std::vector<double>& other,
              double level, double middle, SuiteRow& row) {
    for (const double edge : crossings(line, edges_of, level, 0.01 * middle)) {
        double nearest = 1e3;
        for (const double place : crossings(line, other, level, 0))
            nearest = std::min(nearest, std::abs(place - edge));
        row.value = std::max(row.value, nearest);
        ++row.points;
    }
}

}  // namespace

std::vector<SuiteRow> judge_lines(const std::vector<FieldLine>& lines, double maximum,
                                  double high_dose_percent) {
    SuiteRow high{"high dose", 0, high_dose_percent, false, "%", 0, false},
        penumbra{"penumbra, 20, 50 and 80 %", 0, 2, false, "mm", 0, false},
        tail{"tail, of the maximum", 0, 3, false, "%", 0, false};
    for (const FieldLine& line : lines) {
        const double middle = middle_of(line, line.reference);
        for (std::size_t i = 0; i < line.position_mm.size(); ++i) {
            constexpr double steep = 0.03;  // per mm, of the middle: there the position of the edge is judged
            if (line.across && slope_at(line, line.reference, i) > steep * middle) continue;
            const double difference = std::abs(line.calculated[i] - line.reference[i]);
            if (line.across ? line.reference[i] > 0.8 * middle : line.position_mm[i] >= 20) {
                high.value = std::max(high.value, 100 * difference / line.reference[i]);
                ++high.points;
            } else if (line.across && line.reference[i] < 0.2 * middle) {
                tail.value = std::max(tail.value, 100 * difference / maximum);
                ++tail.points;
            }
        }
        if (!line.across) continue;
        for (const double level : {0.2, 0.5, 0.8}) {
            shift_of(line, line.reference, line.calculated, level * middle, middle, penumbra);
            shift_of(line, line.calculated, line.reference, level * middle, middle, penumbra);
        }
    }
    std::vector<SuiteRow> rows{high, penumbra, tail};
    for (SuiteRow& row : rows) row.passed = row.points > 0 && row.value <= row.tolerance;
    return rows;
}

}  // namespace libdose
