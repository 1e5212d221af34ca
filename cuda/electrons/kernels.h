// Contaminating electrons: a thread per voxel.
#pragma once

#include "cuda/raytrace/kernels.h"
#include "cuda/terma/beam_rows.h"
#include "fluence/fluence_views.h"
#include "fluence/head_equations.h"

namespace libdose::cuda {

struct AddElectrons {
    static constexpr Index3 block{32, 4, 1};  ///< x, y, z
    physics::VoxelBox box;
    BeamRows rows;
    PlaneExtent extent;
    RaySumsView rays;
    const float* end_mm;  ///< distance from the source at which the electrons end, by ray
    physics::CoarseMapView source;
    double amplitude_gy_cm2, attenuation_cm2_g, range_g_cm2;
    const float *density, *kernel_density;
    float* dose;

    LIBDOSE_HD void operator()(const Index3& at) const {
        const std::size_t voxel = box.index(at.x, at.y, at.z);
        if (!(density[voxel] > 0.0f)) return;
        const physics::Projection p = rows.project(at.x, at.y, at.z);
        if (!extent.holds(p) || rays.beyond(end_mm, p.u_mm, p.v_mm, p.distance_mm)) return;
        const physics::BasisPath path = rays.path(p.u_mm, p.v_mm, p.distance_mm);
        const double depth = path.water + path.high_z;
        if (depth >= range_g_cm2) return;
        const double magnification = rows.source_axis_distance_mm / p.distance_mm;
        dose[voxel] += static_cast<float>(physics::electron_dose(
            amplitude_gy_cm2, source.at(p.u_mm, p.v_mm), magnification, depth, attenuation_cm2_g, range_g_cm2,
            static_cast<double>(kernel_density[voxel] / density[voxel])));
    }
};

}  // namespace libdose::cuda
