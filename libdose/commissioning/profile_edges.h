// The edges of a measured profile.
#pragma once

#include <array>
#include <optional>
#include <vector>

namespace libdose {

/// Where a profile falls below a level, from the point nearest the axis outwards: left and right, in the unit
/// of the positions (ascending); none where it does not on both sides.
std::optional<std::array<double, 2>> edges_at(const std::vector<double>& position,
                                              const std::vector<double>& value, double level);

/// Distance between the edges; NaN where there are none.
double width_at(const std::vector<double>& position, const std::vector<double>& value, double level);

/// Fields that leaves shape tell where the leaves end from this width on (of narrower ones the width is that
/// of the source and the scatter), with the jaws at least this much farther open.
inline constexpr double leaf_edges_from_mm = 20, leaf_edges_clear_of_jaws_mm = 10;

}  // namespace libdose
