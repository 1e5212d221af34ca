// Pencil beam: kernels and images around the Fourier transforms that convolve them with the fluence, then a
// thread per voxel.
#pragma once

#include <cstdint>

#include "cuda/pencil_beam/fourier_kernels.h"
#include "cuda/raytrace/kernels.h"
#include "cuda/terma/beam_rows.h"
#include "fluence/fluence_views.h"
#include "pencil_beam/pencil_equations.h"

namespace libdose::cuda {

inline constexpr int pencil_components = 8;  // values per pixel of an image

/// Position of every voxel among the kernels, and which of them are asked for. Several threads may write the
/// same 1 to `used`.
struct FindPencilNodes {
    static constexpr Index3 block{32, 4, 1};  ///< x, y, z
    physics::VoxelBox box;
    BeamRows rows;
    double lowest_mm;
    float per_step;
    int count;
    const float *density, *lateral_scale;  ///< the latter may be null: 1
    float* node;
    std::uint8_t* used;

    LIBDOSE_HD void operator()(const Index3& at) const {
        const std::size_t voxel = box.index(at.x, at.y, at.z);
        if (!(density[voxel] > 0.0f)) return;
        const double scale = lateral_scale ? static_cast<double>(lateral_scale[voxel]) : 1.0;
        const float found =
            physics::pencil_node(rows.project(at.x, at.y, at.z).distance_mm, scale, lowest_mm, per_step);
        const float held = found < static_cast<float>(count - 1) ? found : static_cast<float>(count - 1);
        node[voxel] = held;
        const int low = static_cast<int>(held) < count - 2 ? static_cast<int>(held) : count - 2;
        used[low] = used[low + 1] = 1;
    }
};

/// Kernels by distance as periodic images: two real components travel as the real and the imaginary part of
/// one.
struct SpreadKernels {
    static constexpr Index3 block{64, 2, 1};  ///< x: u, y: v, z: kernel · pairs + pair
    int size_u, size_v;                       ///< pixels of the periodic images
    int last_u, last_v;  ///< largest displacement that stands for itself; those beyond stand for themselves
                         ///< less the size
    int pairs, kernel_u, kernel_v;
    const float* kernels;  ///< [kernel][v][u][component]
    Complex* images;

    LIBDOSE_HD void operator()(const Index3& at) const {
        const int du = at.x <= last_u ? at.x : size_u - at.x, dv = at.y <= last_v ? at.y : size_v - at.y;
        Complex value{0, 0};
        if (du < kernel_u && dv < kernel_v) {
            const std::size_t pixel =
                (static_cast<std::size_t>(at.z / pairs) * static_cast<std::size_t>(kernel_v) +
                 static_cast<std::size_t>(dv)) *
                    static_cast<std::size_t>(kernel_u) +
                static_cast<std::size_t>(du);
            const float* from = kernels + pixel * pencil_components + 2 * (at.z % pairs);
            value = {from[0], from[1]};
        }
        images[(static_cast<std::size_t>(at.z) * static_cast<std::size_t>(size_v) +
                static_cast<std::size_t>(at.y)) *
                   static_cast<std::size_t>(size_u) +
               static_cast<std::size_t>(at.x)] = value;
    }
};

/// The components of convolved images side by side.
struct TakeImages {
    static constexpr Index3 block{64, 2, 1};  ///< x: u, y: v of the raster, z: image
    int size_u, size_v;                       ///< pixels of the raster
    int from_u, from_v, pairs;                ///< size and pairs of the periodic images
    const Complex* from;
    float* images;  ///< [image][v][u][component]

    LIBDOSE_HD void operator()(const Index3& at) const {
        float* to = images + ((static_cast<std::size_t>(at.z) * static_cast<std::size_t>(size_v) +
                               static_cast<std::size_t>(at.y)) *
                                  static_cast<std::size_t>(size_u) +
                              static_cast<std::size_t>(at.x)) *
                                 pencil_components;
        for (int pair = 0; pair < pencil_components / 2; ++pair) {
            Complex value{0, 0};
            if (pair < pairs)
                value =
                    from[(static_cast<std::size_t>(at.z * pairs + pair) * static_cast<std::size_t>(from_v) +
                          static_cast<std::size_t>(at.y)) *
                             static_cast<std::size_t>(from_u) +
                         static_cast<std::size_t>(at.x)];
            to[2 * pair] = value.re;
            to[2 * pair + 1] = value.im;
        }
    }
};

/// Images of one part of the kernel at its nodes.
struct PencilImagesView {
    physics::PlaneRaster raster;
    const int* image_of_node;  ///< place of each node's image among those that are calculated
    const float* images;       ///< [image][v][u][component]

