// A structure, or a combination of structures, as layers along z with the covered fraction of their pixels.
#pragma once

#include <Eigen/Geometry>
#include <vector>

#include "libdose/structure_expression.h"
#include "patient/contour_planes.h"

namespace libdose {

/// Between two contour planes' limits nothing of a structure changes along z, so a region is a pile of layers
/// with vertical sides.
class RegionLayers {
public:
    /// Limits along z where no contour plane has its own, and the faces of the dose grid, part layers too. A
    /// single plane without a stated thickness is as thick as a voxel of `dose`. Throws bad_input as
    /// stack_contours().
    RegionLayers(const StructureExpression& region, const Grid& dose);

    std::size_t size() const { return layers_.size(); }
    /// Longest side and area of the box around the outlines of a layer.
    double longest_side_mm(std::size_t layer) const { return layers_[layer].box.sizes().maxCoeff(); }
    double box_area_mm2(std::size_t layer) const { return layers_[layer].box.volume(); }

    /// Fraction 0 ... 1 of the pixels of a layer: one voxel along z, as thick as the layer. The pixels divide
    /// the dose's voxels evenly, or are several of them, and are about `pixel_mm` wide. Exact for one
    /// structure; where the outlines of two structures cross in a pixel, an estimate from the directions of
    /// both.
    Volume<float> coverage(std::size_t layer, double pixel_mm) const;

    /// Volume in mm3, exact for one structure.
    double volume_mm3() const;

private:
    struct Node {
        StructureOperation operation = StructureOperation::none;
        Structure bare;              ///< the structure without its contours
        ContourStack stack;          ///< stack of its contours, which region_ owns
        std::vector<Node> operands;  ///< two, or none
    };
    struct Layer {
        double lower_mm = 0, upper_mm = 0;
        Eigen::AlignedBox2d box;  ///< box around the outlines, x and y in mm
    };

    static Node stacked(const StructureExpression& region, double single_plane_mm);
    static void add_limits(const Node& node, std::vector<double>& z_mm);
    static const ContourPlane* plane_at(const Node& leaf, double z_mm);
    static Eigen::AlignedBox2d box_at(const Node& node, double z_mm);
    static Volume<float> coverage_of(const Node& node, const Grid& pixels);

    Grid dose_;
    StructureExpression region_;
    Node root_;
    std::vector<Layer> layers_;
};

/// Coverage of the pixels beside a pixel of a layer, 0 outside the layer: along x left and right, along y
/// front and back.
struct CoverageNeighbours {
    double left = 0, right = 0, front = 0, back = 0;
};
CoverageNeighbours coverage_neighbours(const Volume<float>& layer, int i, int j);

}  // namespace libdose
