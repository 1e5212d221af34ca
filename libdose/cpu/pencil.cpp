#include "cpu/pencil.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstdint>
#include <exception>
#include <unsupported/Eigen/FFT>

#include "cpu/terma.h"
#include "libdose/error.h"
#include "model/box_average.h"
#include "physics/pencil.h"

namespace libdose::cpu {

namespace {

using Complex = std::complex<float>;

/// Smallest length >= n with factors 2, 3 and 5 only.
int fft_length(int n) {
    for (;; ++n) {
        int rest = n;
        for (const int factor : {2, 3, 5})
            while (rest % factor == 0) rest /= factor;
        if (rest == 1) return n;
    }
}

void fft_2d(std::vector<Complex>& image, int nu, int nv, bool inverse) {
    Eigen::FFT<float> fft;
    std::vector<Complex> in, out;
    const auto transform = [&](int length, std::size_t first, std::size_t stride) {
        in.resize(static_cast<std::size_t>(length));
        out.resize(static_cast<std::size_t>(length));
        for (std::size_t i = 0; i < in.size(); ++i) in[i] = image[first + i * stride];
        if (inverse)
            fft.inv(out.data(), in.data(), length);
        else
            fft.fwd(out.data(), in.data(), length);
        for (std::size_t i = 0; i < in.size(); ++i) image[first + i * stride] = out[i];
    };
    for (int v = 0; v < nv; ++v) transform(nu, static_cast<std::size_t>(v) * static_cast<std::size_t>(nu), 1);
    for (int u = 0; u < nu; ++u) transform(nv, static_cast<std::size_t>(u), static_cast<std::size_t>(nu));
}

/// Component averaged over a pixel at an offset from the pencil (cm).
double pixel_average(const PencilKernel& kernel, std::size_t component, double x, double y, double pixel) {
    const double distance = std::max(std::abs(x), std::abs(y)) / pixel;
    const int n = distance < 1 ? 40 : distance < 4 ? 12 : distance < 30 ? 4 : 2;
    double sum = 0;
    for (int b = 0; b < n; ++b)
        for (int a = 0; a < n; ++a)
            sum += physics::pencil_component(kernel, component, std::hypot(x + ((a + 0.5) / n - 0.5) * pixel, y + ((b + 0.5) / n - 0.5) * pixel));
    return sum / (n * n);
}

/// Fluence on a raster big enough that the periodic convolution does not wrap around.
struct Raster {
    double pixel_mm, lower_u_mm, lower_v_mm;
    int size_u, size_v;      ///< used part
    int length_u, length_v;  ///< with padding
};

/// Density that widens or narrows the kernels sideways: the mean around a voxel, over what is not vacuum.
class LateralScale {
public:
    LateralScale(const DensityGrid& density, bool on) : grid_(density.grid) {
        if (!on) return;
        std::vector<float> filled(density.density.size());
        for (std::size_t v = 0; v < filled.size(); ++v) filled[v] = density.density[v] > 0.0f ? 1.0f : 0.0f;
        const BoxAverage mass(grid_, density.kernel_density), volume(grid_, filled);
        const Vec3 reach = Vec3::Constant(reach_mm);
        scale_.assign(filled.size(), 1.0f);
#pragma omp parallel for schedule(static)
        for (int k = 0; k < grid_.size[2]; ++k)
            for (int j = 0; j < grid_.size[1]; ++j)
                for (int i = 0; i < grid_.size[0]; ++i) {
                    const Vec3 low = (grid_.centre_mm(i, j, k) - reach).cwiseMax(grid_.lower_edge_mm());
                    const Vec3 high = (grid_.centre_mm(i, j, k) + reach).cwiseMin(grid_.upper_edge_mm());
                    const double share = volume.average(low, high);
                    if (share > 0) scale_[grid_.index(i, j, k)] = static_cast<float>(std::clamp(mass.average(low, high) / share, smallest, largest));
                }
        lowest_ = static_cast<double>(*std::min_element(scale_.begin(), scale_.end()));
        highest_ = static_cast<double>(*std::max_element(scale_.begin(), scale_.end()));
    }
    double at(int i, int j, int k) const { return scale_.empty() ? 1.0 : static_cast<double>(scale_[grid_.index(i, j, k)]); }
    double lowest() const { return lowest_; }
    double highest() const { return highest_; }

private:
    static constexpr double reach_mm = 15.0;
    static constexpr double smallest = 0.15, largest = 3.0;  // thinner is air, where the kernels would outgrow the raster
    Grid grid_;
    std::vector<float> scale_;
    double lowest_ = 1, highest_ = 1;
};

}  // namespace

std::vector<float> pencil_beam(const DensityGrid& density, const FluenceMap& map, const PencilKernel& kernel, bool lateral_scaling, const TermaTable* table) {
    if (map.filter && !table) throw internal_error("a filtered beam needs the table of its spectrum", "pencil beam");
    const Grid& grid = density.grid;
    const physics::BeamFrame& frame = map.frame;
    std::vector<float> dose(grid.voxel_count(), 0.0f);
    const std::array<double, 4> support = FluenceIntegral(map).support_mm();
    if (support[1] <= support[0]) return dose;

    // What the grid needs of the isocentre plane, and the range of magnifications.
    const physics::Shadow shadow = physics::shadow_of(frame, grid.lower_edge_mm(), grid.upper_edge_mm());
    const double nearest = shadow.nearest_mm, farthest = shadow.farthest_mm;
    if (!shadow.whole || nearest < 100) throw bad_input("the dose grid reaches within 10 cm of the source", "pencil beam", "Check the isocentre of the plan");
    const double low_u = std::min(support[0], shadow.low_u_mm), high_u = std::max(support[1], shadow.high_u_mm);
    const double low_v = std::min(support[2], shadow.low_v_mm), high_v = std::max(support[3], shadow.high_v_mm);
    const int binning = grid.spacing_mm.minCoeff() >= 2.0 ? 2 : 1;
    Raster raster;
    raster.pixel_mm = binning * map.pixel_mm;
    // Corners of large grids can project far outside; the fluence and a reach of 40 cm around it are enough.
    const auto range = [&](double& lower, double support_low, double support_high, double need_low, double need_high, double map_lower) {
        need_low = std::max(need_low, support_low - 400.0), need_high = std::min(need_high, support_high + 400.0);
        const double first = std::floor((need_low - map_lower) / raster.pixel_mm);
        lower = map_lower + first * raster.pixel_mm;
        return static_cast<int>(std::ceil((need_high - lower) / raster.pixel_mm)) + 1;
    };
    raster.size_u = range(raster.lower_u_mm, support[0], support[1], low_u, high_u, map.lower_u_mm);
    raster.size_v = range(raster.lower_v_mm, support[2], support[3], low_v, high_v, map.lower_v_mm);
    raster.length_u = fft_length(2 * raster.size_u);
    raster.length_v = fft_length(2 * raster.size_v);
    const auto cells = static_cast<std::size_t>(raster.length_u) * static_cast<std::size_t>(raster.length_v);
    std::vector<Complex> fluence(cells);
    for (int v = 0; v < map.size_v; ++v)
        for (int u = 0; u < map.size_u; ++u) {
            if (map.at(u, v) == 0.0f) continue;
            const int iu = static_cast<int>(std::floor((map.lower_u_mm + (u + 0.5) * map.pixel_mm - raster.lower_u_mm) / raster.pixel_mm));
            const int iv = static_cast<int>(std::floor((map.lower_v_mm + (v + 0.5) * map.pixel_mm - raster.lower_v_mm) / raster.pixel_mm));
            fluence[static_cast<std::size_t>(iv) * static_cast<std::size_t>(raster.length_u) + static_cast<std::size_t>(iu)] +=
                map.at(u, v) / static_cast<float>(binning * binning);
        }
    fft_2d(fluence, raster.length_u, raster.length_v, false);

    // Convolutions at a few magnifications; the kernel is narrower on the isocentre plane the farther the voxel is.
    constexpr double magnification_step = 1.06;
    const double sad = frame.source_axis_distance_mm;
    const double log_step = std::log(magnification_step);
    const LateralScale lateral(density, lateral_scaling);
    // Node of a voxel: the distance at which water would spread the kernel over as much of the isocentre plane.
    const auto node_of = [&](double distance_mm, double scale) {
        return std::max(0.0, std::log(distance_mm * scale / (nearest * lateral.lowest())) / log_step);
    };
    const int nodes = static_cast<int>(node_of(farthest, lateral.highest())) + 2;
    std::vector<std::uint8_t> used(static_cast<std::size_t>(nodes), 0);
    for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j)
            for (int i = 0; i < grid.size[0]; ++i) {
                if (!(density.density[grid.index(i, j, k)] > 0.0f)) continue;
                const auto node = static_cast<std::size_t>(node_of(frame.project(grid.centre_mm(i, j, k)).distance_mm, lateral.at(i, j, k)));
                used[std::min(node, used.size() - 2)] = used[std::min(node + 1, used.size() - 1)] = 1;
            }
    const std::size_t components = kernel.components.size() / (kernel.radius_cm.size() - 1);
    const std::size_t pairs = (components + 1) / 2;
    std::vector<std::vector<Complex>> convolved(static_cast<std::size_t>(nodes) * pairs);
    std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 1)
    for (std::size_t task = 0; task < convolved.size(); ++task) {
        try {
            if (!used[task / pairs]) continue;
            const double magnification = nearest * lateral.lowest() / sad * std::exp(log_step * static_cast<double>(task / pairs));
            const std::size_t first = 2 * (task % pairs), second = first + 1;
            const double pixel_cm = 0.1 * raster.pixel_mm * magnification;    // at the voxel's distance
            const double photons = 0.01 * raster.pixel_mm * raster.pixel_mm;  // cm² of the isocentre plane
            std::vector<Complex> image(cells);
            for (int v = 0; v <= raster.length_v / 2; ++v)
                for (int u = 0; u <= raster.length_u / 2; ++u) {
                    const Complex value(
                        static_cast<float>(photons * pixel_average(kernel, first, u * pixel_cm, v * pixel_cm, pixel_cm)),
                        second < components ? static_cast<float>(photons * pixel_average(kernel, second, u * pixel_cm, v * pixel_cm, pixel_cm)) : 0.0f);
                    for (const int mu : {u, (raster.length_u - u) % raster.length_u})
                        for (const int mv : {v, (raster.length_v - v) % raster.length_v})
                            image[static_cast<std::size_t>(mv) * static_cast<std::size_t>(raster.length_u) + static_cast<std::size_t>(mu)] = value;
                }
            // Two real, even kernels travel as the real and imaginary part of one transform.
            fft_2d(image, raster.length_u, raster.length_v, false);
            for (std::size_t i = 0; i < cells; ++i) image[i] *= fluence[i];
            fft_2d(image, raster.length_u, raster.length_v, true);
            convolved[task] = std::move(image);
        } catch (...) {
#pragma omp critical(libdose_pencil_failure)
            failure = std::current_exception();
        }
    }
    if (failure) std::rethrow_exception(failure);

    const double margin = grid.spacing_mm.maxCoeff();
    const RayBundle rays(density, frame, {low_u - margin, high_u + margin, low_v - margin, high_v + margin}, grid.spacing_mm.minCoeff());
