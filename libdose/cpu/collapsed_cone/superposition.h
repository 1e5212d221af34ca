// Collapsed-cone superposition: from released energy to dose.
#pragma once

#include <functional>
#include <vector>

#include "collapsed_cone/directions.h"
#include "collapsed_cone/sweep_plan.h"
#include "cpu/collapsed_cone/sweep.h"
#include "libdose/beam_model.h"
#include "libdose/density.h"
#include "terma/released_energy.h"

namespace libdose::cpu {

struct SuperpositionResult {
    std::vector<float> dose_gy;  ///< dose to the medium per voxel; 0 where the density is 0
    double released = 0;         ///< energy released, Gy g/cm³ summed over voxels
    double deposited = 0,
           escaped = 0;  ///< deposited + escaped = released × (sum of the kernel's coefficients)
};

/// One transport for all sources together: they share the directions and the kernel's rates. The result does
/// not depend on the number of threads. `progress` is called with the fraction of directions done.
SuperpositionResult superpose(const DensityGrid& density, const ConeKernel& kernel,
                              const std::vector<ReleasedEnergy>& sources, const DirectionSet& directions,
                              LatticeMode mode, const std::function<void(double)>& progress = {});

}  // namespace libdose::cpu
