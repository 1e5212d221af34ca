// The energy that fluence maps release, on the device.
#pragma once

#include <optional>
#include <vector>

#include "collapsed_cone/directions.h"
#include "cuda/collapsed_cone/stage.h"
#include "fluence/fluence_integral.h"
#include "geometry/rect.h"

namespace libdose::cuda {

/// Energy of one map in the voxels that its beam may reach, and the table of what it emits.
struct ReleasedMap {
    VoxelRange range{};
    DeviceArray<float> energy, u, v, depth;
    DeviceArray<std::uint32_t> cell;
    DeviceArray<float> depths, table;
    int table_size_u = 0, table_depths = 0;

    Released released() { return {range, energy.data(), u.data(), v.data(), depth.data(), cell.data()}; }
    EmittingMap emitting() { return {released(), table.data(), table_size_u, table_depths}; }
    /// Turns the volumes from [z][y][x] to [z][x][y].
    void cross(DevicePool& pool);
    std::size_t bytes() const;
};

/// A map as the host prepares it for the device.
struct PreparedMap {
    const FluenceMap& map;
    FluenceIntegral integral;
    Rect extent_mm;  ///< part of the isocentre plane in which voxels may release energy
    VoxelRange range;
    EmissionTable emission;
};

/// Those from `begin` on, as many as are prepared at a time, by all cores; empty where a map is, or where its
/// beam does not meet the grid. The tables' directions are in the order of `directions`.
std::vector<std::optional<PreparedMap>> prepare(const Grid& grid, const std::vector<FluenceMap>& maps,
                                                std::size_t begin, const ConeKernel& kernel,
                                                const DirectionSet& directions,
                                                const TransportSettings& settings);

/// Fluence and filter of one map on the device. They are kept while those of the next map are copied, which
/// then need not wait for the launches that read them.
struct FluenceOnDevice {
    DeviceArray<physics::FluenceSums> sums;
    DeviceFilter filter;
};

/// Launches the release of a map's energy. `fluence`: of the map before; becomes that of this map.
ReleasedMap release(DeviceGrid& grid, const DeviceTermaTable& table, const PreparedMap& prepared,
                    const TransportSettings& settings, FluenceOnDevice& fluence);

}  // namespace libdose::cuda
