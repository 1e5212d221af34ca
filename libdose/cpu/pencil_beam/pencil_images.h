// Fluence convolved with the components of a pencil kernel, at a few magnifications
// (docs/theory/pencil-beam.md).
#pragma once

#include <vector>

#include "base/simd/multiversion.h"
#include "cpu/pencil_beam/pencil_weights.h"
#include "fluence/fluence_map.h"
#include "geometry/coordinates.h"
#include "geometry/rect.h"
#include "libdose/beam_model.h"
#include "pencil_beam/pencil_equations.h"
#include "pencil_beam/pencil_plan.h"

namespace libdose::cpu {

/// Pixels of the isocentre plane on which a convolution is held.
using PencilRaster = physics::PlaneRaster;

/// The kernel is parted on the isocentre plane, smoothly between `pencil_split_begin_mm` and
/// `pencil_split_end_mm`: what is near is convolved on a fine raster around the field, what is far on a
/// coarse one over all that is asked for. Around the field both are then added, so that a voxel reads one
/// image.
class PencilImages {
public:
    /// nonzero_bounds: where the fluence is.
    PencilImages(const FluenceMap& map, const PencilKernel& kernel, const Rect& nonzero_bounds,
                 const PencilImagePlan& plan);

    /// Convolved components at a point of the isocentre plane and a node position: bilinear, and linear
    /// between nodes. Zero outside of the rasters.
    void at(float u_mm, float v_mm, float node, float* values) const;

    /// Where on an image the points lie at which it is read.
    struct Places {
        explicit Places(int size);
        std::vector<int> node, pixel;  ///< the lower ones
        std::vector<float> node_part, u_part, v_part;
    };
    /// The rasters that the points of a row of voxels lie on: none outside of [far_begin, far_end), the near
    /// one within [near_begin, near_end).
    struct Parts {
        int far_begin, near_begin, near_end, far_end;
    };
    Parts parts(const physics::ProjectedRow& row, int size) const;
    /// Places [begin, end) of a row on the near or the far images.
    void find(bool near, const float* u_mm, const float* v_mm, const float* node, int begin, int end,
              Places& places) const;
    LIBDOSE_INLINE void read(bool near, const Places& places, std::size_t i, PencilLanes& values) const {
        read(near ? near_images_ : far_images_, near ? near_.size_u : far_.size_u, places.node[i],
             places.node_part[i], places.pixel[i], places.u_part[i], places.v_part[i], values);
    }

private:
    using Image = std::vector<float>;  ///< [v][u][component]

    LIBDOSE_INLINE static void read(const std::vector<Image>& images, int size_u, int node, float node_part,
                                    int pixel, float u_part, float v_part, PencilLanes& values) {
        const auto row = static_cast<std::ptrdiff_t>(size_u) * pencil_components;
        values = PencilLanes{};
        for (const int upper : {0, 1}) {
            const float* at = images[static_cast<std::size_t>(node + upper)].data() +
                              static_cast<std::ptrdiff_t>(pixel) * pencil_components;
            PencilLanes corner[4];
            load(at, corner[0]);
            load(at + pencil_components, corner[1]);
            load(at + row, corner[2]);
            load(at + row + pencil_components, corner[3]);
            physics::add_bilinear(corner[0], corner[1], corner[2], corner[3], u_part, v_part,
                                  upper ? node_part : 1 - node_part, values);
        }
    }
    void add_far(std::size_t node, int row);
    const PencilRaster& raster(bool near) const { return near ? near_ : far_; }

    PencilRaster near_, far_;
    std::vector<Image> near_images_;  ///< by node: near and far parts
    std::vector<Image> far_images_;   ///< by every other node
};

}  // namespace libdose::cpu
