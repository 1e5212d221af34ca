#include "libdose/gamma.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <exception>
#include <limits>

#include "base/threads.h"
#include "libdose/comparable.h"
#include "libdose/error.h"

namespace libdose {
namespace {

/// Doses are 32-bit numbers: a difference of exactly the criterion is known only to about this part of it.
constexpr double rounding = 2e-5;

struct Offset {
    double distance2;  ///< (distance / criterion)²
    Vec3 voxels;       ///< in voxels of the evaluated grid
};

std::vector<Offset> sorted_offsets(const Grid& grid, const GammaOptions& o) {
    const double step_mm = o.distance_mm / o.steps_per_distance;
    const int reach = static_cast<int>(std::floor(o.max_gamma * o.steps_per_distance + 1e-9));
    struct Cell {
        int squared, i, j, k;
    };
    std::vector<Cell> cells;
    for (int k = -reach; k <= reach; ++k)
        for (int j = -reach; j <= reach; ++j)
            for (int i = -reach; i <= reach; ++i)
                if (const int squared = i * i + j * j + k * k; squared <= reach * reach)
                    cells.push_back({squared, i, j, k});
    std::stable_sort(cells.begin(), cells.end(),
                     [](const Cell& a, const Cell& b) { return a.squared < b.squared; });
    std::vector<Offset> offsets;
    offsets.reserve(cells.size());
    const double scale = 1.0 / (o.steps_per_distance * o.steps_per_distance);
    for (const Cell& c : cells)
        offsets.push_back(
            {c.squared * scale, (Vec3(c.i, c.j, c.k) * step_mm).cwiseQuotient(grid.spacing_mm)});
    return offsets;
}

/// Trilinear value at a continuous voxel index. False outside the grid (beyond the outer faces of its
/// voxels); between the outermost centres and the faces the value of the outermost voxels holds, as in
/// libdose::interpolate.
class Sampler {
public:
    explicit Sampler(const Volume<float>& volume) : volume_(volume) {}

