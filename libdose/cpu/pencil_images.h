// Fluence convolved with the components of a pencil kernel, at a few magnifications (docs/methods/pencil-beam.md).
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/stages.h"
#include "libdose/beam_model.h"
#include "physics/pencil.h"

namespace libdose::cpu {

/// Pixels of the isocentre plane on which a convolution is held.
using PencilRaster = physics::PlaneRaster;

/// The kernel is parted on the isocentre plane, smoothly between `split_begin_mm` and `split_end_mm`: what is near on a fine raster around
/// the field, what is far on a coarse one over all that is asked for.
class PencilImages {
public:
    static constexpr int components = 8;  ///< values per pixel; a kernel has as many at most
    static constexpr double magnification_step = 1.06;

    /// support_mm: where the fluence is, need_mm: where dose is asked for: {low u, high u, low v, high v}.
    /// used: node by node of ln(magnification / lowest_magnification) / ln(magnification_step), whether any voxel needs it.
    PencilImages(const FluenceMap& map, const PencilKernel& kernel, const std::array<double, 4>& support_mm, const std::array<double, 4>& need_mm,
                 double near_pixel_mm, double lowest_magnification, const std::vector<std::uint8_t>& used);

    /// Convolved components at a point of the isocentre plane and a node position: bilinear, and linear between nodes.
    /// Returns false outside of the rasters.
    bool at(double u_mm, double v_mm, double node, float* values) const;
    /// The near raster's extent: {low u, high u, low v, high v}.
    std::array<double, 4> near_mm() const;

private:
    using Image = std::vector<float>;  ///< [v][u][component]
    PencilRaster near_, far_;
    std::vector<Image> near_images_;  ///< by node
    std::vector<Image> far_images_;   ///< by every other node
};

/// Values of all components averaged over the pixels at (u, v) pixels from the pencil, 0 <= u < size_u, 0 <= v < size_v: [v][u][component].
/// pixel_cm: pixel and radii at the voxel's distance. near: of the near part, else of the far part. Close to the axis by exact areas.
std::vector<float> pencil_pixels(const PencilKernel& kernel, double pixel_cm, double magnification, int size_u, int size_v, bool near);

}  // namespace libdose::cpu
