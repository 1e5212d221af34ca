#include "cpu/sweep.h"

#include <algorithm>
#include <cmath>

#include "physics/cone_transport.h"

// The compiler makes a version for each instruction set and the loader picks one. Without contraction (see
// libdose/CMakeLists.txt) all of them give the same bits.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define LIBDOSE_VERSIONS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LIBDOSE_VERSIONS
#endif

namespace libdose::cpu {

SweepPlan plan_sweep(const Grid& grid, const Vec3& direction, std::size_t number) {
    // Voxels per unit length along each axis: the largest is marched, so that a line moves at most one voxel aside.
    const Vec3 speed = direction.cwiseAbs().cwiseQuotient(grid.spacing_mm);
    int axis = 2;
    if (speed[1] > speed[axis]) axis = 1;
    if (speed[0] > speed[axis]) axis = 0;
    const int nx = grid.size[0], ny = grid.size[1], nz = grid.size[2];
    const std::ptrdiff_t slice = static_cast<std::ptrdiff_t>(nx) * ny;
    SweepPlan plan;
    int row_axis = 1, column_axis = 0;
    if (axis == 2) {
        plan.layout = {nz, ny, nx, slice, nx};
    } else if (axis == 1) {
        plan.layout = {ny, nz, nx, nx, slice};
        row_axis = 2;
    } else {
        plan.layout = {nx, nz, ny, ny, slice};
        row_axis = 2;
        column_axis = 1;
        plan.transposed = true;
    }
    const double per_plane = std::abs(direction[axis]) / grid.spacing_mm[axis];
    plan.direction.ascending = direction[axis] > 0;
    plan.direction.shift_row = direction[row_axis] / grid.spacing_mm[row_axis] / per_plane;
    plan.direction.shift_column = direction[column_axis] / grid.spacing_mm[column_axis] / per_plane;
    // Additive recurrence with the two-dimensional golden ratio (plastic number): evenly spread phases.
    const auto phase = [&](double ratio) { return std::fmod(0.5 + ratio * static_cast<double>(number), 1.0); };
    plan.direction.first_row = phase(0.7548776662466927);
    plan.direction.first_column = phase(0.5698402909980532);
    plan.direction.step_cm = 0.1 * direction.norm() / per_plane;
    return plan;
}

namespace {

/// Transports one rate along a row of lines: E is read shifted, written in place, and the deposit per eta is added up.
LIBDOSE_VERSIONS
void transport_row(int lines, float optical, float low, float high, const float* eta, const float* source, const float* energy_in, float* energy_out,
                   float* deposit) {
    // eta and source are rows of voxels with one zero before and one after; line j lies between voxels j - 1 and j.
    for (int j = 0; j < lines; ++j) {
        const float x = optical * (low * eta[j] + high * eta[j + 1]);
        const float q = low * source[j] + high * source[j + 1];
        const physics::StepFactors<float> f = physics::step_factors(x);
        deposit[j] += optical * (energy_in[j] * f.g + q * f.h);
        energy_out[j] = energy_in[j] * f.e + q * f.g;
    }
}

/// The same for rates so slow that every optical length is below the limit of the series.
LIBDOSE_VERSIONS
void transport_row_slow(int lines, float optical, float low, float high, const float* eta, const float* source, const float* energy_in, float* energy_out,
                        float* deposit) {
    for (int j = 0; j < lines; ++j) {
        const float x = optical * (low * eta[j] + high * eta[j + 1]);
        const float q = low * source[j] + high * source[j + 1];
        const physics::StepFactors<float> f = physics::step_factors_series(x);
        deposit[j] += optical * (energy_in[j] * f.g + q * f.h);
        energy_out[j] = energy_in[j] * f.e + q * f.g;
    }
}

LIBDOSE_VERSIONS
void mix_rows(int n, float low, const float* a, float high, const float* b, float* out) {
    for (int i = 0; i < n; ++i) out[i] = low * a[i] + high * b[i];
}

LIBDOSE_VERSIONS
void scatter_row(int n, float low, float high, float share, const float* lines, float* out) {
    // Voxel c takes from line c + 1 (of which it is the lower neighbour) and from line c.
    for (int c = 0; c < n; ++c) out[c] += share * (low * lines[c + 1] + high * lines[c]);
}

}  // namespace

double sweep(const SweepPlan& plan, LatticeMode mode, const float* eta, float eta_max, const std::vector<double>& rates,
             const std::vector<const float*>& sources, const std::uint8_t* active, float* deposit, SweepWorkspace& workspace) {
    const SweepLayout& layout = plan.layout;
    const std::size_t rate_count = rates.size();
    const int columns = layout.columns, rows = layout.rows;
    const int line_columns = columns + 1, line_rows = rows + 1;
    const auto line_stride = static_cast<std::size_t>(line_columns + 2);  // one zero on either side
    const auto row_width = static_cast<std::size_t>(columns + 2);         // one zero before and after the voxels

    // energy[rate][buffer][line row][padded column]
    const std::size_t buffer_size = static_cast<std::size_t>(line_rows) * line_stride;
    workspace.energy.assign(rate_count * 2 * buffer_size + line_stride, 0.0f);
    float* const zero_line = workspace.energy.data() + rate_count * 2 * buffer_size;
    workspace.rows.assign((rate_count + 2) * row_width, 0.0f);
    float* const eta_row = workspace.rows.data();
    const auto source_row = [&](std::size_t k) { return workspace.rows.data() + (k + 1) * row_width; };
    const float* const zero_row = workspace.rows.data() + (rate_count + 1) * row_width;
    workspace.deposit_row.assign(static_cast<std::size_t>(line_columns), 0.0f);
    workspace.live.assign(static_cast<std::size_t>(2 * line_rows), 0);

    double escaped = 0;
    double part_row = plan.direction.first_row, part_column = plan.direction.first_column;  // position of line 0 relative to voxel -1, in voxels, 0 … 1
    bool any_live = false;
    int current = 0;
    for (int n = 0; n < layout.planes; ++n) {
        const int plane = plan.direction.ascending ? n : layout.planes - 1 - n;
        int move_row = 0, move_column = 0;  // by how many line indices the lines move
        if (n > 0) {
            part_row += plan.direction.shift_row;
            part_column += plan.direction.shift_column;
            move_row = static_cast<int>(std::floor(part_row));
            move_column = static_cast<int>(std::floor(part_column));
            part_row -= move_row;
            part_column -= move_column;
        }
        const std::uint8_t* active_rows = active + static_cast<std::ptrdiff_t>(plane) * rows;
        if (!any_live && std::none_of(active_rows, active_rows + rows, [](std::uint8_t a) { return a != 0; })) continue;
        any_live = true;
        // Weights of the lower (index - 1) and upper neighbour of every line of this plane.
        double high_r = part_row, high_c = part_column;
        if (mode == LatticeMode::rounded) high_r = std::floor(high_r + 0.5), high_c = std::floor(high_c + 0.5);
        const auto row_low = static_cast<float>(1 - high_r), row_high = static_cast<float>(high_r);
        const auto low = static_cast<float>(1 - high_c), high = static_cast<float>(high_c);
        const std::ptrdiff_t plane_offset = static_cast<std::ptrdiff_t>(plane) * layout.plane_stride;
        const int previous = current;
        current = 1 - current;
        const std::uint8_t* live_in = workspace.live.data() + previous * line_rows;
        std::uint8_t* live_out = workspace.live.data() + current * line_rows;
        // Lines that the shift moves off the lattice have left the grid.
        if (move_row != 0 || move_column != 0) {
            for (int r = 0; r < line_rows; ++r) {
                if (!live_in[r]) continue;
                const bool row_gone = r + move_row < 0 || r + move_row >= line_rows;
                for (std::size_t k = 0; k < rate_count; ++k) {
                    const float* line =
                        workspace.energy.data() + (k * 2 + static_cast<std::size_t>(previous)) * buffer_size + static_cast<std::size_t>(r) * line_stride + 1;
                    if (row_gone) {
                        for (int j = 0; j < line_columns; ++j) escaped += static_cast<double>(line[j]);
                    } else if (move_column != 0) {
                        escaped += static_cast<double>(move_column > 0 ? line[line_columns - 1] : line[0]);
                    }
                }
            }
        }
        for (int r = 0; r < line_rows; ++r) {
            const int from = r - move_row;
            const bool fed = from >= 0 && from < line_rows && live_in[from];
            const bool has_source = (r > 0 && active_rows[r - 1]) || (r < rows && active_rows[r]);
            live_out[r] = fed || has_source;
            if (!live_out[r]) continue;
            const auto voxel_row = [&](const float* volume, int row) { return volume + plane_offset + static_cast<std::ptrdiff_t>(row) * layout.row_stride; };
            const auto gather = [&](const float* volume, float* out) {
                mix_rows(columns, row_low, r > 0 ? voxel_row(volume, r - 1) : zero_row, row_high, r < rows ? voxel_row(volume, r) : zero_row, out + 1);
            };
            gather(eta, eta_row);
            std::fill(workspace.deposit_row.begin(), workspace.deposit_row.end(), 0.0f);
            for (std::size_t k = 0; k < rate_count; ++k) {
                const float* q = zero_row;
                if (has_source) {
                    gather(sources[k], source_row(k));
                    q = source_row(k);
                }
                float* base = workspace.energy.data() + k * 2 * buffer_size;
                const float* in = fed ? base + static_cast<std::size_t>(previous) * buffer_size + static_cast<std::size_t>(from) * line_stride : zero_line;
                float* out = base + static_cast<std::size_t>(current) * buffer_size + static_cast<std::size_t>(r) * line_stride + 1;
                const auto optical = static_cast<float>(rates[k] * plan.direction.step_cm);
                const auto transport = optical * eta_max < physics::series_limit<float> ? transport_row_slow : transport_row;
                transport(line_columns, optical, low, high, eta_row, q, in + 1 - move_column, out, workspace.deposit_row.data());
            }
            if (r > 0 && row_low != 0.0f)
                scatter_row(columns, low, high, row_low, workspace.deposit_row.data(),
                            deposit + plane_offset + static_cast<std::ptrdiff_t>(r - 1) * layout.row_stride);
            if (r < rows && row_high != 0.0f)
                scatter_row(columns, low, high, row_high, workspace.deposit_row.data(),
                            deposit + plane_offset + static_cast<std::ptrdiff_t>(r) * layout.row_stride);
        }
    }
    // What is left after the last plane, and the share of border lines that lay outside, has left the grid.
    for (int r = 0; r < line_rows; ++r)
        if (workspace.live[static_cast<std::size_t>(current * line_rows + r)])
            for (std::size_t k = 0; k < rate_count; ++k) {
                const float* line =
                    workspace.energy.data() + (k * 2 + static_cast<std::size_t>(current)) * buffer_size + static_cast<std::size_t>(r) * line_stride + 1;
                for (int j = 0; j < line_columns; ++j) escaped += static_cast<double>(line[j]);
            }
    return escaped;
}

}  // namespace libdose::cpu