    bool value(const Vec3& index, double& result) const {
        const Grid& g = volume_.grid;
        std::array<int, 3> low{};
        std::array<double, 3> part{};
        for (std::size_t a = 0; a < 3; ++a) {
            const double x = index[static_cast<Eigen::Index>(a)];
            if (!(x >= -0.5 - 1e-6 && x <= g.size[a] - 0.5 + 1e-6)) return false;
            const double inside = std::clamp(x, 0.0, static_cast<double>(g.size[a] - 1));
            low[a] = std::min(static_cast<int>(inside), std::max(0, g.size[a] - 2));
            part[a] = inside - low[a];
        }
        const std::size_t dx = g.size[0] > 1 ? 1 : 0,
                          dy = g.size[1] > 1 ? static_cast<std::size_t>(g.size[0]) : 0,
                          dz = g.size[2] > 1
                                   ? static_cast<std::size_t>(g.size[0]) * static_cast<std::size_t>(g.size[1])
                                   : 0;
        const float* v = volume_.values.data() + g.index(low[0], low[1], low[2]);
        const auto along = [](double a, double b, double t) { return a + t * (b - a); };
        const auto line = [&](const float* p) {
            return along(static_cast<double>(p[0]), static_cast<double>(p[dx]), part[0]);
        };
        const auto plane = [&](const float* p) { return along(line(p), line(p + dy), part[1]); };
        result = along(plane(v), plane(v + dz), part[2]);
        return true;
    }

private:
    const Volume<float>& volume_;
};

/// Smallest (sign 1) or largest (sign -1) value within `reach` voxels along each axis: bounds what a search
/// can find.
Volume<float> extreme_nearby(const Volume<float>& volume, const std::array<int, 3>& reach, bool smallest) {
    Volume<float> result = volume;
    const Grid& g = volume.grid;
    const std::array<std::size_t, 3> stride{
        1, static_cast<std::size_t>(g.size[0]),
        static_cast<std::size_t>(g.size[0]) * static_cast<std::size_t>(g.size[1])};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const Volume<float> before = result;
        const int n = g.size[axis];
        const auto count = static_cast<std::int64_t>(g.voxel_count());
#pragma omp parallel for schedule(static)
        for (std::int64_t v = 0; v < count; ++v) {
            const auto at = static_cast<std::size_t>(v);
            const int i = static_cast<int>((at / stride[axis]) % static_cast<std::size_t>(n));
            float best = before.values[at];
            for (int m = std::max(0, i - reach[axis]); m <= std::min(n - 1, i + reach[axis]); ++m) {
                const float other = before.values[at + static_cast<std::size_t>(m) * stride[axis] -
                                                  static_cast<std::size_t>(i) * stride[axis]];
                best = smallest ? std::min(best, other) : std::max(best, other);
            }
            result.values[at] = best;
        }
    }
    return result;
}

void check_volume(const Volume<float>& volume, const char* name) {
    volume.grid.check(std::string(name) + " of the gamma index");
    if (volume.values.size() != volume.grid.voxel_count())
        throw bad_input("the number of values and the grid disagree",
                        std::string(name) + " of the gamma index");
    if (!std::all_of(volume.values.begin(), volume.values.end(), [](float v) { return std::isfinite(v); }))
        throw bad_input("a dose that is not a finite number", std::string(name) + " of the gamma index");
}

void check_options(const GammaOptions& o) {
    const auto positive = [](double v) { return std::isfinite(v) && v > 0; };
    if (!positive(o.dose_percent) || !positive(o.distance_mm))
        throw bad_input("the dose and distance criteria must be positive", "gamma index");
    if (!(o.threshold_percent >= 0 && o.threshold_percent < 100))
        throw bad_input("the threshold must be at least 0 and below 100 percent", "gamma index");
    if (!(std::isfinite(o.normalisation_gy) && o.normalisation_gy >= 0))
        throw bad_input("the normalisation must not be negative", "gamma index");
    if (!(o.max_gamma >= 1 && o.max_gamma <= 10))
        throw bad_input("the largest gamma must be between 1 and 10", "gamma index");
    if (!(std::isfinite(o.margin_mm) && o.margin_mm >= 0))
        throw bad_input("the margin must not be negative", "gamma index");
    if (o.threads < 0) throw bad_input("the number of threads must not be negative", "gamma index");
    if (o.steps_per_distance < 1 || o.steps_per_distance > 50)
        throw bad_input("steps_per_distance must be between 1 and 50", "gamma index");
}

/// Whether a point lies within the voxels of the grid, and at least the margin from their faces.
bool within(const Grid& grid, const Vec3& point_mm, double margin_mm) {
    const Vec3 margin = Vec3::Constant(margin_mm);
    return ((point_mm - margin - grid.lower_edge_mm()).array() >= 0).all() &&
           ((grid.upper_edge_mm() - point_mm - margin).array() >= 0).all();
}

}  // namespace

