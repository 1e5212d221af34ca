#include "cpu/pencil_images.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <exception>
#include <unsupported/Eigen/FFT>

#include "cpu/versions.h"
#include "libdose/error.h"
#include "physics/disc.h"
#include "physics/pencil.h"

namespace libdose::cpu {

namespace {

using Complex = std::complex<float>;
constexpr int width = PencilImages::components;

constexpr double split_begin_mm = 30, split_end_mm = 60;  // on the isocentre plane
constexpr double far_pixel_mm = 8, far_limit_mm = 400;    // beyond this distance from the fluence there is no dose
constexpr std::size_t far_step = 2;                       // nodes

/// Part of the kernel that counts as far.
double far_part(double radius_mm) {
    const double t = std::clamp((radius_mm - split_begin_mm) / (split_end_mm - split_begin_mm), 0.0, 1.0);
    return t * t * (3 - 2 * t);
}

/// Smallest length >= n with factors 2, 3 and 5 only.
int fft_length(int n) {
    for (;; ++n) {
        int rest = n;
        for (const int factor : {2, 3, 5})
            while (rest % factor == 0) rest /= factor;
        if (rest == 1) return n;
    }
}

/// Rows of the image are transformed and become the columns of the result.
void transform_and_turn(const std::vector<Complex>& image, std::size_t columns, std::size_t rows, bool inverse, std::vector<Complex>& turned) {
    Eigen::FFT<float> fft;
    std::vector<Complex> line(columns);
    turned.resize(image.size());
    for (std::size_t r = 0; r < rows; ++r) {
        if (inverse)
            fft.inv(line.data(), image.data() + r * columns, static_cast<Eigen::Index>(columns));
        else
            fft.fwd(line.data(), image.data() + r * columns, static_cast<Eigen::Index>(columns));
        for (std::size_t c = 0; c < columns; ++c) turned[c * rows + r] = line[c];
    }
}

/// The transform of an image, or back: stored with its axes as they were.
std::vector<Complex> transform(const std::vector<Complex>& image, std::size_t columns, std::size_t rows, bool inverse) {
    std::vector<Complex> turned, result;
    transform_and_turn(image, columns, rows, inverse, turned);
    transform_and_turn(turned, rows, columns, inverse, result);
    return result;
}

/// Convolves the fluence on one raster with kernels.
class Convolution {
public:
    /// The fluence lies within `support_mm`; kernels reach no farther than `reach_mm`.
    Convolution(const FluenceMap& map, const PencilRaster& raster, const std::array<double, 4>& support_mm, double reach_mm) : raster_(raster) {
        // A displacement stands for itself or itself less the length: none within the reach may stand for two.
        const auto axis = [&](double lower, double low, double high, int size, int& last, int& length) {
            const int begin = std::max(0, static_cast<int>((low - lower) / raster.pixel_mm) - 1), end = static_cast<int>((high - lower) / raster.pixel_mm) + 2;
            const int reach = static_cast<int>(std::ceil(reach_mm / raster.pixel_mm)) + 1;
            last = std::min(size - 1 - begin, reach);
            length = fft_length(last + std::min(end, reach) + 1);
            length = std::max(length, fft_length(size));
        };
        axis(raster.lower_u_mm, support_mm[0], support_mm[1], raster.size_u, last_u_, length_u_);
        axis(raster.lower_v_mm, support_mm[2], support_mm[3], raster.size_v, last_v_, length_v_);
        std::vector<Complex> fluence(static_cast<std::size_t>(length_u_) * static_cast<std::size_t>(length_v_));
        const float share = static_cast<float>(map.pixel_mm * map.pixel_mm / (raster.pixel_mm * raster.pixel_mm));
        for (int v = 0; v < map.size_v; ++v)
            for (int u = 0; u < map.size_u; ++u) {
                if (map.at(u, v) == 0.0f) continue;
                const int iu = static_cast<int>(std::floor((map.lower_u_mm + (u + 0.5) * map.pixel_mm - raster.lower_u_mm) / raster.pixel_mm));
                const int iv = static_cast<int>(std::floor((map.lower_v_mm + (v + 0.5) * map.pixel_mm - raster.lower_v_mm) / raster.pixel_mm));
                if (iu < 0 || iu >= raster.size_u || iv < 0 || iv >= raster.size_v) throw internal_error("fluence lies outside its raster", "pencil beam");
                fluence[static_cast<std::size_t>(iv) * static_cast<std::size_t>(length_u_) + static_cast<std::size_t>(iu)] += share * map.at(u, v);
            }
        sharpen(fluence);
        fluence_ = transform(fluence, static_cast<std::size_t>(length_u_), static_cast<std::size_t>(length_v_), false);
    }

