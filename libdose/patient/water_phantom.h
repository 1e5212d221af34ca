// A cube of water in front of a beam along z, and the dose on its axis.
#pragma once

#include <vector>

#include "libdose/density.h"

namespace libdose {

/// 40 cm of water whose surface is at z = 0, depth along +z, the axis at x = y = 0 between voxels.
DensityGrid water_cube(double spacing_mm);

/// Dose on the axis at the middle of every layer, from the four voxels around it.
std::vector<double> axis_curve(const Grid& grid, const std::vector<float>& dose);

/// Between the two layers that meet at a depth, which is a multiple of the spacing.
double at_depth(const std::vector<double>& axis_curve, double depth_mm, double spacing_mm);

}  // namespace libdose
