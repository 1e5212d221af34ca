// What the voxels of a grid are to the pencils of one beam: how wide the kernels are there, and how deep they lie.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "cpu/lateral_scale.h"
#include "cpu/pencil_plan.h"
#include "cpu/terma.h"
#include "engine/stages.h"
#include "libdose/beam_model.h"
#include "libdose/density.h"
#include "physics/pencil.h"

namespace libdose::cpu {

class PencilVoxels {
public:
    /// What it refers to must outlive it. A filter (may be null) needs the `table` of the spectrum.
    PencilVoxels(const DensityGrid& density, const physics::BeamFrame& frame, const PencilPlan& plan, const PencilKernel& kernel, const LateralScale& lateral,
                 const BeamFilter* filter, const TermaTable* table);

    /// Node by node of the plan, whether any voxel needs it.
    const std::vector<std::uint8_t>& used() const { return used_; }

    /// Node position of a voxel with a density.
    double node(std::size_t voxel) const { return static_cast<double>(node_[voxel]); }

    /// Rays, dense within `near_mm` (plan_pencil_rays). Before place().
    void trace(const std::array<double, 4>& near_mm);

    /// Dose = factor × sum of the kernel's weights at the depth times the convolved components.
    struct Place {
        physics::PencilDepth depth;
        double depth_g_cm2;
        double factor;
    };
    Place place(std::size_t voxel, const physics::BeamFrame::Projection& point) const;

private:
    const DensityGrid& density_;
    physics::BeamFrame frame_;
    const PencilKernel& kernel_;
    const LateralScale& lateral_;
    const BeamFilter* filter_;
    const TermaTable* table_;
    PencilPlan plan_;
    PencilRays rays_;
    std::vector<std::uint8_t> used_;
    std::vector<float> node_;
    std::vector<std::size_t> node_before_;  ///< of the kernel's depths, by steps of depth_step_g_cm2
    std::optional<RayBundle> outer_rays_, inner_rays_;
};

}  // namespace libdose::cpu
