// Averages between rectilinear grids (edges along each axis, any spacing).
#pragma once

#include <array>
#include <vector>

#include "libdose/grid.h"

namespace libdose {

using Edges = std::array<std::vector<double>, 3>;  ///< ascending, along x, y, z

Edges uniform_edges(const Grid& grid);  ///< mm

/// Volume-weighted average of `values` (x fastest, on the cells between `from`) over every cell of `to`; what
/// no source cell covers counts with `outside`. Separable: one pass per axis.
std::vector<float> average_overlap(const Edges& from, const std::vector<float>& values, const Edges& to,
                                   float outside);

}  // namespace libdose
