#include "fluence/aperture.h"

#include <algorithm>
#include <cmath>

#include "base/simd/multiversion.h"
#include "fluence/fluence_map.h"
#include "fluence/head_equations.h"
#include "geometry/polygon_area.h"
#include "machine/leaf_edges.h"

namespace libdose {

namespace {

/// Tangents of the two ends from the positions of the plan; where these ends would meet they touch in the
/// middle.
physics::Interval tangents_of(double lower_mm, double upper_mm, double shift_mm) {
    lower_mm += shift_mm;
    upper_mm -= shift_mm;
    if (lower_mm > upper_mm) lower_mm = upper_mm = 0.5 * (lower_mm + upper_mm);
    return {lower_mm, upper_mm};
}

/// Area of every pixel inside the outline, seen as if its edge stood at another distance from the source.
std::vector<double> outline_coverage(const FluenceMap& map, const Block& block, double scale) {
    Polygon2 outline;
    for (std::size_t p = 0; p < block.x_mm.size(); ++p)
        outline.emplace_back((scale * block.x_mm[p] - map.lower_u_mm) / map.pixel_mm,
                             (scale * block.y_mm[p] - map.lower_v_mm) / map.pixel_mm);
    const PixelCoverage part = even_odd_coverage({outline}, map.size_u, map.size_v);
    std::vector<double> inside(map.values.size(), 0.0);
    const double* value = part.fraction.data();
    for (int v = part.first_row; v < part.end_row; ++v)
        for (int u = part.first_column; u < part.end_column; ++u, ++value)
            inside[static_cast<std::size_t>(v) * static_cast<std::size_t>(map.size_u) +
                   static_cast<std::size_t>(u)] = *value;
    return inside;
}

/// Transmission of a beam's blocks for every pixel of the map; empty without blocks.
std::vector<float> block_plane(const FluenceMap& map, const Beam& beam) {
    if (beam.blocks.empty()) return {};
    std::vector<float> plane(map.values.size(), 1.0f);
    for (const Block& block : beam.blocks) {
        // Sides along the rays have the same shadow at every height; upright ones are cut into slices, each
        // with its own.
        constexpr int upright_slices = 8;
        const int slices = block.divergent ? 1 : upright_slices;
        const double slice = std::pow(block.transmission, 1.0 / slices);
        for (int s = 0; s < slices; ++s) {
            const double away = (block.source_side ? -1 : 1) * (s + 0.5) / slices * block.thickness_mm;
            const double scale =
                block.divergent ? 1 : block.tray_distance_mm / (block.tray_distance_mm + away);
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
void find_shares(BankOnRaster& bank, const MultileafCollimator& mlc, double tongue_and_groove_mm,
                 double stack_lower_mm) {
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
Rect left_open(const MultileafCollimator& mlc, const LeafPositions& leaves, double closed_mm,
               const Rect& rectangle) {
    const bool along_x = mlc.motion == MultileafCollimator::Motion::along_x;
    Rect open = Rect::nothing();
    const auto include = [&](const physics::Interval& strip, const physics::Interval& tips) {
        const physics::Interval &u = along_x ? tips : strip, &v = along_x ? strip : tips;
        const Rect part = Rect{u.low, u.high, v.low, v.high}.common(rectangle);
        if (part.has_area()) open = open.around(part);
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

Rect jaw_opening_mm(const ControlPoint& point, double radius_mm) {
    const physics::Interval x = jaw_x_of(point), y = jaw_y_of(point);
    return {std::max(-radius_mm, x.low), std::min(radius_mm, x.high), std::max(-radius_mm, y.low),
            std::min(radius_mm, y.high)};
}

std::optional<Rect> opening_mm(const Beam& beam, const ControlPoint& point, double radius_mm,
                               double closed_mm) {
    Rect open = jaw_opening_mm(point, radius_mm);
    for (std::size_t m = 0; m < beam.collimators.size(); ++m)
        open = left_open(beam.collimators[m], point.leaves[m], closed_mm, open);
    if (!open.has_area()) return std::nullopt;
    return open;
}

physics::Interval jaw_x_of(const ControlPoint& point) {
    return point.jaw_x ? physics::Interval{point.jaw_x->lower_mm, point.jaw_x->upper_mm}
                       : physics::wide_open();
}
physics::Interval jaw_y_of(const ControlPoint& point) {
    return point.jaw_y ? physics::Interval{point.jaw_y->lower_mm, point.jaw_y->upper_mm}
                       : physics::wide_open();
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

DevicesOnRaster::DevicesOnRaster(const FluenceMap& map, const Beam& beam, const HeadModel& head,
                                 const std::vector<LeafEdges>& edges)
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
        bank.pairs = mlc.leaf_pairs();
        bank.between = edge.tongue_and_groove_mm > 0 ? bank.pairs - 1 : 0;
        bank.tip_shift_mm = edge.tip_shift_mm;
        bank.travel_size = bank.along_x ? map.size_u : map.size_v;
        bank.stack_size = bank.along_x ? map.size_v : map.size_u;
        bank.travel_lower_mm = bank.along_x ? map.lower_u_mm : map.lower_v_mm;
        bank.pixel_mm = map.pixel_mm;
        find_shares(bank, mlc, edge.tongue_and_groove_mm, bank.along_x ? map.lower_v_mm : map.lower_u_mm);
        banks.push_back(std::move(bank));
    }
}

}  // namespace libdose
