#include "analysis/region_layers.h"

#include <algorithm>
#include <cmath>

#include "libdose/error.h"

namespace libdose {
namespace {

/// Limits closer than this are one: no contour is as thin.
constexpr double same_limit_mm = 1e-6;

/// Width of pixels next to `wanted_mm` that divides a voxel evenly, or is a whole number of voxels.
double even_width_mm(double voxel_mm, double wanted_mm) {
    return wanted_mm < voxel_mm ? voxel_mm / std::round(voxel_mm / wanted_mm)
                                : voxel_mm * std::round(wanted_mm / voxel_mm);
}

/// Direction in which coverage grows.
Eigen::Vector2d slope(const Volume<float>& layer, int i, int j) {
    const CoverageNeighbours near = coverage_neighbours(layer, i, j);
    return {near.right - near.left, near.back - near.front};
}

/// Part of a pixel in both of two structures. Between the least that is possible (their outlines face each
/// other) and the most (they run in the same direction) by the angle of the outlines; exact where these are
/// parallel.
float overlap(const Volume<float>& a, const Volume<float>& b, int i, int j) {
    const float fa = a.at(i, j, 0), fb = b.at(i, j, 0);
    const float least = std::max(0.0f, fa + fb - 1), most = std::min(fa, fb);
    if (!(most > least)) return most;
    const Eigen::Vector2d na = slope(a, i, j), nb = slope(b, i, j);
    const double lengths = na.norm() * nb.norm();
    const double cosine = lengths > 0 ? na.dot(nb) / lengths : 0;
    return least + (most - least) * static_cast<float>(0.5 + 0.5 * cosine);
}

Volume<float> combine(StructureOperation operation, const Volume<float>& a, const Volume<float>& b) {
    Volume<float> result(a.grid);
    for (int j = 0; j < a.grid.size[1]; ++j)
        for (int i = 0; i < a.grid.size[0]; ++i) {
            const float both = overlap(a, b, i, j);
            float value = both;
            if (operation == StructureOperation::unite) value = a.at(i, j, 0) + b.at(i, j, 0) - both;
            if (operation == StructureOperation::subtract) value = a.at(i, j, 0) - both;
            // Rounding of float: what is this close to nothing or all is that.
            result.at(i, j, 0) = value < 1e-6f ? 0 : value > 1 - 1e-6f ? 1 : value;
        }
    return result;
}

}  // namespace

CoverageNeighbours coverage_neighbours(const Volume<float>& layer, int i, int j) {
    const auto value = [&](int column, int row) {
        const bool within =
            column >= 0 && column < layer.grid.size[0] && row >= 0 && row < layer.grid.size[1];
        return within ? static_cast<double>(layer.at(column, row, 0)) : 0.0;
    };
    return {value(i - 1, j), value(i + 1, j), value(i, j - 1), value(i, j + 1)};
}

RegionLayers::Node RegionLayers::stacked(const StructureExpression& region, double single_plane_mm) {
    Node node;
    node.operation = region.operation;
    if (region.operation == StructureOperation::none) {
        node.bare = region.structure;
        node.bare.contours.clear();
        node.stack = stack_contours(region.structure, single_plane_mm);
    } else {
        node.operands.push_back(stacked(*region.a, single_plane_mm));
        node.operands.push_back(stacked(*region.b, single_plane_mm));
    }
    return node;
}

void RegionLayers::add_limits(const Node& node, std::vector<double>& z_mm) {
    for (const ContourPlane& plane : node.stack.planes)
        z_mm.insert(z_mm.end(), {plane.lower_mm, plane.upper_mm});
    for (const Node& operand : node.operands) add_limits(operand, z_mm);
}

const ContourPlane* RegionLayers::plane_at(const Node& leaf, double z_mm) {
    const auto& planes = leaf.stack.planes;
    const auto above = std::find_if(planes.begin(), planes.end(),
                                    [&](const ContourPlane& plane) { return plane.upper_mm > z_mm; });
    return above != planes.end() && above->lower_mm < z_mm ? &*above : nullptr;
}

Eigen::AlignedBox2d RegionLayers::box_at(const Node& node, double z_mm) {
    Eigen::AlignedBox2d box;
    if (node.operation == StructureOperation::none) {
        if (const ContourPlane* plane = plane_at(node, z_mm))
            for (const Contour* contour : plane->contours)
                for (const Vec3& point : contour->points_mm) box.extend(point.head<2>());
        return box;
    }
    box = box_at(node.operands[0], z_mm);
    if (node.operation == StructureOperation::unite) box.extend(box_at(node.operands[1], z_mm));
    if (node.operation == StructureOperation::intersect) box.clamp(box_at(node.operands[1], z_mm));
    return box;
}

RegionLayers::RegionLayers(const StructureExpression& region, const Grid& dose)
    : dose_(dose), region_(region), root_(stacked(region_, dose.spacing_mm[2])) {
    std::vector<double> z_mm{dose.lower_edge_mm()[2], dose.upper_edge_mm()[2]};
    add_limits(root_, z_mm);
    std::sort(z_mm.begin(), z_mm.end());
    for (std::size_t n = 0; n + 1 < z_mm.size(); ++n) {
        if (z_mm[n + 1] - z_mm[n] < same_limit_mm) continue;
        const Eigen::AlignedBox2d box = box_at(root_, 0.5 * (z_mm[n] + z_mm[n + 1]));
        if (!box.isEmpty() && box.volume() > 0) layers_.push_back({z_mm[n], z_mm[n + 1], box});
    }
}

Volume<float> RegionLayers::coverage_of(const Node& node, const Grid& pixels) {
    if (node.operation != StructureOperation::none)
        return combine(node.operation, coverage_of(node.operands[0], pixels),
                       coverage_of(node.operands[1], pixels));
    const ContourPlane* plane = plane_at(node, pixels.origin_mm[2]);
    if (!plane) return Volume<float>(pixels);
    // The plane alone, as thick as the layer: every fraction is that of the area.
    Structure alone = node.bare;
    alone.plane_spacing_mm = pixels.spacing_mm[2];
    for (const Contour* contour : plane->contours) alone.contours.push_back(*contour);
    Grid at_plane = pixels;
    at_plane.origin_mm[2] = plane->z_mm;
    Volume<float> mask = coverage_mask(alone, at_plane);
    mask.grid = pixels;
    return mask;
}

Volume<float> RegionLayers::coverage(std::size_t number, double pixel_mm) const {
    const Layer& layer = layers_[number];
    Grid pixels;
    for (int a = 0; a < 2; ++a) {
        const double width = even_width_mm(dose_.spacing_mm[a], pixel_mm), edge = dose_.lower_edge_mm()[a];
        const double first = std::floor((layer.box.min()[a] - edge) / width),
                     end = std::ceil((layer.box.max()[a] - edge) / width);
        pixels.size[static_cast<std::size_t>(a)] = static_cast<int>(std::max(1.0, end - first));
        pixels.spacing_mm[a] = width;
        pixels.origin_mm[a] = edge + (first + 0.5) * width;
    }
    pixels.size[2] = 1;
    pixels.spacing_mm[2] = layer.upper_mm - layer.lower_mm;
    pixels.origin_mm[2] = 0.5 * (layer.lower_mm + layer.upper_mm);
    return coverage_of(root_, pixels);
}

double RegionLayers::volume_mm3() const {
    double volume = 0;
    for (std::size_t n = 0; n < layers_.size(); ++n) {
        // Exact for pixels of any size; some twenty across show what two structures share.
        const Volume<float> mask = coverage(n, layers_[n].box.sizes().maxCoeff() / 20);
        double area = 0;
        for (const float fraction : mask.values) area += static_cast<double>(fraction);
        volume += area * mask.grid.voxel_volume_cm3() * 1e3;
    }
    return volume;
}

}  // namespace libdose
