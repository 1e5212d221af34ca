// TERMA and collapsed-cone superposition on a device.
#pragma once

#include <vector>

#include "backend/backend.h"
#include "cuda/terma/beam.h"

namespace libdose::cuda {

/// A grid on the device as its stages need it.
struct DeviceGrid {
    const DensityGrid& grid;
    DevicePool& pool;
    DeviceDensity density;
    DeviceArray<float> kernel_density_crossed;  ///< kernel_density stored [z][x][y], for directions along x

    DeviceGrid(DevicePool& device, const DensityGrid& densities);
};

/// Dose per voxel, as PatientOnBackend::transport. All maps share one transport, or as few as the memory for
/// their sources allows.
std::vector<float> transport(DeviceGrid& grid, const DeviceTermaTable& table,
                             const std::vector<FluenceMap>& maps, const ConeKernel& kernel,
                             const DirectionSet& directions, const TransportSettings& settings,
                             const StageObserver& observer);

}  // namespace libdose::cuda
