#include "cpu/pencil_images.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <exception>
#include <unsupported/Eigen/FFT>

#include "cpu/versions.h"
#include "libdose/error.h"
#include "physics/pencil.h"

namespace libdose::cpu {

namespace {

using Complex = std::complex<float>;
constexpr int width = pencil_components;

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
        const ConvolutionAxis u = convolution_axis(raster.pixel_mm, raster.lower_u_mm, raster.size_u, support_mm[0], support_mm[1], reach_mm, fft_length);
        const ConvolutionAxis v = convolution_axis(raster.pixel_mm, raster.lower_v_mm, raster.size_v, support_mm[2], support_mm[3], reach_mm, fft_length);
        last_u_ = u.last, length_u_ = u.length, last_v_ = v.last, length_v_ = v.length;
        std::vector<Complex> fluence(static_cast<std::size_t>(length_u_) * static_cast<std::size_t>(length_v_));
        onto_raster(map, raster, [&](int iu, int iv, float value) {
            if (iu < 0 || iu >= raster.size_u || iv < 0 || iv >= raster.size_v) throw internal_error("fluence lies outside its raster", "pencil beam");
            fluence[static_cast<std::size_t>(iv) * static_cast<std::size_t>(length_u_) + static_cast<std::size_t>(iu)] += value;
        });
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
    void sharpen(std::vector<Complex>& image) const {
        const std::vector<Complex> blurred = image;
        const auto at = [&](int u, int v) {
            u = (u + length_u_) % length_u_, v = (v + length_v_) % length_v_;
            return blurred[static_cast<std::size_t>(v) * static_cast<std::size_t>(length_u_) + static_cast<std::size_t>(u)];
        };
        for (int v = 0; v < length_v_; ++v)
            for (int u = 0; u < length_u_; ++u)
                image[static_cast<std::size_t>(v) * static_cast<std::size_t>(length_u_) + static_cast<std::size_t>(u)] =
                    sharpened_pixel(at(u, v), at(u - 1, v), at(u + 1, v), at(u, v - 1), at(u, v + 1));
    }
    PencilRaster raster_;
    int last_u_ = 0, last_v_ = 0, length_u_ = 0, length_v_ = 0;
    std::vector<Complex> fluence_;
};

}  // namespace

PencilImages::PencilImages(const FluenceMap& map, const PencilKernel& kernel, const std::array<double, 4>& support, const PencilImagePlan& plan)
    : near_(plan.near), far_(plan.far) {
    const std::size_t count = kernel.components.size() / (kernel.radius_cm.size() - 1);
    const Convolution near(map, near_, support, pencil_split_end_mm), far(map, far_, support, far_reach_mm);
    struct Task {
        std::size_t node;
        bool near;
    };
    std::vector<Task> tasks;
    near_images_.resize(plan.near_used.size());
    far_images_.resize(plan.far_used.size());
    for (std::size_t n = 0; n < plan.near_used.size(); ++n)
        if (plan.near_used[n]) tasks.push_back({n, true});
    for (std::size_t n = 0; n < plan.far_used.size(); ++n)
        if (plan.far_used[n]) tasks.push_back({n, false});
    std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 1)
    for (const Task& task : tasks) {
        try {
            const PencilRaster& raster = task.near ? near_ : far_;
            const PencilImagePlan::Pixels pixels = plan.pixels(kernel, task.near, task.node);
            Image& image = task.near ? near_images_[task.node] : far_images_[task.node];
            image.assign(static_cast<std::size_t>(raster.size_u) * static_cast<std::size_t>(raster.size_v) * width, 0.0f);
            for (int first = 0; first < static_cast<int>(count); first += 2)
                (task.near ? near : far).add_pair(pixels.values, pixels.size_u, pixels.size_v, first, image);
        } catch (...) {
#pragma omp critical(libdose_pencil_failure)
            failure = std::current_exception();
        }
    }
    if (failure) std::rethrow_exception(failure);
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
    const double far_node = node / PencilImagePlan::far_step;
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
