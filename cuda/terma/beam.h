// A beam on the device, for all stages: its place in the grid, its rays, and the tables of its spectrum and
// filter.
#pragma once

#include <limits>
#include <memory>

#include "cuda/runtime/device_buffer.h"
#include "fluence/fluence_map.h"
#include "geometry/rect.h"
#include "libdose/density.h"
#include "terma/terma_table.h"

namespace libdose::cuda {

BeamRows beam_rows(const Grid& grid, const physics::BeamFrame& frame);
inline PlaneExtent plane_extent(const Rect& r) { return {r.low_u_mm, r.high_u_mm, r.low_v_mm, r.high_v_mm}; }
/// Voxels that a beam through this rectangle of the isocentre plane may meet; empty sizes where there are
/// none.
VoxelRange voxels_within(const Grid& grid, const physics::BeamFrame& frame, const Rect& extent_mm);
inline Index3 threads_over(const Grid& grid) { return {grid.size[0], grid.size[1], grid.size[2]}; }

/// The grid's densities on the device, g/cm³.
struct DeviceDensity {
    DeviceArray<float> density, water_part, high_z_part, kernel_density;
    DeviceDensity(DevicePool& pool, const DensityGrid& grid);
};

/// Running sums of rays.
struct DeviceRays {
    physics::RayRaster raster;
    DeviceArray<physics::RaySums> sums;
    RaySumsView view() const { return {raster, sums.data()}; }
};
DeviceRays trace_rays(DevicePool& pool, const DensityGrid& grid, const DeviceDensity& density,
                      const physics::BeamFrame& frame, const Rect& extent_mm,
                      const physics::RaySpacing& spacing,
                      double max_depth_g_cm2 = std::numeric_limits<double>::infinity());

/// TermaTable of a spectrum.
class DeviceTermaTable {
public:
    DeviceTermaTable(DevicePool& pool, const TermaTable& table);
    physics::TermaTableView view() const;
    bool is_of(const Spectrum& spectrum) const;

private:
    Spectrum spectrum_;
    DeviceArray<double> energy_, fluence_, mu_water_, mu_high_z_, log_water_, log_high_z_;
};

/// A filter; null stands for none.
class DeviceFilter {
public:
    DeviceFilter() = default;
    DeviceFilter(DevicePool& pool, const BeamFilter* filter);
    bool any() const { return any_; }
    const physics::FilterView& view() const { return view_; }

private:
    bool any_ = false;
    DeviceArray<double> softening_radius_, softening_, wedge_, wedge_water_, wedge_high_z_;
    physics::FilterView view_;
};

}  // namespace libdose::cuda
