#include "geometry/rectilinear.h"

#include <algorithm>
#include <utility>

namespace libdose {

namespace {

struct Overlap {
    std::size_t first = 0;        ///< first source cell that touches the target cell
    std::vector<double> weights;  ///< overlap / target width of first, first + 1, …
    double outside = 0;           ///< part of the target cell that no source cell covers
};

std::vector<Overlap> overlaps_1d(const std::vector<double>& from, const std::vector<double>& to) {
    std::vector<Overlap> result(to.size() - 1);
    for (std::size_t t = 0; t + 1 < to.size(); ++t) {
        Overlap& overlap = result[t];
        const double low = to[t], high = to[t + 1];
        const auto upper =
            static_cast<std::size_t>(std::upper_bound(from.begin(), from.end(), low) - from.begin());
        overlap.first = upper > 0 ? upper - 1 : 0;
        double covered = 0;
        for (std::size_t s = overlap.first; s + 1 < from.size() && from[s] < high; ++s) {
            const double part =
                std::max(0.0, std::min(high, from[s + 1]) - std::max(low, from[s])) / (high - low);
            overlap.weights.push_back(part);
            covered += part;
        }
        overlap.outside = std::max(0.0, 1.0 - covered);
        if (overlap.outside < 1e-12) overlap.outside = 0;
    }
    return result;
}

}  // namespace

Edges uniform_edges(const Grid& grid) {
    Edges edges;
    for (std::size_t axis = 0; axis < 3; ++axis)
        for (int i = 0; i <= grid.size[axis]; ++i)
            edges[axis].push_back(grid.lower_edge_mm()[static_cast<int>(axis)] +
                                  i * grid.spacing_mm[static_cast<int>(axis)]);
    return edges;
}

std::vector<float> average_overlap(const Edges& from, const std::vector<float>& source, const Edges& to,
                                   float outside) {
    // One axis after the other; the running volume has the target's size along the axes already done.
    std::array<std::size_t, 3> size{from[0].size() - 1, from[1].size() - 1, from[2].size() - 1};
    std::vector<float> values = source;
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const auto overlaps = overlaps_1d(from[axis], to[axis]);
        std::size_t inner = 1, outer = 1;
        for (std::size_t a = 0; a < axis; ++a) inner *= size[a];
        for (std::size_t a = axis + 1; a < 3; ++a) outer *= size[a];
        const std::size_t source_cells = size[axis], target_cells = to[axis].size() - 1;
        std::vector<float> next(inner * target_cells * outer);
#pragma omp parallel for schedule(static)
        for (std::size_t o = 0; o < outer; ++o) {
            std::vector<double> line(inner);
            for (std::size_t t = 0; t < target_cells; ++t) {
                const Overlap& overlap = overlaps[t];
                std::fill(line.begin(), line.end(), overlap.outside * static_cast<double>(outside));
                for (std::size_t w = 0; w < overlap.weights.size(); ++w) {
                    const float* row = &values[(o * source_cells + overlap.first + w) * inner];
                    for (std::size_t i = 0; i < inner; ++i)
                        line[i] += overlap.weights[w] * static_cast<double>(row[i]);
                }
                for (std::size_t i = 0; i < inner; ++i)
                    next[(o * target_cells + t) * inner + i] = static_cast<float>(line[i]);
            }
        }
        size[axis] = target_cells;
        values.swap(next);
    }
    return values;
}

}  // namespace libdose
