#include "patient/coarse_grid.h"

#include <algorithm>
#include <cmath>

namespace libdose {

DensityGrid coarsened(const DensityGrid& density, int factor) {
    const Grid& fine = density.grid;
    DensityGrid coarse;
    coarse.grid.spacing_mm = factor * fine.spacing_mm;
    coarse.grid.origin_mm = fine.lower_edge_mm() + 0.5 * coarse.grid.spacing_mm;
    for (std::size_t a = 0; a < 3; ++a) coarse.grid.size[a] = (fine.size[a] + factor - 1) / factor;
    const auto mean = [&](const std::vector<float>& values) {
        Volume<float> volume;
        volume.grid = fine;
        volume.values = values;
        return resample_conserving(volume, coarse.grid, 0.0f).values;
    };
    coarse.density = mean(density.density);
    coarse.water_part = mean(density.water_part);
    coarse.high_z_part = mean(density.high_z_part);
    coarse.kernel_density = mean(density.kernel_density);
    return coarse;
}

void add_interpolated(std::vector<float>& dose, const DensityGrid& density,
                      const std::vector<float>& coarse_dose, const DensityGrid& coarse) {
    const Grid &fine = density.grid, &grid = coarse.grid;
    // The two neighbours along an axis and their shares.
    struct Node {
        int low, high;
        float part;
    };
    std::array<std::vector<Node>, 3> nodes;
    for (int a = 0; a < 3; ++a)
        for (int i = 0; i < fine.size[static_cast<std::size_t>(a)]; ++i) {
            const int last = grid.size[static_cast<std::size_t>(a)] - 1;
            const double x = std::clamp(
                (fine.origin_mm[a] + i * fine.spacing_mm[a] - grid.origin_mm[a]) / grid.spacing_mm[a], 0.0,
                static_cast<double>(last));
            const int low = static_cast<int>(x);
            nodes[static_cast<std::size_t>(a)].push_back(
                {low, std::min(low + 1, last), static_cast<float>(x - low)});
        }
#pragma omp parallel for schedule(static)
    for (int k = 0; k < fine.size[2]; ++k)
        for (int j = 0; j < fine.size[1]; ++j)
            for (int i = 0; i < fine.size[0]; ++i) {
                const std::size_t voxel = fine.index(i, j, k);
                if (!(density.density[voxel] > 0.0f)) continue;
                const Node &x = nodes[0][static_cast<std::size_t>(i)],
                           &y = nodes[1][static_cast<std::size_t>(j)],
                           &z = nodes[2][static_cast<std::size_t>(k)];
                float sum = 0, weights = 0;
                for (int corner = 0; corner < 8; ++corner) {
                    const std::size_t at =
                        grid.index(corner & 1 ? x.high : x.low, corner & 2 ? y.high : y.low,
                                   corner & 4 ? z.high : z.low);
                    if (!(coarse.density[at] > 0.0f)) continue;
                    const float weight = (corner & 1 ? x.part : 1 - x.part) *
                                         (corner & 2 ? y.part : 1 - y.part) *
                                         (corner & 4 ? z.part : 1 - z.part);
                    sum += weight * coarse_dose[at];
                    weights += weight;
                }
                if (weights > 0) dose[voxel] += sum / weights;
            }
}

}  // namespace libdose
