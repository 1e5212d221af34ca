#include "validation/point_dose.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/units.h"
#include "collapsed_cone/emission_raster.h"
#include "fluence/head_equations.h"
#include "libdose/error.h"
#include "pencil_beam/pencil_equations.h"
#include "terma/terma_equations.h"

namespace libdose {

namespace {

constexpr double pi = std::numbers::pi;
constexpr double path_step = 0.02, path_min = -20,
                 path_max = 90;              // of the table of TERMA, g/cm²: linear within 3e-6 of it
constexpr std::size_t angle_nodes = 512;     // evenly spaced in sin(theta / 2)
constexpr double emission_depth_step = 2.5;  // as the engine's table has it
constexpr int quadrant_azimuths = 6;         // 24 differ by less than 0.02 %

double bilinear(const FluenceMap& map, double u_mm, double v_mm) {
    const double x = (u_mm - map.lower_u_mm) / map.pixel_mm - 0.5,
                 y = (v_mm - map.lower_v_mm) / map.pixel_mm - 0.5;
    if (!(x >= 0 && y >= 0 && x < map.size_u - 1 && y < map.size_v - 1)) return 0;
    const int i = static_cast<int>(x), j = static_cast<int>(y);
    const auto at = [&](int a, int b) { return static_cast<double>(map.at(a, b)); };
    const double fx = x - i, fy = y - j;
    return (1 - fy) * ((1 - fx) * at(i, j) + fx * at(i + 1, j)) +
           fy * ((1 - fx) * at(i, j + 1) + fx * at(i + 1, j + 1));
}

/// Share of the interval's ends, linear between, that a rate carries from there to the point: integrals of a
/// exp(-a t) (1 - s) and a exp(-a t) s over the interval, s from 0 to 1.
std::array<double, 2> carried(double rate, double begin, double end) {
    const double x = rate * (end - begin), near = std::exp(-rate * begin), far = std::exp(-rate * end);
    const double upper = x > 1e-4 ? (near - far) / x - far : near * x * (0.5 - x / 3);
    return {near - far - upper, upper};
}

/// Water (mm) from the surface to a place, along the ray from the source; places are (u, v, along) from the
/// source.
double water_mm(const WaterPoint& point, const Vec3& place) {
    const double across = point.inwards.dot(place);
    return place.norm() * (1 - point.inwards[2] * point.ssd_mm / across);
}

/// What a map's filter adds to the path: the softening by radius, which is made once per point, or a wedge as
/// well.
class Filter {
public:
    explicit Filter(const FluenceMap& map)
        : filter_(map.filter.get()),
          wedge_(filter_ && (!filter_->wedge_mm.empty() || filter_->tray_water_g_cm2 > 0)) {
        if (!filter_ || wedge_) return;
        for (int r = 0; r <= 320; ++r) softening_.push_back(filter_->path(static_cast<double>(r), 0).water);
    }
    physics::BasisPath path(double u_mm, double v_mm) const {
        if (!filter_) return {};
        if (wedge_) return filter_->path(u_mm, v_mm);
        const double x =
            std::min(std::sqrt(u_mm * u_mm + v_mm * v_mm), static_cast<double>(softening_.size()) - 1.001);
        const auto i = static_cast<std::size_t>(x);
        return {softening_[i] + (x - static_cast<double>(i)) * (softening_[i + 1] - softening_[i]), 0};
    }

private:
    const BeamFilter* filter_;
    bool wedge_;
    std::vector<double> softening_;
};

/// Energy that a kernel emits per steradian, for one rate; linear in the angle between the middles of its
/// cones and in the depth between its sets.
class ConeEmission {
public:
    explicit ConeEmission(const ConeKernel& cones)
        : kernel_(cones), count_(cones.theta_edges_deg.size() - 1), rates_(cones.rates_cm2_g.size()) {
        for (std::size_t m = 0; m < count_; ++m) {
            const double low = cones.theta_edges_deg[m] * pi / 180,
                         high = cones.theta_edges_deg[m + 1] * pi / 180;
            middle_.push_back(0.5 * (low + high));
            solid_.push_back(2 * pi * (std::cos(low) - std::cos(high)));
        }
    }

    /// A depth between two sets of the kernel.
    struct Depth {
        std::size_t set = 0, next = 0;
        double part = 0;  ///< of the next one
    };
    Depth at_depth(double depth) const {
        const std::vector<double>& depths = kernel_.depth_g_cm2;
        Depth at;
        while (at.set + 2 < depths.size() && depth > depths[at.set + 1]) ++at.set;
        if (depths.size() < 2) return at;
        at.next = at.set + 1;
        at.part = (depth - depths[at.set]) / (depths[at.next] - depths[at.set]);
        return at;
    }

