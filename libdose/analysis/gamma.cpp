#include "libdose/gamma.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>

#include "libdose/error.h"

namespace libdose {

namespace {

struct Offset {
    Vec3 shift_mm;
    double squared;  ///< (distance / criterion)²
};

/// Search points around a voxel, nearest first.
std::vector<Offset> search_offsets(const GammaOptions& options) {
    const double step = options.distance_mm / options.steps_per_distance;
    const int reach = static_cast<int>(std::floor(options.max_gamma * options.steps_per_distance + 1e-9));
    std::vector<Offset> offsets;
    for (int c = -reach; c <= reach; ++c)
        for (int b = -reach; b <= reach; ++b)
            for (int a = -reach; a <= reach; ++a) {
                const double squared = static_cast<double>(a * a + b * b + c * c) / (options.steps_per_distance * options.steps_per_distance);
                if (squared <= options.max_gamma * options.max_gamma + 1e-9) offsets.push_back({Vec3(a * step, b * step, c * step), squared});
            }
    std::stable_sort(offsets.begin(), offsets.end(), [](const Offset& x, const Offset& y) { return x.squared < y.squared; });
    return offsets;
}

void check_dose(const Volume<float>& dose, const char* which) {
    dose.grid.check(std::string(which) + " dose");
    if (dose.values.size() != dose.grid.voxel_count()) throw bad_input("the values do not fill the grid", std::string(which) + " dose");
    for (std::size_t v = 0; v < dose.values.size(); ++v)
        if (!std::isfinite(dose.values[v])) throw bad_input("voxel " + std::to_string(v) + " is not a finite number", std::string(which) + " dose");
}

}  // namespace

GammaResult gamma_index(const Volume<float>& reference, const Volume<float>& evaluated, const GammaOptions& options) {
    check_dose(reference, "reference");
    check_dose(evaluated, "evaluated");
    const auto positive = [](double value, const char* name) {
        if (!(value > 0) || !std::isfinite(value)) throw bad_input(std::string(name) + " must be a positive number", "gamma");
    };
    positive(options.dose_percent, "the dose criterion");
    positive(options.distance_mm, "the distance criterion");
    positive(options.max_gamma, "the largest gamma");
    if (options.steps_per_distance < 1 || options.steps_per_distance > 100) throw bad_input("steps per distance must be between 1 and 100", "gamma");
    if (!(options.threshold_percent >= 0) || options.threshold_percent > 100) throw bad_input("the threshold must be between 0 and 100 percent", "gamma");
    const double normalisation = options.normalisation_gy > 0 ? options.normalisation_gy : static_cast<double>(*std::max_element(reference.values.begin(), reference.values.end()));
    if (!(normalisation > 0)) throw bad_input("the reference dose is zero everywhere", "gamma");

    const std::vector<Offset> offsets = search_offsets(options);
    const double threshold = options.threshold_percent / 100 * normalisation;
    constexpr double outside_value = -1;  // doses are not negative
    GammaResult result;
    result.gamma = Volume<float>(reference.grid, std::numeric_limits<float>::quiet_NaN());
    const Grid& grid = reference.grid;
    std::vector<std::size_t> outside_per_slice(static_cast<std::size_t>(grid.size[2]), 0);
    std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 1)
    for (int k = 0; k < grid.size[2]; ++k) {
        try {
            for (int j = 0; j < grid.size[1]; ++j)
                for (int i = 0; i < grid.size[0]; ++i) {
                    const std::size_t v = grid.index(i, j, k);
                    const double dose = static_cast<double>(reference.values[v]);
                    if (dose < threshold || dose <= 0) continue;
                    const Vec3 centre = grid.centre_mm(i, j, k);
                    const double tolerance = options.dose_percent / 100 * (options.local ? dose : normalisation);
                    double best = options.max_gamma * options.max_gamma;
                    if (interpolate(evaluated, centre, outside_value) < 0) {
                        ++outside_per_slice[static_cast<std::size_t>(k)];
                    } else {
                        for (const Offset& offset : offsets) {
                            if (offset.squared >= best) break;  // all that follow are farther
                            const double value = interpolate(evaluated, centre + offset.shift_mm, outside_value);
                            if (value < 0) continue;
                            const double difference = (value - dose) / tolerance;
                            best = std::min(best, difference * difference + offset.squared);
                        }
                    }
                    result.gamma.values[v] = static_cast<float>(std::sqrt(best));
                }
        } catch (...) {
#pragma omp critical(libdose_gamma_failure)
            failure = std::current_exception();
        }
    }
    if (failure) std::rethrow_exception(failure);
    double sum = 0;
    for (const float value : result.gamma.values) {
        if (std::isnan(value)) continue;
        ++result.evaluated;
        if (value <= 1.0f + 1e-6f) ++result.passed;
        sum += static_cast<double>(value);
        result.maximum = std::max(result.maximum, static_cast<double>(value));
    }
    for (const std::size_t count : outside_per_slice) result.outside += count;
    if (result.evaluated == 0) throw bad_input("no point of the reference is above the threshold", "gamma");
    result.mean = sum / static_cast<double>(result.evaluated);
    result.pass_rate_percent = 100.0 * static_cast<double>(result.passed) / static_cast<double>(result.evaluated);
    return result;
}

}  // namespace libdose
