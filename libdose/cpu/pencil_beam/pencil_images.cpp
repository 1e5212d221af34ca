#include "cpu/pencil_beam/pencil_images.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <unsupported/Eigen/FFT>

#include "base/parallel_failure.h"
#include "base/simd/multiversion.h"
#include "libdose/error.h"
#include "pencil_beam/pencil_equations.h"

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
void transform_and_turn(const std::vector<Complex>& image, std::size_t columns, std::size_t rows,
                        bool inverse, std::vector<Complex>& turned) {
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
std::vector<Complex> transform(const std::vector<Complex>& image, std::size_t columns, std::size_t rows,
                               bool inverse) {
    std::vector<Complex> turned, result;
    transform_and_turn(image, columns, rows, inverse, turned);
    transform_and_turn(turned, rows, columns, inverse, result);
    return result;
}

/// Convolves the fluence on one raster with kernels.
class Convolution {
public:
    /// The fluence lies within `nonzero_bounds`; kernels have the radius `kernel_radius_mm`.
    Convolution(const FluenceMap& map, const PencilRaster& raster, const Rect& nonzero_bounds,
                double kernel_radius_mm)
        : raster_(raster) {
        const ConvolutionAxis u =
            convolution_axis(raster.pixel_mm, raster.lower_u_mm, raster.size_u, nonzero_bounds.low_u_mm,
                             nonzero_bounds.high_u_mm, kernel_radius_mm, fft_length);
        const ConvolutionAxis v =
            convolution_axis(raster.pixel_mm, raster.lower_v_mm, raster.size_v, nonzero_bounds.low_v_mm,
                             nonzero_bounds.high_v_mm, kernel_radius_mm, fft_length);
        last_u_ = u.last;
        length_u_ = u.length;
        last_v_ = v.last;
        length_v_ = v.length;
        std::vector<Complex> fluence(static_cast<std::size_t>(length_u_) *
                                     static_cast<std::size_t>(length_v_));
        onto_raster(map, raster, [&](int iu, int iv, float value) {
            if (iu < 0 || iu >= raster.size_u || iv < 0 || iv >= raster.size_v)
                throw internal_error("fluence lies outside its raster", "pencil beam");
            fluence[static_cast<std::size_t>(iv) * static_cast<std::size_t>(length_u_) +
                    static_cast<std::size_t>(iu)] += value;
        });
        sharpen(fluence);
        fluence_ = transform(fluence, static_cast<std::size_t>(length_u_),
                             static_cast<std::size_t>(length_v_), false);
    }

    /// Image of a pair of components: two real kernels travel as the real and the imaginary part of one
    /// transform.
    void add_pair(const std::vector<float>& pixels, int pixels_u, int pixels_v, int first,
                  std::vector<float>& image) const {
        std::vector<Complex> kernel(fluence_.size());
        for (int v = 0; v < length_v_; ++v) {
            const int dv = std::abs(v <= last_v_ ? v : v - length_v_);
            if (dv >= pixels_v) continue;
            for (int u = 0; u < length_u_; ++u) {
                const int du = std::abs(u <= last_u_ ? u : u - length_u_);
                if (du >= pixels_u) continue;
                const float* value = &pixels[static_cast<std::size_t>((dv * pixels_u + du) * width + first)];
                kernel[static_cast<std::size_t>(v) * static_cast<std::size_t>(length_u_) +
                       static_cast<std::size_t>(u)] = {value[0], value[1]};
            }
        }
        const auto columns = static_cast<std::size_t>(length_u_), rows = static_cast<std::size_t>(length_v_);
        std::vector<Complex> both = transform(kernel, columns, rows, false);
        for (std::size_t i = 0; i < both.size(); ++i) both[i] *= fluence_[i];
        both = transform(both, columns, rows, true);
        for (int v = 0; v < raster_.size_v; ++v)
            for (int u = 0; u < raster_.size_u; ++u) {
                const Complex value =
                    both[static_cast<std::size_t>(v) * columns + static_cast<std::size_t>(u)];
                float* to = &image[static_cast<std::size_t>((v * raster_.size_u + u) * width + first)];
                to[0] = value.real();
                to[1] = value.imag();
            }
    }

private:
    void sharpen(std::vector<Complex>& image) const {
        const std::vector<Complex> blurred = image;
        const auto at = [&](int u, int v) {
            u = (u + length_u_) % length_u_;
            v = (v + length_v_) % length_v_;
            return blurred[static_cast<std::size_t>(v) * static_cast<std::size_t>(length_u_) +
                           static_cast<std::size_t>(u)];
        };
        for (int v = 0; v < length_v_; ++v)
            for (int u = 0; u < length_u_; ++u)
                image[static_cast<std::size_t>(v) * static_cast<std::size_t>(length_u_) +
                      static_cast<std::size_t>(u)] =
                    sharpened_pixel(at(u, v), at(u - 1, v), at(u + 1, v), at(u, v - 1), at(u, v + 1));
    }
    PencilRaster raster_;
    int last_u_ = 0, last_v_ = 0, length_u_ = 0, length_v_ = 0;
    std::vector<Complex> fluence_;
};

}  // namespace

