#include "libdose/gamma.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <exception>
#include <limits>
#include <optional>

#include "base/parallel_failure.h"
#include "base/threads.h"
#include "libdose/comparable.h"
#include "libdose/error.h"

namespace libdose {
namespace {

struct Offset {
    double distance2;  ///< (distance / criterion)²
    Vec3 voxels;       ///< in voxels of the evaluated grid
};

/// Neighbouring offsets of a search, nearest first.
struct OffsetBlock {
    Vec3 middle;  ///< of the cuboid about its offsets, in voxels of the evaluated grid
    std::vector<Offset> offsets;
};

/// Steps along each edge of a block. Odd: one block lies about the point itself.
constexpr int block_steps = 5;

/// Largest distance along each axis from the middle of a block to its offsets, in voxels.
Vec3 half_block(const Grid& grid, const GammaOptions& o) {
    const double steps = (block_steps - 1) / 2;
    return Vec3::Constant(steps * o.distance_mm / o.steps_per_distance).cwiseQuotient(grid.spacing_mm);
}

/// Index of the block that a step belongs to; block 0 lies about step 0.
int block_of(int step) {
    return static_cast<int>(std::floor((step + block_steps / 2) / static_cast<double>(block_steps)));
}

/// Middle of the steps of a block that are within reach.
double middle_step(int block, int reach) {
    const int first = std::max(block * block_steps - block_steps / 2, -reach);
    const int last = std::min(block * block_steps + block_steps / 2, reach);
    return 0.5 * (first + last);
}

/// Offsets within the distance of the largest gamma, in blocks; the block with the nearest offset first.
std::vector<OffsetBlock> offset_blocks(const Grid& grid, const GammaOptions& o) {
    const double step_mm = o.distance_mm / o.steps_per_distance;
    const auto in_voxels = [&](const Vec3& steps) {
        return Vec3((steps * step_mm).cwiseQuotient(grid.spacing_mm));
    };
    const double scale = 1.0 / (o.steps_per_distance * o.steps_per_distance);
    const int reach = static_cast<int>(std::floor(o.max_gamma * o.steps_per_distance + 1e-9));
    const int last = block_of(reach), count = 2 * last + 1;
    std::vector<OffsetBlock> blocks(static_cast<std::size_t>(count * count * count));
    for (int k = -reach; k <= reach; ++k)
        for (int j = -reach; j <= reach; ++j)
            for (int i = -reach; i <= reach; ++i) {
                const int squared = i * i + j * j + k * k;
                if (squared > reach * reach) continue;
                const int a = block_of(i), b = block_of(j), c = block_of(k);
                OffsetBlock& block =
                    blocks[static_cast<std::size_t>(((c + last) * count + b + last) * count + a + last)];
                block.middle =
                    in_voxels({middle_step(a, reach), middle_step(b, reach), middle_step(c, reach)});
                block.offsets.push_back({squared * scale, in_voxels(Vec3(i, j, k))});
            }
    blocks.erase(std::remove_if(blocks.begin(), blocks.end(),
                                [](const OffsetBlock& block) { return block.offsets.empty(); }),
                 blocks.end());
    for (OffsetBlock& block : blocks)
        std::stable_sort(block.offsets.begin(), block.offsets.end(),
                         [](const Offset& a, const Offset& b) { return a.distance2 < b.distance2; });
    std::stable_sort(blocks.begin(), blocks.end(), [](const OffsetBlock& a, const OffsetBlock& b) {
        return a.offsets.front().distance2 < b.offsets.front().distance2;
    });
    return blocks;
}

/// Trilinear value at a continuous voxel index. False outside the grid (beyond the outer faces of its
/// voxels); between the outermost centres and the faces the value of the outermost voxels holds, as in
/// libdose::interpolate.
class Sampler {
public:
    explicit Sampler(const Volume<float>& volume) : volume_(volume) {
        std::size_t stride = 1;
        for (std::size_t a = 0; a < 3; ++a) {
            last_low_[a] = std::max(0, volume.grid.size[a] - 2);
            next_[a] = volume.grid.size[a] > 1 ? stride : 0;
            stride *= static_cast<std::size_t>(volume.grid.size[a]);
        }
    }

