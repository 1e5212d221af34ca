#include "libdose/dvh.h"

#include <algorithm>
#include <cmath>

#include "libdose/error.h"

namespace libdose {

namespace {

/// The dose grid, made larger by whole voxels until it holds the structure.
Grid extended(const Grid& grid, const Structure& structure) {
    Vec3 low = grid.lower_edge_mm(), high = grid.upper_edge_mm();
    for (const Contour& contour : structure.contours)
        for (const Vec3& point : contour.points_mm) low = low.cwiseMin(point), high = high.cwiseMax(point);
    Grid result = grid;
    for (int axis = 0; axis < 3; ++axis) {
        // Contours stand for a slice of finite thickness: two centimetres more at both ends of z.
        const double margin = axis == 2 ? 20.0 : 0.0;
        const double step = grid.spacing_mm[axis];
        const int before = std::max(0, static_cast<int>(std::ceil((grid.lower_edge_mm()[axis] - low[axis] + margin) / step)));
        const int after = std::max(0, static_cast<int>(std::ceil((high[axis] + margin - grid.upper_edge_mm()[axis]) / step)));
        result.origin_mm[axis] -= before * step;
        result.size[static_cast<std::size_t>(axis)] += before + after;
    }
    return result;
}

double volume_of(const Volume<float>& mask) {
    double sum = 0;
    for (const float part : mask.values) sum += static_cast<double>(part);
    return sum * mask.grid.voxel_volume_cm3();
}

}  // namespace

DoseVolumeHistogram dose_volume_histogram(const Volume<float>& dose, const Structure& structure, double bin_width_gy) {
    const std::string where = "structure " + structure.name;
    dose.grid.check("dose");
    if (!(bin_width_gy > 0)) throw bad_input("the bin width must be positive", where);
    if (structure.contours.empty()) throw bad_input("the structure has no contours", where);
    DoseVolumeHistogram result;
    result.structure = structure.name;
    result.bin_width_gy = bin_width_gy;
    const Volume<float> mask = coverage_mask(structure, dose.grid);
    const double inside = volume_of(mask);
    result.volume_cm3 = volume_of(coverage_mask(structure, extended(dose.grid, structure)));
    result.volume_outside_cm3 = std::max(0.0, result.volume_cm3 - inside);
    if (!(inside > 0)) throw bad_input("the structure lies outside the dose grid", where);

    double maximum = 0, minimum = 1e30, sum = 0;
    for (std::size_t v = 0; v < mask.values.size(); ++v) {
        if (mask.values[v] <= 0) continue;
        const double value = static_cast<double>(dose.values[v]);
        if (!std::isfinite(value)) throw bad_input("voxel " + std::to_string(v) + " is not a finite number", "dose");
        maximum = std::max(maximum, value);
        minimum = std::min(minimum, value);
        sum += static_cast<double>(mask.values[v]) * value;
    }
    const double voxel = dose.grid.voxel_volume_cm3();
    result.minimum_gy = minimum;
    result.maximum_gy = maximum;
    result.mean_gy = sum * voxel / inside;
    const double bins = maximum / bin_width_gy;
    if (bins > 1e7) throw bad_input("the bin width is too small for this dose", where);
    std::vector<double> differential(static_cast<std::size_t>(bins) + 2, 0.0);
    for (std::size_t v = 0; v < mask.values.size(); ++v)
        if (mask.values[v] > 0) differential[static_cast<std::size_t>(std::max(0.0, static_cast<double>(dose.values[v])) / bin_width_gy)] += static_cast<double>(mask.values[v]) * voxel;
    result.cumulative_cm3.resize(differential.size());
    double above = 0;
    for (std::size_t b = differential.size(); b-- > 0;) {
        above += differential[b];
        result.cumulative_cm3[b] = above;
    }
    return result;
}

double DoseVolumeHistogram::dose_at_volume_percent(double percent) const {
    if (cumulative_cm3.empty()) return 0;
    const double wanted = percent / 100 * cumulative_cm3.front();
    // The first bin edge that fewer receive; linear between the edges.
    for (std::size_t b = 1; b < cumulative_cm3.size(); ++b) {
        if (cumulative_cm3[b] >= wanted && cumulative_cm3[b] > 0) continue;
        const double high = cumulative_cm3[b - 1], low = cumulative_cm3[b];
        const double part = high > low ? std::clamp((high - wanted) / (high - low), 0.0, 1.0) : 0.0;
        return std::min(maximum_gy, (static_cast<double>(b - 1) + part) * bin_width_gy);
    }
    return maximum_gy;
}

double DoseVolumeHistogram::volume_percent_at_dose(double dose_gy) const {
    if (cumulative_cm3.empty() || cumulative_cm3.front() <= 0) return 0;
    const double position = std::max(0.0, dose_gy / bin_width_gy);
    const auto b = static_cast<std::size_t>(position);
    if (b + 1 >= cumulative_cm3.size()) return 0;
    const double part = position - static_cast<double>(b);
    return 100 * ((1 - part) * cumulative_cm3[b] + part * cumulative_cm3[b + 1]) / cumulative_cm3.front();
}

}  // namespace libdose