PencilImages::PencilImages(const FluenceMap& map, const PencilKernel& kernel, const Rect& bounds,
                           const PencilImagePlan& plan)
    : near_(plan.near), far_(plan.far) {
    const std::size_t count = kernel.components.size() / (kernel.radius_cm.size() - 1);
    const Convolution near(map, near_, bounds, pencil_split_end_mm),
        far(map, far_, bounds, far_kernel_radius_mm);
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
    ParallelFailure failure;
#pragma omp parallel for schedule(dynamic, 1)
    for (const Task& task : tasks)
        failure.guard([&] {
            const PencilRaster& raster = task.near ? near_ : far_;
            const PencilImagePlan::Pixels pixels = plan.pixels(kernel, task.near, task.node);
            Image& image = task.near ? near_images_[task.node] : far_images_[task.node];
            image.assign(
                static_cast<std::size_t>(raster.size_u) * static_cast<std::size_t>(raster.size_v) * width,
                0.0f);
            for (int first = 0; first < static_cast<int>(count); first += 2)
                (task.near ? near : far).add_pair(pixels.values, pixels.size_u, pixels.size_v, first, image);
        });
    failure.rethrow();
    for (std::size_t n = 0; n < near_images_.size(); ++n) {
        if (near_images_[n].empty()) continue;
#pragma omp parallel for schedule(static)
        for (int v = 0; v < near_.size_v; ++v) add_far(n, v);
    }
}

namespace {

/// Places on a raster: the lower of the pixel centres beside each point, and the shares of the upper ones.
/// Beyond the outermost centres there are no points but by rounding.
LIBDOSE_VERSIONS
void find_pixels(const PencilRaster& raster, int size, const float* u_mm, const float* v_mm,
                 int* __restrict pixel, float* __restrict u_part, float* __restrict v_part) {
    const float low_u = static_cast<float>(raster.lower_u_mm + 0.5 * raster.pixel_mm),
                low_v = static_cast<float>(raster.lower_v_mm + 0.5 * raster.pixel_mm),
                per_mm = static_cast<float>(1 / raster.pixel_mm);
    const int size_u = raster.size_u, last_u = size_u - 2, last_v = raster.size_v - 2;
    for (int i = 0; i < size; ++i) {
        const float x = (u_mm[i] - low_u) * per_mm, y = (v_mm[i] - low_v) * per_mm;
        int iu = static_cast<int>(x), iv = static_cast<int>(y);
        iu = iu > 0 ? iu : 0;
        iv = iv > 0 ? iv : 0;
        iu = iu < last_u ? iu : last_u;
        iv = iv < last_v ? iv : last_v;
        pixel[i] = iv * size_u + iu;
        u_part[i] = x - static_cast<float>(iu);
        v_part[i] = y - static_cast<float>(iv);
    }
}

/// The lower of the images beside each position times `factor`, and the share of the upper one.
LIBDOSE_VERSIONS
void find_images(float factor, int last, int size, const float* position, int* __restrict node,
                 float* __restrict part) {
    for (int i = 0; i < size; ++i) {
        const float at = position[i] * factor;
        int low = static_cast<int>(at);
        low = low < last ? low : last;
        node[i] = low;
        part[i] = at - static_cast<float>(low);
    }
}

}  // namespace