    /// Image of a pair of components: two real kernels travel as the real and the imaginary part of one transform.
    void add_pair(const std::vector<float>& pixels, int pixels_u, int pixels_v, int first, std::vector<float>& image) const {
        std::vector<Complex> kernel(fluence_.size());
        for (int v = 0; v < length_v_; ++v) {
            const int dv = std::abs(v <= last_v_ ? v : v - length_v_);
            if (dv >= pixels_v) continue;
            for (int u = 0; u < length_u_; ++u) {
                const int du = std::abs(u <= last_u_ ? u : u - length_u_);
                if (du >= pixels_u) continue;
                const float* value = &pixels[static_cast<std::size_t>((dv * pixels_u + du) * width + first)];
                kernel[static_cast<std::size_t>(v) * static_cast<std::size_t>(length_u_) + static_cast<std::size_t>(u)] = {value[0], value[1]};
            }
        }
        const auto columns = static_cast<std::size_t>(length_u_), rows = static_cast<std::size_t>(length_v_);
        std::vector<Complex> both = transform(kernel, columns, rows, false);
        for (std::size_t i = 0; i < both.size(); ++i) both[i] *= fluence_[i];
        both = transform(both, columns, rows, true);
        for (int v = 0; v < raster_.size_v; ++v)
            for (int u = 0; u < raster_.size_u; ++u) {
                const Complex value = both[static_cast<std::size_t>(v) * columns + static_cast<std::size_t>(u)];
                float* to = &image[static_cast<std::size_t>((v * raster_.size_u + u) * width + first)];
                to[0] = value.real(), to[1] = value.imag();
            }
    }

private:
    /// Takes off by second differences what the pixels (1/12 pixel² of variance) and the linear interpolation between their centres (1/6 on
    /// average) blur.
    void sharpen(std::vector<Complex>& image) const {
        constexpr float half_variance = 0.5f * (1.0f / 12 + 1.0f / 6);
        const std::vector<Complex> blurred = image;
        const auto at = [&](int u, int v) {
            u = (u + length_u_) % length_u_, v = (v + length_v_) % length_v_;
            return blurred[static_cast<std::size_t>(v) * static_cast<std::size_t>(length_u_) + static_cast<std::size_t>(u)];
        };
        for (int v = 0; v < length_v_; ++v)
            for (int u = 0; u < length_u_; ++u)
                image[static_cast<std::size_t>(v) * static_cast<std::size_t>(length_u_) + static_cast<std::size_t>(u)] +=
                    half_variance * (4.0f * at(u, v) - at(u - 1, v) - at(u + 1, v) - at(u, v - 1) - at(u, v + 1));
    }
    PencilRaster raster_;
    int last_u_ = 0, last_v_ = 0, length_u_ = 0, length_v_ = 0;
    std::vector<Complex> fluence_;
};

/// Pixels that lie on the edges of the map's, their centres around the whole extent: between centres is where an image can be read.
PencilRaster raster_over(const FluenceMap& map, double pixel_mm, const std::array<double, 4>& extent_mm) {
    PencilRaster raster;
    raster.pixel_mm = pixel_mm;
    const auto axis = [&](double low, double high, double map_lower, double& lower) {
        lower = map_lower + std::floor((low - map_lower) / pixel_mm - 0.5) * pixel_mm;
        return static_cast<int>(std::ceil((high - lower) / pixel_mm)) + 1;
    };
    raster.size_u = axis(extent_mm[0], extent_mm[1], map.lower_u_mm, raster.lower_u_mm);
    raster.size_v = axis(extent_mm[2], extent_mm[3], map.lower_v_mm, raster.lower_v_mm);
    return raster;
}

}  // namespace

std::vector<float> pencil_pixels(const PencilKernel& kernel, double pixel_cm, double magnification, int size_u, int size_v, bool near) {
    const std::size_t rings = kernel.radius_cm.size() - 1, count = kernel.components.size() / rings;
    // Ring of a radius by a table of small steps, the last entry beyond the kernel.
    constexpr double step_cm = 0.005;
    std::vector<std::uint16_t> ring_of(static_cast<std::size_t>(kernel.radius_cm.back() / step_cm) + 2, static_cast<std::uint16_t>(rings));
    for (std::size_t n = 0, ring = 0; n < ring_of.size(); ++n) {
        while (ring < rings && kernel.radius_cm[ring + 1] <= (static_cast<double>(n) + 0.5) * step_cm) ++ring;
        ring_of[n] = static_cast<std::uint16_t>(ring);
    }
    std::vector<double> values((rings + 1) * width, 0.0);  // [ring][component]
    for (std::size_t r = 0; r < rings; ++r)
        for (std::size_t c = 0; c < count; ++c) values[r * width + c] = kernel.components[c * rings + r];

    constexpr int exact = 4;  // pixels from the axis within which areas are exact: there the rings are narrower than a pixel
    std::vector<float> pixels(static_cast<std::size_t>(size_u) * static_cast<std::size_t>(size_v) * width, 0.0f);
    for (int v = 0; v < size_v; ++v)
        for (int u = 0; u < size_u; ++u) {
            double sum[width] = {};
            const double x = u * pixel_cm, y = v * pixel_cm, half = 0.5 * pixel_cm;
            if (std::hypot(x, y) - pixel_cm >= kernel.radius_cm.back()) continue;
            if (near && std::max(u, v) < exact && 10 * std::hypot(x + half, y + half) / magnification <= split_begin_mm) {
                for (std::size_t r = 0; r < rings; ++r) {
                    const double radius = kernel.radius_cm[r + 1];
                    const double area = physics::disc_in_rectangle(radius, x + half, y + half) - physics::disc_in_rectangle(radius, x - half, y + half) -
                                        physics::disc_in_rectangle(radius, x + half, y - half) + physics::disc_in_rectangle(radius, x - half, y - half);
                    // What the disc holds more than the next ring.
                    for (std::size_t c = 0; c < count; ++c) sum[c] += (values[r * width + c] - values[(r + 1) * width + c]) * area;
                    if (radius > std::hypot(x + half, y + half)) {
                        // All further discs hold the whole pixel.
                        for (std::size_t c = 0; c < count; ++c) sum[c] += values[(r + 1) * width + c] * pixel_cm * pixel_cm;
                        break;
                    }
                }
                for (double& value : sum) value /= pixel_cm * pixel_cm;
            } else {
                const int n = near && std::max(u, v) < 12 ? 4 : 2;
                for (int b = 0; b < n; ++b)
                    for (int a = 0; a < n; ++a) {
                        const double sx = x + ((a + 0.5) / n - 0.5) * pixel_cm, sy = y + ((b + 0.5) / n - 0.5) * pixel_cm,
                                     radius = std::sqrt(sx * sx + sy * sy);
                        const double far = far_part(10 * radius / magnification), part = (near ? 1 - far : far) / (n * n);
                        if (part == 0) continue;
                        const double* ring = &values[ring_of[std::min(static_cast<std::size_t>(radius / step_cm), ring_of.size() - 1)] * width];
                        for (int c = 0; c < width; ++c) sum[c] += part * ring[c];
                    }
            }
            for (int c = 0; c < width; ++c) pixels[static_cast<std::size_t>((v * size_u + u) * width + c)] = static_cast<float>(sum[c]);
        }
    return pixels;
}

PencilImages::PencilImages(const FluenceMap& map, const PencilKernel& kernel, const std::array<double, 4>& support, const std::array<double, 4>& need,
                           double near_pixel_mm, double lowest_magnification, const std::vector<std::uint8_t>& used) {
    const std::size_t count = kernel.components.size() / (kernel.radius_cm.size() - 1);
    if (count > components) throw bad_input("the pencil kernel has more than 8 components", "beam model");
    near_ = raster_over(map, near_pixel_mm, {support[0] - split_end_mm, support[1] + split_end_mm, support[2] - split_end_mm, support[3] + split_end_mm});
    // Corners of large grids can project far outside.
    far_ =
        raster_over(map, std::max(1.0, std::round(far_pixel_mm / map.pixel_mm)) * map.pixel_mm,
                    {std::min(support[0], std::max(need[0], support[0] - far_limit_mm)), std::max(support[1], std::min(need[1], support[1] + far_limit_mm)),
                     std::min(support[2], std::max(need[2], support[2] - far_limit_mm)), std::max(support[3], std::min(need[3], support[3] + far_limit_mm))});
    const Convolution near(map, near_, support, split_end_mm), far(map, far_, support, 1e4);

    // Both neighbours of a voxel's node, among the far ones too.
    struct Task {
        std::size_t node;
        bool near;
    };
    std::vector<Task> tasks;
    near_images_.resize(used.size());
    far_images_.resize(used.size() / far_step + 2);
    std::vector<std::uint8_t> far_used(far_images_.size(), 0);
    for (std::size_t n = 0; n < used.size(); ++n)
        if (used[n]) {
            tasks.push_back({n, true});
            far_used[n / far_step] = far_used[n / far_step + 1] = 1;
        }
    for (std::size_t n = 0; n < far_used.size(); ++n)
        if (far_used[n]) tasks.push_back({n, false});
    std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 1)
    for (const Task& task : tasks) {
        try {
            const PencilRaster& raster = task.near ? near_ : far_;
            const double magnification = lowest_magnification * std::pow(magnification_step, static_cast<double>(task.near ? task.node : far_step * task.node));
            const double pixel_cm = 0.1 * raster.pixel_mm * magnification;
            const int reach = static_cast<int>(std::ceil(split_end_mm / raster.pixel_mm)) + 1;
            const int pixels_u = task.near ? std::min(raster.size_u, reach) : raster.size_u,
                      pixels_v = task.near ? std::min(raster.size_v, reach) : raster.size_v;
            std::vector<float> pixels = pencil_pixels(kernel, pixel_cm, magnification, pixels_u, pixels_v, task.near);
            const auto photons = static_cast<float>(0.01 * raster.pixel_mm * raster.pixel_mm);  // cm² of the isocentre plane
            for (float& value : pixels) value *= photons;
            Image& image = task.near ? near_images_[task.node] : far_images_[task.node];
            image.assign(static_cast<std::size_t>(raster.size_u) * static_cast<std::size_t>(raster.size_v) * width, 0.0f);
            for (int first = 0; first < static_cast<int>(count); first += 2) (task.near ? near : far).add_pair(pixels, pixels_u, pixels_v, first, image);
        } catch (...) {
#pragma omp critical(libdose_pencil_failure)
            failure = std::current_exception();
        }
    }
    if (failure) std::rethrow_exception(failure);
}

