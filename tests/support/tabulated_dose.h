// The collapsed cone's dose at points on the axis with the Monte Carlo point kernels as they are tabulated,
// without exponentials: what the shared rates cost. docs/validation/commissioning.md.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "commissioning/point_kernels.h"
#include "fluence/fluence_map.h"
#include "libdose/kernels.h"
#include "terma/terma_equations.h"

namespace libdose::test {

class TabulatedDose {
public:
    TabulatedDose(const Spectrum& spectrum, const PointKernels& kernels)
        : spectrum_(spectrum), edges_(kernels.radius_edges_cm) {
        const std::size_t cones = kernels.theta_edges_deg.size() - 1, shells = edges_.size() - 1;
        for (std::size_t m = 0; m < cones; ++m) {
            const double low = kernels.theta_edges_deg[m] * degree,
                         high = kernels.theta_edges_deg[m + 1] * degree;
            const double near = std::cos(low), far = std::cos(high);
            middle_.push_back(0.5 * (low + high));
            for (const double gauss : {-0.5773502691896258, 0.5773502691896258}) {
                cosine_.push_back(0.5 * (near + far) + 0.5 * gauss * (far - near));
                solid_angle_.push_back(std::numbers::pi * (near - far));
            }
        }
        for (const double depth : commission::hardening_depths_g_cm2) {
            const auto kernel = commission::average_kernel(spectrum, kernels, depth);
            std::vector<Moments> sums;
            for (std::size_t m = 0; m < cones; ++m) {
                const double solid = 2 * solid_angle_[2 * m];
                Moments sum{0, 0};
                sums.push_back(sum);
                for (std::size_t r = 0; r < shells; ++r) {
                    const double energy = kernel.cells[m * shells + r] / solid;
                    sum[0] += energy;
                    sum[1] += energy * 0.5 * (edges_[r] + edges_[r + 1]);
                    sums.push_back(sum);
                }
            }
            tables_.push_back(std::move(sums));
        }
        for (double t = 0, step = 0.01; t < edges_.back(); step = std::min(1.15 * step, t < 5    ? 0.25
                                                                                        : t < 35 ? 0.5
                                                                                                 : 2.0)) {
            node_cm_.push_back(t);
            t += step;
        }
    }

    /// Photons only; Gy per unit of the map's values. The field must be its own mirror image in u and v; the
    /// point is on the axis.
    double operator()(const FluenceMap& map, double ssd_mm, double depth_mm) const {
        const double sad = map.frame.source_axis_distance_mm;
        const Vec3 here(0, 0, ssd_mm + depth_mm);
        constexpr int azimuths = 6;  // of a quadrant
        struct Source {
            double energy = 0, depth = 0, theta = 0;
        };
        const auto source_at = [&](const Vec3& direction, double t_cm) {
            Source source;
            const Vec3 q = here - t_cm * 10 * direction;
            const double scale = sad / q[2], u = q[0] * scale, v = q[1] * scale,
                         fluence = value_at(map, u, v);
            if (fluence == 0) return source;
            const double path = q.norm() * (1 - ssd_mm / q[2]) * 0.1,
                         filter = map.filter ? map.filter->path(u, v).water : 0;
            source.energy = fluence * scale * scale * terma(path + filter) * terma(0) / terma(filter);
            source.depth = path + filter;
            source.theta = std::acos(std::clamp(direction.dot(q) / q.norm(), -1.0, 1.0));
            return source;
        };
        double dose = 0;
        for (std::size_t p = 0; p < cosine_.size(); ++p) {
            const double sine = std::sqrt(1 - cosine_[p] * cosine_[p]),
                         to_surface = cosine_[p] > 1e-9 ? 0.1 * depth_mm / cosine_[p] : 1e9;
            for (int a = 0; a < azimuths; ++a) {
                const double phi = 0.5 * std::numbers::pi * (a + (p % 2 ? 0.25 : 0.75)) / azimuths;
                const Vec3 direction(sine * std::cos(phi), sine * std::sin(phi), cosine_[p]);
                Source before = source_at(direction, 0);
                for (std::size_t n = 0; n + 1 < node_cm_.size() && node_cm_[n] < to_surface; ++n) {
                    const double begin = node_cm_[n], end = std::min(node_cm_[n + 1], to_surface);
                    const Source after = source_at(direction, end);
                    for (const bool far : {false, true}) {
                        const Source& source = far ? after : before;
                        if (source.energy == 0) continue;
                        // The energy of the interval, shared by its ends as the source is linear between
                        // them.
                        const Moments low = moments(source.theta, source.depth, begin),
                                      high = moments(source.theta, source.depth, end);
                        const double energy = high[0] - low[0],
                                     upper = (high[1] - low[1] - begin * energy) / (end - begin);
                        dose += solid_angle_[p] / azimuths * source.energy * (far ? upper : energy - upper);
                    }
                    before = after;
                }
            }
        }
        return dose;
    }

private:
    using Moments = std::array<double, 2>;  ///< energy per steradian within a radius, and its first moment
    static constexpr double degree = std::numbers::pi / 180;

