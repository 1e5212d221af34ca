#include "libdose/dvh.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <exception>
#include <functional>

#include "analysis/dose_samples.h"
#include "analysis/region_layers.h"
#include "base/parallel.h"
#include "base/text.h"
#include "base/threads.h"
#include "libdose/error.h"

namespace libdose {
namespace {

/// Samples of a structure unless the user chooses: their distance in 0.1 cm3 is 0.06 mm, in 100 cm3 0.6 mm.
constexpr double usual_samples = 5e5;
/// Range of that distance.
constexpr double finest_mm = 0.01, coarsest_mm = 1.6;
/// Bounds of memory and time: samples, pixels along a side of a layer, pixels of a layer and of all layers.
constexpr double most_samples = 2e7, most_pixels_of_a_side = 1e5, most_pixels_of_a_layer = 2e7,
                 most_pixels = 4e8;
/// A structure for which these bounds ask for samples farther apart than this is a mistake.
constexpr double too_coarse_mm = 5;
/// Doses within this part of each other are one: a dose is stored in 32 bits, at times in 16.
constexpr double same_dose = 1e-6;

/// A region as the histogram needs it, of any kind.
struct Layers {
    std::size_t count = 0;
    std::function<Volume<float>(std::size_t layer, double pixel_mm)> coverage;
    double volume_mm3 = 0;   ///< volume of the region
    double sampled_mm3 = 0;  ///< volume of all voxels that a mask covers, wholly or in part
    /// Longest side and areas of the outlines' boxes, where the pixels follow the distance of the samples.
    double longest_side_mm = 0, largest_box_mm2 = 0, boxes_mm2 = 0;
};

void check_dose(const Volume<float>& dose) {
    const char* where = "dose of the dose-volume histogram";
    dose.grid.check(where);
    if (dose.values.size() != dose.grid.voxel_count())
        throw bad_input("the number of values and the grid disagree", where);
    if (!std::all_of(dose.values.begin(), dose.values.end(),
                     [](float v) { return std::isfinite(v) && v >= 0; }))
        throw bad_input("a dose that is negative or not a finite number", where);
}

void check_options(const DvhOptions& options) {
    const auto usable = [](double value) { return std::isfinite(value) && value >= 0; };
    if (!usable(options.bin_width_gy))
        throw bad_input("the bin width must be positive", "dose-volume histogram");
    if (!usable(options.sampling_mm))
        throw bad_input("the distance of the samples must be positive", "dose-volume histogram");
    if (options.threads < 0)
        throw bad_input("the number of threads must not be negative", "dose-volume histogram");
}

/// Distance of the samples: the user's, or by the volume.
double sampling_of(const Layers& layers, const std::string& where, double wanted_mm) {
    const double volume_mm3 = std::max(layers.volume_mm3, layers.sampled_mm3);
    const double least_mm = std::max({finest_mm, std::cbrt(volume_mm3 / most_samples),
                                      layers.longest_side_mm / most_pixels_of_a_side,
                                      std::sqrt(layers.largest_box_mm2 / most_pixels_of_a_layer),
                                      std::sqrt(layers.boxes_mm2 / most_pixels)});
    if (least_mm > too_coarse_mm)
        throw bad_input("the structure is too large for its dose-volume histogram", where,
                        "Check its contours");
    if (wanted_mm == 0)
        return std::max(least_mm, std::min(std::cbrt(volume_mm3 / usual_samples), coarsest_mm));
    if (wanted_mm < least_mm)
        throw bad_input("samples " + short_number(wanted_mm) + " mm apart are too many for this structure",
                        where, "Sample it at " + short_number(least_mm) + " mm or more");
    return wanted_mm;
}

/// Samples of all layers, in an order that does not depend on the number of threads.
DoseSamples sample(const Volume<float>& dose_gy, const Layers& layers, double sampling_mm, int threads) {
    const ThreadLimit limit(threads);
    std::vector<DoseSamples> parts(layers.count);
    for_each_parallel(parts.size(), [&](std::size_t n) {
        parts[n] = sample_layer(dose_gy, layers.coverage(n, sampling_mm), sampling_mm, n);
    });
    DoseSamples all;
    for (DoseSamples& part : parts) {
        all.inside.insert(all.inside.end(), part.inside.begin(), part.inside.end());
        all.outside_cm3 += part.outside_cm3;
        all.minimum_gy = std::min(all.minimum_gy, part.minimum_gy);
        all.maximum_gy = std::max(all.maximum_gy, part.maximum_gy);
        part = {};
    }
    return all;
}

/// Sorts numbers by their upper 32 bits, eleven at a time.
void sort_by_dose(std::vector<std::uint64_t>& numbers) {
    constexpr int bits = 11;
    std::vector<std::uint64_t> other(numbers.size());
    for (int shift = 32; shift < 64; shift += bits) {
        const auto digit = [shift](std::uint64_t x) {
            return static_cast<std::size_t>(x >> shift & ((1u << bits) - 1));
        };
        std::vector<std::size_t> begin((1u << bits) + 1, 0);
        for (const std::uint64_t x : numbers) ++begin[digit(x) + 1];
        for (std::size_t d = 1; d < begin.size(); ++d) begin[d] += begin[d - 1];
        for (const std::uint64_t x : numbers) other[begin[digit(x)]++] = x;
        numbers.swap(other);
    }
}

/// 0.01 Gy, or the power of ten that cuts a smaller dose into a hundred bins or more.
double usual_bin_gy(double maximum_gy) {
    double width = 0.01;
    while (maximum_gy > 0 && maximum_gy < 99.9 * width) width /= 10;
    return width;
}

/// Volume of the samples that receive at least a dose, in whole samples.
double whole_samples_cm3(const DoseVolumeHistogram& h, double gy) {
    const auto end = std::partition_point(h.sample_gy.begin(), h.sample_gy.end(),
                                          [&](float dose) { return static_cast<double>(dose) >= gy; });
    return end == h.sample_gy.begin()
               ? 0
               : h.volume_above_cm3[static_cast<std::size_t>(end - h.sample_gy.begin()) - 1];
}

void add_curve(DoseVolumeHistogram& h, double width_gy) {
    h.bin_width_gy = width_gy > 0 ? width_gy : usual_bin_gy(h.maximum_gy);
    if (h.maximum_gy / h.bin_width_gy > 1e7)
        throw bad_input("the bins are too narrow for this dose", "dose-volume histogram", "Use wider bins");
    // A dose on the edge of a bin belongs to the bin above it, in spite of rounding. The last value is 0.
    const auto bins = static_cast<std::size_t>(h.maximum_gy / h.bin_width_gy + 1e-5) + 1;
    h.cumulative_cm3.resize(bins + 1, 0.0);
    for (std::size_t b = 0; b < bins; ++b)
        h.cumulative_cm3[b] =
            whole_samples_cm3(h, (static_cast<double>(b) - 1e-5) * h.bin_width_gy * (1 - same_dose));
}

DoseVolumeHistogram histogram_of(const Volume<float>& dose_gy, const Layers& layers, const std::string& name,
                                 const DvhOptions& options) {
    const std::string where = "structure " + name;
    if (!(layers.volume_mm3 > 0)) throw bad_input("the structure has no volume", where);
    DoseVolumeHistogram result;
    result.structure = name;
    result.sampling_mm = sampling_of(layers, where, options.sampling_mm);
    DoseSamples samples = sample(dose_gy, layers, result.sampling_mm, options.threads);
    if (samples.inside.empty()) throw bad_input("the structure lies outside the dose grid", where);
    sort_by_dose(samples.inside);

    const auto value = [](std::uint64_t bits) {
        return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    };
    double inside = 0, weighted = 0;
    result.sample_gy.reserve(samples.inside.size());
    result.volume_above_cm3.reserve(samples.inside.size());
    for (auto sample = samples.inside.rbegin(); sample != samples.inside.rend(); ++sample) {
        const float gy = value(*sample >> 32), cm3 = value(*sample);
        result.sample_gy.push_back(gy);
        result.volume_above_cm3.push_back(inside += static_cast<double>(cm3));
        weighted += static_cast<double>(cm3) * static_cast<double>(gy);
    }
    result.volume_outside_cm3 = samples.outside_cm3;
    result.volume_cm3 = inside + samples.outside_cm3;
    result.minimum_gy = samples.minimum_gy;
    result.maximum_gy = samples.maximum_gy;
    result.mean_gy = std::clamp(weighted / inside, result.minimum_gy, result.maximum_gy);
    add_curve(result, options.bin_width_gy);
    return result;
}

}  // namespace

DoseVolumeHistogram dose_volume_histogram(const Volume<float>& dose_gy, const StructureExpression& region,
                                          const DvhOptions& options) {
    check_dose(dose_gy);
    check_options(options);
    if (region.operation == StructureOperation::none && region.structure.contours.empty())
        throw bad_input("the structure has no contours", "structure " + region.name);
    const RegionLayers pile(region, dose_gy.grid);
    Layers layers;
    layers.count = pile.size();
    layers.coverage = [&](std::size_t n, double pixel_mm) { return pile.coverage(n, pixel_mm); };
    layers.volume_mm3 = pile.volume_mm3();
    for (std::size_t n = 0; n < pile.size(); ++n) {
        layers.longest_side_mm = std::max(layers.longest_side_mm, pile.longest_side_mm(n));
        layers.largest_box_mm2 = std::max(layers.largest_box_mm2, pile.box_area_mm2(n));
        layers.boxes_mm2 += pile.box_area_mm2(n);
    }
    DoseVolumeHistogram result = histogram_of(dose_gy, layers, region.name, options);
    result.structure_number = region.number();
    return result;
}

DoseVolumeHistogram dose_volume_histogram(const Volume<float>& dose_gy, const Structure& structure,
                                          const DvhOptions& options) {
    return dose_volume_histogram(dose_gy, StructureExpression(structure), options);
}

DoseVolumeHistogram dose_volume_histogram(const Volume<float>& dose_gy, const Structure& structure,
                                          double bin_width_gy) {
    if (!(bin_width_gy > 0)) throw bad_input("the bin width must be positive", "dose-volume histogram");
    return dose_volume_histogram(dose_gy, structure, DvhOptions{bin_width_gy, 0, 0});
}

DoseVolumeHistogram dose_volume_histogram(const Volume<float>& dose_gy, const Volume<float>& coverage,
                                          const std::string& name, const DvhOptions& options) {
    check_dose(dose_gy);
    check_options(options);
    const std::string where = "mask " + name;
    const Grid& grid = coverage.grid;
    grid.check(where);
    if (coverage.values.size() != grid.voxel_count())
        throw bad_input("the number of values and the grid disagree", where);
    double sum = 0;
    std::size_t touched = 0;
    for (const float fraction : coverage.values) {
        if (!(fraction >= 0 && fraction <= 1))
            throw bad_input("the covered fraction of a voxel is not between 0 and 1", where);
        sum += static_cast<double>(fraction);
        if (fraction > 0) ++touched;
    }
    Layers layers;
    layers.count = static_cast<std::size_t>(grid.size[2]);
    layers.volume_mm3 = sum * grid.spacing_mm.prod();
    layers.sampled_mm3 = static_cast<double>(touched) * grid.spacing_mm.prod();
    layers.coverage = [&](std::size_t n, double) {
        Grid slice = grid;
        slice.size[2] = 1;
        slice.origin_mm[2] = grid.centre_mm(0, 0, static_cast<int>(n))[2];
        Volume<float> layer(slice);
        std::copy_n(coverage.values.begin() + static_cast<std::ptrdiff_t>(n * layer.values.size()),
                    layer.values.size(), layer.values.begin());
        return layer;
    };
    return histogram_of(dose_gy, layers, name, options);
}

double DoseVolumeHistogram::dose_at_volume_percent(double percent) const {
    if (!(percent >= 0 && percent <= 100))
        throw bad_input("the volume must be between 0 and 100 percent",
                        "dose-volume histogram of " + structure);
    return dose_at_volume_cm3(percent / 100 * volume_cm3);
}

double DoseVolumeHistogram::dose_at_volume_cm3(double wanted_cm3) const {
    if (!(wanted_cm3 >= 0 && wanted_cm3 <= volume_cm3 * (1 + 1e-9)))
        throw bad_input(
            "the volume must be between 0 and that of the structure, " + short_number(volume_cm3) + " cm3",
            "dose-volume histogram of " + structure);
    // Part of the volume has no known dose.
    if (sample_gy.empty() || wanted_cm3 > volume_above_cm3.back() * (1 + 1e-9)) return 0;
    // A sample's dose holds at the middle of its volume; between the middles it is linear, beyond them the
    // extremes are reached.
    const auto middle = [this](std::size_t n) {
        return 0.5 * (volume_above_cm3[n] + (n > 0 ? volume_above_cm3[n - 1] : 0));
    };
    const auto end = std::lower_bound(volume_above_cm3.begin(), volume_above_cm3.end(), wanted_cm3);
    auto next = std::min(static_cast<std::size_t>(end - volume_above_cm3.begin()), sample_gy.size() - 1);
    if (middle(next) < wanted_cm3) ++next;
    const double v0 = next > 0 ? middle(next - 1) : 0,
                 d0 = next > 0 ? static_cast<double>(sample_gy[next - 1]) : maximum_gy;
    const bool last = next == sample_gy.size();
    const double v1 = last ? volume_above_cm3.back() : middle(next),
                 d1 = last ? minimum_gy : static_cast<double>(sample_gy[next]);
    return std::clamp(v1 > v0 ? d0 + (d1 - d0) * std::clamp((wanted_cm3 - v0) / (v1 - v0), 0.0, 1.0) : d0,
                      minimum_gy, maximum_gy);
}

double DoseVolumeHistogram::volume_percent_at_dose(double dose_gy) const {
    const double cm3 = volume_cm3_at_dose(dose_gy);
    return volume_cm3 > 0 ? 100 * (cm3 / volume_cm3) : 0;
}

double DoseVolumeHistogram::volume_cm3_at_dose(double dose_gy) const {
    if (!(std::isfinite(dose_gy) && dose_gy >= 0))
        throw bad_input("the dose must be a number that is not negative",
                        "dose-volume histogram of " + structure);
    return whole_samples_cm3(*this, dose_gy * (1 - same_dose));
}

}  // namespace libdose