    bool value(const Vec3& index, double& result) const {
        const Grid& g = volume_.grid;
        std::array<int, 3> low{};
        std::array<double, 3> part{};
        for (std::size_t a = 0; a < 3; ++a) {
            const double x = index[static_cast<Eigen::Index>(a)];
            if (!(x >= -0.5 - 1e-6 && x <= g.size[a] - 0.5 + 1e-6)) return false;
            const double inside = std::clamp(x, 0.0, static_cast<double>(g.size[a] - 1));
            low[a] = std::min(static_cast<int>(inside), last_low_[a]);
            part[a] = inside - low[a];
        }
        const float* v = volume_.values.data() + g.index(low[0], low[1], low[2]);
        const auto along = [](double a, double b, double t) { return a + t * (b - a); };
        const auto line = [&](const float* p) {
            return along(static_cast<double>(p[0]), static_cast<double>(p[next_[0]]), part[0]);
        };
        const auto plane = [&](const float* p) { return along(line(p), line(p + next_[1]), part[1]); };
        result = along(plane(v), plane(v + next_[2]), part[2]);
        return true;
    }

private:
    const Volume<float>& volume_;
    std::array<int, 3> last_low_{};      // index of the last cell along each axis
    std::array<std::size_t, 3> next_{};  // from a voxel to the next along each axis; 0: there is none
};

/// Smallest or largest value within `reach` voxels along each axis: a bound of the values that a search can
/// find. `pick` returns the smaller or the larger of two.
template <class Pick>
Volume<float> extreme_nearby(const Volume<float>& volume, const std::array<int, 3>& reach, Pick&& pick) {
    Volume<float> result = volume;
    const Grid& g = volume.grid;
    std::size_t stride = 1;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const Volume<float> before = result;
        // Slabs one after the other, each of n layers along the axis.
        const auto n = static_cast<std::size_t>(g.size[axis]);
        const auto far = std::min(static_cast<std::size_t>(reach[axis]), n - 1);
        const auto slabs = static_cast<std::int64_t>(g.voxel_count() / (stride * n));
#pragma omp parallel for schedule(static)
        for (std::int64_t slab = 0; slab < slabs; ++slab) {
            const float* from = before.values.data() + static_cast<std::size_t>(slab) * stride * n;
            float* to = result.values.data() + static_cast<std::size_t>(slab) * stride * n;
            for (std::size_t m = 1; m <= far; ++m) {
                const std::size_t shift = m * stride, count = (n - m) * stride;
                for (std::size_t v = 0; v < count; ++v) to[v] = pick(to[v], from[v + shift]);
                for (std::size_t v = 0; v < count; ++v) to[v + shift] = pick(to[v + shift], from[v]);
            }
        }
        stride *= n;
    }
    return result;
}

/// Largest change of the trilinear dose over `span` voxels along each axis, within the cell between a voxel
/// and the next ones.
Volume<float> change_in_cells(const Volume<float>& volume, const Vec3& span) {
    const Grid& g = volume.grid;
    Volume<float> change(g, 0.0f);
#pragma omp parallel for schedule(static)
    for (int k = 0; k < g.size[2]; ++k)
        for (int j = 0; j < g.size[1]; ++j)
            for (int i = 0; i < g.size[0]; ++i) {
                const std::array<int, 2> x{i, std::min(i + 1, g.size[0] - 1)},
                    y{j, std::min(j + 1, g.size[1] - 1)}, z{k, std::min(k + 1, g.size[2] - 1)};
                Vec3 steepest = Vec3::Zero();
                const auto note = [&](int axis, float a, float b) {
                    steepest[axis] = std::max(steepest[axis], static_cast<double>(std::abs(b - a)));
                };
                for (std::size_t a = 0; a < 2; ++a)
                    for (std::size_t b = 0; b < 2; ++b) {
                        note(0, volume.at(x[0], y[a], z[b]), volume.at(x[1], y[a], z[b]));
                        note(1, volume.at(x[a], y[0], z[b]), volume.at(x[a], y[1], z[b]));
                        note(2, volume.at(x[a], y[b], z[0]), volume.at(x[a], y[b], z[1]));
                    }
                change.at(i, j, k) = static_cast<float>(1.000001 * steepest.dot(span));
            }
    return change;
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

/// Doses of 100 % and of the threshold, Gy.
struct Levels {
    double normalisation_gy, threshold_gy;
};

Levels levels_of(const Volume<float>& reference, const GammaOptions& options) {
    const double largest =
        static_cast<double>(*std::max_element(reference.values.begin(), reference.values.end()));
    if (!(largest > 0)) throw bad_input("the reference dose is zero everywhere", "gamma index");
    const double normalisation = options.normalisation_gy > 0 ? options.normalisation_gy : largest;
    const double threshold = options.threshold_percent / 100 * normalisation;
    if (largest < threshold)
        throw bad_input("no reference voxel is above the threshold", "gamma index",
                        "Lower the threshold or the normalisation");
    return {normalisation, threshold};
}

/// Voxels of the evaluated grid within the distance of the largest gamma, along each axis.
std::array<int, 3> search_reach(const Grid& grid, const GammaOptions& options) {
    std::array<int, 3> reach{};
    for (std::size_t a = 0; a < 3; ++a)
        reach[a] = static_cast<int>(std::ceil(options.max_gamma * options.distance_mm /
                                              grid.spacing_mm[static_cast<Eigen::Index>(a)])) +
                   1;
    return reach;
}

/// Voxels within which all offsets of a block lie, about the voxel nearest to its middle.
std::array<int, 3> block_reach(const Vec3& half) {
    std::array<int, 3> reach{};
    for (std::size_t a = 0; a < 3; ++a)
        reach[a] = static_cast<int>(std::ceil(half[static_cast<Eigen::Index>(a)] + 0.5));
    return reach;
}

/// Squared dose difference as a part of the criterion.
struct DoseTerm {
    double criterion_gy;

    double operator()(double difference_gy) const {
        if (difference_gy == 0) return 0.0;  // also where a local criterion is zero
        const double term = difference_gy / criterion_gy;
        return term * term;
    }
};

/// Index of the voxel whose centre is nearest to a continuous index.
std::size_t nearest_voxel(const Grid& grid, const Vec3& index) {
    std::array<int, 3> nearest{};
    for (std::size_t a = 0; a < 3; ++a)
        nearest[a] = static_cast<int>(std::clamp(std::round(index[static_cast<Eigen::Index>(a)]), 0.0,
                                                 static_cast<double>(grid.size[a] - 1)));
    return grid.index(nearest[0], nearest[1], nearest[2]);
}

/// Searches the evaluated dose about points of the reference. Blocks of offsets that cannot lower gamma are
/// passed over: the dose in a block differs from that in its middle by no more than the steepest cell there
/// allows.
class GammaSearch {
public:
    GammaSearch(const Volume<float>& evaluated, const GammaOptions& options)
        : options_(options),
          grid_(evaluated.grid),
          blocks_(offset_blocks(grid_, options)),
          lowest_(extreme_nearby(evaluated, search_reach(grid_, options),
                                 [](float a, float b) { return std::min(a, b); })),
          highest_(extreme_nearby(evaluated, search_reach(grid_, options),
                                  [](float a, float b) { return std::max(a, b); })),
          change_(extreme_nearby(change_in_cells(evaluated, half_block(grid_, options)),
                                 block_reach(half_block(grid_, options)),
                                 [](float a, float b) { return std::max(a, b); })),
          sampler_(evaluated) {}

    /// Gamma of a reference dose at a point; none where the evaluated grid does not cover it.
    std::optional<double> gamma(const Vec3& point_mm, double dose_gy, const DoseTerm& term) const {
        const Vec3 centre = grid_.continuous_index(point_mm);
        double value = 0;
        if (!sampler_.value(centre, value)) return std::nullopt;
        double best = std::min(term(value - dose_gy), options_.max_gamma * options_.max_gamma);
        const std::size_t nearest = nearest_voxel(grid_, centre);
        const double least = least_term(nearest, dose_gy, term);
        for (const OffsetBlock& block : blocks_) {
            if (block.offsets.front().distance2 + least >= best) break;
            const double least_here = std::max(least, least_in_block(centre + block.middle, dose_gy, term));
            if (block.offsets.front().distance2 + least_here < best)
                best = search_block(block, centre, dose_gy, term, least_here, best);
        }
        return std::sqrt(best);
    }

private:
    static constexpr double bound = 0.999999;  // covers the rounding of the interpolation

    /// The smallest gamma² of a block, or `best` where that is smaller. No dose term in it is below
    /// `least`.
    double search_block(const OffsetBlock& block, const Vec3& centre, double dose_gy, const DoseTerm& term,
                        double least, double best) const {
        double value = 0;
        for (const Offset& offset : block.offsets) {
            if (offset.distance2 + least >= best) break;
            if (sampler_.value(centre + offset.voxels, value))
                best = std::min(best, offset.distance2 + term(value - dose_gy));
        }
        return best;
    }

    /// Lower bound of the dose terms in the block about a place.
    double least_in_block(const Vec3& middle, double dose_gy, const DoseTerm& term) const {
        double value = 0;
        if (!sampler_.value(middle, value)) return 0;
        const double change = static_cast<double>(change_.values[nearest_voxel(grid_, middle)]);
        return bound * term(std::max(0.0, std::abs(value - dose_gy) - change));
    }

    /// Lower bound of the dose terms within reach of a point.
    double least_term(std::size_t nearest, double dose_gy, const DoseTerm& term) const {
        return bound * term(std::max({0.0, static_cast<double>(lowest_.values[nearest]) - dose_gy,
                                      dose_gy - static_cast<double>(highest_.values[nearest])}));
    }

    const GammaOptions& options_;
    const Grid& grid_;
    std::vector<OffsetBlock> blocks_;
    Volume<float> lowest_, highest_;
    Volume<float> change_;  // largest change of dose from the middle of a block there
    Sampler sampler_;
};

/// Calls `visit` with every voxel of the grid, by several threads; throws what it threw.
template <class Visit>
void for_each_voxel(const Grid& grid, const Visit& visit) {
    ParallelFailure failure;
    const int rows = grid.size[1] * grid.size[2];
#pragma omp parallel for schedule(dynamic, 4)
    for (int row = 0; row < rows; ++row)
        failure.guard([&] {
            for (int i = 0; i < grid.size[0]; ++i) visit(i, row % grid.size[1], row / grid.size[1]);
        });
    failure.rethrow();
}

/// Whether the evaluated dose covers a reference voxel above the threshold, or the margin leaves it out.
enum class Coverage : unsigned char { covered, not_covered, left_out };

/// Sets the counts, mean, maximum and pass rate by the gamma of every voxel.
void summarise(GammaResult& result, const std::vector<Coverage>& coverage) {
    double sum = 0;
    for (std::size_t v = 0; v < coverage.size(); ++v) {
        if (coverage[v] == Coverage::left_out) ++result.left_out;
        const double gamma = static_cast<double>(result.gamma.values[v]);
        if (std::isnan(gamma)) continue;
        ++result.evaluated;
        if (coverage[v] == Coverage::not_covered)
            ++result.outside;
        else if (gamma <= largest_passing_gamma)
            ++result.passed;
        sum += gamma;
        result.maximum = std::max(result.maximum, gamma);
    }
    if (result.evaluated == 0)
        throw bad_input("the margin leaves out every reference voxel above the threshold", "gamma index",
                        "Check that the doses overlap, or choose a smaller margin");
    result.mean = sum / static_cast<double>(result.evaluated);
    result.pass_rate_percent =
        100.0 * static_cast<double>(result.passed) / static_cast<double>(result.evaluated);
}

}  // namespace

GammaResult gamma_index(const Volume<float>& reference, const Volume<float>& evaluated,
                        const GammaOptions& options) {
    check_options(options);
    const ThreadLimit limit(options.threads);
    check_volume(reference, "reference");
    check_volume(evaluated, "evaluated dose");
    const Levels levels = levels_of(reference, options);
    const Grid& grid = reference.grid;
    const GammaSearch search(evaluated, options);

    GammaResult result;
    result.normalisation_gy = levels.normalisation_gy;
    result.gamma = Volume<float>(grid, std::numeric_limits<float>::quiet_NaN());
    std::vector<Coverage> coverage(grid.voxel_count(), Coverage::covered);
    for_each_voxel(grid, [&](int i, int j, int k) {
        const std::size_t v = grid.index(i, j, k);
        const double dose = static_cast<double>(reference.values[v]);
        if (dose < levels.threshold_gy) return;
        const Vec3 point_mm = grid.centre_mm(i, j, k);
        if (options.margin_mm > 0 && !within(evaluated.grid, point_mm, options.margin_mm)) {
            coverage[v] = Coverage::left_out;
            return;
        }
        const double norm_gy = options.local ? std::abs(dose) : levels.normalisation_gy;
        const auto gamma = search.gamma(point_mm, dose, DoseTerm{options.dose_percent / 100 * norm_gy});
        if (!gamma) coverage[v] = Coverage::not_covered;
        result.gamma.values[v] = static_cast<float>(gamma.value_or(options.max_gamma));
    });
    summarise(result, coverage);
    return result;
}

GammaResult gamma_index(const Dose& reference, const Dose& evaluated, const GammaOptions& options) {
    std::vector<std::string> notes = check_comparable(reference, evaluated);
    GammaResult result = gamma_index(reference.gy, evaluated.gy, options);
    result.notes = std::move(notes);
    return result;
}

}  // namespace libdose
