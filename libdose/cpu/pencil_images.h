// Fluence convolved with the components of a pencil kernel, at a few magnifications (docs/methods/pencil-beam.md).
#pragma once

#include <array>
#include <vector>

#include "cpu/pencil_plan.h"
#include "engine/stages.h"
#include "libdose/beam_model.h"
#include "physics/pencil.h"

namespace libdose::cpu {

/// Pixels of the isocentre plane on which a convolution is held.
using PencilRaster = physics::PlaneRaster;

/// The kernel is parted on the isocentre plane, smoothly between `pencil_split_begin_mm` and `pencil_split_end_mm`: what is near on a fine
/// raster around the field, what is far on a coarse one over all that is asked for.
class PencilImages {
public:
    /// support_mm: where the fluence is.
    PencilImages(const FluenceMap& map, const PencilKernel& kernel, const std::array<double, 4>& support_mm, const PencilImagePlan& plan);

    /// Convolved components at a point of the isocentre plane and a node position: bilinear, and linear between nodes.
    /// Returns false outside of the rasters.
    bool at(double u_mm, double v_mm, double node, float* values) const;

private:
    using Image = std::vector<float>;  ///< [v][u][component]
    PencilRaster near_, far_;
    std::vector<Image> near_images_;  ///< by node
    std::vector<Image> far_images_;   ///< by every other node
};

}  // namespace libdose::cpu