PencilImages::Places::Places(int size)
    : node(static_cast<std::size_t>(size)),
      pixel(node.size()),
      node_part(node.size()),
      u_part(node.size()),
      v_part(node.size()) {}

PencilImages::Parts PencilImages::parts(const physics::ProjectedRow& row, int size) const {
    const auto on = [&](const PencilRaster& raster) {
        const double half = 0.5 * raster.pixel_mm;
        const auto [begin, end] =
            row.within({raster.lower_u_mm + half, raster.lower_u_mm + raster.size_u * raster.pixel_mm - half,
                        raster.lower_v_mm + half, raster.lower_v_mm + raster.size_v * raster.pixel_mm - half},
                       size);
        return begin < end ? std::pair{begin, end} : std::pair{0, 0};
    };
    const auto [far_begin, far_end] = on(far_);
    const auto [near_begin, near_end] = on(near_);
    // Nothing near: the empty part ends where the far one does.
    if (near_begin == near_end) return {far_begin, far_end, far_end, far_end};
    return {far_begin < far_end ? std::min(far_begin, near_begin) : near_begin, near_begin, near_end,
            std::max(near_end, far_end)};
}

void PencilImages::find(bool near, const float* u_mm, const float* v_mm, const float* node, int begin,
                        int end, Places& places) const {
    const std::size_t images = (near ? near_images_ : far_images_).size();
    find_pixels(raster(near), end - begin, u_mm + begin, v_mm + begin, places.pixel.data() + begin,
                places.u_part.data() + begin, places.v_part.data() + begin);
    find_images(near ? 1.0f : 1.0f / PencilImagePlan::far_step, static_cast<int>(images) - 2, end - begin,
                node + begin, places.node.data() + begin, places.node_part.data() + begin);
}

void PencilImages::at(float u_mm, float v_mm, float node, float* values) const {
    PencilLanes sum{};
    int iu, iv;
    float fu, fv;
    const bool near = near_.place(u_mm, v_mm, iu, iv, fu, fv);
    if (near || far_.place(u_mm, v_mm, iu, iv, fu, fv)) {
        const std::vector<Image>& images = near ? near_images_ : far_images_;
        const float position = near ? node : node / PencilImagePlan::far_step;
        const int low = std::min(static_cast<int>(position), static_cast<int>(images.size()) - 2),
                  size_u = raster(near).size_u;
        read(images, size_u, low, position - static_cast<float>(low), iv * size_u + iu, fu, fv, sum);
    }
    std::memcpy(values, &sum, sizeof(sum));
}

/// A row of the near raster. Beyond the outermost centres of the far raster there are no voxels, but pixels
/// beside one.
void PencilImages::add_far(std::size_t node, int row) {
    const auto size = near_.size_u;
    const auto centre = [&](double lower_mm, int i) {
        return static_cast<float>(lower_mm + (i + 0.5) * near_.pixel_mm);
    };
    std::vector<float> u_mm, v_mm(static_cast<std::size_t>(size), centre(near_.lower_v_mm, row)),
        nodes(v_mm.size(), static_cast<float>(node));
    for (int u = 0; u < size; ++u) u_mm.push_back(centre(near_.lower_u_mm, u));
    Places places(size);
    find(false, u_mm.data(), v_mm.data(), nodes.data(), 0, size, places);
    float* to = &near_images_[node][static_cast<std::size_t>(row) * static_cast<std::size_t>(size) * width];
    for (std::size_t u = 0; u < u_mm.size(); ++u, to += width) {
        PencilLanes near, far;
        read(false, places, u, far);
        load(to, near);
        near += far;
        std::memcpy(to, &near, sizeof(near));
    }
}

}  // namespace libdose::cpu
