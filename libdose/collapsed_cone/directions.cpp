#include "collapsed_cone/directions.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace libdose {

namespace {

constexpr double pi = std::numbers::pi;
constexpr int samples_theta = 6, samples_phi = 6;  // per cell

Mat3 frame_around(const Vec3& axis) {
    const Vec3 z = axis.normalized();
    const Vec3 helper = std::abs(z[0]) < 0.9 ? Vec3(1, 0, 0) : Vec3(0, 1, 0);
    const Vec3 x = (helper - helper.dot(z) * z).normalized();
    Mat3 frame;
    frame << x, z.cross(x), z;
    return frame;
}

Vec3 on_sphere(double cosine, double phi) {
    const double sine = std::sqrt(std::max(0.0, 1 - cosine * cosine));
    return {sine * std::cos(phi), sine * std::sin(phi), cosine};
}

/// Cell between two polar cosines and two azimuths; its direction is the mean of its samples.
ConeCell make_cell(const Mat3& frame, double cos_low, double cos_high, double phi_low, double phi_high) {
    ConeCell cell;
    Vec3 mean = Vec3::Zero();
    for (int t = 0; t < samples_theta; ++t)
        for (int p = 0; p < samples_phi; ++p) {
            const Vec3 sample = frame * on_sphere(cos_low + (cos_high - cos_low) * (t + 0.5) / samples_theta,
                                                  phi_low + (phi_high - phi_low) * (p + 0.5) / samples_phi);
            cell.samples.push_back(sample);
            mean += sample;
        }
    cell.direction = mean.normalized();
    cell.solid_angle_sr = std::abs(cos_high - cos_low) * (phi_high - phi_low);
    return cell;
}

/// Kernel energy per steradian at polar angle cosines, linear in the angle between the middles of the
/// tabulated cones.
class AngularDensity {
public:
    explicit AngularDensity(const ConeKernel& kernel) : cones_(kernel.theta_edges_deg.size() - 1) {
        for (std::size_t m = 0; m < cones_; ++m) {
            const double low = kernel.theta_edges_deg[m] * pi / 180,
                         high = kernel.theta_edges_deg[m + 1] * pi / 180;
            middle_.push_back(0.5 * (low + high));
            per_steradian_.push_back(1.0 / (2 * pi * (std::cos(low) - std::cos(high))));
        }
    }
    /// Position between cone middles and the factors of the two neighbours.
    void locate(double cosine, std::size_t& low, double& weight_low, double& weight_high) const {
        const double theta = std::acos(std::clamp(cosine, -1.0, 1.0));
        const double x = std::clamp((theta - middle_.front()) / (middle_[1] - middle_[0]), 0.0,
                                    static_cast<double>(cones_ - 1));
        low = std::min(static_cast<std::size_t>(x), cones_ - 2);
        const double part = x - static_cast<double>(low);
        weight_low = (1 - part) * per_steradian_[low];
        weight_high = part * per_steradian_[low + 1];
    }

private:
    std::size_t cones_;
    std::vector<double> middle_, per_steradian_;
};

/// Energy of the kernel that travels at each rate, summed over its cones: [depth set][rate].
std::vector<double> kernel_energy(const ConeKernel& kernel) {
    const std::size_t cones = kernel.theta_edges_deg.size() - 1, rates = kernel.rates_cm2_g.size(),
                      sets = kernel.depth_g_cm2.size();
    std::vector<double> total(sets * rates, 0.0);
    for (std::size_t h = 0; h < sets; ++h)
        for (std::size_t m = 0; m < cones; ++m)
            for (std::size_t k = 0; k < rates; ++k)
                total[h * rates + k] += kernel.coefficients[(h * cones + m) * rates + k];
    return total;
}

/// Energy that sources on one ray emit into each direction, per unit of released energy: the kernel averaged
/// over the cell of the direction, for every depth set and rate of the kernel (together a column).
class RayEmission {
public:
    RayEmission(const ConeKernel& kernel, const DirectionSet& directions, const AngularDensity& density,
                const Vec3& ray)
        : columns_(kernel.depth_g_cm2.size() * kernel.rates_cm2_g.size()),
          emitted_(directions.size() * columns_, 0.0),
          sum_(columns_, 0.0),
          sizes_(columns_, 0.0) {
        std::vector<double> angular(kernel.theta_edges_deg.size() - 1);
        for (std::size_t d = 0; d < directions.size(); ++d) {
            average_over_cell(directions[d], density, ray, angular);
            add_cones(kernel, angular, emitted_.data() + d * columns_);
            for (std::size_t c = 0; c < columns_; ++c) {
                sum_[c] += emitted_[d * columns_ + c];
                sizes_[c] += std::abs(emitted_[d * columns_ + c]);
            }
        }
    }

