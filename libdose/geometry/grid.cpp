#include "libdose/grid.h"

#include <algorithm>
#include <cmath>

#include "geometry/rectilinear.h"
#include "libdose/error.h"

namespace libdose {

void Grid::check(const std::string& where) const {
    for (int axis = 0; axis < 3; ++axis) {
        if (size[static_cast<std::size_t>(axis)] < 1) throw bad_input("grid without voxels", where);
        if (!(spacing_mm[axis] > 0) || !std::isfinite(spacing_mm[axis]))
            throw bad_input("voxel spacing is not a positive number", where);
        if (!std::isfinite(origin_mm[axis])) throw bad_input("grid origin is not finite", where);
    }
}

Grid Grid::covering(const Vec3& lower_mm, const Vec3& upper_mm, const Vec3& spacing_mm) {
    Grid grid;
    grid.spacing_mm = spacing_mm;
    for (int axis = 0; axis < 3; ++axis) {
        const double extent = upper_mm[axis] - lower_mm[axis];
        // A billionth of a voxel of rounding must not add a layer.
        const int voxels = std::max(1, static_cast<int>(std::ceil(extent / spacing_mm[axis] - 1e-9)));
        grid.size[static_cast<std::size_t>(axis)] = voxels;
        const double centre = 0.5 * (lower_mm[axis] + upper_mm[axis]);
        grid.origin_mm[axis] = centre - 0.5 * (voxels - 1) * spacing_mm[axis];
    }
    grid.check("grid from extent");
    return grid;
}

Volume<float> resample_conserving(const Volume<float>& source, const Grid& target, float outside) {
    source.grid.check("volume to resample");
    target.check("grid to resample onto");
    Volume<float> result;
    result.grid = target;
    result.values =
        average_overlap(uniform_edges(source.grid), source.values, uniform_edges(target), outside);
    return result;
}

double interpolate(const Volume<float>& volume, const Vec3& point_mm, double outside) {
    const Vec3 index = volume.grid.continuous_index(point_mm);
    std::array<int, 3> low{};
    std::array<double, 3> part{};
    for (int axis = 0; axis < 3; ++axis) {
        const int size = volume.grid.size[static_cast<std::size_t>(axis)];
        const double x = index[axis];
        if (!(x >= -0.5 && x <= size - 0.5)) return outside;
        const double clamped = std::clamp(x, 0.0, size - 1.0);
        low[static_cast<std::size_t>(axis)] = std::min(static_cast<int>(clamped), std::max(0, size - 2));
        part[static_cast<std::size_t>(axis)] = clamped - low[static_cast<std::size_t>(axis)];
    }
    double sum = 0;
    for (int dk = 0; dk < 2; ++dk)
        for (int dj = 0; dj < 2; ++dj)
            for (int di = 0; di < 2; ++di) {
                const double weight = (di ? part[0] : 1 - part[0]) * (dj ? part[1] : 1 - part[1]) *
                                      (dk ? part[2] : 1 - part[2]);
                if (weight == 0) continue;
                sum += weight * static_cast<double>(volume.at(low[0] + di, low[1] + dj, low[2] + dk));
            }
    return sum;
}

}  // namespace libdose
