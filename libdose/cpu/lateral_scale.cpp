#include "cpu/lateral_scale.h"

#include <algorithm>
#include <cmath>

namespace libdose::cpu {

namespace {

constexpr double reach_mm = 15.0;
constexpr float smallest = 0.15f, largest = 3.0f;

/// Sums of `count` lines of `width` values along an axis over a window that ends within voxels: whole ones up to `whole` away, and `part` of the
/// next. Lines lie `stride` apart.
void box_lines(float* values, int count, std::ptrdiff_t stride, int width, int whole, double part, std::vector<double>& scratch) {
    const auto w = static_cast<std::size_t>(width);
    const auto line = [&](int n) { return scratch.data() + static_cast<std::size_t>(n) * w; };
    scratch.resize(static_cast<std::size_t>(count + 1) * w);
    for (int n = 0; n < count; ++n) std::copy_n(values + n * stride, w, line(n));
    double* sum = line(count);
    std::fill_n(sum, w, 0.0);
    const auto add = [&](int n, double factor) {
        if (n < 0 || n >= count) return;
        const double* from = line(n);
        for (std::size_t i = 0; i < w; ++i) sum[i] += factor * from[i];
    };
    for (int n = 0; n <= whole; ++n) add(n, 1);
    for (int n = 0; n < count; ++n) {
        const double *before = n - whole - 1 >= 0 ? line(n - whole - 1) : nullptr, *after = n + whole + 1 < count ? line(n + whole + 1) : nullptr;
        float* to = values + n * stride;
        for (std::size_t i = 0; i < w; ++i) to[i] = static_cast<float>(sum[i] + part * ((before ? before[i] : 0.0) + (after ? after[i] : 0.0)));
        add(n + whole + 1, 1), add(n - whole, -1);
    }
}

/// Sums over the box around every voxel; nothing outside of the grid.
void box_sums(const Grid& grid, std::vector<float>& values) {
    const int nx = grid.size[0], ny = grid.size[1], nz = grid.size[2];
    const auto window = [&](int axis, int& whole, double& part) {
        const double voxels = reach_mm / grid.spacing_mm[axis] - 0.5;  // beyond the middle voxel, to each side
        whole = std::max(0, static_cast<int>(std::floor(voxels)));
        part = std::max(0.0, voxels - whole);
    };
    int whole = 0;
    double part = 0;
#pragma omp parallel firstprivate(whole, part)
    {
        std::vector<double> scratch;
#pragma omp for schedule(static)
        for (int k = 0; k < nz; ++k) {
            window(0, whole, part);
            for (int j = 0; j < ny; ++j) box_lines(&values[grid.index(0, j, k)], nx, 1, 1, whole, part, scratch);
            window(1, whole, part);
            box_lines(&values[grid.index(0, 0, k)], ny, nx, nx, whole, part, scratch);
        }
        window(2, whole, part);
#pragma omp for schedule(static)
        for (int j = 0; j < ny; ++j) box_lines(&values[grid.index(0, j, 0)], nz, static_cast<std::ptrdiff_t>(nx) * ny, nx, whole, part, scratch);
    }
}

}  // namespace

LateralScale lateral_scale(const DensityGrid& density) {
    std::vector<float> filled(density.density.size());
    for (std::size_t v = 0; v < filled.size(); ++v) filled[v] = density.density[v] > 0.0f ? 1.0f : 0.0f;
    LateralScale scale;
    scale.values = density.kernel_density;
    box_sums(density.grid, scale.values);
    box_sums(density.grid, filled);
    for (std::size_t v = 0; v < filled.size(); ++v) scale.values[v] = filled[v] > 1e-3f ? std::clamp(scale.values[v] / filled[v], smallest, largest) : 1.0f;
    const auto [low, high] = std::minmax_element(scale.values.begin(), scale.values.end());
    scale.lowest = static_cast<double>(*low), scale.highest = static_cast<double>(*high);
    return scale;
}

}  // namespace libdose::cpu
