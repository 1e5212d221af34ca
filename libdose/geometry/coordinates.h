// IEC 61217 machine frames in DICOM patient coordinates (LPS), written down once.
// docs/reference/conventions.md has the table.
//
// Fixed frame: x to the patient's left (HFS), y towards the gantry, z up. Gantry: rotates about y, source at
// (SAD sin g, 0, SAD cos g). Collimator: rotates about the beam axis, counter-clockwise seen from the source.
// Patient support: rotates about z, counter-clockwise seen from above.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "geometry/projection.h"
#include "geometry/rect.h"
#include "libdose/ct_image.h"
#include "libdose/grid.h"

namespace libdose::physics {

inline double radians(double degrees) { return degrees * std::numbers::pi / 180.0; }

/// Columns: the directions of the patient-support axes x, y, z (IEC, couch 0) in LPS.
inline Mat3 iec_axes_in_lps(PatientPosition position) {
    const Vec3 left(1, 0, 0), posterior(0, 1, 0), superior(0, 0, 1);
    Vec3 y = superior, z = -posterior;  // towards the gantry; up
    switch (position) {
        case PatientPosition::hfs:
            y = superior;
            z = -posterior;
            break;
        case PatientPosition::hfp:
            y = superior;
            z = posterior;
            break;
        case PatientPosition::ffs:
            y = -superior;
            z = -posterior;
            break;
        case PatientPosition::ffp:
            y = -superior;
            z = posterior;
            break;
        case PatientPosition::hfdr:
            y = superior;
            z = left;
            break;
        case PatientPosition::hfdl:
            y = superior;
            z = -left;
            break;
        case PatientPosition::ffdr:
            y = -superior;
            z = left;
            break;
        case PatientPosition::ffdl:
            y = -superior;
            z = -left;
            break;
    }
    Mat3 axes;
    axes << y.cross(z), y, z;
    return axes;
}

/// Where a beam comes from. Columns of `axes`: the beam-limiting-device axes x, y, z (z towards the source)
/// in LPS.
struct BeamFrame {
    Mat3 axes = Mat3::Identity();
    Vec3 isocentre_mm = Vec3::Zero();
    double source_axis_distance_mm = 1000;

    Vec3 source_mm() const { return isocentre_mm + source_axis_distance_mm * axes.col(2); }

    using Projection = physics::Projection;
    Projection project(const Vec3& point_mm) const {
        const Vec3 q = axes.transpose() * (point_mm - isocentre_mm);
        const double distance = source_axis_distance_mm - q[2];
        const double scale = source_axis_distance_mm / distance;
        return {q[0] * scale, q[1] * scale, distance};
    }
    /// Point at a distance along the axis, on the ray through (u, v) of the isocentre plane.
    Vec3 point_mm(double u_mm, double v_mm, double distance_mm) const {
        const double scale = distance_mm / source_axis_distance_mm;
        return isocentre_mm + axes * Vec3(u_mm * scale, v_mm * scale, source_axis_distance_mm - distance_mm);
    }
};

/// Projections of points start + i·step: a row of voxels.
class ProjectedRow {
public:
    ProjectedRow(const BeamFrame& frame, const Vec3& start_mm, const Vec3& step_mm)
        : ProjectedRow(frame.axes.transpose() * (start_mm - frame.isocentre_mm),
                       frame.axes.transpose() * step_mm, frame.source_axis_distance_mm) {}
    /// Both in the beam-limiting-device frame, mm, the isocentre at zero.
    ProjectedRow(const Vec3& start, const Vec3& step, double source_axis_distance_mm)
        : start_(start), step_(step), sad_(source_axis_distance_mm) {}

