#include "cpu/aperture.h"

#include <algorithm>
#include <cmath>

#include "model/polygon_area.h"
#include "physics/head.h"

namespace libdose::cpu {

namespace {

constexpr double open_mm = 1e6;
constexpr int overlap_samples = 8;  // of a pixel, where tongue and groove overlap

/// Tangents of the two ends from the positions of the plan; where these ends would meet they touch in the middle.
JawOpening tangents_of(double lower_mm, double upper_mm, double shift_mm) {
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

}  // namespace

std::array<double, 4> opening_mm(const Beam& beam, const ControlPoint& point, double radius_mm) {
    std::array<double, 4> box{-radius_mm, radius_mm, -radius_mm, radius_mm};
    const auto narrow = [&](std::size_t low, double lower, double upper) {
        box[low] = std::max(box[low], lower);
        box[low + 1] = std::min(box[low + 1], upper);
    };
    if (point.jaw_x) narrow(0, point.jaw_x->lower_mm, point.jaw_x->upper_mm);
    if (point.jaw_y) narrow(2, point.jaw_y->lower_mm, point.jaw_y->upper_mm);
    for (std::size_t m = 0; m < beam.collimators.size(); ++m) {
        const bool along_x = beam.collimators[m].motion == MultileafCollimator::Motion::along_x;
        const auto& leaves = point.leaves[m];
        narrow(along_x ? 0 : 2, *std::min_element(leaves.lower_mm.begin(), leaves.lower_mm.end()),
               *std::max_element(leaves.upper_mm.begin(), leaves.upper_mm.end()));
    }
    return box;
}

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

void add_aperture(FluenceMap& map, const Beam& beam, const ControlPoint& point, const HeadModel& head, const std::vector<LeafEdges>& edges,
                  const std::vector<float>& blocks, double weight) {
    const JawOpening jaw_x = point.jaw_x.value_or(JawOpening{-open_mm, open_mm});
    const JawOpening jaw_y = point.jaw_y.value_or(JawOpening{-open_mm, open_mm});
    const int nu = map.size_u, nv = map.size_v;
    // Factors of the whole plane from each multileaf collimator; a beam has one or two.
    std::vector<float> plane = blocks.empty() ? std::vector<float>(map.values.size(), 1.0f) : blocks;
    bool x_jaw_used = false, y_jaw_used = false;
    for (std::size_t m = 0; m < beam.collimators.size(); ++m) {
        const MultileafCollimator& mlc = beam.collimators[m];
        const LeafPositions& leaves = point.leaves[m];
        const bool along_x = mlc.motion == MultileafCollimator::Motion::along_x;
        // The jaw that moves with the leaves enters the exact product once, with the first such collimator.
        const bool with_jaw = along_x ? !x_jaw_used : !y_jaw_used;
        (along_x ? x_jaw_used : y_jaw_used) = true;
        const JawOpening jaw = with_jaw ? (along_x ? jaw_x : jaw_y) : JawOpening{-open_mm, open_mm};
        const int travel_size = along_x ? nu : nv, stack_size = along_x ? nv : nu;
        const double travel_lower = along_x ? map.lower_u_mm : map.lower_v_mm;
        const double stack_lower = along_x ? map.lower_v_mm : map.lower_u_mm;
        const int pairs = mlc.leaf_pairs();
        const LeafEdges edge = edges.empty() ? LeafEdges{} : edges[m];
        const double full_leaf = edge.transmission.value_or(head.leaf_transmission);
        const auto tangents = [&](std::size_t l) { return tangents_of(leaves.lower_mm[l], leaves.upper_mm[l], edge.tip_shift_mm); };
        std::vector<std::vector<float>> strips(static_cast<std::size_t>(pairs) + 1);
        for (int l = 0; l <= pairs; ++l) {
            auto& strip = strips[static_cast<std::size_t>(l)];
            strip.resize(static_cast<std::size_t>(travel_size));
            // The last strip is where no leaf is: only the jaw.
            const bool leaf = l < pairs;
            const auto [low, high] = leaf ? tangents(static_cast<std::size_t>(l)) : JawOpening{-open_mm, open_mm};
            for (int i = 0; i < travel_size; ++i) {
                const double a = travel_lower + i * map.pixel_mm;
                strip[static_cast<std::size_t>(i)] = static_cast<float>(physics::jaw_leaf_transmission(
                    a, a + map.pixel_mm, jaw.lower_mm, jaw.upper_mm, head.jaw_transmission, low, high, full_leaf, edge.tip_decay));
            }
        }
        // Between two pairs, where tongue and groove overlap.
        std::vector<std::vector<float>> overlaps(edge.tongue_and_groove_mm > 0 ? static_cast<std::size_t>(pairs) - 1 : 0);
        for (std::size_t l = 0; l < overlaps.size(); ++l) {
            overlaps[l].resize(static_cast<std::size_t>(travel_size));
            const JawOpening one = tangents(l), other = tangents(l + 1);
            const double between_leaves = edge.interleaf_transmission.value_or(full_leaf);
            const auto through = [&](double at) {
                const double p = physics::open_at(at, one.lower_mm, one.upper_mm, edge.tip_decay);
                const double q = physics::open_at(at, other.lower_mm, other.upper_mm, edge.tip_decay);
                return physics::tongue_and_groove(full_leaf + (1 - full_leaf) * p, full_leaf + (1 - full_leaf) * q) +
                       (between_leaves - full_leaf) * (1 - p) * (1 - q);
            };
            for (std::size_t i = 0; i < overlaps[l].size(); ++i) {
                // Both open, or both closed with nothing more between them: no edge in this pixel.
                const bool same = std::abs(strips[l][i] - strips[l + 1][i]) < 1e-4f;
                if (same && (between_leaves == full_leaf || strips[l][i] > 0.9999f)) {
                    overlaps[l][i] = strips[l][i];
                    continue;
                }
                const double a = travel_lower + static_cast<double>(i) * map.pixel_mm;
                double sum = 0;
                for (int s = 0; s < overlap_samples; ++s) {
                    const double at = a + (s + 0.5) / overlap_samples * map.pixel_mm;
                    const double behind_jaw = at > jaw.lower_mm && at < jaw.upper_mm ? 1 : head.jaw_transmission;
                    sum += behind_jaw * through(at);
                }
                overlaps[l][i] = static_cast<float>(sum / overlap_samples);
            }
        }
        for (int s = 0; s < stack_size; ++s) {
            const double a = stack_lower + s * map.pixel_mm, b = a + map.pixel_mm;
            std::vector<float> row(static_cast<std::size_t>(travel_size), 0.0f);
            double covered = 0;
            const auto add = [&](const std::vector<float>& strip, double share) {
                covered += share;
                for (std::size_t i = 0; i < row.size(); ++i) row[i] += static_cast<float>(share) * strip[i];
            };
            const double half = overlaps.empty() ? 0 : 0.5 * edge.tongue_and_groove_mm;
            for (int l = 0; l < pairs; ++l) {
                const double lower = mlc.leaf_boundaries_mm[static_cast<std::size_t>(l)] + (l > 0 ? half : 0);
                const double middle = mlc.leaf_boundaries_mm[static_cast<std::size_t>(l) + 1], upper = middle - (l + 1 < pairs ? half : 0);
                if (const double share = physics::overlap(a, b, lower, upper) / map.pixel_mm; share > 0) add(strips[static_cast<std::size_t>(l)], share);
                if (half > 0 && l + 1 < pairs)
                    if (const double share = physics::overlap(a, b, middle - half, middle + half) / map.pixel_mm; share > 0)
                        add(overlaps[static_cast<std::size_t>(l)], share);
            }
            if (covered < 1 - 1e-12) add(strips.back(), 1 - covered);
            for (int i = 0; i < travel_size; ++i) {
                const int u = along_x ? i : s, v = along_x ? s : i;
                plane[static_cast<std::size_t>(v) * static_cast<std::size_t>(nu) + static_cast<std::size_t>(u)] *= row[static_cast<std::size_t>(i)];
            }
        }
    }
    const auto jaw_factor = [&](double low, const JawOpening& jaw, bool used) {
        if (used) return 1.0;
        const double open = physics::overlap(low, low + map.pixel_mm, jaw.lower_mm, jaw.upper_mm) / map.pixel_mm;
        return open + (1 - open) * head.jaw_transmission;
    };
    for (int v = 0; v < nv; ++v) {
        const double row = weight * jaw_factor(map.lower_v_mm + v * map.pixel_mm, jaw_y, y_jaw_used);
        for (int u = 0; u < nu; ++u)
            map.at(u, v) += static_cast<float>(row * jaw_factor(map.lower_u_mm + u * map.pixel_mm, jaw_x, x_jaw_used)) *
                            plane[static_cast<std::size_t>(v) * static_cast<std::size_t>(nu) + static_cast<std::size_t>(u)];
    }
}

}  // namespace libdose::cpu
