// Ray trace and TERMA.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "fluence/fluence_integral.h"
#include "fluence/stages.h"
#include "libdose/beam_model.h"
#include "libdose/density.h"
#include "raytrace/ray_bundle.h"
#include "terma/terma_equations.h"

namespace libdose::cpu {

/// Line integrals from the source.
using PathLength = physics::BasisPath;

/// Exact path from the source to a point: the oracle of RayBundle.
PathLength exact_path(const DensityGrid& density, const Vec3& source_mm, const Vec3& point_mm);

/// Rays over {low u, high u, low v, high v} (mm, isocentre plane), with nodes through the whole grid: no nearer than half a voxel and no farther than one.
physics::RayRaster ray_raster(const Grid& grid, const physics::BeamFrame& frame, const std::array<double, 4>& extent_mm, const physics::RaySpacing& spacing,
                              double followed_g_cm2 = std::numeric_limits<double>::infinity());

/// Where on the isocentre plane voxels may release energy of a map with this support; none where its beam does not meet the grid.
std::optional<std::array<double, 4>> released_extent_mm(const Grid& grid, const physics::BeamFrame& frame, std::array<double, 4> support_mm);

/// Divergent rays on a raster of the isocentre plane, marched once through the grid; running sums at equal steps along the
/// axis are interpolated linearly between rays and steps.
class RayBundle {
public:
    /// As ray_raster(). Paths begin with what the filter adds, if there is one. Throws bad_input for rays of more than 2^31 nodes together.
    RayBundle(const DensityGrid& density, const physics::BeamFrame& frame, const std::array<double, 4>& extent_mm, const physics::RaySpacing& spacing,
              double followed_g_cm2 = std::numeric_limits<double>::infinity(), const BeamFilter* filter = nullptr);
    PathLength path(double u_mm, double v_mm, double distance_mm) const;
    /// By ray: the distance along the axis from which on its path is at least `g_cm2`, or 1e30.
    std::vector<float> reach_mm(double g_cm2) const;
    physics::RaySumsView view() const { return {raster_, sums_.get()}; }

private:
    physics::RayRaster raster_;
    std::unique_ptr<physics::RaySums[]> sums_;  // not a vector, which would write zeros first
};

/// Look-up table of basis_terma, bilinear in the logarithm.
class TermaTable {
public:
    explicit TermaTable(const Spectrum& spectrum);
    physics::BasisTerma operator()(const PathLength& path) const { return view().terma(path); }
    /// TERMA of water behind path and filter over that behind the path alone, for the same reading of a detector in air.
    double filtered_part(const PathLength& path, const PathLength& filter) const { return view().filtered_part(path, filter); }
    const Spectrum& spectrum() const { return spectrum_; }
    const std::vector<double>& log_water() const { return log_water_; }
    const std::vector<double>& log_high_z() const { return log_high_z_; }
    /// Both logarithms of a node, [high z][water][water, high z], less those behind no path.
    const std::vector<float>& relative_logs() const { return relative_logs_; }
    physics::TermaTableView view() const { return {physics::view_of(spectrum_), log_water_.data(), log_high_z_.data()}; }

private:
    Spectrum spectrum_;
    std::vector<double> log_water_, log_high_z_;  ///< [high z][water]
    std::vector<float> relative_logs_;
};

/// Factor by which the fluence that a detector reads in air behind `filter` turns into the one that TermaTable(path + filter) asks for.
double unfiltered(const TermaTable& table, const PathLength& filter);

/// How the fluence of voxels is to be sharpened for a transport that will blur it by `blur_variance` (voxels²) along each axis of the grid.
Sharpening sharpening_for(const Grid& grid, const physics::BeamFrame& frame, double blur_variance);

/// Energy released per voxel by a fluence map (its values times the unit fluence at the isocentre distance). `blur_variance`
/// (voxels²): the fluence is sharpened across the beam by as much as the transport will blur it (lattice_blur_variance); beside
/// a sharp field edge the energy of a voxel may then be slightly negative. 0 leaves the voxel averages as they are.
ReleasedEnergy released_energy(const DensityGrid& density, const FluenceMap& map, const TermaTable& table, double ray_spacing_mm, double blur_variance);

}  // namespace libdose::cpu