#pragma omp parallel for schedule(dynamic, 1)
    for (int k = 0; k < grid.size[2]; ++k) {
        std::vector<double> weights(components + 1);
        for (int j = 0; j < grid.size[1]; ++j)
            for (int i = 0; i < grid.size[0]; ++i) {
                const std::size_t voxel = grid.index(i, j, k);
                if (!(density.density[voxel] > 0.0f)) continue;
                const auto p = frame.project(grid.centre_mm(i, j, k));
                if (p.distance_mm < nearest * 0.999) continue;
                const double x = (p.u_mm - raster.lower_u_mm) / raster.pixel_mm - 0.5, y = (p.v_mm - raster.lower_v_mm) / raster.pixel_mm - 0.5;
                const int iu = static_cast<int>(std::floor(x)), iv = static_cast<int>(std::floor(y));
                if (iu < 0 || iv < 0 || iu + 1 >= raster.size_u || iv + 1 >= raster.size_v) continue;
                const double fu = x - iu, fv = y - iv;
                const double scale = lateral.at(i, j, k);
                const double z = std::clamp(node_of(p.distance_mm, scale), 0.0, nodes - 1.0);
                const auto node = std::min(static_cast<std::size_t>(z), static_cast<std::size_t>(nodes - 2));
                const double fz = z - static_cast<double>(node);
                const PathLength path = rays.path(p.u_mm, p.v_mm, p.distance_mm);
                physics::pencil_weights(kernel, path.water + path.high_z, weights.data());
                weights[components] = 0;
                const std::size_t at = static_cast<std::size_t>(iv) * static_cast<std::size_t>(raster.length_u) + static_cast<std::size_t>(iu);
                double sum = 0;
                for (int dz = 0; dz < 2; ++dz)
                    for (std::size_t pair = 0; pair < pairs; ++pair) {
                        const Complex* image = convolved[(node + static_cast<std::size_t>(dz)) * pairs + pair].data() + at;
                        const Complex* above = image + raster.length_u;
                        const double wz = dz ? fz : 1 - fz;
                        const auto mix = [&](double a, double b, double c, double d) {
                            return (1 - fv) * ((1 - fu) * a + fu * b) + fv * ((1 - fu) * c + fu * d);
                        };
                        const auto part = [](float value) { return static_cast<double>(value); };
                        sum += wz * (weights[2 * pair] * mix(part(image[0].real()), part(image[1].real()), part(above[0].real()), part(above[1].real())) +
                                     weights[2 * pair + 1] * mix(part(image[0].imag()), part(image[1].imag()), part(above[0].imag()), part(above[1].imag())));
                    }
                // A spectrum that a filter changed: by the ratio of the TERMA at this depth.
                if (map.filter) {
                    const PathLength filter = map.filter->path(p.u_mm, p.v_mm);
                    sum *= unfiltered(*table, filter) * (*table)({path.water + filter.water, path.high_z + filter.high_z}).water / (*table)(path).water;
                }
                // Dose to the medium from dose to water, as the collapsed cone has it in equilibrium.
                dose[voxel] =
                    static_cast<float>(std::max(0.0, sum) * scale * scale * static_cast<double>(density.kernel_density[voxel] / density.density[voxel]));
            }
    }
    return dose;
}

}  // namespace libdose::cpu
