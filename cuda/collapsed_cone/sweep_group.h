// Directions that march along one axis in one sense, and how many of them a device takes at a time.
#pragma once

#include <vector>

#include "collapsed_cone/directions.h"
#include "collapsed_cone/sweep_plan.h"
#include "cuda/collapsed_cone/sweep_kernels.h"

namespace libdose::cuda {

struct SweepGroup {
    PlaneLayout layout{};
    std::size_t first = 0, count = 0;  ///< in the order of SweepOrder::directions
    bool crossed() const { return layout.axis == 0; }
};

/// Directions sorted into groups; the last groups march along x, on crossed volumes.
struct SweepOrder {
    DirectionSet directions;
    std::vector<SweepPlan> plans;
    std::vector<SweepGroup> groups;

    SweepOrder(const Grid& grid, const DirectionSet& set);
};

/// Lines of a few directions of a group: where they lie in every plane, and the buffers they need.
struct LineLayout {
    int line_rows = 0, line_columns = 0;  ///< size of the buffers: the grid's and as far as lines wander
    std::vector<LinePlace> places;        ///< [step][direction]
    std::vector<float> step_cm;           ///< [direction]

    LineLayout(const PlaneLayout& layout, const SweepPlan* plans, std::size_t count, bool rounded);
    /// Rows and columns by which the lines move at most between two steps.
    Index3 moved(int first_step, int last_step) const;
};

}  // namespace libdose::cuda
