#include "pencil_beam/lateral_scale.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/simd/multiversion.h"

namespace libdose {

namespace {

constexpr double half_box_mm = 15.0;
constexpr float smallest = 0.15f, largest = 3.0f;

/// A box along an axis ends within voxels: whole ones up to `whole` away from the middle, and `part` of the
/// next.
struct Window {
    int whole;
    float part;

    explicit Window(double spacing_mm) {
        const double voxels = half_box_mm / spacing_mm - 0.5;  // beyond the middle voxel, to each side
        whole = std::max(0, static_cast<int>(std::floor(voxels)));
        part = static_cast<float>(std::max(0.0, voxels - whole));
    }
};

using Block = float __attribute__((vector_size(8 * sizeof(float))));
constexpr int simd_width = 8;
constexpr int up_to_simd_width(int n) { return (n + simd_width - 1) / simd_width * simd_width; }

/// The sum of `width` values (whole blocks) of the lines in the window around line n of `count`, which lie
/// `stride` apart.
LIBDOSE_VERSIONS
void sum_lines(const float* lines, int count, std::ptrdiff_t stride, int width, int n, const Window& window,
               float* to) {
    const int begin = std::max(0, n - window.whole), end = std::min(count, n + window.whole + 1);
    const float part = window.part;
    for (int b = 0; b < width; b += simd_width) {
        Block sum{};
        const auto add = [&](int line, float weight) LIBDOSE_INLINE_LAMBDA {
            Block values;
            std::memcpy(&values, lines + line * stride + b, sizeof(values));
            sum += weight * values;
        };
        for (int line = begin; line < end; ++line) add(line, 1);
        if (begin > 0) add(begin - 1, part);
        if (end < count) add(end, part);
        std::memcpy(to + b, &sum, sizeof(sum));
    }
}

/// Sums over the box around every voxel; nothing outside of the grid. read(j, k, row) gives the values of a
/// row along x, write(j, k, row) takes its sums.
template <class Read, class Write>
void box_sums(const Grid& grid, const Read& read, const Write& write) {
    const int nx = grid.size[0], ny = grid.size[1], nz = grid.size[2], width = up_to_simd_width(nx);
    const Window along_x(grid.spacing_mm[0]), along_y(grid.spacing_mm[1]), along_z(grid.spacing_mm[2]);
    const int margin = along_x.whole + 1;
    const auto row_bytes = static_cast<std::size_t>(nx) * sizeof(float);
    std::vector<float> flat(grid.voxel_count());  // sums along x and y
#pragma omp parallel
    {
        const auto line = [width](std::vector<float>& lines, int n) {
            return lines.data() + static_cast<std::size_t>(n) * static_cast<std::size_t>(width);
        };
        // A row along x is its own neighbouring lines, each a voxel on.
        std::vector<float> row(static_cast<std::size_t>(width + 2 * margin), 0.0f),
            sums(static_cast<std::size_t>(width));
        std::vector<float> lines(static_cast<std::size_t>(width) * static_cast<std::size_t>(std::max(ny, nz)),
                                 0.0f);
#pragma omp for schedule(static)
        for (int k = 0; k < nz; ++k) {
            for (int j = 0; j < ny; ++j) {
                read(j, k, row.data() + margin);
                sum_lines(row.data(), 2 * margin + 1, 1, width, margin, along_x, line(lines, j));
            }
            for (int j = 0; j < ny; ++j) {
                sum_lines(lines.data(), ny, width, width, j, along_y, sums.data());
                std::memcpy(&flat[grid.index(0, j, k)], sums.data(), row_bytes);
            }
        }
#pragma omp for schedule(static)
        for (int j = 0; j < ny; ++j) {
            for (int k = 0; k < nz; ++k) std::memcpy(line(lines, k), &flat[grid.index(0, j, k)], row_bytes);
            for (int k = 0; k < nz; ++k) {
                sum_lines(lines.data(), nz, width, width, k, along_z, sums.data());
                write(j, k, sums.data());
            }
        }
    }
}

/// Voxels in the window around each of `count` in a row that are all filled.
std::vector<float> filled_line(int count, const Window& window) {
    std::vector<float> filled;
    for (int n = 0; n < count; ++n) {
        const auto to_side = [&](int voxels) {
            return voxels > window.whole ? static_cast<float>(window.whole) + window.part
                                         : static_cast<float>(voxels);
        };
        filled.push_back(to_side(n) + 1 + to_side(count - 1 - n));
    }
    return filled;
}

/// Means from sums, and the lowest and the highest of them.
LIBDOSE_VERSIONS
void take_means(int size, const float* sums, const float* filled, float filled_factor, float* means,
                float& lowest, float& highest) {
    for (int i = 0; i < size; ++i) {
        const float count = filled[i] * filled_factor;
        float mean = sums[i] / count;
        mean = mean > smallest ? mean : smallest;
        mean = mean < largest ? mean : largest;
        means[i] = count > 1e-3f ? mean : 1.0f;
    }
    // Positive numbers are in the order of their bits, and integers have minima by vectors.
    std::int32_t low = std::bit_cast<std::int32_t>(lowest), high = std::bit_cast<std::int32_t>(highest);
    for (int i = 0; i < size; ++i) {
        const auto bits = std::bit_cast<std::int32_t>(means[i]);
        low = std::min(low, bits);
        high = std::max(high, bits);
    }
    lowest = std::bit_cast<float>(low);
    highest = std::bit_cast<float>(high);
}

}  // namespace

LateralScale lateral_scale(const DensityGrid& density) {
    const Grid& grid = density.grid;
    const int nx = grid.size[0], ny = grid.size[1], nz = grid.size[2];
    std::size_t empty = 0;
    std::vector<std::array<float, 2>> range(static_cast<std::size_t>(ny), {largest, smallest});
#pragma omp parallel for schedule(static) reduction(+ : empty)
    for (int k = 0; k < nz; ++k) {
        const std::size_t plane = grid.index(0, 0, 1);
        const float* from = density.density.data() + static_cast<std::size_t>(k) * plane;
        int here = 0;
        for (std::size_t v = 0; v < plane; ++v) here += !(from[v] > 0.0f);
        empty += static_cast<std::size_t>(here);
    }
    const bool all_filled = empty == 0;
    std::vector<float> filled;
    if (!all_filled) {
        filled.resize(grid.voxel_count());
        box_sums(
            grid,
            [&](int j, int k, float* row) {
                const float* from = &density.density[grid.index(0, j, k)];
                for (int i = 0; i < nx; ++i) row[i] = from[i] > 0.0f ? 1.0f : 0.0f;
            },
            [&](int j, int k, const float* sums) { std::copy_n(sums, nx, &filled[grid.index(0, j, k)]); });
    }
    const std::vector<float> filled_x = filled_line(nx, Window(grid.spacing_mm[0])),
                             filled_y = filled_line(ny, Window(grid.spacing_mm[1])),
                             filled_z = filled_line(nz, Window(grid.spacing_mm[2]));
    LateralScale scale;
    scale.values.resize(grid.voxel_count());
    box_sums(
        grid,
        [&](int j, int k, float* row) { std::copy_n(&density.kernel_density[grid.index(0, j, k)], nx, row); },
        [&](int j, int k, const float* sums) {
            const std::size_t first = grid.index(0, j, k);
            auto& [low, high] = range[static_cast<std::size_t>(j)];
            if (all_filled)
                take_means(nx, sums, filled_x.data(),
                           filled_y[static_cast<std::size_t>(j)] * filled_z[static_cast<std::size_t>(k)],
                           &scale.values[first], low, high);
            else
                take_means(nx, sums, &filled[first], 1, &scale.values[first], low, high);
        });
    float low = largest, high = smallest;
    for (const auto& [l, h] : range) {
        low = std::min(low, l);
        high = std::max(high, h);
    }
    scale.lowest = static_cast<double>(low);
    scale.highest = static_cast<double>(high);
    return scale;
}

}  // namespace libdose