    double per_steradian(const Depth& at, double theta, std::size_t rate) const {
        return (1 - at.part) * of_set(at.set, theta, rate) + at.part * of_set(at.next, theta, rate);
    }
    /// Into all directions, as the kernel holds it.
    double whole(const Depth& at, std::size_t rate) const {
        double sum = 0;
        for (std::size_t m = 0; m < count_; ++m)
            sum += (1 - at.part) * coefficient(at.set, m, rate) + at.part * coefficient(at.next, m, rate);
        return sum;
    }

private:
    double coefficient(std::size_t set, std::size_t cone, std::size_t rate) const {
        return kernel_.coefficients[(set * count_ + cone) * rates_ + rate];
    }
    double of_set(std::size_t set, double theta, std::size_t rate) const {
        const auto upper = std::clamp<std::size_t>(
            static_cast<std::size_t>(std::upper_bound(middle_.begin(), middle_.end(), theta) -
                                     middle_.begin()),
            1, count_ - 1);
        const double part =
            std::clamp((theta - middle_[upper - 1]) / (middle_[upper] - middle_[upper - 1]), 0.0, 1.0);
        return (1 - part) * (coefficient(set, upper - 1, rate) / solid_[upper - 1]) +
               part * (coefficient(set, upper, rate) / solid_[upper]);
    }

    const ConeKernel& kernel_;
    std::size_t count_, rates_;
    std::vector<double> middle_, solid_;  ///< [cone]
};

std::vector<double> terma_by_path(const Spectrum& spectrum) {
    std::vector<double> terma;
    for (double path = path_min; path <= path_max; path += path_step)
        terma.push_back(physics::basis_terma(spectrum, path, 0).water);
    return terma;
}

/// Distances back along a direction, cm: short steps where the electrons stop, at most 5 mm in the reach of a
/// field's edge, then longer ones.
std::vector<double> nodes_cm() {
    std::vector<double> nodes;
    for (double t = 0, step = 0.01; t < 120; step = std::min(1.15 * step, t < 5    ? 0.25
                                                                          : t < 35 ? 0.5
                                                                                   : 2.0)) {
        nodes.push_back(t);
        t += step;
    }
    return nodes;
}

}  // namespace

PointDose::PointDose(const Spectrum& spectrum, const ConeKernel& cones, const PencilKernel& pencil,
                     const ElectronContamination& electrons)
    : pencil_(pencil),
      electrons_(electrons),
      rates_(cones.rates_cm2_g.size()),
      rate_cm2_g_(cones.rates_cm2_g),
      terma_of_water_(terma_by_path(spectrum)),
      open_(released(0)),
      terma_(spectrum),
      node_cm_(nodes_cm()) {
    make_directions(cones);
    make_emission(cones);
    for (std::size_t n = 0; n + 1 < node_cm_.size(); ++n)
        for (std::size_t k = 0; k < rates_; ++k) {
            const auto share = carried(rate_cm2_g_[k], node_cm_[n], node_cm_[n + 1]);
            lower_weight_.push_back(share[0]);
            upper_weight_.push_back(share[1]);
        }
}

void PointDose::make_directions(const ConeKernel& cones) {
    for (std::size_t m = 0; m + 1 < cones.theta_edges_deg.size(); ++m) {
        const double low = std::cos(cones.theta_edges_deg[m] * pi / 180),
                     high = std::cos(cones.theta_edges_deg[m + 1] * pi / 180);
        for (const double gauss : {-0.5773502691896258, 0.5773502691896258}) {
            cosine_.push_back(0.5 * (low + high) + 0.5 * gauss * (high - low));
            solid_angle_.push_back(pi * (low - high));
        }
    }
}

void PointDose::make_emission(const ConeKernel& cones) {
    const ConeEmission emission(cones);
    depths_ = static_cast<std::size_t>(std::ceil(cones.depth_g_cm2.back() / emission_depth_step)) + 1;
    emission_.resize(depths_ * (angle_nodes + 1) * rates_);
    for (std::size_t d = 0; d < depths_; ++d) {
        const auto at = emission.at_depth(
            std::min(static_cast<double>(d) * emission_depth_step, cones.depth_g_cm2.back()));
        for (std::size_t k = 0; k < rates_; ++k) {
            // The directions together emit what the kernel holds.
            double sum = 0, sizes = 0;
            for (std::size_t p = 0; p < cosine_.size(); ++p) {
                const double emitted = solid_angle_[p] * emission.per_steradian(at, std::acos(cosine_[p]), k);
                sum += emitted;
                sizes += std::abs(emitted);
            }
            const double missing = physics::missing_emission(emission.whole(at, k), sum, sizes);
            for (std::size_t a = 0; a <= angle_nodes; ++a) {
                const double theta = 2 * std::asin(static_cast<double>(a) / angle_nodes);
                emission_[(d * (angle_nodes + 1) + a) * rates_ + k] = static_cast<float>(
                    physics::balanced_emission(emission.per_steradian(at, theta, k), missing));
            }
        }
    }
}

double PointDose::released(const physics::BasisPath& path, const physics::BasisPath& filter) const {
    if (filter.high_z != 0) return released(path.water) * terma_.filtered_part(path, filter);
    return released(path.water + filter.water) * (filter.water != 0 ? open_ / released(filter.water) : 1.0);
}

double PointDose::released(double path) const {
    const double x = (std::clamp(path, path_min, path_max - path_step) - path_min) / path_step;
    const auto i = static_cast<std::size_t>(x);
    const double part = x - static_cast<double>(i);
    return (1 - part) * terma_of_water_[i] + part * terma_of_water_[i + 1];
}

double PointDose::operator()(Algorithm algorithm, const FluenceMap& map, const WaterPoint& point) const {
    return algorithm == Algorithm::collapsed_cone ? collapsed_cone(map, point) : pencil_beam(map, point);
}

/// What reaches one point of the collapsed cones' emission, along rays back from it.
class PointDose::BackwardRays {
public:
    BackwardRays(const PointDose& dose, const FluenceMap& map, const WaterPoint& point)
        : dose_(dose),
          map_(map),
          point_(point),
          here_(point.x_mm, point.y_mm, point.ssd_mm + point.depth_mm),
          filter_(map),
          reach_mm_(std::hypot(
              std::max(std::abs(map.lower_u_mm), std::abs(map.lower_u_mm + map.size_u * map.pixel_mm)),
              std::max(std::abs(map.lower_v_mm), std::abs(map.lower_v_mm + map.size_v * map.pixel_mm)))) {}

