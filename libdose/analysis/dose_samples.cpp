#include "analysis/dose_samples.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "analysis/region_layers.h"
#include "base/counter_random.h"

namespace libdose {
namespace {

/// Additive recurrence with the powers of 1 / 1.2207440846, the root of x^4 = x + 1, in three dimensions:
/// fills a row of cells evenly (M. Roberts, The unreasonable effectiveness of quasirandom sequences, 2018).
/// In units of 2^-32, odd.
class Places {
public:
    explicit Places(std::uint64_t row) {
        for (std::size_t a = 0; a < 3; ++a) at_[a] = static_cast<std::uint32_t>(hash_bits(3 * row + a) >> 32);
    }
    /// The next place in the unit cube, [0, 1) each.
    std::array<double, 3> next() {
        constexpr std::array<std::uint32_t, 3> step{0xD1B54A33u, 0xABC98389u, 0x8CB92BA7u};
        std::array<double, 3> place{};
        for (std::size_t a = 0; a < 3; ++a) place[a] = 0x1p-32 * (at_[a] += step[a]);
        return place;
    }

private:
    std::array<std::uint32_t, 3> at_{};
};

/// Range 0 ... 1 of a pixel along one axis.
struct Range {
    double from = 0, length = 1;
};

/// Rectangle of a pixel that stands for its covered part: as large, and on the side where its neighbours are
/// covered more. How much of that is due to each axis tell the neighbours: exact for an outline along the
/// axes and for its corners.
std::array<Range, 2> covered_rectangle(const Volume<float>& layer, int i, int j) {
    const double fraction = static_cast<double>(layer.at(i, j, 0));
    if (fraction >= 1) return {};
    const auto lack = [&](double before, double behind) {
        return std::log(std::max({before, behind, fraction}) / fraction);
    };
    const CoverageNeighbours near = coverage_neighbours(layer, i, j);
    const double x = lack(near.left, near.right), y = lack(near.front, near.back);
    if (!(x + y > 0)) return {};
    const double along_x = std::pow(fraction, x / (x + y));
    const auto range = [](double length, double direction) {
        return Range{direction > 0 ? 1 - length : 0, length};
    };
    return {range(along_x, near.right - near.left), range(fraction / along_x, near.back - near.front)};
}

int parts(double length_mm, double spacing_mm) {
    return std::max(1, static_cast<int>(std::lround(length_mm / spacing_mm)));
}

/// Centres of dose voxels along an axis between two positions: first and one behind the last.
std::array<int, 2> centres_between(const Grid& grid, int axis, double lower_mm, double upper_mm) {
    const auto index = [&](double mm) { return (mm - grid.origin_mm[axis]) / grid.spacing_mm[axis]; };
    const int first = std::max(0, static_cast<int>(std::ceil(index(lower_mm) - 1e-9)));
    const int last = std::min(grid.size[static_cast<std::size_t>(axis)] - 1,
                              static_cast<int>(std::floor(index(upper_mm) + 1e-9)));
    return {first, last + 1};
}

void add_extremes_at_centres(const Volume<float>& dose, const Volume<float>& layer, DoseSamples& samples) {
    const Vec3 low = layer.grid.lower_edge_mm(), high = layer.grid.upper_edge_mm();
    const auto columns = centres_between(dose.grid, 0, low[0], high[0]),
               rows = centres_between(dose.grid, 1, low[1], high[1]),
               slices = centres_between(dose.grid, 2, low[2], high[2]);
    const auto pixel = [&](double mm, int axis) {
        const int at = static_cast<int>((mm - low[axis]) / layer.grid.spacing_mm[axis]);
        return std::clamp(at, 0, layer.grid.size[static_cast<std::size_t>(axis)] - 1);
    };
    for (int j = rows[0]; j < rows[1]; ++j)
        for (int i = columns[0]; i < columns[1]; ++i) {
            const Vec3 centre = dose.grid.centre_mm(i, j, 0);
            if (layer.at(pixel(centre[0], 0), pixel(centre[1], 1), 0) < 1) continue;
            for (int k = slices[0]; k < slices[1]; ++k) {
                const double gy = static_cast<double>(dose.at(i, j, k));
                samples.minimum_gy = std::min(samples.minimum_gy, gy);
                samples.maximum_gy = std::max(samples.maximum_gy, gy);
            }
        }
}

}  // namespace

void DoseSamples::add(double gy, double cm3) {
    const auto bits = [](double value) {
        return std::uint64_t{std::bit_cast<std::uint32_t>(static_cast<float>(std::max(value, 0.0)))};
    };
    inside.push_back(bits(gy) << 32 | bits(cm3));
    minimum_gy = std::min(minimum_gy, gy);
    maximum_gy = std::max(maximum_gy, gy);
}

DoseSamples sample_layer(const Volume<float>& dose_gy, const Volume<float>& layer, double spacing_mm,
                         std::uint64_t number) {
    const Grid& pixels = layer.grid;
    const std::array<int, 3> split{parts(pixels.spacing_mm[0], spacing_mm),
                                   parts(pixels.spacing_mm[1], spacing_mm),
                                   parts(pixels.spacing_mm[2], spacing_mm)};
    const Vec3 lower = pixels.lower_edge_mm();
    const double part_cm3 = pixels.voxel_volume_cm3() / (static_cast<double>(split[0]) * split[1] * split[2]);
    DoseSamples samples;
    for (int j = 0; j < pixels.size[1]; ++j) {
        Places places(number << 24 ^ static_cast<std::uint64_t>(j));
        for (int i = 0; i < pixels.size[0]; ++i) {
            const double fraction = static_cast<double>(layer.at(i, j, 0));
            if (!(fraction > 0)) continue;
            const auto covered = covered_rectangle(layer, i, j);
            for (int n = 0; n < split[0] * split[1] * split[2]; ++n) {
                const auto place = places.next();
                const double u = (n % split[0] + place[0]) / split[0],
                             v = (n / split[0] % split[1] + place[1]) / split[1];
                const double w = (n / (split[0] * split[1]) + place[2]) / split[2];
                const Vec3 within(i + covered[0].from + covered[0].length * u,
                                  j + covered[1].from + covered[1].length * v, w);
                const double gy = interpolate(dose_gy, lower + within.cwiseProduct(pixels.spacing_mm), -1);
                if (gy < 0)
                    samples.outside_cm3 += part_cm3 * fraction;
                else
                    samples.add(gy, part_cm3 * fraction);
            }
        }
    }
    add_extremes_at_centres(dose_gy, layer, samples);
    return samples;
}

}  // namespace libdose
