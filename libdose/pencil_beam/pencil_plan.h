// Plan of a pencil-beam calculation, on any backend: rasters, distances of the kernels, extent of the rays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "fluence/fluence_map.h"
#include "geometry/rect.h"
#include "libdose/beam_model.h"
#include "pencil_beam/lateral_scale.h"
#include "pencil_beam/pencil_equations.h"
#include "raytrace/ray_bundle.h"

namespace libdose {

/// Values per pixel of an image; a kernel has as many components at most.
inline constexpr int pencil_components = 8;
/// Ratio of the magnifications of neighbouring nodes.
inline constexpr double pencil_magnification_step = 1.06;

/// Kernels at distances in a geometric series: position of a voxel by physics::pencil_node.
struct PencilNodes {
    double lowest_mm = 0;
    float per_step = 0;
    std::size_t count = 0;

    float at(double distance_mm, double lateral_scale) const {
        return std::min(physics::pencil_node(distance_mm, lateral_scale, lowest_mm, per_step),
                        static_cast<float>(count - 1));
    }
};

struct PencilPlan {
    Rect nonzero_bounds;  ///< of the fluence
    Rect grid_bounds;     ///< of the grid's shadow
    PencilNodes nodes;
};
/// None where there is no fluence. Throws bad_input where the grid comes too near to the source.
std::optional<PencilPlan> plan_pencil_beam(const Grid& grid, const physics::BeamFrame& frame,
                                           const Rect& nonzero_bounds, const LateralScale& lateral);

/// Images of the fluence convolved with kernels: near the pencil on fine pixels at every node, far from it on
/// large ones at every other.
struct PencilImagePlan {
    static constexpr std::size_t far_step = 2;  ///< nodes
    physics::PlaneRaster near, far;
    double lowest_magnification = 1;
    int first_node = 0;  ///< node 0 has the lowest magnification times the step to this power; even
    std::vector<std::uint8_t> near_used,
        far_used;  ///< by node, and by every other node: whether any voxel needs it

    /// near_used, and both neighbours of every node among the far ones.
    void use(const std::vector<std::uint8_t>& nodes);
    double magnification(bool of_near, std::size_t node) const;
    /// Kernel of an image, times the photons of a pixel: [v][u][component] by distance in pixels.
    struct Pixels {
        int size_u = 0, size_v = 0;
        std::vector<float> values;
    };
    Pixels pixels(const PencilKernel& kernel, bool of_near, std::size_t node) const;
    /// Edges of the near raster.
    Rect near_bounds() const;
};
/// near_pixel_mm: 0: by the voxels.
PencilImagePlan plan_pencil_images(const FluenceMap& map, const PencilPlan& plan, const Vec3& voxel_mm,
                                   double near_pixel_mm = 0);

/// One axis of a convolution by Fourier transforms on a raster.
struct ConvolutionAxis {
    int last = 0;    ///< largest displacement that stands for itself; those beyond stand for themselves less
                     ///< the length
    int length = 0;  ///< so that none within the kernel's reach stands for two
};
/// Fluence lies within [low, high]; kernels have the radius `kernel_radius_mm`. `length_of`: the next length
/// that transforms can have.
template <class LengthOf>
ConvolutionAxis convolution_axis(double pixel_mm, double lower_mm, int size, double low_mm, double high_mm,
                                 double kernel_radius_mm, LengthOf&& length_of) {
    const int begin = std::max(0, static_cast<int>((low_mm - lower_mm) / pixel_mm) - 1),
              end = static_cast<int>((high_mm - lower_mm) / pixel_mm) + 2;
    const int reach = static_cast<int>(std::ceil(kernel_radius_mm / pixel_mm)) + 1;
    ConvolutionAxis axis;
    axis.last = std::min(size - 1 - begin, reach);
    axis.length = std::max(length_of(axis.last + std::min(end, reach) + 1), length_of(size));
    return axis;
}
/// Radius of the far kernels, mm: everything.
inline constexpr double far_kernel_radius_mm = 1e4;

/// Rays as dense as the voxels around the field; where only scatter comes, a quarter of that.
struct PencilRays {
    Rect outer, inner;
    physics::RaySpacing outer_spacing = 0, inner_spacing = 0;
    bool any_inner = false;

    bool is_inner(double u_mm, double v_mm) const {
        return any_inner && u_mm > inner.low_u_mm && u_mm < inner.high_u_mm && v_mm > inner.low_v_mm &&
               v_mm < inner.high_v_mm;
    }
};
PencilRays plan_pencil_rays(const Grid& grid, const PencilPlan& plan, const Rect& near);

/// Calls add(column, row, value) for every pixel of the map that is not zero, on a raster of larger pixels.
template <class Add>
void onto_raster(const FluenceMap& map, const physics::PlaneRaster& raster, Add&& add) {
    const float share = static_cast<float>(map.pixel_mm * map.pixel_mm / (raster.pixel_mm * raster.pixel_mm));
    for (int v = 0; v < map.size_v; ++v)
        for (int u = 0; u < map.size_u; ++u) {
            if (map.at(u, v) == 0.0f) continue;
            const int iu = static_cast<int>(std::floor(
                (map.lower_u_mm + (u + 0.5) * map.pixel_mm - raster.lower_u_mm) / raster.pixel_mm));
            const int iv = static_cast<int>(std::floor(
                (map.lower_v_mm + (v + 0.5) * map.pixel_mm - raster.lower_v_mm) / raster.pixel_mm));
            add(iu, iv, share * map.at(u, v));
        }
}

/// A pixel less, by second differences, what pixels (1/12 pixel² of variance) and the linear interpolation
/// between their centres (1/6 on average) blur.
template <class Value>
Value sharpened_pixel(const Value& middle, const Value& left, const Value& right, const Value& below,
                      const Value& above) {
    constexpr float half_variance = 0.5f * (1.0f / 12 + 1.0f / 6);
    return middle + half_variance * (4.0f * middle - left - right - below - above);
}

/// Beyond this distance from the pencil there is only the far part, mm on the isocentre plane.
inline constexpr double pencil_split_begin_mm = 30, pencil_split_end_mm = 60;

/// Values of all components averaged over the pixels at (u, v) pixels from the pencil, 0 <= u < size_u, 0 <=
/// v < size_v: [v][u][component]. pixel_cm: pixel and radii at the voxel's distance. near: of the near part,
/// else of the far part. Close to the axis by exact areas.
std::vector<float> pencil_pixels(const PencilKernel& kernel, double pixel_cm, double magnification,
                                 int size_u, int size_v, bool near);

}  // namespace libdose
