// Discrete directions of the collapsed cones, and the emission of a source into each.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "collapsed_cone/emission_raster.h"
#include "geometry/coordinates.h"
#include "libdose/beam_model.h"
#include "libdose/grid.h"

namespace libdose {

/// A part of the unit sphere whose energy travels along one direction.
struct ConeCell {
    Vec3 direction;  ///< unit vector, LPS
    std::vector<Vec3>
        samples;  ///< unit vectors over which the kernel is averaged, each of the same solid angle
    double solid_angle_sr = 0;
};

using DirectionSet = std::vector<ConeCell>;

/// Rings of equal share around `axis`, `sectors` cells each; neighbouring rings are turned by half a cell.
/// The ring edges are chosen so that every ring holds the same of a mixture of kernel energy (0.4), energy
/// times range (0.4) and solid angle (0.2): fine where the kernel is strong, and where what it carries goes
/// far.
DirectionSet beam_aligned_directions(const ConeKernel& kernel, const Vec3& axis, int rings, int sectors);

/// `count` cells of about equal solid angle over the sphere, fixed in the patient.
DirectionSet isotropic_directions(int count);

/// Energy that a unit of released energy emits into each direction and rate, for rays of any direction within
/// a beam, by depth: the kernel averaged over the cell (not sampled at its middle), normalised so that all
/// cells together emit what the kernel holds. Tabulated on a raster of ray slopes at the depths of the
/// kernel, linear between.
class EmissionTable {
public:
    /// `largest_step`: of the slopes between rays of the raster; 0.06 is 3.4 degrees.
    EmissionTable(const ConeKernel& kernel, const DirectionSet& directions, const physics::BeamFrame& frame,
                  double low_u, double high_u, double low_v, double high_v, double largest_step = 0.06);

    using Place = physics::EmissionPlace;
    Place place(float slope_u, float slope_v, float depth_g_cm2) const {
        return raster().place(slope_u, slope_v, depth_g_cm2);
    }
    physics::EmissionRaster raster() const {
        return {low_u_,
                low_v_,
                per_slope_u_,
                per_slope_v_,
                static_cast<int>(size_u_),
                static_cast<int>(size_v_),
                static_cast<int>(depths_.size()),
                depths_.data()};
    }
    const std::vector<float>& depths() const { return depths_; }
    /// Nodes [v][u][depth][direction][rate].
    const std::vector<float>& values() const { return table_; }
    std::size_t node_count() const { return table_.size() / node_size_; }
    /// Appends the nodes of all cells, each with the values [direction][rate] of some directions and zeros up
    /// to `width` values.
    void slice(std::size_t first_direction, std::size_t count, std::size_t width,
               std::vector<float>& values) const;
    /// How many nodes the other corners of a cell lie behind its own: u fastest, then v, then depth.
    std::array<std::size_t, 8> corners() const {
        std::array<std::size_t, 8> all;
        for (std::size_t c = 0; c < all.size(); ++c)
            all[c] = physics::emission_corner(c, size_u_, depths_.size());
        return all;
    }
    /// Coefficients [rate] of one direction: what `place`, `slice` and `corners` come to.
    std::vector<float> coefficients(std::size_t direction, float slope_u, float slope_v,
                                    float depth_g_cm2) const;

private:
    std::size_t rates_, size_u_, size_v_, node_size_;
    float low_u_, low_v_, per_slope_u_, per_slope_v_;
    std::vector<float> depths_;  ///< g/cm², at least two
    std::vector<float> table_;   ///< [v][u][depth][direction][rate]
};

}  // namespace libdose
