#include "libdose/dvh.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "analysis/contour_planes.h"
#include "libdose/error.h"

namespace libdose {
namespace {

/// The structure's neighbourhood on the dose lattice, voxels split so that none is much longer than 1 mm.
Grid sampling_grid(const Grid& dose, const Structure& structure) {
    Vec3 low = Vec3::Constant(std::numeric_limits<double>::infinity()), high = -low;
    for (const Contour& contour : structure.contours)
        for (const Vec3& p : contour.points_mm) low = low.cwiseMin(p), high = high.cwiseMax(p);
    for (const ContourPlane& plane : stack_contours(structure, dose.spacing_mm[2]).planes) {
        low[2] = std::min(low[2], plane.lower_mm);
        high[2] = std::max(high[2], plane.upper_mm);
    }
    if (!low.allFinite() || !high.allFinite()) throw bad_input("the contours are not finite", "structure " + structure.name);
    std::array<double, 3> first{}, count{};
    for (Eigen::Index a = 0; a < 3; ++a) {
        const double edge = dose.lower_edge_mm()[a], spacing = dose.spacing_mm[a];
        first[static_cast<std::size_t>(a)] = std::floor((low[a] - edge) / spacing);
        count[static_cast<std::size_t>(a)] = std::max(1.0, std::ceil((high[a] - edge) / spacing) - first[static_cast<std::size_t>(a)]);
    }
    constexpr double most = 4e7;
    std::array<int, 3> split{};
    for (int finest = 4; finest >= 1; --finest) {
        double voxels = 1;
        for (std::size_t a = 0; a < 3; ++a) {
            split[a] = std::clamp(static_cast<int>(std::ceil(dose.spacing_mm[static_cast<Eigen::Index>(a)] - 1e-6)), 1, finest);
            voxels *= count[a] * split[a];
        }
        if (voxels <= most) break;
        if (finest == 1)
            throw bad_input("the structure is too large for its dose-volume histogram", "structure " + structure.name,
                            "Check its contours, or use a coarser dose grid");
    }
    Grid grid;
    for (std::size_t a = 0; a < 3; ++a) {
        const auto axis = static_cast<Eigen::Index>(a);
        grid.size[a] = static_cast<int>(count[a]) * split[a];
        grid.spacing_mm[axis] = dose.spacing_mm[axis] / split[a];
        grid.origin_mm[axis] = dose.lower_edge_mm()[axis] + first[a] * dose.spacing_mm[axis] + 0.5 * grid.spacing_mm[axis];
    }
    return grid;
}

bool covers(const Grid& grid, const Vec3& point_mm) {
    const Vec3 index = grid.continuous_index(point_mm);
    for (std::size_t a = 0; a < 3; ++a)
        if (const double x = index[static_cast<Eigen::Index>(a)]; x < -0.5 || x > grid.size[a] - 0.5) return false;
    return true;
}

}  // namespace

DoseVolumeHistogram dose_volume_histogram(const Volume<float>& dose_gy, const Structure& structure, double bin_width_gy) {
    dose_gy.grid.check("dose of the dose-volume histogram");
    if (!(std::isfinite(bin_width_gy) && bin_width_gy > 0)) throw bad_input("the bin width must be positive", "dose-volume histogram");
    if (dose_gy.values.size() != dose_gy.grid.voxel_count()) throw bad_input("the number of values and the grid disagree", "dose of the dose-volume histogram");
    for (const float v : dose_gy.values)
        if (!std::isfinite(v) || v < 0) throw bad_input("a dose that is negative or not a finite number", "dose of the dose-volume histogram");
    const double highest = static_cast<double>(*std::max_element(dose_gy.values.begin(), dose_gy.values.end()));
    if (highest / bin_width_gy > 1e7) throw bad_input("the bins are too narrow for this dose", "dose-volume histogram", "Use wider bins");
    DoseVolumeHistogram result;
    result.structure = structure.name;
    result.bin_width_gy = bin_width_gy;
    if (structure.contours.empty()) throw bad_input("the structure has no contours", "structure " + structure.name);

    // A single plane without a stated thickness is as thick as the dose voxel, not as the finer voxel used here.
    Structure sampled = structure;
    if (!(sampled.plane_spacing_mm > 0) && stack_contours(structure, dose_gy.grid.spacing_mm[2]).planes.size() == 1)
        sampled.plane_spacing_mm = dose_gy.grid.spacing_mm[2];
    const Volume<float> part = coverage_mask(sampled, sampling_grid(dose_gy.grid, sampled));
    const Grid& grid = part.grid;
    const double voxel_cm3 = grid.voxel_volume_cm3();
    // A dose on the edge of a bin belongs to the bin above it, in spite of rounding.
    const auto bin_of = [&](double dose) { return static_cast<std::size_t>(dose / bin_width_gy + 1e-5); };
    std::vector<double> histogram(bin_of(highest) + 2, 0.0);
    double inside = 0, weighted = 0;
    result.minimum_gy = std::numeric_limits<double>::infinity();
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j)
            for (int i = 0; i < grid.size[0]; ++i) {
                const double volume = voxel_cm3 * static_cast<double>(part.at(i, j, k));
                if (!(volume > 0)) continue;
                const Vec3 point = grid.centre_mm(i, j, k);
                if (!covers(dose_gy.grid, point)) {
                    result.volume_outside_cm3 += volume;
                    continue;
                }
                const double dose = std::clamp(interpolate(dose_gy, point), 0.0, highest);
                histogram[bin_of(dose)] += volume;
                inside += volume;
                weighted += volume * dose;
                result.minimum_gy = std::min(result.minimum_gy, dose);
                result.maximum_gy = std::max(result.maximum_gy, dose);
            }
    result.volume_cm3 = inside + result.volume_outside_cm3;
    if (!(result.volume_cm3 > 0)) throw bad_input("the structure has no volume", "structure " + structure.name);
    if (!(inside > 0)) throw bad_input("the structure lies outside the dose grid", "structure " + structure.name);
    result.mean_gy = weighted / inside;
    histogram.resize(bin_of(result.maximum_gy) + 2);
    result.cumulative_cm3.assign(histogram.size(), 0.0);
    double above = 0;
    for (std::size_t b = histogram.size(); b-- > 0;) result.cumulative_cm3[b] = above += histogram[b];
    return result;
}

