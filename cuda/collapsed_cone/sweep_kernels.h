// Collapsed-cone transport. A thread follows one line through several planes with its energies in registers
// and writes what it deposits in each; then a thread per voxel gathers from its four lines over the
// directions, in their order: no atomics, the same bits each time.
#pragma once

#include "collapsed_cone/cone_transport.h"
#include "collapsed_cone/lattice.h"
#include "cuda/collapsed_cone/emission_kernels.h"

namespace libdose::cuda {

/// The lines of a direction in a plane: from -1 to the number of rows and columns. Line (r, j) is stored at
/// (r + row_base, j + column_base), where it stays for the whole sweep.
struct LinePlace {
    int row_base, column_base;
    physics::LatticePlace row, column;
};
/// Lines of a plane beyond its voxels, both sides together.
constexpr int lines_beyond = 2;

template <int rates>
struct SweepLines {
    static constexpr Index3 block{
        64, 2, 1};  ///< x: column, y: row of the lines that any of the planes holds, z: direction
    SweepPart part;
    const LinePlace* places;      ///< [step][direction]
    const float* step_cm;         ///< [direction]
    float rate[rates];            ///< cm²/g
    const float* kernel_density;  ///< volume of the layout, g/cm³
    bool with_source;
    const float* source;  ///< as EmitPlanes writes it
    float* energy;        ///< [direction][rate][line row][line column]
    int line_rows, line_columns;
    float* deposit;  ///< per unit of kernel density: [step][direction][rows + lines_beyond][columns +
                     ///< lines_beyond], from line -1 on

    LIBDOSE_HD void operator()(const Index3& at) const {
        const int rows = part.layout.rows, columns = part.layout.columns, direction = at.z;
        // Bases change one way, so the ends of the part bound them; the first line is -1.
        const LinePlace &begin = places[direction],
                        &end = places[(part.steps - 1) * part.directions + direction];
        const int line_row = at.y + (begin.row_base < end.row_base ? begin.row_base : end.row_base) - 1;
        const int line_column =
            at.x + (begin.column_base < end.column_base ? begin.column_base : end.column_base) - 1;
        if (line_row >= line_rows || line_column >= line_columns) return;
        const std::size_t plane_of_lines =
            static_cast<std::size_t>(line_rows) * static_cast<std::size_t>(line_columns);
        float* const stored = energy + static_cast<std::size_t>(direction) * rates * plane_of_lines +
                              static_cast<std::size_t>(line_row) * static_cast<std::size_t>(line_columns) +
                              static_cast<std::size_t>(line_column);
        float carried[rates], optical[rates];
        for (int k = 0; k < rates; ++k) {
            carried[k] = stored[static_cast<std::size_t>(k) * plane_of_lines];
            optical[k] = rate[k] * step_cm[direction];
        }
        for (int step = 0; step < part.steps; ++step) {
            const LinePlace& place = places[step * part.directions + direction];
            const int row = line_row - place.row_base, column = line_column - place.column_base;
            if (row < -1 || row > rows || column < -1 || column > columns)
                continue;  // not yet in the grid, or lost
            const int plane = part.layout.plane(part.first_step + step);
            float released[rates] = {};
            const float here = density_met(plane, row, column, place);
            take_sources(step, plane, direction, row, column, place, released);
            const float left = advance(optical, here, released, carried);
            deposit[deposit_index(step, direction, row, column)] = left;
        }
        for (int k = 0; k < rates; ++k) stored[static_cast<std::size_t>(k) * plane_of_lines] = carried[k];
    }

private:
    /// Density that line (row, column) meets in a plane, g/cm³: linear between its four voxels, zero outside.
    LIBDOSE_HD float density_met(int plane, int row, int column, const LinePlace& place) const {
        const int rows = part.layout.rows, columns = part.layout.columns;
        float here = 0;
        for (int corner = 0; corner < 4; ++corner) {
            const int r = row + place.row.lower + corner / 2, c = column + place.column.lower + corner % 2;
            const float weight = place.row.meets[corner / 2] * place.column.meets[corner % 2];
            if (r >= 0 && r < rows && c >= 0 && c < columns && weight != 0.0f)
                here += weight * kernel_density[part.layout.voxel(plane, r, c)];
        }
        return here;
    }

    /// Adds the energy that line (row, column) takes from the sources of three by three voxels, by rate.
    LIBDOSE_HD void take_sources(int step, int plane, int direction, int row, int column,
                                 const LinePlace& place, float (&released)[rates]) const {
        float part_of[9] = {};
        // Asked here and in the loop, not before the call: so the compiler needs fewer registers.
        if (with_source) find_parts(plane, row, column, place, part_of);
        for (int neighbour = 0; with_source && neighbour < 9; ++neighbour) {
            const int r = row - 1 + neighbour / 3 - part.window.first_row,
                      c = column - 1 + neighbour % 3 - part.window.first_column;
            if (r < 0 || r >= part.window.rows || c < 0 || c >= part.window.columns) continue;
            const float weight = part_of[neighbour];
            const std::size_t plane_size =
                static_cast<std::size_t>(part.window.rows) * static_cast<std::size_t>(part.window.columns);
            const float* from =
                source + static_cast<std::size_t>(step * part.directions + direction) * rates * plane_size +
                static_cast<std::size_t>(r) * static_cast<std::size_t>(part.window.columns) +
                static_cast<std::size_t>(c);
            for (int k = 0; k < rates; ++k)
                released[k] += weight * from[static_cast<std::size_t>(k) * plane_size];
        }
    }

