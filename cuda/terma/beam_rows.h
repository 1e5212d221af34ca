// Voxels of a grid in the frame of a beam.
#pragma once

#include "base/host_device.h"
#include "geometry/projection.h"

namespace libdose::cuda {

/// Voxel (0, 0, 0) and the steps to its neighbours in the beam-limiting-device frame, mm, the isocentre at
/// zero.
struct BeamRows {
    double start[3], step_x[3], step_y[3], step_z[3];
    double source_axis_distance_mm;

    LIBDOSE_HD physics::Projection project(int i, int j, int k) const {
        double row[3];
        for (int a = 0; a < 3; ++a) row[a] = start[a] + j * step_y[a] + k * step_z[a];
        return physics::project_in_row(row, step_x, source_axis_distance_mm, i);
    }
};

/// A rectangle of the isocentre plane, mm.
struct PlaneExtent {
    double low_u, high_u, low_v, high_v;

    /// Points nearer than 1 mm to the source, or behind it, are not within.
    LIBDOSE_HD bool holds(const physics::Projection& p) const {
        return p.distance_mm >= 1.0 && p.u_mm >= low_u && p.u_mm <= high_u && p.v_mm >= low_v &&
               p.v_mm <= high_v;
    }
};

}  // namespace libdose::cuda
