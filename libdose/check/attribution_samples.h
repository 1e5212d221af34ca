// Where two doses are compared to find the cause of a difference: coarse voxels inside the body.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <vector>

#include "libdose/grid.h"
#include "libdose/structure.h"

namespace libdose::check {

/// Gy, one value for each sample.
using Field = Eigen::VectorXd;

/// Averages of a dose over about a centimetre, at coarse voxels that lie on the grid of the planned dose and
/// have more than a tenth of the planned maximum. So wide averages of a fine and of a coarse calculation are
/// the same, and of a penumbra that is a little wider, too. What is averaged lies wholly in the body: the
/// first centimetre under the surface, where algorithms differ, is left out.
class DoseSamples {
public:
    /// `body`: null: everywhere.
    DoseSamples(const Volume<float>& planned, const Structure* body);

    const Grid& grid() const { return grid_; }  ///< coarse
    std::size_t size() const { return voxels_.size(); }
    double planned_maximum_gy() const { return maximum_gy_; }
    Field of(const Volume<float>& dose_gy) const;

private:
    Grid grid_;
    double maximum_gy_ = 0;
    std::vector<std::size_t> voxels_;  ///< indices on grid_
};

}  // namespace libdose::check
