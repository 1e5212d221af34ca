// Discrete directions of the collapsed cones, and what a source emits into each.
#pragma once

#include <algorithm>
#include <vector>

#include "engine/stages.h"
#include "libdose/beam_model.h"
#include "libdose/grid.h"

namespace libdose::cpu {

/// A part of the unit sphere whose energy travels along one direction.
struct ConeCell {
    Vec3 direction;             ///< unit vector, LPS
    std::vector<Vec3> samples;  ///< unit vectors that divide the cell into equal solid angles
    double solid_angle_sr = 0;
};

using DirectionSet = std::vector<ConeCell>;

/// Rings of equal share around `axis`, `sectors` cells each; neighbouring rings are turned by half a cell. The ring edges are
/// chosen so that every ring holds the same mean of kernel energy and solid angle: fine where the kernel is strong.
DirectionSet beam_aligned_directions(const ConeKernel& kernel, const Vec3& axis, int rings, int sectors);

/// About `count` cells of equal solid angle over the sphere, fixed in the patient.
DirectionSet isotropic_directions(int count);

/// Energy that a unit of released energy emits into each cell and rate, for rays of any direction within a beam, by depth:
/// the kernel averaged over the cell (not sampled at its middle), normalised so that all cells together emit what the kernel
/// holds. Tabulated on a raster of ray slopes, linear between.
class EmissionTable {
public:
    EmissionTable(const ConeKernel& kernel, const DirectionSet& directions, const physics::BeamFrame& frame, double low_u, double high_u, double low_v,
                  double high_v);

    int rates() const { return rates_; }
    /// Coefficients of one direction for a ray and a depth; writes rates() values, and zeros up to a multiple of four.
    void coefficients(std::size_t direction, float slope_u, float slope_v, float depth, float* out) const {
        const auto node = [](float x, int size, float& part) {
            x = std::clamp(x, 0.0f, static_cast<float>(size - 1));
            const int low = std::min(static_cast<int>(x), size - 2);
            part = x - static_cast<float>(low);
            return static_cast<std::size_t>(low);
        };
        float fu, fv, fh;
        const std::size_t i = node((slope_u - low_u_) * per_slope_u_, size_u_, fu), j = node((slope_v - low_v_) * per_slope_v_, size_v_, fv);
        const std::size_t h = node(depth * per_depth_, depths_, fh);
        const float* base =
            &table_[((direction * static_cast<std::size_t>(size_v_) + j) * static_cast<std::size_t>(size_u_) + i) * column_stride_ + h * width_];
        const std::size_t row = column_stride_ * static_cast<std::size_t>(size_u_);
        const float weight[4] = {(1 - fu) * (1 - fv), fu * (1 - fv), (1 - fu) * fv, fu * fv};
        const float* corner[4] = {base, base + column_stride_, base + row, base + row + column_stride_};
        for (std::size_t first = 0; first < width_; first += 4) {
            float sum[4] = {0, 0, 0, 0};
            for (int c = 0; c < 4; ++c) {
                const float low = weight[c] * (1 - fh), high = weight[c] * fh;
                const float* at = corner[c] + first;
                const float* next = at + width_;
                for (int k = 0; k < 4; ++k) sum[k] += low * at[k] + high * next[k];
            }
            for (std::size_t k = 0; k < 4; ++k) out[first + k] = sum[k];
        }
    }

private:
    int rates_, depths_, size_u_, size_v_;
    std::size_t width_;          ///< rates padded to a multiple of four, so that a node is read as vectors
    std::size_t column_stride_;  ///< depths × width
    float low_u_, low_v_, per_slope_u_, per_slope_v_, per_depth_;
    std::vector<float> table_;  ///< [direction][v][u][depth][padded rate]; depths evenly spaced from 0
};

}  // namespace libdose::cpu
