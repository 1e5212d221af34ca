// Emission of a few planes of voxels into a few directions: the energies of all maps times the nodes of their
// tables.
#pragma once

#include "cuda/terma/kernels.h"

namespace libdose::cuda {

/// The released energy of one map with its table [v][u][depth][direction][rate].
struct EmittingMap {
    Released released;
    const float* table;
    int size_u, depth_count;  ///< nodes
};

/// Planes, rows and columns of a sweep, and how they lie in the grid.
struct PlaneLayout {
    int planes, rows, columns;
    int axis;        ///< that is marched: 0 x (columns along y, volumes crossed), 1 y (rows along z), 2 z
    bool ascending;  ///< planes 0 … planes - 1, or back

    LIBDOSE_HD int plane(int step) const { return ascending ? step : planes - 1 - step; }
    /// Number of a voxel in the volume of this layout: [z][y][x], or [z][x][y] where x is marched.
    LIBDOSE_HD std::size_t voxel(int plane_number, int row, int column) const {
        const std::size_t p = static_cast<std::size_t>(plane_number), r = static_cast<std::size_t>(row),
                          c = static_cast<std::size_t>(column);
        const std::size_t np = static_cast<std::size_t>(planes), nr = static_cast<std::size_t>(rows),
                          nc = static_cast<std::size_t>(columns);
        return axis == 2 ? (p * nr + r) * nc + c : (r * np + p) * nc + c;
    }
};

/// Rows and columns of a plane that may hold a source.
struct SourceWindow {
    int first_row, rows, first_column, columns;
};

/// A few steps of a sweep along a few directions.
struct SweepPart {
    PlaneLayout layout;
    int first_step, steps;  ///< planes first_step … first_step + steps - 1 in the order of the march
    int first_direction, directions, of_directions;  ///< first, number, and number of all in the tables
    SourceWindow window;
};

/// Directions that one thread serves with the values that it reads of a voxel.
inline constexpr int directions_of_thread = 4;

template <int rates>
struct EmitPlanes {
    static constexpr Index3 block{
        32, 4, 1};  ///< x: column, y: row of the window, z: step · groups of directions + group
    SweepPart part;
    const EmittingMap* maps;
    int map_count;
    float* source;  ///< [step][direction][rate][row][column] of the window

    LIBDOSE_HD static int groups(int directions) {
        return (directions + directions_of_thread - 1) / directions_of_thread;
    }

    LIBDOSE_HD void operator()(const Index3& at) const {
        const int step = at.z / groups(part.directions),
                  first = at.z % groups(part.directions) * directions_of_thread;
        const int count =
            part.directions - first < directions_of_thread ? part.directions - first : directions_of_thread;
        const int plane = part.layout.plane(part.first_step + step), row = part.window.first_row + at.y,
                  column = part.window.first_column + at.x;
        const bool crossed = part.layout.axis == 0;
        const int i = crossed ? plane : column,
                  j = crossed                 ? column
                      : part.layout.axis == 1 ? plane
                                              : row,
                  k = part.layout.axis == 2 ? plane : row;
        const std::size_t node_size = static_cast<std::size_t>(part.of_directions) * rates;
        float sum[directions_of_thread * rates] = {};
        for (int m = 0; m < map_count; ++m) {
            const EmittingMap& map = maps[m];
            std::size_t number;
            if (!map.released.range.place(i, j, k, crossed, number)) continue;
            const float energy = map.released.energy[number];
            if (energy == 0.0f) continue;
            const float u = map.released.u[number], v = map.released.v[number],
                        depth = map.released.depth[number];
            const float* cell = map.table + map.released.cell[number] * node_size +
                                static_cast<std::size_t>(part.first_direction + first) * rates;
            for (std::size_t corner = 0; corner < 8; ++corner) {
                float weight;
                physics::emission_weight(corner, u, v, depth, weight);
                if (weight == 0.0f) continue;
                weight *= energy;
                const float* node =
                    cell + physics::emission_corner(corner, static_cast<std::size_t>(map.size_u),
                                                    static_cast<std::size_t>(map.depth_count)) *
                               node_size;
                for (int direction = 0; direction < directions_of_thread; ++direction)
                    if (direction < count)
                        for (int rate = 0; rate < rates; ++rate)
                            sum[direction * rates + rate] += weight * node[direction * rates + rate];
            }
        }
        const std::size_t plane_size =
            static_cast<std::size_t>(part.window.rows) * static_cast<std::size_t>(part.window.columns);
        float* out = source + static_cast<std::size_t>(step * part.directions + first) * rates * plane_size +
                     static_cast<std::size_t>(at.y) * static_cast<std::size_t>(part.window.columns) +
                     static_cast<std::size_t>(at.x);
        for (int direction = 0; direction < directions_of_thread; ++direction)
            if (direction < count)
                for (int rate = 0; rate < rates; ++rate)
                    out[static_cast<std::size_t>(direction * rates + rate) * plane_size] =
                        sum[direction * rates + rate];
    }
};

}  // namespace libdose::cuda
