// Voxels of a grid in one pencil beam: their place on the isocentre plane, the width of the kernel there, and
// their depth.
#pragma once

#include <cstdint>
#include <vector>

#include "fluence/fluence_map.h"
#include "geometry/rect.h"
#include "libdose/beam_model.h"
#include "libdose/density.h"
#include "pencil_beam/pencil_plan.h"
#include "terma/terma_table.h"

namespace libdose::cpu {

/// The voxels of a row along x, by their index.
struct PencilRow {
    explicit PencilRow(int size);

    std::vector<float> u_mm, v_mm, distance_mm;  ///< physics::Projection
    std::vector<float> node;                     ///< position among the plan's nodes
    std::vector<float> depth_g_cm2;
    std::vector<float> factor;  ///< dose = factor × sum of the kernel's weights at the depth times the
                                ///< convolved components; 0: no density
    std::vector<float> high_z;  ///< part of the depth, of filtered beams
};

/// Rays through a grid as RayBundle has them, laid out so that neighbours along x lie side by side. The sum
/// of both materials is enough for a depth.
class PencilDepthRays {
public:
    /// high_z: whether read_high_z() will be called.
    void trace(const DensityGrid& density, const physics::BeamFrame& frame, const Rect& extent_mm,
               const physics::RaySpacing& spacing, bool high_z);

    /// Path (g/cm²) to points, linear between rays and steps: of both materials, and the part of the second.
    void read(int size, const float* u_mm, const float* v_mm, const float* distance_mm, float* path) const;
    void read_high_z(int size, const float* u_mm, const float* v_mm, const float* distance_mm,
                     float* path) const;

private:
    physics::RayRaster raster_;
    int next_u_ = 0, next_v_ = 0, next_step_ = 0;  ///< places in the sums
    std::vector<float> total_, high_z_;
};

class PencilVoxels {
public:
    /// The arguments must outlive it. A filter (may be null) needs the `table` of the spectrum.
    PencilVoxels(const DensityGrid& density, const physics::BeamFrame& frame, const PencilPlan& plan,
                 const LateralScale& lateral, const BeamFilter* filter, const TermaTable* table);

    /// Node by node of the plan, whether a voxel may need it.
    std::vector<std::uint8_t> used() const;

    /// Rays, dense within `near` (plan_pencil_rays). Before row().
    void trace(const Rect& near);

    /// The voxels (0 … size - 1, j, k).
    void row(int j, int k, PencilRow& row) const;

private:
    void place(int j, int k, PencilRow& row) const;

    const DensityGrid& density_;
    physics::BeamFrame frame_;
    physics::ProjectedRows rows_of_grid_;
    const LateralScale& lateral_;
    const BeamFilter* filter_;
    const TermaTable* table_;
    PencilPlan plan_;
    PencilRays rays_;
    PencilDepthRays outer_rays_, inner_rays_;
};

}  // namespace libdose::cpu
