// A row of points on the isocentre plane, and how wide a voxel's shadow there is.
#pragma once

#include <cmath>

#include "base/host_device.h"

namespace libdose::physics {

struct Projection {
    double u_mm, v_mm;   ///< on the isocentre plane, beam-limiting-device frame
    double distance_mm;  ///< from the source, along the beam axis
};

/// Point start + i·step, both in the beam-limiting-device frame (mm, the isocentre at zero).
LIBDOSE_HD inline Projection project_in_row(const double* start, const double* step,
                                            double source_axis_distance_mm, int i) {
    const double distance = source_axis_distance_mm - start[2] - i * step[2],
                 scale = source_axis_distance_mm / distance;
    return {(start[0] + i * step[0]) * scale, (start[1] + i * step[1]) * scale, distance};
}

struct ShadowWidth {
    double u_mm, v_mm;
};

/// Width of a box of the same variance as a voxel's shadow along the local ray. axis_u, axis_v, axis_w: the
/// beam-limiting-device axes in the frame of the grid.
LIBDOSE_HD inline ShadowWidth voxel_shadow(const double* axis_u, const double* axis_v, const double* axis_w,
                                           const double* spacing_mm, const Projection& p,
                                           double source_axis_distance_mm) {
    double wu = 0, wv = 0;
    for (int axis = 0; axis < 3; ++axis) {
        const double du = (axis_u[axis] + p.u_mm / source_axis_distance_mm * axis_w[axis]) * spacing_mm[axis];
        const double dv = (axis_v[axis] + p.v_mm / source_axis_distance_mm * axis_w[axis]) * spacing_mm[axis];
        wu += du * du;
        wv += dv * dv;
    }
    const double magnification = source_axis_distance_mm / p.distance_mm;
    return {magnification * std::sqrt(wu), magnification * std::sqrt(wv)};
}

}  // namespace libdose::physics
