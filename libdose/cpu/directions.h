// Discrete directions of the collapsed cones, and what a source emits into each.
#pragma once

#include <vector>

#include "engine/stages.h"
#include "libdose/beam_model.h"
#include "libdose/grid.h"

namespace libdose::cpu {

/// A part of the unit sphere whose energy travels along one direction.
struct ConeCell {
    Vec3 direction;              ///< unit vector, LPS
    std::vector<Vec3> samples;   ///< unit vectors that divide the cell into equal solid angles
    double solid_angle_sr = 0;
};

using DirectionSet = std::vector<ConeCell>;

/// Rings of equal share around `axis`, `sectors` cells each; neighbouring rings are turned by half a cell. The ring edges are
/// chosen so that every ring holds the same mean of kernel energy and solid angle: fine where the kernel is strong.
DirectionSet beam_aligned_directions(const ConeKernel& kernel, const Vec3& axis, int rings, int sectors);

/// About `count` cells of equal solid angle over the sphere, fixed in the patient.
DirectionSet isotropic_directions(int count);

/// Energy that a unit of released energy emits into each cell and rate, for rays of any direction within a beam, by depth:
/// the kernel averaged over the cell (not sampled at its middle), normalised so that all cells together emit what the kernel
/// holds. Tabulated on a raster of ray slopes, linear between.
class EmissionTable {
public:
    EmissionTable(const ConeKernel& kernel, const DirectionSet& directions, const physics::BeamFrame& frame,
                  double low_u, double high_u, double low_v, double high_v);

    int rates() const { return rates_; }
    /// Coefficients of one direction for a ray and a depth; writes rates() values.
    void coefficients(std::size_t direction, float slope_u, float slope_v, float depth, float* out) const;

private:
    int rates_, depths_, size_u_, size_v_;
    float low_u_, low_v_, per_slope_u_, per_slope_v_;
    std::vector<float> depth_;
    std::vector<float> table_;  ///< [direction][v][u][depth][rate]
};

}  // namespace libdose::cpu
