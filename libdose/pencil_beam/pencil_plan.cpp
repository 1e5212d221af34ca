#include "pencil_beam/pencil_plan.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/units.h"
#include "geometry/disc.h"
#include "libdose/error.h"

namespace libdose {

namespace {

constexpr int width = pencil_components;
constexpr double far_pixel_mm = 8,
                 far_limit_mm = 400;  // beyond this distance from the fluence there is no dose

/// Part of the kernel that counts as far.
double far_part(double radius_mm) {
    const double t = std::clamp(
        (radius_mm - pencil_split_begin_mm) / (pencil_split_end_mm - pencil_split_begin_mm), 0.0, 1.0);
    return t * t * (3 - 2 * t);
}

/// Pixels that lie on the edges of the map's, their centres around the whole extent: between centres is where
/// an image can be read.
physics::PlaneRaster raster_over(const FluenceMap& map, double pixel_mm, const Rect& extent) {
    physics::PlaneRaster raster;
    raster.pixel_mm = pixel_mm;
    const auto axis = [&](double low, double high, double map_lower, double& lower) {
        lower = map_lower + std::floor((low - map_lower) / pixel_mm - 0.5) * pixel_mm;
        return static_cast<int>(std::ceil((high - lower) / pixel_mm)) + 1;
    };
    raster.size_u = axis(extent.low_u_mm, extent.high_u_mm, map.lower_u_mm, raster.lower_u_mm);
    raster.size_v = axis(extent.low_v_mm, extent.high_v_mm, map.lower_v_mm, raster.lower_v_mm);
    return raster;
}

}  // namespace

std::optional<PencilPlan> plan_pencil_beam(const Grid& grid, const physics::BeamFrame& frame,
                                           const Rect& nonzero_bounds, const LateralScale& lateral) {
    if (!nonzero_bounds.has_area()) return {};
    // Part of the isocentre plane that the grid needs, and the range of magnifications.
    const physics::Shadow shadow = physics::shadow_of(frame, grid.lower_edge_mm(), grid.upper_edge_mm());
    if (!shadow.whole || shadow.nearest_mm < 100)
        throw bad_input("the dose grid reaches within 10 cm of the source", "pencil beam",
                        "Check the isocentre of the plan");
    PencilPlan plan;
    plan.nonzero_bounds = nonzero_bounds;
    plan.grid_bounds = shadow.bounds;
    // The kernel is narrower on the isocentre plane the farther the voxel is.
    plan.nodes.lowest_mm = shadow.nearest_mm * lateral.lowest;
    plan.nodes.per_step = static_cast<float>(1 / std::log(pencil_magnification_step));
    plan.nodes.count = static_cast<std::size_t>(physics::pencil_node(
                           shadow.farthest_mm, lateral.highest, plan.nodes.lowest_mm, plan.nodes.per_step)) +
                       2;
    return plan;
}

PencilImagePlan plan_pencil_images(const FluenceMap& map, const PencilPlan& plan, const Vec3& voxel_mm,
                                   double near_pixel_mm) {
    const double smallest_mm = voxel_mm.minCoeff(), wanted_mm = smallest_mm >= 2.0   ? 2.0
                                                                : smallest_mm >= 1.0 ? 1.0
                                                                                     : 0.5;
    if (!(near_pixel_mm > 0))
        near_pixel_mm = std::max(1.0, std::floor(wanted_mm / map.pixel_mm)) * map.pixel_mm;
    PencilImagePlan images;
    images.near = raster_over(map, near_pixel_mm, plan.nonzero_bounds.grown(pencil_split_end_mm));
    // An odd number of near pixels where they are small: then every centre of a far pixel is that of a near
    // one, and near pixels hold exactly what is interpolated between far ones.
    double count = std::max(1.0, std::round(far_pixel_mm / near_pixel_mm));
    if (count > 2 && std::fmod(count, 2) == 0) --count;
    // Corners of large grids can project far outside.
    images.far = raster_over(
        map, count * near_pixel_mm,
        plan.nonzero_bounds.around(plan.grid_bounds.common(plan.nonzero_bounds.grown(far_limit_mm))));
    images.lowest_magnification = plan.nodes.lowest_mm / map.frame.source_axis_distance_mm;
    return images;
}

void PencilImagePlan::use(const std::vector<std::uint8_t>& nodes) {
    near_used = nodes;
    far_used.assign(nodes.size() / far_step + 2, 0);
    for (std::size_t n = 0; n < nodes.size(); ++n)
        if (nodes[n]) far_used[n / far_step] = far_used[n / far_step + 1] = 1;
}

double PencilImagePlan::magnification(bool of_near, std::size_t node) const {
    return lowest_magnification *
           std::pow(pencil_magnification_step,
                    first_node + static_cast<double>(of_near ? node : far_step * node));
}

PencilImagePlan::Pixels PencilImagePlan::pixels(const PencilKernel& kernel, bool of_near,
                                                std::size_t node) const {
    const physics::PlaneRaster& raster = of_near ? near : far;
    if (kernel.components.size() / (kernel.radius_cm.size() - 1) > pencil_components)
        throw bad_input("the pencil kernel has more than 8 components", "beam model");
    const int reach = static_cast<int>(std::ceil(pencil_split_end_mm / raster.pixel_mm)) + 1;
    Pixels result;
    result.size_u = of_near ? std::min(raster.size_u, reach) : raster.size_u;
    result.size_v = of_near ? std::min(raster.size_v, reach) : raster.size_v;
    const double magnified = magnification(of_near, node);
    result.values = pencil_pixels(kernel, cm_per_mm * raster.pixel_mm * magnified, magnified, result.size_u,
                                  result.size_v, of_near);
    const auto photons =
        static_cast<float>(0.01 * raster.pixel_mm * raster.pixel_mm);  // cm² of the isocentre plane
    for (float& value : result.values) value *= photons;
    return result;
}

Rect PencilImagePlan::near_bounds() const {
    return {near.lower_u_mm, near.lower_u_mm + near.size_u * near.pixel_mm, near.lower_v_mm,
            near.lower_v_mm + near.size_v * near.pixel_mm};
}

PencilRays plan_pencil_rays(const Grid& grid, const PencilPlan& plan, const Rect& near) {
    const double spacing = grid.spacing_mm.minCoeff(), margin = grid.spacing_mm.maxCoeff();
    const Rect seen = plan.grid_bounds.grown(margin);
    PencilRays rays;
    rays.outer_spacing = 4 * spacing;
    rays.inner_spacing = {spacing, 0.5 * spacing};  // the dose rises steeply below the surface
    rays.outer = seen;
    rays.inner = near.common(seen);
    rays.any_inner = rays.inner.has_area();
    if (!rays.any_inner) rays.inner = {0, spacing, 0, spacing};
    return rays;
}

namespace {

/// Kernel components on the rings between tabulated radii; zero beyond the last one.
class KernelRings {
public:
    explicit KernelRings(const PencilKernel& kernel)
        : radius_cm_(kernel.radius_cm),
          rings_(kernel.radius_cm.size() - 1),
          components_(kernel.components.size() / rings_),
          ring_of_(static_cast<std::size_t>(kernel.radius_cm.back() / step_cm) + 2,
                   static_cast<std::uint16_t>(rings_)),
          values_((rings_ + 1) * width, 0.0) {
        for (std::size_t n = 0, ring = 0; n < ring_of_.size(); ++n) {
            while (ring < rings_ && radius_cm_[ring + 1] <= (static_cast<double>(n) + 0.5) * step_cm) ++ring;
            ring_of_[n] = static_cast<std::uint16_t>(ring);
        }
        for (std::size_t r = 0; r < rings_; ++r)
            for (std::size_t c = 0; c < components_; ++c)
                values_[r * width + c] = kernel.components[c * rings_ + r];
    }