std::array<double, 4> PencilImages::near_mm() const {
    return {near_.lower_u_mm, near_.lower_u_mm + near_.size_u * near_.pixel_mm, near_.lower_v_mm, near_.lower_v_mm + near_.size_v * near_.pixel_mm};
}

namespace {

using Lanes = float __attribute__((vector_size(width * sizeof(float))));

/// Adds the image at a point, times a weight.
LIBDOSE_INLINE void add_bilinear(const float* image, int size_u, int iu, int iv, float fu, float fv, float weight, Lanes& sum) {
    const float* at = image + (static_cast<std::ptrdiff_t>(iv) * size_u + iu) * width;
    Lanes corner[4];
    __builtin_memcpy(corner, at, 2 * sizeof(Lanes));
    __builtin_memcpy(corner + 2, at + static_cast<std::ptrdiff_t>(size_u) * width, 2 * sizeof(Lanes));
    physics::add_bilinear(corner[0], corner[1], corner[2], corner[3], fu, fv, weight, sum);
}

}  // namespace

bool PencilImages::at(double u_mm, double v_mm, double node, float* values) const {
    int iu, iv;
    float fu, fv;
    Lanes sum{};
    if (!far_.place(u_mm, v_mm, iu, iv, fu, fv)) return false;
    const double far_node = node / far_step;
    const auto m = static_cast<std::size_t>(far_node);
    const auto far_high = static_cast<float>(far_node - static_cast<double>(m));
    add_bilinear(far_images_[m].data(), far_.size_u, iu, iv, fu, fv, 1 - far_high, sum);
    add_bilinear(far_images_[m + 1].data(), far_.size_u, iu, iv, fu, fv, far_high, sum);
    if (near_.place(u_mm, v_mm, iu, iv, fu, fv)) {
        const auto n = std::min(static_cast<std::size_t>(node), near_images_.size() - 2);
        const auto high = static_cast<float>(node - static_cast<double>(n));
        add_bilinear(near_images_[n].data(), near_.size_u, iu, iv, fu, fv, 1 - high, sum);
        add_bilinear(near_images_[n + 1].data(), near_.size_u, iu, iv, fu, fv, high, sum);
    }
    __builtin_memcpy(values, &sum, sizeof(sum));
    return true;
}

}  // namespace libdose::cpu