    const Vec3& start() const { return start_; }
    const Vec3& step() const { return step_; }
    double source_axis_distance_mm() const { return sad_; }
    Projection at(int i) const { return project_in_row(start_.data(), step_.data(), sad_, i); }
    /// Points 0 … count - 1 that lie before the source and project into a rectangle: [begin, end).
    std::pair<int, int> within(const Rect& extent, int count) const {
        double first = 0, last = count - 1;
        // Each limit is linear in i once multiplied by the distance: value + i·slope >= 0.
        const auto limit = [&](double value, double slope) {
            if (slope > 0)
                first = std::max(first, -value / slope);
            else if (slope < 0)
                last = std::min(last, -value / slope);
            else if (value < 0)
                last = -1;
        };
        const double distance = sad_ - start_[2];
        limit(distance - 1.0, -step_[2]);
        const auto limit_along = [&](int axis, double low, double high) {
            limit(sad_ * start_[axis] - low * distance, sad_ * step_[axis] + low * step_[2]);
            limit(high * distance - sad_ * start_[axis], -high * step_[2] - sad_ * step_[axis]);
        };
        limit_along(0, extent.low_u_mm, extent.high_u_mm);
        limit_along(1, extent.low_v_mm, extent.high_v_mm);
        if (!(first <= last)) return {0, 0};
        return {static_cast<int>(std::ceil(first)), static_cast<int>(std::floor(last)) + 1};
    }

private:
    Vec3 start_, step_;
    double sad_;
};

/// The rows of a grid along x.
class ProjectedRows {
public:
    ProjectedRows(const BeamFrame& frame, const Grid& grid)
        : first_(frame.axes.transpose() * (grid.origin_mm - frame.isocentre_mm)),
          steps_(frame.axes.transpose() * grid.spacing_mm.asDiagonal()),
          sad_(frame.source_axis_distance_mm) {}
    ProjectedRow at(int j, int k) const {
        return {first_ + j * steps_.col(1) + k * steps_.col(2), steps_.col(0), sad_};
    }

private:
    Vec3 first_;
    Mat3 steps_;  ///< columns: from voxel to voxel along x, y, z
    double sad_;
};

/// Extent of a box projected onto the isocentre plane, and its nearest and farthest distance from the source
/// along the axis, mm. Corners at or behind the source are left out.
struct Shadow {
    Rect bounds = Rect::nothing();
    double nearest_mm = 1e30, farthest_mm = -1e30;
    bool whole = true;  ///< every corner lies before the source
};

inline Shadow shadow_of(const BeamFrame& frame, const Vec3& lower_mm, const Vec3& upper_mm) {
    Shadow shadow;
    for (int corner = 0; corner < 8; ++corner) {
        const auto p =
            frame.project(Vec3(corner & 1 ? upper_mm[0] : lower_mm[0], corner & 2 ? upper_mm[1] : lower_mm[1],
                               corner & 4 ? upper_mm[2] : lower_mm[2]));
        if (p.distance_mm <= 1.0) {
            shadow.whole = false;
            continue;
        }
        shadow.bounds = shadow.bounds.around(Rect::point(p.u_mm, p.v_mm));
        shadow.nearest_mm = std::min(shadow.nearest_mm, p.distance_mm);
        shadow.farthest_mm = std::max(shadow.farthest_mm, p.distance_mm);
    }
    if (!shadow.whole) shadow.nearest_mm = 1.0;
    return shadow;
}

inline BeamFrame beam_frame(PatientPosition position, double gantry_deg, double collimator_deg,
                            double couch_deg, const Vec3& isocentre_mm, double source_axis_distance_mm) {
    const auto about_z = [](double angle) {
        Mat3 r;
        r << std::cos(angle), -std::sin(angle), 0, std::sin(angle), std::cos(angle), 0, 0, 0, 1;
        return r;
    };
    const double g = radians(gantry_deg);
    Mat3 gantry;  // gantry frame -> fixed frame
    gantry << std::cos(g), 0, std::sin(g), 0, 1, 0, -std::sin(g), 0, std::cos(g);
    BeamFrame frame;
    frame.axes =
        iec_axes_in_lps(position) * about_z(-radians(couch_deg)) * gantry * about_z(radians(collimator_deg));
    frame.isocentre_mm = isocentre_mm;
    frame.source_axis_distance_mm = source_axis_distance_mm;
    return frame;
}

}  // namespace libdose::physics
