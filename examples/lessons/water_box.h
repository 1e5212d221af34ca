// What the lessons share: a box of water and a square field on it.
#pragma once

#include <libdose/data.h>
#include <libdose/engine.h>
#include <libdose/io/hdf5.h>

#include <cstdio>

namespace lesson {

/// 30 cm of water in every direction, voxels of 5 mm. Its front surface, y = 0, is 100 cm from the source of
/// beam_from_above().
inline libdose::CtImage water_box() {
    libdose::CtImage ct;
    libdose::Grid grid;
    grid.size = {64, 64, 64};
    grid.spacing_mm = libdose::Vec3::Constant(5);
    grid.origin_mm = libdose::Vec3(
        -157.5, -7.5, -157.5);  // centre of the first voxel, LPS: x to the left, y posterior, z superior
    ct.hu = libdose::Volume<float>(grid, -1000.0f);
    for (int k = 0; k < 64; ++k)
        for (int j = 0; j < 64; ++j)
            for (int i = 0; i < 64; ++i) {
                const libdose::Vec3 p = grid.centre_mm(i, j, k);
                if (std::abs(p[0]) < 150 && p[1] > 0 && p[1] < 300 && std::abs(p[2]) < 150)
                    ct.hu.at(i, j, k) = 0;
            }
    return ct;
}

/// 6 MV from above (gantry 0), jaws `side_mm` apart, isocentre at the origin.
inline libdose::Beam beam_from_above(double side_mm, double meterset_mu) {
    libdose::Beam beam;
    beam.number = 1;
    beam.name = "from above";
    beam.nominal_energy_mv = 6;
    beam.meterset_mu = meterset_mu;
    libdose::ControlPoint point;
    point.jaw_x = point.jaw_y = libdose::JawOpening{-0.5 * side_mm, 0.5 * side_mm};
    beam.control_points = {point, point};
    beam.control_points[1].cumulative_weight = 1;  // all of the MU between the two
    beam.gantry_rotation.assign(2, libdose::Rotation::none);
    return beam;
}

inline libdose::Plan plan_of(const libdose::Beam& beam) {
    libdose::Plan plan;
    plan.label = "lesson";
    plan.beams = {beam};
    return plan;
}

}  // namespace lesson
