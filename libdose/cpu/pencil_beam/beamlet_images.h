// Convolutions of one beamlet's fluence with a pencil kernel, laid out to be read for millions of voxels and
// hundreds of beamlets.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

#include "base/simd/multiversion.h"
#include "cpu/pencil_beam/pencil_images.h"
#include "fluence/fluence_map.h"

namespace libdose::cpu {

/// The fluence of a square and where its middle lies on the map.
struct BeamletFluence {
    FluenceMap map;
    double middle_u_mm = 0, middle_v_mm = 0;
};

/// Images at magnifications step^n of what PencilImages gives around the middle of a square, read at the
/// points of a raster that is as fine as the distance from the square asks for: a voxel reads one of them.
/// Square and extrafocal source apart: they move differently.
class BeamletImages {
public:
    /// `kernel` must outlive it.
    BeamletImages(BeamletFluence focal, std::optional<BeamletFluence> extrafocal, const PencilKernel& kernel,
                  double side_mm);

    /// Position among the nodes of a magnification (distance over source-axis distance, times the lateral
    /// scale).
    static double node_of(double magnification);
    /// Makes the images around node positions `lowest` to `highest`. Not while others read.
    void prepare(double lowest, double highest);

    /// Adds `part` times the components at a point (mm from the square's middle) of the isocentre plane.
    LIBDOSE_INLINE void add_focal(float u_mm, float v_mm, float node, float part, PencilLanes& sum) const {
        const float apart = std::max(std::abs(u_mm), std::abs(v_mm));
        add(apart < fine_.half_side_mm     ? fine_
            : apart < middle_.half_side_mm ? middle_
                                           : far_,
            u_mm, v_mm, node, part, sum);
    }
    bool has_extrafocal() const { return extrafocal_.has_value(); }
    /// The same from the middle of what the extrafocal source gives.
    LIBDOSE_INLINE void add_extrafocal(float u_mm, float v_mm, float node, float part,
                                       PencilLanes& sum) const {
        add(wide_, u_mm, v_mm, node, part, sum);
    }

private:
    /// A raster of points for every node; read within `half_side_mm`.
    struct Level {
        float half_side_mm, lower_u_mm, lower_v_mm, per_mm;
        int size;
        std::vector<float> values;  ///< [node][v][u][component]

        /// `phase_*_mm`: where one of the points is.
        Level(double half_side, double pixel, double phase_u_mm, double phase_v_mm);
        void fill(const PencilImages& images, double middle_u_mm, double middle_v_mm, int nodes);
    };
    LIBDOSE_INLINE void add(const Level& level, float u_mm, float v_mm, float node, float part,
                            PencilLanes& sum) const {
        constexpr int width = pencil_components;
        if (std::abs(u_mm) >= level.half_side_mm || std::abs(v_mm) >= level.half_side_mm) return;
        const float x = (u_mm - level.lower_u_mm) * level.per_mm,
                    y = (v_mm - level.lower_v_mm) * level.per_mm;
        const float below = std::floor(node);
        const int i = static_cast<int>(x), j = static_cast<int>(y),
                  low = std::clamp(static_cast<int>(below) - first_node_, 0, nodes_ - 2);
        const float fx = x - static_cast<float>(i), fy = y - static_cast<float>(j), fn = node - below;
        const auto row = static_cast<std::size_t>(level.size) * width,
                   image = static_cast<std::size_t>(level.size) * row;
        const float* from = level.values.data() + static_cast<std::size_t>(low) * image +
                            static_cast<std::size_t>(j) * row + static_cast<std::size_t>(i) * width;
        PencilLanes c[8];
        load(from, c[0]);
        load(from + width, c[1]);
        load(from + row, c[2]);
        load(from + row + width, c[3]);
        const float* next = from + image;
        load(next, c[4]);
        load(next + width, c[5]);
        load(next + row, c[6]);
        load(next + row + width, c[7]);
        const float a = (1 - fx) * (1 - fy), b = fx * (1 - fy), d = (1 - fx) * fy, e = fx * fy;
        const float low_part = part * (1 - fn), high_part = part * fn;
        sum += low_part * (a * c[0] + b * c[1] + d * c[2] + e * c[3]) +
               high_part * (a * c[4] + b * c[5] + d * c[6] + e * c[7]);
    }

    BeamletFluence focal_;
    std::optional<BeamletFluence> extrafocal_;
    const PencilKernel& kernel_;
    int first_node_ = 0, nodes_ = 0;
    Level fine_, middle_, far_, wide_;
};

}  // namespace libdose::cpu
