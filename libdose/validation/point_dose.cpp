#include "validation/point_dose.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "collapsed_cone/emission_raster.h"
#include "fluence/head_equations.h"
#include "libdose/error.h"
#include "pencil_beam/pencil_equations.h"
#include "terma/terma_equations.h"

namespace libdose {

namespace {

constexpr double pi = std::numbers::pi;
constexpr double cm_per_mm = 0.1;
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

}  // namespace

PointDose::PointDose(const Spectrum& spectrum, const ConeKernel& cones, const PencilKernel& pencil,
                     const ElectronContamination& electrons)
    : pencil_(pencil),
      electrons_(electrons),
      rates_(cones.rates_cm2_g.size()),
      rate_cm2_g_(cones.rates_cm2_g),
      terma_(spectrum) {
    for (double path = path_min; path <= path_max; path += path_step)
        terma_of_water_.push_back(physics::basis_terma(spectrum, path, 0).water);
    open_ = released(0);

    // Energy per steradian, linear in the angle between the middles of the kernel's cones, by depth.
    const std::size_t count = cones.theta_edges_deg.size() - 1, sets = cones.depth_g_cm2.size();
    std::vector<double> middle, solid;
    for (std::size_t m = 0; m < count; ++m) {
        const double low = cones.theta_edges_deg[m] * pi / 180,
                     high = cones.theta_edges_deg[m + 1] * pi / 180;
        middle.push_back(0.5 * (low + high));
        solid.push_back(2 * pi * (std::cos(low) - std::cos(high)));
    }
    depths_ = static_cast<std::size_t>(std::ceil(cones.depth_g_cm2.back() / emission_depth_step)) + 1;
    emission_.resize(depths_ * (angle_nodes + 1) * rates_);
    const auto density = [&](std::size_t set, double theta, std::size_t k) {
        const auto value = [&](std::size_t m) {
            return cones.coefficients[(set * count + m) * rates_ + k] / solid[m];
        };
        const auto upper = std::clamp<std::size_t>(
            static_cast<std::size_t>(std::upper_bound(middle.begin(), middle.end(), theta) - middle.begin()),
            1, count - 1);
        const double part =
            std::clamp((theta - middle[upper - 1]) / (middle[upper] - middle[upper - 1]), 0.0, 1.0);
        return (1 - part) * value(upper - 1) + part * value(upper);
    };
    // Two polar directions for each cone of the kernel, at the points of Gauss.
    for (std::size_t m = 0; m < count; ++m) {
        const double low = std::cos(cones.theta_edges_deg[m] * pi / 180),
                     high = std::cos(cones.theta_edges_deg[m + 1] * pi / 180);
        for (const double gauss : {-0.5773502691896258, 0.5773502691896258}) {
            cosine_.push_back(0.5 * (low + high) + 0.5 * gauss * (high - low));
            solid_angle_.push_back(pi * (low - high));
        }
    }
    for (std::size_t d = 0; d < depths_; ++d) {
        const double depth = std::min(static_cast<double>(d) * emission_depth_step, cones.depth_g_cm2.back());
        std::size_t set = 0;
        while (set + 2 < sets && depth > cones.depth_g_cm2[set + 1]) ++set;
        const std::size_t next = sets > 1 ? set + 1 : set;
        const double part =
            sets > 1 ? (depth - cones.depth_g_cm2[set]) / (cones.depth_g_cm2[next] - cones.depth_g_cm2[set])
                     : 0;
        for (std::size_t k = 0; k < rates_; ++k) {
            const auto at = [&](double theta) {
                return (1 - part) * density(set, theta, k) + part * density(next, theta, k);
            };
            // The directions together emit what the kernel holds.
            double whole = 0, sum = 0, sizes = 0;
            for (std::size_t m = 0; m < count; ++m)
                whole += (1 - part) * cones.coefficients[(set * count + m) * rates_ + k] +
                         part * cones.coefficients[(next * count + m) * rates_ + k];
            for (std::size_t p = 0; p < cosine_.size(); ++p) {
                const double emitted = solid_angle_[p] * at(std::acos(cosine_[p]));
                sum += emitted;
                sizes += std::abs(emitted);
            }
            const double missing = physics::missing_emission(whole, sum, sizes);
            for (std::size_t a = 0; a <= angle_nodes; ++a)
                emission_[(d * (angle_nodes + 1) + a) * rates_ + k] =
                    static_cast<float>(physics::balanced_emission(
                        at(2 * std::asin(static_cast<double>(a) / angle_nodes)), missing));
        }
    }

    // Short steps where the electrons stop, at most 5 mm in the reach of a field's edge, then longer ones.
    for (double t = 0, step = 0.01; t < 120; step = std::min(1.15 * step, t < 5    ? 0.25
                                                                          : t < 35 ? 0.5
                                                                                   : 2.0)) {
        node_cm_.push_back(t);
        t += step;
    }
    for (std::size_t n = 0; n + 1 < node_cm_.size(); ++n)
        for (std::size_t k = 0; k < rates_; ++k) {
            const auto share = carried(rate_cm2_g_[k], node_cm_[n], node_cm_[n + 1]);
            lower_weight_.push_back(share[0]);
            upper_weight_.push_back(share[1]);
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

double PointDose::collapsed_cone(const FluenceMap& map, const WaterPoint& point) const {
    const double sad = map.frame.source_axis_distance_mm;
    const Vec3 here(point.x_mm, point.y_mm, point.ssd_mm + point.depth_mm);
    const Filter filter(map);
    // Radius beyond which the map is empty.
    const double reach =
        std::hypot(std::max(std::abs(map.lower_u_mm), std::abs(map.lower_u_mm + map.size_u * map.pixel_mm)),
                   std::max(std::abs(map.lower_v_mm), std::abs(map.lower_v_mm + map.size_v * map.pixel_mm)));

    struct Source {
        double energy = 0;
        std::size_t depth = 0, angle = 0;
        double depth_part = 0, angle_part = 0;
    };
    bool gone = false;
    const auto source_at = [&](const Vec3& direction, double t_mm) {
        Source source;
        const Vec3 q = here - t_mm * direction;
        const double scale = sad / q[2], u = q[0] * scale, v = q[1] * scale;
        gone = u * u + v * v > reach * reach;
        const double fluence = gone ? 0 : bilinear(map, u, v);
        if (fluence == 0) return source;
        const double length = q.norm(), path = water_mm(point, q) * cm_per_mm;
        const physics::BasisPath added = filter.path(u, v);
        source.energy = fluence * scale * scale * released({path, 0}, added);
        const double cosine = std::clamp(direction.dot(q) / length, -1.0, 1.0);
        const double a = std::sqrt(0.5 * (1 - cosine)) * static_cast<double>(angle_nodes);
        source.angle = std::min(static_cast<std::size_t>(a), angle_nodes - 1);
        source.angle_part = a - static_cast<double>(source.angle);
        const double d = std::clamp((path + added.water + added.high_z) / emission_depth_step, 0.0,
                                    static_cast<double>(depths_ - 1));
        source.depth = std::min(static_cast<std::size_t>(d), depths_ - 2);
        source.depth_part = d - static_cast<double>(source.depth);
        return source;
    };
    const auto emitted = [&](const Source& s, std::size_t k) {
        const float* at = &emission_[(s.depth * (angle_nodes + 1) + s.angle) * rates_ + k];
        const float* below = at + (angle_nodes + 1) * rates_;
        const auto mix = [&](const float* p) {
            return (1 - s.angle_part) * static_cast<double>(p[0]) +
                   s.angle_part * static_cast<double>(p[rates_]);
        };
        return s.energy * ((1 - s.depth_part) * mix(at) + s.depth_part * mix(below));
    };

    const Vec3 axis = here.normalized();
    const Vec3 across = Vec3(0, 1, 0).cross(axis).normalized(), up = axis.cross(across);
    const bool on_axis = point.x_mm == 0 && point.y_mm == 0 && point.mirrored && point.inwards[2] == 1;
    const int azimuths = on_axis ? quadrant_azimuths : 4 * quadrant_azimuths;
    const double turn = on_axis ? 0.5 * pi : 2 * pi;
    double dose = 0;
    for (std::size_t p = 0; p < cosine_.size(); ++p) {
        const double sine = std::sqrt(1 - cosine_[p] * cosine_[p]);
        double ring = 0;
        for (int a = 0; a < azimuths; ++a) {
            // Every second cone is turned by half a step.
            const double phi = turn * (a + (p % 2 ? 0.25 : 0.75)) / azimuths;
            const Vec3 direction = cosine_[p] * axis + sine * (std::cos(phi) * across + std::sin(phi) * up);
            const double rises = point.inwards.dot(direction);
            const double to_surface_cm =
                rises > 1e-9 ? point.inwards.dot(here - Vec3(0, 0, point.ssd_mm)) / rises * cm_per_mm : 1e9;
            Source before = source_at(direction, 0);
            bool inside = before.energy != 0;
            for (std::size_t n = 0; n + 1 < node_cm_.size(); ++n) {
                if (node_cm_[n] >= to_surface_cm) break;
                const bool last = node_cm_[n + 1] > to_surface_cm;
                const Source after =
                    source_at(direction, (last ? to_surface_cm : node_cm_[n + 1]) / cm_per_mm);
                for (std::size_t k = 0; k < rates_ && (before.energy != 0 || after.energy != 0); ++k) {
                    const auto share = last ? carried(rate_cm2_g_[k], node_cm_[n], to_surface_cm)
                                            : std::array<double, 2>{lower_weight_[n * rates_ + k],
                                                                    upper_weight_[n * rates_ + k]};
                    ring += share[0] * emitted(before, k) + share[1] * emitted(after, k);
                }
                inside = inside || after.energy != 0;
                if (gone && inside) break;  // a line leaves the beam once
                before = after;
            }
        }
        dose += solid_angle_[p] * ring / azimuths;
    }
    return dose + electrons(map, point);
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