double DoseVolumeHistogram::dose_at_volume_percent(double percent) const {
    if (!(percent >= 0 && percent <= 100)) throw bad_input("the volume must be between 0 and 100 percent", "dose-volume histogram of " + structure);
    const double wanted = percent / 100 * volume_cm3;
    if (cumulative_cm3.empty() || wanted > cumulative_cm3.front() * (1 + 1e-9)) return 0;  // part of the volume has no known dose
    if (percent == 0) return maximum_gy;
    std::size_t b = 0;
    while (b + 1 < cumulative_cm3.size() && cumulative_cm3[b + 1] >= wanted * (1 - 1e-9)) ++b;
    double dose = static_cast<double>(b) * bin_width_gy;
    if (b + 1 < cumulative_cm3.size()) {
        const double drop = cumulative_cm3[b] - cumulative_cm3[b + 1];
        if (drop > 0) dose += bin_width_gy * std::clamp((cumulative_cm3[b] - wanted) / drop, 0.0, 1.0);
    }
    return std::clamp(dose, minimum_gy, maximum_gy);
}

double DoseVolumeHistogram::volume_percent_at_dose(double dose_gy) const {
    if (!(std::isfinite(dose_gy) && dose_gy >= 0)) throw bad_input("the dose must be a number that is not negative", "dose-volume histogram of " + structure);
    const double position = dose_gy / bin_width_gy;
    if (cumulative_cm3.empty() || !(position < static_cast<double>(cumulative_cm3.size() - 1))) return 0;
    const auto b = static_cast<std::size_t>(position + 1e-5);
    const double part = std::max(0.0, position - static_cast<double>(b));
    const double next = b + 1 < cumulative_cm3.size() ? cumulative_cm3[b + 1] : 0;
    return 100 * (cumulative_cm3[b] + part * (next - cumulative_cm3[b])) / volume_cm3;
}

}  // namespace libdose
