// Dose at points of water, without a grid: the equations of both engines, integrated along exact rays
// (docs/theory/commissioning.md).
#pragma once

#include <array>
#include <vector>

#include "fluence/fluence_map.h"
#include "libdose/beam_model.h"
#include "libdose/engine.h"
#include "terma/terma_table.h"

namespace libdose {

/// A point in water that is flat and endless behind its surface. mm.
struct WaterPoint {
    double ssd_mm = 0, depth_mm = 0;  ///< along the axis of the beam
    double x_mm = 0, y_mm = 0;        ///< off the axis at the point's own depth, along u and v of the map
    /// The field is its own mirror image in u and in v: a quadrant is enough for points on the axis.
    bool mirrored = true;
    Vec3 inwards = Vec3(0, 0, 1);  ///< normal of the surface, in u, v and along the beam
};

/// Dose of one beam's fluence maps, Gy per unit of the map's values × unit photon fluence, as compute_dose
/// gives it.
class PointDose {
public:
    PointDose(const Spectrum& spectrum, const ConeKernel& cones, const PencilKernel& pencil,
              const ElectronContamination& electrons);

    double collapsed_cone(const FluenceMap& map, const WaterPoint& point) const;
    double pencil_beam(const FluenceMap& map, const WaterPoint& point) const;
    double operator()(Algorithm algorithm, const FluenceMap& map, const WaterPoint& point) const;

private:
    class BackwardRays;

    /// Two polar directions for each cone of the kernel, at the points of Gauss.
    void make_directions(const ConeKernel& cones);
    /// The table of emission.
    void make_emission(const ConeKernel& cones);
    double electrons(const FluenceMap& map, const WaterPoint& point) const;
    double released(double path_g_cm2) const;  ///< TERMA per unit fluence, Gy cm²
    /// The same behind a filter, per unit of the fluence that a detector in air reads behind it.
    double released(const physics::BasisPath& path, const physics::BasisPath& filter) const;

    const PencilKernel& pencil_;
    const ElectronContamination& electrons_;
    std::size_t rates_;
    std::vector<double> rate_cm2_g_;
    std::vector<double> terma_of_water_;  ///< by path
    double open_ = 0;                     ///< released(0)
    TermaTable terma_;                    ///< of both basis materials, for wedges
    std::vector<float> emission_;         ///< [depth][angle][rate] per steradian
    std::size_t depths_ = 0;
    std::vector<double> cosine_, solid_angle_;  ///< polar directions about the ray of the point
    std::vector<double> node_cm_;               ///< distances back along a direction
    std::vector<double> lower_weight_,
        upper_weight_;  ///< [interval][rate] share of what the interval's ends hold that reaches the point
};

}  // namespace libdose