    double reach_cm() const { return radius_cm_.back(); }

    /// Adds the components averaged over the square pixel centred on (x, y), by the exact areas of the discs
    /// in it.
    void add_exact(double x_cm, double y_cm, double pixel_cm, double* sum) const {
        const double half = 0.5 * pixel_cm, farthest = std::hypot(x_cm + half, y_cm + half);
        for (std::size_t r = 0; r < rings_; ++r) {
            const double radius = radius_cm_[r + 1];
            const double area = physics::disc_in_rectangle(radius, x_cm + half, y_cm + half) -
                                physics::disc_in_rectangle(radius, x_cm - half, y_cm + half) -
                                physics::disc_in_rectangle(radius, x_cm + half, y_cm - half) +
                                physics::disc_in_rectangle(radius, x_cm - half, y_cm - half);
            // A disc adds the difference of its ring to the next one.
            const double *const here = &values_[r * width], *const next = here + width;
            for (std::size_t c = 0; c < components_; ++c) sum[c] += (here[c] - next[c]) * area;
            if (radius > farthest) {
                // All further discs hold the whole pixel.
                for (std::size_t c = 0; c < components_; ++c) sum[c] += next[c] * pixel_cm * pixel_cm;
                break;
            }
        }
        for (int c = 0; c < width; ++c) sum[c] /= pixel_cm * pixel_cm;
    }