    /// Writes values[depth][direction][rate], balanced so that all directions together emit `total` (by
    /// column). Depths beyond the sets of the kernel are those of the last one.
    void write_balanced(const std::vector<double>& total, std::size_t depths, std::size_t rates,
                        float* values) const {
        const std::size_t sets = columns_ / rates, directions = emitted_.size() / columns_;
        for (std::size_t h = 0; h < depths; ++h)
            for (std::size_t d = 0; d < directions; ++d)
                for (std::size_t k = 0; k < rates; ++k) {
                    const std::size_t c = std::min(h, sets - 1) * rates + k;
                    values[(h * directions + d) * rates + k] = static_cast<float>(physics::balanced_emission(
                        emitted_[d * columns_ + c], physics::missing_emission(total[c], sum_[c], sizes_[c])));
                }
    }

private:
    /// Share of each tabulated cone in the emission into a cell, about a ray.
    static void average_over_cell(const ConeCell& cell, const AngularDensity& density, const Vec3& ray,
                                  std::vector<double>& angular) {
        std::fill(angular.begin(), angular.end(), 0.0);
        const double weight = cell.solid_angle_sr / static_cast<double>(cell.samples.size());
        for (const Vec3& sample : cell.samples) {
            std::size_t low;
            double weight_low, weight_high;
            density.locate(sample.dot(ray), low, weight_low, weight_high);
            angular[low] += weight * weight_low;
            angular[low + 1] += weight * weight_high;
        }
    }
    static void add_cones(const ConeKernel& kernel, const std::vector<double>& angular, double* columns) {
        const std::size_t cones = angular.size(), rates = kernel.rates_cm2_g.size(),
                          sets = kernel.depth_g_cm2.size();
        for (std::size_t h = 0; h < sets; ++h)
            for (std::size_t m = 0; m < cones; ++m) {
                if (angular[m] == 0) continue;
                for (std::size_t k = 0; k < rates; ++k)
                    columns[h * rates + k] += angular[m] * kernel.coefficients[(h * cones + m) * rates + k];
            }
    }

    std::size_t columns_;
    std::vector<double> emitted_;      ///< [direction][column]
    std::vector<double> sum_, sizes_;  ///< [column]: over all directions, and of the sizes
};

/// Nodes that cover [low, high] with steps of at most `largest_step`, at least two.
std::size_t nodes_along(double low, double high, double largest_step) {
    return static_cast<std::size_t>(
        std::max(2, static_cast<int>(std::ceil((high - low) / largest_step)) + 1));
}

}  // namespace

DirectionSet beam_aligned_directions(const ConeKernel& kernel, const Vec3& axis, int rings, int sectors) {
    // Shares of energy, of energy × range and of solid angle below each tabulated angle (middle depth set).
    const std::size_t cones = kernel.theta_edges_deg.size() - 1, rates = kernel.rates_cm2_g.size();
    const std::size_t set = kernel.depth_g_cm2.size() / 2;
    const auto coefficient = [&](std::size_t m, std::size_t k) {
        return kernel.coefficients[(set * cones + m) * rates + k];
    };
    double energy = 0, carried = 0;
    for (std::size_t m = 0; m < cones; ++m)
        for (std::size_t k = 0; k < rates; ++k) {
            energy += coefficient(m, k);
            carried += coefficient(m, k) / kernel.rates_cm2_g[k];
        }
    std::vector<double> cumulative{0.0};
    for (std::size_t m = 0; m < cones; ++m) {
        double share = 0.2 * 0.5 *
                       (std::cos(kernel.theta_edges_deg[m] * pi / 180) -
                        std::cos(kernel.theta_edges_deg[m + 1] * pi / 180));
        for (std::size_t k = 0; k < rates; ++k)
            share += coefficient(m, k) * (0.4 / energy + 0.4 / (carried * kernel.rates_cm2_g[k]));
        cumulative.push_back(cumulative.back() + share);
    }
    std::vector<double> edges_deg{0.0};
    for (int r = 1; r < rings; ++r) {
        const double target = cumulative.back() * r / rings;
        const auto upper = static_cast<std::size_t>(
            std::lower_bound(cumulative.begin(), cumulative.end(), target) - cumulative.begin());
        const double part = (target - cumulative[upper - 1]) / (cumulative[upper] - cumulative[upper - 1]);
        edges_deg.push_back(kernel.theta_edges_deg[upper - 1] +
                            part * (kernel.theta_edges_deg[upper] - kernel.theta_edges_deg[upper - 1]));
    }
    edges_deg.push_back(180.0);
    const Mat3 frame = frame_around(axis);
    DirectionSet set_of_cells;
    for (int r = 0; r < rings; ++r)
        for (int s = 0; s < sectors; ++s) {
            const double begin = 2 * pi * (s + 0.5 * (r % 2)) / sectors;
            set_of_cells.push_back(make_cell(frame,
                                             std::cos(edges_deg[static_cast<std::size_t>(r)] * pi / 180),
                                             std::cos(edges_deg[static_cast<std::size_t>(r) + 1] * pi / 180),
                                             begin, begin + 2 * pi / sectors));
        }
    return set_of_cells;
}