    /// Takes a line through one plane of density `here`; returns its deposit per unit of kernel density.
    LIBDOSE_HD static float advance(const float (&optical)[rates], float here, const float (&released)[rates],
                                    float (&carried)[rates]) {
        float left = 0;
        for (int k = 0; k < rates; ++k) {
            const physics::StepFactors<float> f = physics::step_factors(optical[k] * here);
            left += optical[k] * (carried[k] * f.g + released[k] * f.h);
            carried[k] = carried[k] * f.e + released[k] * f.g;
        }
        return left;
    }

    LIBDOSE_HD std::size_t deposit_index(int step, int direction, int row, int column) const {
        return (static_cast<std::size_t>(step * part.directions + direction) *
                    static_cast<std::size_t>(part.layout.rows + lines_beyond) +
                static_cast<std::size_t>(row + 1)) *
                   static_cast<std::size_t>(part.layout.columns + lines_beyond) +
               static_cast<std::size_t>(column + 1);
    }

    /// Parts of the sources of three by three voxels, [row][column], that a line takes: of the rows, then
    /// along the row that it mixes of them.
    LIBDOSE_HD void find_parts(int plane, int row, int column, const LinePlace& place, float* part_of) const {
        float row_density[3], inverse[3], of_columns[3];
        for (int c = 0; c < 3; ++c) {
            float density[3], inverses[3], shares[3];
            for (int r = 0; r < 3; ++r) {
                const int i = row - 1 + r, j = column - 1 + c;
                const bool inside = i >= 0 && i < part.layout.rows && j >= 0 && j < part.layout.columns;
                density[r] = inside ? kernel_density[part.layout.voxel(plane, i, j)] : 0.0f;
                inverses[r] = physics::inverse_density(density[r]);
            }
            physics::exchange_shares(density, inverses, shares);
            row_density[c] = 0;
            for (int r = 0; r < 3; ++r) {
                row_density[c] += place.row.source[r] * density[r];
                part_of[3 * r + c] = place.row.part(r, shares[r]);
            }
            inverse[c] = physics::inverse_density(row_density[c]);
        }
        physics::exchange_shares(row_density, inverse, of_columns);
        for (int c = 0; c < 3; ++c)
            for (int r = 0; r < 3; ++r) part_of[3 * r + c] *= place.column.part(c, of_columns[c]);
    }
};

struct GatherDeposit {
    static constexpr Index3 block{64, 2, 1};  ///< x: column, y: row, z: step
    SweepPart part;
    const LinePlace* places;
    const float* deposit;
    float* total;  ///< volume of the layout, per unit of kernel density

    LIBDOSE_HD void operator()(const Index3& at) const {
        const std::size_t width = static_cast<std::size_t>(part.layout.columns + lines_beyond),
                          plane_size = static_cast<std::size_t>(part.layout.rows + lines_beyond) * width;
        const float* lines = deposit + static_cast<std::size_t>(at.z * part.directions) * plane_size +
                             static_cast<std::size_t>(at.y) * width + static_cast<std::size_t>(at.x);
        const LinePlace* place = places + at.z * part.directions;
        float sum = 0;
        for (int direction = 0; direction < part.directions; ++direction, ++place, lines += plane_size) {
            // The voxel is the lower one of line (row - lower, column - lower), which is stored one further.
            const float* line =
                lines +
                static_cast<std::ptrdiff_t>(1 - place->row.lower) * static_cast<std::ptrdiff_t>(width) +
                (1 - place->column.lower);
            const float *row = place->row.meets, *column = place->column.meets;
            const float* before = line - static_cast<std::ptrdiff_t>(width);
            sum += (row[0] * column[0] * line[0] + row[0] * column[1] * line[-1]) +
                   (row[1] * column[0] * before[0] + row[1] * column[1] * before[-1]);
        }
        total[part.layout.voxel(part.layout.plane(part.first_step + at.z), at.y, at.x)] += sum;
    }
};

/// Dose to the medium from the deposits of both orders of the volume.
struct FinishDose {
    static constexpr Index3 block{32, 4, 1};  ///< x, y, z
    int size_x, size_y;
    const float *total, *total_crossed, *kernel_density, *density;
    float* dose;

    LIBDOSE_HD void operator()(const Index3& at) const {
        const std::size_t slice = static_cast<std::size_t>(at.z) * static_cast<std::size_t>(size_x) *
                                  static_cast<std::size_t>(size_y);
        const std::size_t voxel = slice + static_cast<std::size_t>(at.y) * static_cast<std::size_t>(size_x) +
                                  static_cast<std::size_t>(at.x);
        const float both =
            total[voxel] +
            total_crossed[slice + static_cast<std::size_t>(at.x) * static_cast<std::size_t>(size_y) +
                          static_cast<std::size_t>(at.y)];
        dose[voxel] = density[voxel] > 0.0f ? both * kernel_density[voxel] / density[voxel] : 0.0f;
    }
};

}  // namespace libdose::cuda