    double dose() const {
        const Vec3 axis = here_.normalized();
        const Vec3 across = Vec3(0, 1, 0).cross(axis).normalized(), up = axis.cross(across);
        const bool on_axis =
            point_.x_mm == 0 && point_.y_mm == 0 && point_.mirrored && point_.inwards[2] == 1;
        const int azimuths = on_axis ? quadrant_azimuths : 4 * quadrant_azimuths;
        const double turn = on_axis ? 0.5 * pi : 2 * pi;
        double sum = 0;
        for (std::size_t p = 0; p < dose_.cosine_.size(); ++p) {
            const double cosine = dose_.cosine_[p], sine = std::sqrt(1 - cosine * cosine);
            double ring = 0;
            for (int a = 0; a < azimuths; ++a) {
                // Every second cone is turned by half a step.
                const double phi = turn * (a + (p % 2 ? 0.25 : 0.75)) / azimuths;
                ring = with_ray(ring, cosine * axis + sine * (std::cos(phi) * across + std::sin(phi) * up));
            }
            sum += dose_.solid_angle_[p] * ring / azimuths;
        }
        return sum;
    }

private:
    /// What a place on a ray emits towards the point, in the table of emission.
    struct Source {
        double energy = 0;
        bool beyond = false;  ///< the map is empty there and farther out
        std::size_t depth = 0, angle = 0;
        double depth_part = 0, angle_part = 0;
    };

    Source source_at(const Vec3& direction, double t_mm) const {
        Source source;
        const Vec3 q = here_ - t_mm * direction;
        const double scale = map_.frame.source_axis_distance_mm / q[2], u = q[0] * scale, v = q[1] * scale;
        source.beyond = u * u + v * v > reach_mm_ * reach_mm_;
        const double fluence = source.beyond ? 0 : bilinear(map_, u, v);
        if (fluence == 0) return source;
        const double length = q.norm(), path = water_mm(point_, q) * cm_per_mm;
        const physics::BasisPath added = filter_.path(u, v);
        source.energy = fluence * scale * scale * dose_.released({path, 0}, added);
        const double cosine = std::clamp(direction.dot(q) / length, -1.0, 1.0);
        const double a = std::sqrt(0.5 * (1 - cosine)) * static_cast<double>(angle_nodes);
        source.angle = std::min(static_cast<std::size_t>(a), angle_nodes - 1);
        source.angle_part = a - static_cast<double>(source.angle);
        const double d = std::clamp((path + added.water + added.high_z) / emission_depth_step, 0.0,
                                    static_cast<double>(dose_.depths_ - 1));
        source.depth = std::min(static_cast<std::size_t>(d), dose_.depths_ - 2);
        source.depth_part = d - static_cast<double>(source.depth);
        return source;
    }

    double emitted(const Source& s, std::size_t k) const {
        const std::size_t rates = dose_.rates_;
        const float* at = &dose_.emission_[(s.depth * (angle_nodes + 1) + s.angle) * rates + k];
        const float* below = at + (angle_nodes + 1) * rates;
        const auto mix = [&](const float* p) {
            return (1 - s.angle_part) * static_cast<double>(p[0]) +
                   s.angle_part * static_cast<double>(p[rates]);
        };
        return s.energy * ((1 - s.depth_part) * mix(at) + s.depth_part * mix(below));
    }

