#include "fluence/aperture.h"

#include <algorithm>
#include <cmath>

#include "base/simd/multiversion.h"
#include "geometry/polygon_area.h"
#include "fluence/head_equations.h"

namespace libdose::cpu {

namespace {

/// Tangents of the two ends from the positions of the plan; where these ends would meet they touch in the middle.
physics::Interval tangents_of(double lower_mm, double upper_mm, double shift_mm) {
    lower_mm += shift_mm, upper_mm -= shift_mm;
    if (lower_mm > upper_mm) lower_mm = upper_mm = 0.5 * (lower_mm + upper_mm);
    return {lower_mm, upper_mm};
}

/// Area of every pixel inside the outline, seen as if its edge stood at another distance from the source.
std::vector<double> outline_coverage(const FluenceMap& map, const Block& block, double scale) {
    Polygon2 outline;
    for (std::size_t p = 0; p < block.x_mm.size(); ++p)
        outline.emplace_back((scale * block.x_mm[p] - map.lower_u_mm) / map.pixel_mm, (scale * block.y_mm[p] - map.lower_v_mm) / map.pixel_mm);
    const PixelCoverage part = even_odd_coverage({outline}, map.size_u, map.size_v);
    std::vector<double> inside(map.values.size(), 0.0);
    const double* value = part.fraction.data();
    for (int v = part.first_row; v < part.end_row; ++v)
        for (int u = part.first_column; u < part.end_column; ++u, ++value)
            inside[static_cast<std::size_t>(v) * static_cast<std::size_t>(map.size_u) + static_cast<std::size_t>(u)] = *value;
    return inside;
}

/// What the blocks of a beam let through, for every pixel of the map; empty without blocks.
std::vector<float> block_plane(const FluenceMap& map, const Beam& beam) {
    if (beam.blocks.empty()) return {};
    std::vector<float> plane(map.values.size(), 1.0f);
    for (const Block& block : beam.blocks) {
        // Sides along the rays have the same shadow at every height; upright ones are cut into slices, each with its own.
        constexpr int upright_slices = 8;
        const int slices = block.divergent ? 1 : upright_slices;
        const double slice = std::pow(block.transmission, 1.0 / slices);
        for (int s = 0; s < slices; ++s) {
            const double away = (block.source_side ? -1 : 1) * (s + 0.5) / slices * block.thickness_mm;
            const double scale = block.divergent ? 1 : block.tray_distance_mm / (block.tray_distance_mm + away);
            const std::vector<double> inside = outline_coverage(map, block, scale);
            for (std::size_t p = 0; p < plane.size(); ++p) {
                const double shielded = block.aperture ? 1 - inside[p] : inside[p];
                plane[p] *= static_cast<float>(1 - shielded * (1 - slice));
            }
        }
    }
    return plane;
}

/// Shares of the strips in every row of pixels across the leaves.
void find_shares(BankOnRaster& bank, const MultileafCollimator& mlc, double tongue_and_groove_mm, double stack_lower_mm) {
    const double half = bank.between > 0 ? 0.5 * tongue_and_groove_mm : 0;
    bank.first_share.push_back(0);
    for (int s = 0; s < bank.stack_size; ++s) {
        const double a = stack_lower_mm + s * bank.pixel_mm, b = a + bank.pixel_mm;
        double covered = 0;
        const auto add = [&](int strip, double low, double high) {
            const double part = physics::overlap(a, b, low, high) / bank.pixel_mm;
            if (!(part > 0)) return;
            covered += part;
            bank.shares.push_back({strip, static_cast<float>(part)});
        };
        for (int l = 0; l < bank.pairs; ++l) {
            const bool last = l + 1 == bank.pairs;
            const double lower = mlc.leaf_boundaries_mm[static_cast<std::size_t>(l)] + (l > 0 ? half : 0);
            const double middle = mlc.leaf_boundaries_mm[static_cast<std::size_t>(l) + 1];
            add(l, lower, middle - (last ? 0 : half));
            if (half > 0 && !last) add(bank.pairs + 1 + l, middle - half, middle + half);
        }
        if (covered < 1 - 1e-12) bank.shares.push_back({bank.pairs, static_cast<float>(1 - covered)});
        bank.first_share.push_back(static_cast<int>(bank.shares.size()));
    }
}

/// Bounding rectangle of what the pairs of a collimator, and the place beyond its first and last pair, leave
/// open of a rectangle.
std::array<double, 4> left_open(const MultileafCollimator& mlc, const LeafPositions& leaves, double closed_mm,
                                const std::array<double, 4>& rectangle) {
    const std::size_t along = mlc.motion == MultileafCollimator::Motion::along_x ? 0 : 2, across = 2 - along;
    std::array<double, 4> open{1e30, -1e30, 1e30, -1e30};
    const auto include = [&](const physics::Interval& strip, const physics::Interval& tips) {
        const double lower = std::max(tips.low, rectangle[along]),
                     upper = std::min(tips.high, rectangle[along + 1]);
        const double first = std::max(strip.low, rectangle[across]),
                     last = std::min(strip.high, rectangle[across + 1]);
        if (!(upper > lower && last > first)) return;
        open[along] = std::min(open[along], lower), open[along + 1] = std::max(open[along + 1], upper);
        open[across] = std::min(open[across], first), open[across + 1] = std::max(open[across + 1], last);
    };
    const auto& edges = mlc.leaf_boundaries_mm;
    include({physics::wide_open().low, edges.front()}, physics::wide_open());
    include({edges.back(), physics::wide_open().high}, physics::wide_open());
    for (std::size_t l = 0; l + 1 < edges.size(); ++l)
        if (leaves.upper_mm[l] - leaves.lower_mm[l] > closed_mm)
            include({edges[l], edges[l + 1]}, {leaves.lower_mm[l], leaves.upper_mm[l]});
    return open;
}

}  // namespace

std::array<double, 4> jaw_opening_mm(const ControlPoint& point, double radius_mm) {
    const physics::Interval x = jaw_x_of(point), y = jaw_y_of(point);
    return {std::max(-radius_mm, x.low), std::min(radius_mm, x.high), std::max(-radius_mm, y.low),
            std::min(radius_mm, y.high)};
}

std::optional<std::array<double, 4>> opening_mm(const Beam& beam, const ControlPoint& point, double radius_mm,
                                                double closed_mm) {
    std::array<double, 4> open = jaw_opening_mm(point, radius_mm);
    for (std::size_t m = 0; m < beam.collimators.size(); ++m)
        open = left_open(beam.collimators[m], point.leaves[m], closed_mm, open);
    if (!(open[1] > open[0] && open[3] > open[2])) return std::nullopt;
    return open;
}

physics::Interval jaw_x_of(const ControlPoint& point) {
    return point.jaw_x ? physics::Interval{point.jaw_x->lower_mm, point.jaw_x->upper_mm} : physics::wide_open();
}
physics::Interval jaw_y_of(const ControlPoint& point) {
    return point.jaw_y ? physics::Interval{point.jaw_y->lower_mm, point.jaw_y->upper_mm} : physics::wide_open();
}

physics::Interval BankOnRaster::jaw(const ControlPoint& point) const {
    if (!with_jaw) return physics::wide_open();
    return along_x ? jaw_x_of(point) : jaw_y_of(point);
}

std::vector<physics::Interval> BankOnRaster::leaves(const ControlPoint& point) const {
    const LeafPositions& positions = point.leaves[number];
    std::vector<physics::Interval> tangents;
    for (std::size_t l = 0; l < static_cast<std::size_t>(pairs); ++l)
        tangents.push_back(tangents_of(positions.lower_mm[l], positions.upper_mm[l], tip_shift_mm));
    return tangents;
}

DevicesOnRaster::DevicesOnRaster(const FluenceMap& map, const Beam& beam, const HeadModel& head, const std::vector<LeafEdges>& edges)
    : blocks(block_plane(map, beam)), jaw_transmission(head.jaw_transmission) {
    for (std::size_t m = 0; m < beam.collimators.size(); ++m) {
        const MultileafCollimator& mlc = beam.collimators[m];
        const LeafEdges edge = edges.empty() ? LeafEdges{} : edges[m];
        BankOnRaster bank;
        bank.number = m;
        bank.bank.jaw_transmission = head.jaw_transmission;
        bank.bank.leaf_transmission = edge.transmission.value_or(head.leaf_transmission);
        bank.bank.between_transmission = edge.interleaf_transmission.value_or(bank.bank.leaf_transmission);
        bank.bank.tip_decay = edge.tip_decay;
        bank.along_x = mlc.motion == MultileafCollimator::Motion::along_x;
        bool& jaw_in_bank = bank.along_x ? x_jaw_in_bank : y_jaw_in_bank;
        bank.with_jaw = !jaw_in_bank;
        jaw_in_bank = true;
        bank.pairs = mlc.leaf_pairs(), bank.between = edge.tongue_and_groove_mm > 0 ? bank.pairs - 1 : 0;
        bank.tip_shift_mm = edge.tip_shift_mm;
        bank.travel_size = bank.along_x ? map.size_u : map.size_v, bank.stack_size = bank.along_x ? map.size_v : map.size_u;
        bank.travel_lower_mm = bank.along_x ? map.lower_u_mm : map.lower_v_mm, bank.pixel_mm = map.pixel_mm;
        find_shares(bank, mlc, edge.tongue_and_groove_mm, bank.along_x ? map.lower_v_mm : map.lower_u_mm);
        banks.push_back(std::move(bank));
    }
}

namespace {

LIBDOSE_VERSIONS
void add_row(std::size_t n, float factor, const float* from, float* to) {
#pragma omp simd
    for (std::size_t i = 0; i < n; ++i) to[i] += factor * from[i];
}
LIBDOSE_VERSIONS
void multiply_row(std::size_t n, const float* by, float* to) {
#pragma omp simd
    for (std::size_t i = 0; i < n; ++i) to[i] *= by[i];
}

/// Adds weight × what a collimator lets through, [strip][cell along the travel].
void add_strips(const BankOnRaster& bank, const ControlPoint& point, float weight, std::vector<float>& sum) {
    const physics::Interval jaw = bank.jaw(point);
    const std::vector<physics::Interval> leaves = bank.leaves(point);
    const auto travel = static_cast<std::size_t>(bank.travel_size), pairs = static_cast<std::size_t>(bank.pairs);
    std::vector<float> strips(sum.size());
    for (std::size_t l = 0; l <= pairs; ++l) {
        const physics::Interval pair = l < pairs ? leaves[l] : physics::wide_open();
        double open_to = bank.bank.open_to(bank.cell(0).low, pair);
        for (std::size_t i = 0; i < travel; ++i) {
            const physics::Interval cell = bank.cell(static_cast<int>(i));
            const double open_to_high = bank.bank.open_to(cell.high, pair);
            strips[l * travel + i] = bank.bank.pair(cell, jaw, pair, open_to, open_to_high);
            open_to = open_to_high;
        }
    }
    for (std::size_t l = 0; l < static_cast<std::size_t>(bank.between); ++l)
        for (std::size_t i = 0; i < travel; ++i)
            strips[(pairs + 1 + l) * travel + i] =
                bank.bank.overlap(bank.cell(static_cast<int>(i)), jaw, leaves[l], leaves[l + 1], strips[l * travel + i], strips[(l + 1) * travel + i]);
    add_row(sum.size(), weight, strips.data(), sum.data());
}

/// Multiplies the pixels of a plane, size_u in a row, by the strips that cover them.
void multiply_by(const BankOnRaster& bank, const std::vector<float>& strips, std::size_t size_u, std::vector<float>& plane) {
    const auto travel = static_cast<std::size_t>(bank.travel_size);
    std::vector<float> row(travel);
    for (int s = 0; s < bank.stack_size; ++s) {
        std::fill(row.begin(), row.end(), 0.0f);
        for (int n = bank.first_share[static_cast<std::size_t>(s)]; n < bank.first_share[static_cast<std::size_t>(s) + 1]; ++n) {
            const physics::StripShare share = bank.shares[static_cast<std::size_t>(n)];
            add_row(travel, share.part, strips.data() + static_cast<std::size_t>(share.strip) * travel, row.data());
        }
        if (bank.along_x) {
            multiply_row(travel, row.data(), plane.data() + static_cast<std::size_t>(s) * size_u);
        } else {
            float* const out = plane.data() + s;
            for (std::size_t i = 0; i < travel; ++i) out[i * size_u] *= row[i];
        }
    }
}

bool same(const physics::Interval& a, const physics::Interval& b) { return a.low == b.low && a.high == b.high; }

}  // namespace

void add_apertures(FluenceMap& map, const DevicesOnRaster& devices, const std::vector<WeightedAperture>& apertures) {
    const auto nu = static_cast<std::size_t>(map.size_u);
    const auto same_jaws_alone = [&](const ControlPoint& a, const ControlPoint& b) {
        return (devices.x_jaw_in_bank || same(jaw_x_of(a), jaw_x_of(b))) && (devices.y_jaw_in_bank || same(jaw_y_of(a), jaw_y_of(b)));
    };
    // Of one collimator the strips are summed over all moments at which nothing else moves, and made a plane of once.
    const bool one_bank = devices.banks.size() == 1;
    for (std::size_t begin = 0, end; begin < apertures.size(); begin = end) {
        const ControlPoint& point = apertures[begin].devices;
        for (end = begin + 1; one_bank && end < apertures.size() && same_jaws_alone(point, apertures[end].devices);) ++end;
        // Factors of the whole plane from each multileaf collimator; a beam has one or two.
        std::vector<float> plane = devices.blocks.empty() ? std::vector<float>(map.values.size(), 1.0f) : devices.blocks;
        for (const BankOnRaster& bank : devices.banks) {
            std::vector<float> strips(static_cast<std::size_t>(bank.strips()) * static_cast<std::size_t>(bank.travel_size), 0.0f);
            for (std::size_t n = begin; n < end; ++n) add_strips(bank, apertures[n].devices, one_bank ? static_cast<float>(apertures[n].weight) : 1.0f, strips);
            multiply_by(bank, strips, nu, plane);
        }
        const auto jaw_factors = [&](double lower_mm, int size, const physics::Interval& jaw, bool in_bank) {
            std::vector<double> factors(static_cast<std::size_t>(size), 1.0);
            for (std::size_t i = 0; i < factors.size() && !in_bank; ++i) {
                const double low = lower_mm + static_cast<double>(i) * map.pixel_mm;
                factors[i] = physics::jaws_alone({low, low + map.pixel_mm}, jaw, devices.jaw_transmission);
            }
            return factors;
        };
        const std::vector<double> columns = jaw_factors(map.lower_u_mm, map.size_u, jaw_x_of(point), devices.x_jaw_in_bank),
                                  rows = jaw_factors(map.lower_v_mm, map.size_v, jaw_y_of(point), devices.y_jaw_in_bank);
        const double weight = one_bank ? 1 : apertures[begin].weight;
        const std::vector<float> of_columns(columns.begin(), columns.end());
        for (std::size_t v = 0; v < rows.size(); ++v) {
            multiply_row(nu, of_columns.data(), plane.data() + v * nu);
            add_row(nu, static_cast<float>(weight * rows[v]), plane.data() + v * nu, map.values.data() + v * nu);
        }
    }
}

}  // namespace libdose::cpu