DirectionSet isotropic_directions(int count) {
    // A spiral of golden angles: points of one solid angle each, and all at different angles to the axis. The
    // axis is the patient's, about which arcs mostly turn: at a field edge across it nothing averages the
    // angles to the axis but the directions themselves.
    const auto spiral = [](int points) {
        std::vector<Vec3> on;
        for (int n = 0; n < points; ++n)
            on.push_back(on_sphere(1 - (2 * n + 1.0) / points, n * pi * (3 - std::sqrt(5.0))));
        return on;
    };
    const std::vector<Vec3> centres = spiral(count), samples = spiral(count * samples_theta * samples_phi);
    DirectionSet set(centres.size());
    for (const Vec3& sample : samples) {
        std::size_t nearest = 0;
        for (std::size_t n = 1; n < centres.size(); ++n)
            if (centres[n].dot(sample) > centres[nearest].dot(sample)) nearest = n;
        set[nearest].samples.push_back(sample);
    }
    // A kernel averaged over a whole cell and then sent along its middle is spread twice by the cell's width.
    // A kernel taken at the middle alone is not, but depends on where its peak falls between the cells. Half
    // the cell is between the two (measured: docs/theory/collapsed-cone.md).
    constexpr double part_of_cell = 0.5;
    for (ConeCell& cell : set) {
        Vec3 mean = Vec3::Zero();
        for (const Vec3& sample : cell.samples) mean += sample;
        cell.direction = mean.normalized();
        cell.solid_angle_sr =
            4 * pi * static_cast<double>(cell.samples.size()) / static_cast<double>(samples.size());
        for (Vec3& sample : cell.samples)
            sample = (cell.direction + part_of_cell * (sample - cell.direction)).normalized();
    }
    return set;
}

EmissionTable::EmissionTable(const ConeKernel& kernel, const DirectionSet& directions,
                             const physics::BeamFrame& frame, double low_u, double high_u, double low_v,
                             double high_v, double largest_step)
    : rates_(kernel.rates_cm2_g.size()),
      size_u_(nodes_along(low_u, high_u, largest_step)),
      size_v_(nodes_along(low_v, high_v, largest_step)),
      node_size_(directions.size() * rates_),
      depths_(kernel.depth_g_cm2.begin(), kernel.depth_g_cm2.end()) {
    const double step_u = std::max(1e-6, (high_u - low_u) / static_cast<double>(size_u_ - 1)),
                 step_v = std::max(1e-6, (high_v - low_v) / static_cast<double>(size_v_ - 1));
    low_u_ = static_cast<float>(low_u);
    low_v_ = static_cast<float>(low_v);
    per_slope_u_ = static_cast<float>(1 / step_u);
    per_slope_v_ = static_cast<float>(1 / step_v);
    if (depths_.size() == 1) depths_.push_back(depths_[0] + 1);  // the same at every depth
    const std::size_t nodes = size_u_ * size_v_, node_values = depths_.size() * node_size_;
    table_.assign(nodes * node_values, 0.0f);
    const std::vector<double> total = kernel_energy(kernel);
    const AngularDensity density(kernel);
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t node = 0; node < nodes; ++node) {
        const double slope_u = low_u + static_cast<double>(node % size_u_) * step_u,
                     slope_v = low_v + static_cast<double>(node / size_u_) * step_v;
        const Vec3 ray = (frame.axes * Vec3(slope_u, slope_v, -1.0)).normalized();
        const RayEmission emission(kernel, directions, density, ray);
        emission.write_balanced(total, depths_.size(), rates_, table_.data() + node * node_values);
    }
}

void EmissionTable::slice(std::size_t first_direction, std::size_t count, std::size_t width,
                          std::vector<float>& values) const {
    std::size_t to = values.size();
    values.resize(to + table_.size() / node_size_ * width, 0.0f);
    for (std::size_t from = first_direction * rates_; from < table_.size(); from += node_size_, to += width)
        std::copy_n(table_.begin() + static_cast<std::ptrdiff_t>(from), count * rates_,
                    values.begin() + static_cast<std::ptrdiff_t>(to));
}

std::vector<float> EmissionTable::coefficients(std::size_t direction, float slope_u, float slope_v,
                                               float depth_g_cm2) const {
    const Place at = place(slope_u, slope_v, depth_g_cm2);
    const auto corner = corners();
    std::vector<float> sum(rates_, 0.0f);
    for (std::size_t c = 0; c < 8; ++c) {
        float weight;
        physics::emission_weight(c, at.u, at.v, at.depth, weight);
        for (std::size_t k = 0; k < rates_; ++k)
            sum[k] += weight * table_[(at.cell + corner[c]) * node_size_ + direction * rates_ + k];
    }
    return sum;
}

}  // namespace libdose