    /// Way back to the surface of the water, cm.
    double to_surface_cm(const Vec3& direction) const {
        const double rises = point_.inwards.dot(direction);
        return rises > 1e-9 ? point_.inwards.dot(here_ - Vec3(0, 0, point_.ssd_mm)) / rises * cm_per_mm : 1e9;
    }

    /// Shares of the sources at both ends of an interval, which ends at the surface where that comes first.
    std::array<double, 2> shares(std::size_t interval, std::size_t k, double surface_cm) const {
        if (dose_.node_cm_[interval + 1] > surface_cm)
            return carried(dose_.rate_cm2_g_[k], dose_.node_cm_[interval], surface_cm);
        return {dose_.lower_weight_[interval * dose_.rates_ + k],
                dose_.upper_weight_[interval * dose_.rates_ + k]};
    }

    /// A sum with what reaches the point along one direction added.
    double with_ray(double sum, const Vec3& direction) const {
        const std::vector<double>& node = dose_.node_cm_;
        const double surface_cm = to_surface_cm(direction);
        Source before = source_at(direction, 0);
        bool inside = before.energy != 0;
        for (std::size_t n = 0; n + 1 < node.size() && node[n] < surface_cm; ++n) {
            const Source after = source_at(direction, std::min(node[n + 1], surface_cm) / cm_per_mm);
            if (before.energy != 0 || after.energy != 0)
                for (std::size_t k = 0; k < dose_.rates_; ++k) {
                    const auto share = shares(n, k, surface_cm);
                    sum += share[0] * emitted(before, k) + share[1] * emitted(after, k);
                }
            inside = inside || after.energy != 0;
            if (after.beyond && inside) break;  // a line leaves the beam once
            before = after;
        }
        return sum;
    }

    const PointDose& dose_;
    const FluenceMap& map_;
    const WaterPoint& point_;
    Vec3 here_;
    Filter filter_;
    double reach_mm_;  ///< radius beyond which the map is empty
};

double PointDose::collapsed_cone(const FluenceMap& map, const WaterPoint& point) const {
    return BackwardRays(*this, map, point).dose() + electrons(map, point);
}

double PointDose::pencil_beam(const FluenceMap& map, const WaterPoint& point) const {
    const double sad = map.frame.source_axis_distance_mm, distance = point.ssd_mm + point.depth_mm,
                 magnification = distance / sad;
    const std::size_t rings = pencil_.radius_cm.size() - 1, components = pencil_.components.size() / rings;
    const double u = point.x_mm / magnification, v = point.y_mm / magnification;
    const double path = water_mm(point, Vec3(point.x_mm, point.y_mm, distance)) * cm_per_mm;
    const physics::PencilDepth depth = physics::pencil_depth(pencil_, path);
    double sum = 0;
    for (std::size_t r = 0; r < rings; ++r) {
        constexpr int parts = 4, azimuths = 64;
        const double low = pencil_.radius_cm[r], high = pencil_.radius_cm[r + 1];
        double fluence = 0;
        for (int s = 0; s < parts; ++s) {
            const double radius = std::sqrt(low * low + (high * high - low * low) * (s + 0.5) / parts) /
                                  cm_per_mm / magnification;
            for (int a = 0; a < azimuths; ++a) {
                const double phi = 2 * pi * (a + 0.25 * (s + 0.5)) / azimuths;
                fluence += bilinear(map, u + radius * std::cos(phi), v + radius * std::sin(phi));
            }
        }
        double kernel = 0;
        for (std::size_t i = 0; i < components; ++i)
            kernel += physics::pencil_weight(pencil_, depth, i) * pencil_.components[i * rings + r];
        sum += fluence / (parts * azimuths) * kernel * pi * (high * high - low * low);
    }
    sum /= magnification * magnification;
    sum *= released({path, 0}, Filter(map).path(u, v)) / released(path);
    return std::max(0.0, sum) + electrons(map, point);
}

double PointDose::electrons(const FluenceMap& map, const WaterPoint& point) const {
    if (map.electrons.values.empty() || !(electrons_.amplitude_gy_cm2 > 0)) return 0;
    const double distance = point.ssd_mm + point.depth_mm,
                 scale = map.frame.source_axis_distance_mm / distance;
    const double path = water_mm(point, Vec3(point.x_mm, point.y_mm, distance)) * cm_per_mm;
    return physics::electron_dose(electrons_.amplitude_gy_cm2,
                                  map.electrons.at(point.x_mm * scale, point.y_mm * scale), scale, path,
                                  electrons_.attenuation_cm2_g, electrons_.range_g_cm2, 1);
}

}  // namespace libdose