    /// Components at a radius: [width].
    const double* at(double radius_cm) const {
        const std::size_t n = std::min(static_cast<std::size_t>(radius_cm / step_cm), ring_of_.size() - 1);
        return &values_[ring_of_[n] * width];
    }

private:
    static constexpr double step_cm = 0.005;
    const std::vector<double>& radius_cm_;
    std::size_t rings_, components_;
    std::vector<std::uint16_t> ring_of_;  ///< by steps of radius, the last one beyond the kernel
    std::vector<double> values_;          ///< [ring][component]
};

/// Adds the near or the far part of the components, averaged over n × n points of the square pixel centred on
/// (x, y).
template <class PartAt>
void add_sampled(const KernelRings& rings, double x_cm, double y_cm, double pixel_cm, int n, PartAt&& part_at,
                 double* sum) {
    for (int b = 0; b < n; ++b)
        for (int a = 0; a < n; ++a) {
            const double sx = x_cm + ((a + 0.5) / n - 0.5) * pixel_cm,
                         sy = y_cm + ((b + 0.5) / n - 0.5) * pixel_cm, radius = std::sqrt(sx * sx + sy * sy);
            const double part = part_at(radius) / (n * n);
            if (part == 0) continue;
            const double* const ring = rings.at(radius);
            for (int c = 0; c < width; ++c) sum[c] += part * ring[c];
        }
}

// Pixels from the axis within which the near part is averaged by exact areas (there rings are narrower than a
// pixel), and by more samples.
constexpr int exact_pixels = 4, finer_pixels = 12;

}  // namespace

std::vector<float> pencil_pixels(const PencilKernel& kernel, double pixel_cm, double magnification,
                                 int size_u, int size_v, bool near) {
    const KernelRings rings(kernel);
    const double half = 0.5 * pixel_cm;
    const auto part_at = [&](double radius_cm) {
        const double far = far_part(mm_per_cm * radius_cm / magnification);
        return near ? 1 - far : far;
    };
    // Where every point of the pixel counts as near.
    const auto exact = [&](int u, int v) {
        return near && std::max(u, v) < exact_pixels &&
               mm_per_cm * std::hypot(u * pixel_cm + half, v * pixel_cm + half) / magnification <=
                   pencil_split_begin_mm;
    };
    std::vector<float> pixels(static_cast<std::size_t>(size_u) * static_cast<std::size_t>(size_v) * width,
                              0.0f);
    for (int v = 0; v < size_v; ++v)
        for (int u = 0; u < size_u; ++u) {
            double sum[width] = {};
            const double x = u * pixel_cm, y = v * pixel_cm;
            if (std::hypot(x, y) - pixel_cm >= rings.reach_cm()) continue;
            if (exact(u, v))
                rings.add_exact(x, y, pixel_cm, sum);
            else
                add_sampled(rings, x, y, pixel_cm, near && std::max(u, v) < finer_pixels ? 4 : 2, part_at,
                            sum);
            for (int c = 0; c < width; ++c)
                pixels[static_cast<std::size_t>((v * size_u + u) * width + c)] = static_cast<float>(sum[c]);
        }
    return pixels;
}

}  // namespace libdose