GammaResult gamma_index(const Volume<float>& reference, const Volume<float>& evaluated,
                        const GammaOptions& options) {
    check_options(options);
    const ThreadLimit limit(options.threads);
    check_volume(reference, "reference");
    check_volume(evaluated, "evaluated dose");
    const double largest =
        static_cast<double>(*std::max_element(reference.values.begin(), reference.values.end()));
    if (!(largest > 0)) throw bad_input("the reference dose is zero everywhere", "gamma index");
    const double normalisation = options.normalisation_gy > 0 ? options.normalisation_gy : largest;
    const double threshold = options.threshold_percent / 100 * normalisation;
    if (largest < threshold)
        throw bad_input("no reference voxel is above the threshold", "gamma index",
                        "Lower the threshold or the normalisation");

    const Grid& grid = reference.grid;
    const Grid& other = evaluated.grid;
    const std::vector<Offset> offsets = sorted_offsets(other, options);
    std::array<int, 3> reach{};
    for (std::size_t a = 0; a < 3; ++a)
        reach[a] = static_cast<int>(std::ceil(options.max_gamma * options.distance_mm /
                                              other.spacing_mm[static_cast<Eigen::Index>(a)])) +
                   1;
    const Volume<float> lowest = extreme_nearby(evaluated, reach, true),
                        highest = extreme_nearby(evaluated, reach, false);
    const Sampler sampler(evaluated);

    GammaResult result;
    result.normalisation_gy = normalisation;
    result.gamma = Volume<float>(grid, std::numeric_limits<float>::quiet_NaN());
    std::vector<unsigned char> uncovered(grid.voxel_count(), 0), left_out(grid.voxel_count(), 0);

    const auto at_voxel = [&](int i, int j, int k) {
        const std::size_t v = grid.index(i, j, k);
        const double dose = static_cast<double>(reference.values[v]);
        if (dose < threshold) return;
        if (options.margin_mm > 0 && !within(other, grid.centre_mm(i, j, k), options.margin_mm)) {
            left_out[v] = 1;
            return;
        }
        const double criterion =
            options.dose_percent / 100 * (options.local ? std::abs(dose) : normalisation);
        const auto dose_term2 = [&](double difference) {
            if (difference == 0) return 0.0;  // also where a local criterion is zero
            const double term = difference / criterion;
            return term * term;
        };
        const Vec3 centre = other.continuous_index(grid.centre_mm(i, j, k));
        double value = 0;
        if (!sampler.value(centre, value)) {
            uncovered[v] = 1;
            result.gamma.values[v] = static_cast<float>(options.max_gamma);
            return;
        }
        double best = std::min(dose_term2(value - dose), options.max_gamma * options.max_gamma);
        std::array<int, 3> nearest{};
        for (std::size_t a = 0; a < 3; ++a)
            nearest[a] = static_cast<int>(std::clamp(std::round(centre[static_cast<Eigen::Index>(a)]), 0.0,
                                                     static_cast<double>(other.size[a] - 1)));
        const std::size_t n = other.index(nearest[0], nearest[1], nearest[2]);
        // No point within reach has a smaller dose term than this. The margin covers the rounding of the
        // interpolation.
        const double least =
            0.999999 * dose_term2(std::max({0.0, static_cast<double>(lowest.values[n]) - dose,
                                            dose - static_cast<double>(highest.values[n])}));
        for (const Offset& offset : offsets) {
            if (offset.distance2 + least >= best) break;
            if (sampler.value(centre + offset.voxels, value))
                best = std::min(best, offset.distance2 + dose_term2(value - dose));
        }
        result.gamma.values[v] = static_cast<float>(std::sqrt(best));
    };

    std::exception_ptr failure;
    const int rows = grid.size[1] * grid.size[2];
#pragma omp parallel for schedule(dynamic, 4)
    for (int row = 0; row < rows; ++row) {
        try {
            for (int i = 0; i < grid.size[0]; ++i) at_voxel(i, row % grid.size[1], row / grid.size[1]);
        } catch (...) {
#pragma omp critical(libdose_gamma_failure)
            failure = std::current_exception();
        }
    }
    if (failure) std::rethrow_exception(failure);

    double sum = 0;
    for (std::size_t v = 0; v < grid.voxel_count(); ++v) {
        result.left_out += left_out[v];
        const double gamma = static_cast<double>(result.gamma.values[v]);
        if (std::isnan(gamma)) continue;
        ++result.evaluated;
        result.outside += uncovered[v];
        if (!uncovered[v] && gamma <= 1 + rounding) ++result.passed;
        sum += gamma;
        result.maximum = std::max(result.maximum, gamma);
    }
    if (result.evaluated == 0)
        throw bad_input("the margin leaves out every reference voxel above the threshold", "gamma index",
                        "Check that the doses overlap, or choose a smaller margin");
    result.mean = sum / static_cast<double>(result.evaluated);
    result.pass_rate_percent =
        100.0 * static_cast<double>(result.passed) / static_cast<double>(result.evaluated);
    return result;
}

GammaResult gamma_index(const Dose& reference, const Dose& evaluated, const GammaOptions& options) {
    std::vector<std::string> notes = check_comparable(reference, evaluated);
    GammaResult result = gamma_index(reference.gy, evaluated.gy, options);
    result.notes = std::move(notes);
    return result;
}

}  // namespace libdose
