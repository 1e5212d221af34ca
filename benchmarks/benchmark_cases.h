// What the benchmarks of whole calculations share: the generic 6 MV model, fields and arcs on water.
#pragma once

#include <cmath>
#include <vector>

#include "fluence/fluence_map.h"
#include "libdose/data.h"
#include "libdose/io/hdf5.h"
#include "machine/leaf_edges.h"
#include "support/small_case.h"

namespace libdose::benchmark_cases {

inline const BeamModel& model() {
    static const BeamModel loaded = io::read_beam_model(data_folder() / "models" / "generic-6MV.h5");
    return loaded;
}

/// Pixels of 1 mm, as plans have them.
inline FluenceMap on_millimetres(double half_u_mm, double half_v_mm, double leakage, double half_mm,
                                 const Vec3& direction, const Vec3& isocentre) {
    FluenceMap map = test::square_field(2 * half_mm, direction, isocentre);
    map.pixel_mm = 1;
    map.size_u = map.size_v = static_cast<int>(2 * half_mm);
    map.values.assign(static_cast<std::size_t>(map.size_u) * static_cast<std::size_t>(map.size_v),
                      static_cast<float>(leakage));
    for (int v = 0; v < map.size_v; ++v)
        for (int u = 0; u < map.size_u; ++u)
            if (std::abs(u + 0.5 - half_mm) < half_u_mm && std::abs(v + 0.5 - half_mm) < half_v_mm)
                map.at(u, v) = 1;
    return map;
}

/// An open 10x10 cm field, SSD 100 cm, on a cube.
inline FluenceMap open_field() { return on_millimetres(50, 50, 0, 50, Vec3(0, 0, 1), Vec3::Zero()); }

/// An opening of 40x80 mm with 1.5 % leakage around it, turned about z.
inline FluenceMap arc_map(double angle_deg) {
    const double angle = angle_deg * 3.14159265358979 / 180;
    return on_millimetres(20, 40, 0.015, 150, Vec3(std::sin(angle), std::cos(angle), 0), Vec3::Zero());
}

/// A full turn of `count` geometries.
inline std::vector<FluenceMap> arc_maps(int count) {
    std::vector<FluenceMap> maps;
    for (int n = 0; n < count; ++n) maps.push_back(arc_map(360.0 * n / static_cast<double>(count)));
    return maps;
}

/// A full turn of `count` control points, in which sixty pairs of leaves of 5 mm move by up to 6 mm from one
/// to the next.
inline Beam arc_beam(int count) {
    Beam beam;
    beam.meterset_mu = 400;
    MultileafCollimator mlc;
    for (int l = 0; l <= 60; ++l) mlc.leaf_boundaries_mm.push_back(5 * l - 150);
    beam.collimators = {mlc};
    for (int n = 0; n <= count; ++n) {
        ControlPoint point;
        point.gantry_deg = std::fmod(180 + 360.0 * n / count, 360.0);
        point.cumulative_weight = static_cast<double>(n) / count;
        point.jaw_x = point.jaw_y = JawOpening{-60, 60};
        LeafPositions leaves;
        for (int l = 0; l < 60; ++l) {
            const double middle = 20 * std::sin(0.3 * n + 0.2 * l);
            leaves.lower_mm.push_back(middle - 15);
            leaves.upper_mm.push_back(middle + 15);
        }
        point.leaves = {leaves};
        beam.control_points.push_back(point);
    }
    beam.gantry_rotation.assign(beam.control_points.size(), Rotation::clockwise);
    return beam;
}

inline LeafEdges rounded_leaves() {
    LeafEdges edge;
    edge.tip_decay = 1.44;
    edge.tongue_and_groove_mm = 0.8;
    edge.tip_shift_mm = 0.2;
    return edge;
}

/// Water of these voxels of 2.5 mm around the isocentre.
inline DensityGrid water_box(int x, int y, int z) {
    Grid grid;
    grid.size = {x, y, z};
    grid.spacing_mm = Vec3::Constant(2.5);
    grid.origin_mm = -0.5 * 2.5 * Vec3(grid.size[0] - 1, grid.size[1] - 1, grid.size[2] - 1);
    return uniform_density(grid, MaterialProperties{});
}

/// An elliptic trunk of 300x200 mm in vacuum, 340x230x300 mm all in all: two lungs of 0.26 g/cm³ and a spine
/// of 1.3 in soft tissue.
inline DensityGrid thorax(int x, int y, int z) {
    DensityGrid density = water_box(x, y, z);
    Grid& grid = density.grid;
    grid.spacing_mm = Vec3(340.0 / x, 230.0 / y, 300.0 / z);
    grid.origin_mm = -0.5 * grid.spacing_mm.cwiseProduct(Vec3(x - 1, y - 1, z - 1));
    const auto inside = [](const Vec3& at, double u, double v, double half_u, double half_v) {
        return std::pow((at[0] - u) / half_u, 2) + std::pow((at[1] - v) / half_v, 2) < 1;
    };
    for (int k = 0; k < z; ++k)
        for (int j = 0; j < y; ++j)
            for (int i = 0; i < x; ++i) {
                const Vec3 at = grid.centre_mm(i, j, k);
                const bool lung = inside(at, -75, -5, 50, 70) || inside(at, 75, -5, 50, 70),
                           spine = inside(at, 0, 60, 20, 20);
                test::set_density(density, grid.index(i, j, k),
                                  !inside(at, 0, 0, 150, 100) ? 0.0f
                                  : lung                      ? 0.26f
                                  : spine                     ? 1.3f
                                                              : 1.0f);
            }
    return density;
}

}  // namespace libdose::benchmark_cases
