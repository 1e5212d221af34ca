#include "cpu/terma.h"

#include <algorithm>
#include <cmath>

#include "physics/ray_trace.h"

namespace libdose::cpu {

namespace {
constexpr double cm_per_mm = 0.1;  // the one place where millimetres of geometry become centimetres of physics

constexpr double water_step = 0.5, water_min = -20.0, water_max = 90.0;  // below zero: spectra softer than the axis
constexpr double high_z_step = 2.0, high_z_min = -12.0, high_z_max = 60.0;
constexpr int water_nodes = static_cast<int>((water_max - water_min) / water_step) + 1;
constexpr int high_z_nodes = static_cast<int>((high_z_max - high_z_min) / high_z_step) + 1;
}  // namespace

PathLength exact_path(const DensityGrid& density, const Vec3& source_mm, const Vec3& point_mm) {
    const Vec3 way = point_mm - source_mm;
    const double length_mm = way.norm();
    PathLength path;
    physics::march(density.grid, source_mm, way / length_mm, 0.0, length_mm, [&](std::size_t voxel, double in, double out) {
        path.water += static_cast<double>(density.water_part[voxel]) * (out - in) * cm_per_mm;
        path.high_z += static_cast<double>(density.high_z_part[voxel]) * (out - in) * cm_per_mm;
    });
    return path;
}

RayBundle::RayBundle(const DensityGrid& density, const physics::BeamFrame& frame, const std::array<double, 4>& extent, double spacing_mm)
    : low_u_(extent[0]), low_v_(extent[2]), spacing_(spacing_mm) {
    const physics::Shadow shadow = physics::shadow_of(frame, density.grid.lower_edge_mm(), density.grid.upper_edge_mm());
    step_ = 0.5 * density.grid.spacing_mm.minCoeff();
    first_ = std::max(shadow.nearest_mm, step_);
    steps_ = std::max(2, static_cast<int>(std::ceil((shadow.farthest_mm - first_) / step_)) + 2);
    size_u_ = std::max(2, static_cast<int>(std::ceil((extent[1] - extent[0]) / spacing_)) + 1);
    size_v_ = std::max(2, static_cast<int>(std::ceil((extent[3] - extent[2]) / spacing_)) + 1);
    const std::size_t count = static_cast<std::size_t>(size_u_) * static_cast<std::size_t>(size_v_) * static_cast<std::size_t>(steps_);
    sums_.resize(count);
    const Vec3 source = frame.source_mm();
#pragma omp parallel for schedule(dynamic, 4)
    for (int v = 0; v < size_v_; ++v)
        for (int u = 0; u < size_u_; ++u) {
            // t runs from the source in units of the distance along the axis (mm).
            const Vec3 direction = (frame.point_mm(low_u_ + u * spacing_, low_v_ + v * spacing_, 1.0) - source).eval();
            const double cm = direction.norm() * cm_per_mm;
            Sums* const sums =
                &sums_[(static_cast<std::size_t>(v) * static_cast<std::size_t>(size_u_) + static_cast<std::size_t>(u)) * static_cast<std::size_t>(steps_)];
            double water = 0, high_z = 0;
            int node = 0;
            physics::march(density.grid, source, direction, 0.0, 1e30, [&](std::size_t voxel, double in, double out) {
                const double w = static_cast<double>(density.water_part[voxel]) * cm, h = static_cast<double>(density.high_z_part[voxel]) * cm;
                for (; node < steps_ && first_ + node * step_ <= out; ++node) {
                    const double inside = std::max(0.0, first_ + node * step_ - in);
                    sums[node] = {static_cast<float>(water + w * inside), static_cast<float>(high_z + h * inside)};
                }
                water += w * (out - in);
                high_z += h * (out - in);
            });
            for (; node < steps_; ++node) sums[node] = {static_cast<float>(water), static_cast<float>(high_z)};
        }
}

namespace {
/// The lower of the two nodes beside x, and the share of the upper one.
void node(double x, int size, int& low, double& part) {
    x = std::clamp(x, 0.0, size - 1.0);
    low = std::min(static_cast<int>(x), size - 2);
    part = x - low;
}
}  // namespace

std::vector<float> RayBundle::reach_mm(double g_cm2) const {
    std::vector<float> reach;
    for (auto ray = sums_.begin(); ray != sums_.end(); ray += steps_) {
        const auto deep = std::find_if(ray, ray + steps_, [&](const Sums& s) { return static_cast<double>(s.water + s.high_z) >= g_cm2; });
        reach.push_back(deep == ray + steps_ ? 1e30f : static_cast<float>(first_ + static_cast<double>(deep - ray) * step_));
    }
    return reach;
}

bool RayBundle::beyond(const std::vector<float>& reach_mm, double u_mm, double v_mm, double distance_mm) const {
    int iu, iv;
    double part;
    node((u_mm - low_u_) / spacing_, size_u_, iu, part);
    node((v_mm - low_v_) / spacing_, size_v_, iv, part);
    const float* at = &reach_mm[static_cast<std::size_t>(iv) * static_cast<std::size_t>(size_u_) + static_cast<std::size_t>(iu)];
    return distance_mm >= static_cast<double>(std::max(std::max(at[0], at[1]), std::max(at[size_u_], at[size_u_ + 1])));
}

PathLength RayBundle::path(double u_mm, double v_mm, double distance_mm) const {
    int iu, iv, is;
    double fu, fv, fs;
    node((u_mm - low_u_) / spacing_, size_u_, iu, fu);
    node((v_mm - low_v_) / spacing_, size_v_, iv, fv);
    node((distance_mm - first_) / step_, steps_, is, fs);
    const Sums* at =
        &sums_[(static_cast<std::size_t>(iv) * static_cast<std::size_t>(size_u_) + static_cast<std::size_t>(iu)) * static_cast<std::size_t>(steps_) +
               static_cast<std::size_t>(is)];
    const std::ptrdiff_t across = static_cast<std::ptrdiff_t>(size_u_) * steps_;
    const auto u = static_cast<float>(fu), v = static_cast<float>(fv), s = static_cast<float>(fs);
    // Four rays, two steps each.
    const auto along = [&](const Sums* ray, float weight, float& water, float& high_z) {
        water += weight * (ray[0].water + s * (ray[1].water - ray[0].water));
        high_z += weight * (ray[0].high_z + s * (ray[1].high_z - ray[0].high_z));
    };
    float water = 0, high_z = 0;
    along(at, (1 - u) * (1 - v), water, high_z);
    along(at + steps_, u * (1 - v), water, high_z);
    along(at + across, (1 - u) * v, water, high_z);
    along(at + across + steps_, u * v, water, high_z);
    return {static_cast<double>(water), static_cast<double>(high_z)};
}

TermaTable::TermaTable(const Spectrum& spectrum) : spectrum_(spectrum) {
    for (int h = 0; h < high_z_nodes; ++h)
        for (int w = 0; w < water_nodes; ++w) {
            const physics::BasisTerma terma = physics::basis_terma(spectrum, water_min + w * water_step, high_z_min + h * high_z_step);
            log_water_.push_back(std::log(terma.water));
            log_high_z_.push_back(std::log(terma.high_z));
        }
}

namespace {
/// Cell of the table and the parts of its upper nodes; false outside of the table.
struct Cell {
    std::size_t at;
    double x, y;
    double mean(const std::vector<double>& table) const {
        const double *p = &table[at], *q = p + water_nodes;
        return (1 - y) * ((1 - x) * p[0] + x * p[1]) + y * ((1 - x) * q[0] + x * q[1]);
    }
};
bool find_cell(const PathLength& path, Cell& cell) {
    const double x = (path.water - water_min) / water_step, y = (path.high_z - high_z_min) / high_z_step;
    if (!(x >= 0 && x < water_nodes - 1 && y >= 0 && y < high_z_nodes - 1)) return false;
    const auto i = static_cast<std::size_t>(x), j = static_cast<std::size_t>(y);
    cell = {j * water_nodes + i, x - static_cast<double>(i), y - static_cast<double>(j)};
    return true;
}
}  // namespace

physics::BasisTerma TermaTable::operator()(const PathLength& path) const {
    Cell cell;
    if (!find_cell(path, cell)) return physics::basis_terma(spectrum_, path.water, path.high_z);
    return {std::exp(cell.mean(log_water_)), std::exp(cell.mean(log_high_z_))};
}

double TermaTable::log_water(const PathLength& path) const {
    Cell cell;
    return find_cell(path, cell) ? cell.mean(log_water_) : std::log(physics::basis_terma(spectrum_, path.water, path.high_z).water);
}

double TermaTable::filtered_part(const PathLength& path, const PathLength& filter) const {
    return std::exp(log_water({path.water + filter.water, path.high_z + filter.high_z}) - log_water(path) + log_water({}) - log_water(filter));
}

double unfiltered(const TermaTable& table, const PathLength& filter) { return table({}).water / table(filter).water; }

ReleasedEnergy released_energy(const DensityGrid& density, const FluenceMap& map, const TermaTable& table, double ray_spacing_mm, double blur_variance) {
    const Grid& grid = density.grid;
    const physics::BeamFrame& frame = map.frame;
    const double sad = frame.source_axis_distance_mm;
    const FluenceIntegral integral(map);
    std::array<double, 4> extent = integral.support_mm();
    ReleasedEnergy released;
    released.frame = frame;
    if (extent[1] <= extent[0]) return released;
    // Voxels that only touch the support look up rays up to a voxel beyond it; the extent of the grid limits it.
    const double margin = grid.spacing_mm.maxCoeff() * 2.0;
    const physics::Shadow shadow = physics::shadow_of(frame, grid.lower_edge_mm(), grid.upper_edge_mm());
    extent = {extent[0] - margin, extent[1] + margin, extent[2] - margin, extent[3] + margin};
    if (shadow.whole)
        extent = {std::max(extent[0], shadow.low_u_mm), std::min(extent[1], shadow.high_u_mm), std::max(extent[2], shadow.low_v_mm),
                  std::min(extent[3], shadow.high_v_mm)};
    if (extent[1] <= extent[0] || extent[3] <= extent[2]) return released;
    const RayBundle rays(density, frame, extent, ray_spacing_mm);

    struct Slab {
        std::vector<std::uint32_t> voxel;
        std::vector<float> energy, slope_u, slope_v, depth;
    };
    // Second difference that takes a variance of blur_variance (voxels²) off along u and v.
    const double sharpening = 0.5 * blur_variance;
    // Differences of large sums leave rounding noise where there is no fluence.
    const double noise = 1e-9 * static_cast<double>(*std::max_element(map.values.begin(), map.values.end()));
    std::vector<Slab> slabs(static_cast<std::size_t>(grid.size[2]));
#pragma omp parallel for schedule(dynamic, 1)
    for (int k = 0; k < grid.size[2]; ++k) {
        Slab& slab = slabs[static_cast<std::size_t>(k)];
        for (int j = 0; j < grid.size[1]; ++j) {
            const physics::ProjectedRow row(frame, grid.centre_mm(0, j, k), grid.spacing_mm[0] * Vec3::UnitX());
            const auto [begin, end] = row.within(extent, grid.size[0]);
            for (int i = begin; i < end; ++i) {
                const std::size_t voxel = grid.index(i, j, k);
                if (!(density.density[voxel] > 0)) continue;
                const auto p = row.at(i);
                // Width of a box of the same variance as the voxel's shadow along the local ray.
                double wu = 0, wv = 0;
                for (int axis = 0; axis < 3; ++axis) {
                    const double du = (frame.axes(axis, 0) + p.u_mm / sad * frame.axes(axis, 2)) * grid.spacing_mm[axis];
                    const double dv = (frame.axes(axis, 1) + p.v_mm / sad * frame.axes(axis, 2)) * grid.spacing_mm[axis];
                    wu += du * du;
                    wv += dv * dv;
                }
                const double magnification = sad / p.distance_mm;
                wu = magnification * std::sqrt(wu), wv = magnification * std::sqrt(wv);
                double fluence = integral.sharpened(p.u_mm, p.v_mm, wu, wv, sharpening);
                if (!(std::abs(fluence) > noise)) continue;
                PathLength path = rays.path(p.u_mm, p.v_mm, p.distance_mm);
                if (map.filter) {
                    const PathLength filter = map.filter->path(p.u_mm, p.v_mm);
                    fluence *= unfiltered(table, filter);
                    path.water += filter.water, path.high_z += filter.high_z;
                }
                const physics::BasisTerma terma = table(path);
                const double energy =
                    fluence * magnification * magnification *
                    (static_cast<double>(density.water_part[voxel]) * terma.water + static_cast<double>(density.high_z_part[voxel]) * terma.high_z);
                slab.voxel.push_back(static_cast<std::uint32_t>(voxel));
                slab.energy.push_back(static_cast<float>(energy));
                slab.slope_u.push_back(static_cast<float>(p.u_mm / sad));
                slab.slope_v.push_back(static_cast<float>(p.v_mm / sad));
                slab.depth.push_back(static_cast<float>(path.water + path.high_z));
            }
        }
    }
    for (const Slab& slab : slabs) {
        released.voxel.insert(released.voxel.end(), slab.voxel.begin(), slab.voxel.end());
        released.energy.insert(released.energy.end(), slab.energy.begin(), slab.energy.end());
        released.slope_u.insert(released.slope_u.end(), slab.slope_u.begin(), slab.slope_u.end());
        released.slope_v.insert(released.slope_v.end(), slab.slope_v.begin(), slab.slope_v.end());
        released.depth_g_cm2.insert(released.depth_g_cm2.end(), slab.depth.begin(), slab.depth.end());
    }
    return released;
}

}  // namespace libdose::cpu