    double terma(double path) const { return physics::basis_terma(spectrum_, path, 0).water; }

    static double value_at(const FluenceMap& map, double u_mm, double v_mm) {
        const double x = (u_mm - map.lower_u_mm) / map.pixel_mm - 0.5,
                     y = (v_mm - map.lower_v_mm) / map.pixel_mm - 0.5;
        if (!(x >= 0 && y >= 0 && x < map.size_u - 1 && y < map.size_v - 1)) return 0;
        const int i = static_cast<int>(x), j = static_cast<int>(y);
        const double fx = x - i, fy = y - j;
        const auto at = [&](int a, int b) { return static_cast<double>(map.at(a, b)); };
        return (1 - fy) * ((1 - fx) * at(i, j) + fx * at(i + 1, j)) +
               fy * ((1 - fx) * at(i, j + 1) + fx * at(i + 1, j + 1));
    }

    /// Linear between the middles of the cones and between the depths of hardening; even within a shell.
    Moments moments(double theta, double depth, double radius) const {
        const auto place = [](const auto& nodes, std::size_t size, double at) {
            const auto upper = std::clamp<std::size_t>(
                static_cast<std::size_t>(std::upper_bound(&nodes[0], &nodes[0] + size, at) - &nodes[0]), 1,
                size - 1);
            return std::pair{
                upper - 1, std::clamp((at - nodes[upper - 1]) / (nodes[upper] - nodes[upper - 1]), 0.0, 1.0)};
        };
        const auto [h, depth_part] =
            place(commission::hardening_depths_g_cm2, std::size(commission::hardening_depths_g_cm2), depth);
        const auto [m, angle_part] = place(middle_, middle_.size(), theta);
        const auto [r, radius_part] = place(edges_, edges_.size(), radius);
        Moments sum{0, 0};
        for (std::size_t a = 0; a < 2; ++a)
            for (std::size_t b = 0; b < 2; ++b) {
                const double weight = (a ? depth_part : 1 - depth_part) * (b ? angle_part : 1 - angle_part);
                const Moments* at = &tables_[h + a][(m + b) * edges_.size() + r];
                const double energy = radius_part * (at[1][0] - at[0][0]);
                sum[0] += weight * (at[0][0] + energy);
                sum[1] += weight *
                          (at[0][1] + energy * (edges_[r] + 0.5 * radius_part * (edges_[r + 1] - edges_[r])));
            }
        return sum;
    }

    const Spectrum& spectrum_;
    std::vector<double> edges_, middle_, cosine_, solid_angle_, node_cm_;
    std::vector<std::vector<Moments>> tables_;  ///< [hardening][cone · edge]
};

}  // namespace libdose::test
