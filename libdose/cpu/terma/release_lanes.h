// Energy that a map releases, sixteen voxels of a row at once. The equations are those of
// physics/projection.h, fluence.h, ray_bundle.h and terma.h, as one voxel needs them;
// tests/physics/test_release.cpp holds both against each other.
#pragma once

#include <vector>

#include "base/simd/multiversion.h"
#include "cpu/raytrace/ray_bundle.h"
#include "cpu/raytrace/ray_lanes.h"
#include "fluence/fluence_integral.h"
#include "fluence/fluence_map.h"
#include "terma/terma_table.h"

namespace libdose::cpu {

/// Fluence, rays and attenuation of one map, shared by all voxels. The arguments must outlive it.
struct MapRelease {
    /// `integral`: sharpened as the transport needs it; `rays`: their paths begin with the map's filter.
    MapRelease(const Grid& grid, const FluenceMap& map, const FluenceIntegral& integral,
               const RayBundle& rays, const TermaTable& table);

    float per_sad, width_u[3],
        width_v[3];  ///< square of a shadow's width without magnification, by powers of the ray's slope
    physics::FluenceIntegralView fluence;
    float noise;
    LaneRays rays;
    std::vector<LaneRays::Neighbours>
        log_filter;       ///< logarithms of TermaTable::unfiltered; empty without a filter
    const float* logs;    ///< logarithms of the table, relative to no path
    float water, high_z;  ///< TERMA behind nothing
    const TermaTable* table;
};

/// A row of voxels and the media in them.
struct ReleaseRow {
    RowOfPoints points;
    const float *density, *water_part, *high_z_part;
};

struct ReleasedLanes {
    float energy[lanes];  ///< Gy g/cm³; zero: none
    float depth[lanes];
    bool all;  ///< sixteen voxels, and no energy of theirs is zero
};

/// Voxels first … last (at most sixteen) of a row, all of them before the source. False: they release
/// nothing.
bool release_lanes(const MapRelease& r, const ReleaseRow& row, int first, int last, ReleasedLanes& out);

}  // namespace libdose::cpu
