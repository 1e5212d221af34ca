// Energy that a map releases, sixteen voxels of a row at once. The equations are those of physics/projection.h, fluence.h, ray_bundle.h and terma.h, as
// one voxel needs them; tests/physics/test_release.cpp holds both against each other.
#pragma once

#include <vector>

#include "cpu/terma.h"
#include "cpu/versions.h"

namespace libdose::cpu {

/// A table that is linear between its nodes and constant beyond its ends, as a sum of hinges: no search.
struct HingeTable {
    float first = 0;
    std::vector<float> at, bend;

    HingeTable() = default;
    HingeTable(const std::vector<double>& x, const std::vector<double>& y) {
        if (x.empty()) return;
        first = static_cast<float>(y[0]);
        double before = 0;
        for (std::size_t n = 0; n < x.size(); ++n) {
            const double slope = n + 1 < x.size() ? (y[n + 1] - y[n]) / (x[n + 1] - x[n]) : 0;
            at.push_back(static_cast<float>(x[n])), bend.push_back(static_cast<float>(slope - before));
            before = slope;
        }
    }
    /// sum[l] += factor × value at x[l]
    LIBDOSE_INLINE void add(float factor, const float* x, float* sum) const {
        for (int l = 0; l < lanes; ++l) sum[l] += factor * first;
        for (std::size_t n = 0; n < at.size(); ++n) {
            const float knot = at[n], slope = factor * bend[n];
#pragma omp simd
            for (int l = 0; l < lanes; ++l) sum[l] += slope * (x[l] > knot ? x[l] - knot : 0.0f);
        }
    }
};

/// What all voxels of a map share.
struct MapRelease {
    double sad, per_sad;
    double width_u[3], width_v[3];  ///< square of a shadow's width without magnification, by powers of the ray's slope
    physics::FluenceIntegralView fluence;
    double sharpening, noise;
    physics::RaySumsView rays;
    bool filtered;
    HingeTable softening, wedge_water, wedge_high_z;
    float wedge_cos, wedge_sin, tray_water;
    const float* logs;    ///< of the table, relative to no path
    float water, high_z;  ///< TERMA behind nothing
    const TermaTable* table;
};

/// Voxels of a row: start + i·step in the beam-limiting-device frame, and what is in them.
struct ReleaseRow {
    double start[3], step[3];
    const float *density, *water_part, *high_z_part;
};

struct ReleasedLanes {
    float energy[lanes];  ///< Gy g/cm³; zero: none
    float depth[lanes];
};

/// Of a map through a grid; what is handed over must outlive it. blur_variance: released_energy().
MapRelease map_release(const Grid& grid, const FluenceMap& map, const FluenceIntegral& integral, const RayBundle& rays, const TermaTable& table,
                       double blur_variance);

/// Voxels first … last (at most sixteen) of a row, all of them before the source. False: they release nothing.
bool release_lanes(const MapRelease& r, const ReleaseRow& row, int first, int last, ReleasedLanes& out);

}  // namespace libdose::cpu
