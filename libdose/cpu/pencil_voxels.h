// What the voxels of a grid are to the pencils of one beam: how wide the kernels are there, and how deep they lie.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "cpu/lateral_scale.h"
#include "cpu/terma.h"
#include "engine/stages.h"
#include "libdose/beam_model.h"
#include "libdose/density.h"
#include "physics/pencil.h"

namespace libdose::cpu {

class PencilVoxels {
public:
    /// What it refers to must outlive it. A filter (may be null) needs the `table` of the spectrum. Throws bad_input for a grid that reaches
    /// within 10 cm of the source.
    PencilVoxels(const DensityGrid& density, const physics::BeamFrame& frame, const PencilKernel& kernel, const LateralScale& lateral, const BeamFilter* filter,
                 const TermaTable* table);

    /// What the grid needs of the isocentre plane: {low u, high u, low v, high v}.
    const std::array<double, 4>& need_mm() const { return need_; }
    double lowest_magnification() const { return lowest_mm_ / frame_.source_axis_distance_mm; }
    /// Node by node of PencilImages, whether any voxel needs it.
    const std::vector<std::uint8_t>& used() const { return used_; }
    double near_pixel_mm(double map_pixel_mm) const;

    /// Node position of a voxel with a density: the distance at which water would spread the kernel over as much of the isocentre plane.
    double node(std::size_t voxel) const { return static_cast<double>(node_[voxel]); }

    /// Rays as dense as the voxels where `near_mm` reaches; where only scatter comes, a quarter of that. Before place().
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
    std::array<double, 4> need_{}, inner_{};
    double lowest_mm_ = 0;
    bool any_inner_ = false;
    std::vector<std::uint8_t> used_;
    std::vector<float> node_;
    std::vector<std::size_t> node_before_;  ///< of the kernel's depths, by steps of depth_step_g_cm2
    std::optional<RayBundle> outer_rays_, inner_rays_;
};

}  // namespace libdose::cpu