    /// Adds the components between nodes `node` and `node` + 1; false outside of the raster.
    LIBDOSE_HD bool add(double u_mm, double v_mm, int node, float part, float* sum) const {
        int iu, iv;
        float fu, fv;
        if (!raster.place(u_mm, v_mm, iu, iv, fu, fv)) return false;
        const std::size_t next_v = static_cast<std::size_t>(raster.size_u) * pencil_components;
        for (int side = 0; side < 2; ++side) {
            const float* a = images + ((static_cast<std::size_t>(image_of_node[node + side]) *
                                            static_cast<std::size_t>(raster.size_v) +
                                        static_cast<std::size_t>(iv)) *
                                           static_cast<std::size_t>(raster.size_u) +
                                       static_cast<std::size_t>(iu)) *
                                          pencil_components;
            for (int c = 0; c < pencil_components; ++c)
                physics::add_bilinear(a[c], a[pencil_components + c], a[next_v + c],
                                      a[next_v + pencil_components + c], fu, fv, side ? part : 1 - part,
                                      sum[c]);
        }
        return true;
    }
};

struct PencilDose {
    static constexpr Index3 block{32, 4, 1};  ///< x, y, z
    physics::VoxelBox box;
    BeamRows rows;
    const float* node;
    int node_count, far_step;
    PencilImagesView near, far;
    bool any_inner;
    PlaneExtent inner;
    RaySumsView inner_rays, outer_rays;
    physics::PencilWeights weights;
    int components;
    bool filtered;
    physics::FilterView filter;
    physics::TermaTableView table;
    const float *density, *kernel_density, *lateral_scale;
    float* dose;

    LIBDOSE_HD void operator()(const Index3& at) const {
        const std::size_t voxel = box.index(at.x, at.y, at.z);
        dose[voxel] = 0.0f;
        if (!(density[voxel] > 0.0f)) return;
        const physics::Projection p = rows.project(at.x, at.y, at.z);
        float values[pencil_components] = {};
        const float here = node[voxel], far_node = here / static_cast<float>(far_step);
        const int low_far = static_cast<int>(far_node), low_near = static_cast<int>(here) < node_count - 2
                                                                       ? static_cast<int>(here)
                                                                       : node_count - 2;
        if (!far.add(p.u_mm, p.v_mm, low_far, far_node - static_cast<float>(low_far), values)) return;
        near.add(p.u_mm, p.v_mm, low_near, here - static_cast<float>(low_near), values);
        const bool in = any_inner && p.u_mm > inner.low_u && p.u_mm < inner.high_u && p.v_mm > inner.low_v &&
                        p.v_mm < inner.high_v;
        const physics::BasisPath path = (in ? inner_rays : outer_rays).path(p.u_mm, p.v_mm, p.distance_mm);
        const physics::PencilDepth depth = weights.place(path.water + path.high_z);
        double sum = 0;
        for (int c = 0; c < components; ++c)
            sum += weights.at(depth, static_cast<std::size_t>(c)) * static_cast<double>(values[c]);
        // A spectrum that a filter changed: by the ratio of the TERMA at this depth.
        if (filtered) sum *= table.filtered_part(path, filter.path(p.u_mm, p.v_mm));
        // Dose to the medium from dose to water, as the collapsed cone has it in equilibrium.
        const double scale = lateral_scale ? static_cast<double>(lateral_scale[voxel]) : 1.0;
        dose[voxel] = static_cast<float>((sum > 0 ? sum : 0.0) * scale * scale *
                                         static_cast<double>(kernel_density[voxel] / density[voxel]));
    }
};

}  // namespace libdose::cuda
