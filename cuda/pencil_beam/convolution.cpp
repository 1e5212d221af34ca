#include "cuda/pencil_beam/convolution.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <utility>

#include "libdose/error.h"

namespace libdose::cuda {

namespace {

/// Periodic images that are transformed at a time take up to about this much, twice.
constexpr std::size_t most_bytes = std::size_t{64} << 20;

int power_of_two(int n) { return static_cast<int>(std::bit_ceil(static_cast<unsigned>(n))); }

std::vector<Complex> roots_of(int length) {
    std::vector<Complex> roots;
    for (int n = 0; n < length; ++n) {
        const double angle = -2 * std::numbers::pi * n / length;
        roots.push_back({static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))});
    }
    return roots;
}

/// Images of one size and what their transforms need.
class Transform {
public:
    Transform(DevicePool& pool, int size_u, int size_v)
        : pool_(pool),
          size_u_(size_u),
          size_v_(size_v),
          roots_u_(pool, roots_of(size_u)),
          roots_v_(pool, roots_of(size_v)) {}

    /// Transforms `count` images in place, with as much memory beside them. Not scaled.
    void run(DeviceArray<Complex>& images, DeviceArray<Complex>& other, int count, bool inverse) {
        for (const bool along_v : {false, true}) {
            FourierPass pass{
                size_u_, size_v_, along_v, inverse, 4, 1, along_v ? roots_v_.data() : roots_u_.data(),
                nullptr, nullptr};
            for (int left = pass.length(); left > 1; left /= pass.radix) {
                pass.radix = left % 4 == 0 ? 4 : 2;
                pass.from = images.data();
                pass.to = other.data();
                pool_.executor().run(pass, pass.threads(count));
                pass.done *= pass.radix;
                std::swap(images, other);
            }
        }
    }
    std::size_t pixels() const {
        return static_cast<std::size_t>(size_u_) * static_cast<std::size_t>(size_v_);
    }

private:
    DevicePool& pool_;
    int size_u_, size_v_;
    DeviceArray<Complex> roots_u_, roots_v_;
};

/// The fluence on the raster, sharpened, in an image of size_u × size_v that is periodic.
std::vector<Complex> periodic_fluence(const FluenceMap& map, const physics::PlaneRaster& raster, int size_u,
                                      int size_v) {
    const auto number = [&](int u, int v) {
        u = (u + size_u) % size_u;
        v = (v + size_v) % size_v;
        return static_cast<std::size_t>(v) * static_cast<std::size_t>(size_u) + static_cast<std::size_t>(u);
    };
    std::vector<float> blurred(static_cast<std::size_t>(size_u) * static_cast<std::size_t>(size_v), 0.0f);
    onto_raster(map, raster, [&](int u, int v, float value) {
        if (u < 0 || u >= raster.size_u || v < 0 || v >= raster.size_v)
            throw internal_error("fluence lies outside its raster", "pencil beam");
        blurred[number(u, v)] += value;
    });
    std::vector<Complex> image(blurred.size());
    for (int v = 0; v < size_v; ++v)
        for (int u = 0; u < size_u; ++u)
            image[number(u, v)] = {
                sharpened_pixel(blurred[number(u, v)], blurred[number(u - 1, v)], blurred[number(u + 1, v)],
                                blurred[number(u, v - 1)], blurred[number(u, v + 1)]),
                0.0f};
    return image;
}

}  // namespace

DeviceArray<float> convolve(DevicePool& pool, const FluenceMap& map, const physics::PlaneRaster& raster,
                            const Rect& nonzero_bounds, double kernel_radius_mm,
                            const std::vector<PencilImagePlan::Pixels>& kernels, std::size_t components) {
    const std::size_t image_size =
        static_cast<std::size_t>(raster.size_u) * static_cast<std::size_t>(raster.size_v) * pencil_components;
    DeviceArray<float> images(pool, std::max<std::size_t>(1, kernels.size()) * image_size);
    if (kernels.empty()) return images;
    const auto u =
        convolution_axis(raster.pixel_mm, raster.lower_u_mm, raster.size_u, nonzero_bounds.low_u_mm,
                         nonzero_bounds.high_u_mm, kernel_radius_mm, power_of_two);
    const auto v =
        convolution_axis(raster.pixel_mm, raster.lower_v_mm, raster.size_v, nonzero_bounds.low_v_mm,
                         nonzero_bounds.high_v_mm, kernel_radius_mm, power_of_two);
    Transform transform(pool, u.length, v.length);
    const std::size_t pixels = transform.pixels();
    const int pairs = static_cast<int>((components + 1) / 2);
    const std::size_t at_once = std::clamp<std::size_t>(
        most_bytes / (pixels * sizeof(Complex) * static_cast<std::size_t>(pairs)), 1, kernels.size());

    DeviceArray<Complex> fluence(pool, periodic_fluence(map, raster, u.length, v.length));
    {
        DeviceArray<Complex> other(pool, pixels);
        transform.run(fluence, other, 1, false);
    }
    const int kernel_u = kernels.front().size_u, kernel_v = kernels.front().size_v;
    std::vector<float> values;
    for (const auto& kernel : kernels)
        values.insert(values.end(), kernel.values.begin(), kernel.values.end());
    const DeviceArray<float> on_device(pool, values);
    DeviceArray<Complex> spread(pool, at_once * static_cast<std::size_t>(pairs) * pixels),
        other(pool, spread.size());
    for (std::size_t first = 0; first < kernels.size(); first += at_once) {
        const int count = static_cast<int>(std::min(at_once, kernels.size() - first)), turned = count * pairs;
        pool.executor().run(
            SpreadKernels{u.length, v.length, u.last, v.last, pairs, kernel_u, kernel_v,
                          on_device.data() + first * kernels.front().values.size(), spread.data()},
            {u.length, v.length, turned});
        transform.run(spread, other, turned, false);
        pool.executor().run(MultiplyImages{u.length, v.length, 1.0f / static_cast<float>(pixels),
                                           fluence.data(), spread.data()},
                            {u.length, v.length, turned});
        transform.run(spread, other, turned, true);
        pool.executor().run(TakeImages{raster.size_u, raster.size_v, u.length, v.length, pairs, spread.data(),
                                       images.data() + first * image_size},
                            {raster.size_u, raster.size_v, count});
    }
    return images;
}

}  // namespace libdose::cuda
