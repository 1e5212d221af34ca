// Fast Fourier transforms of images whose sides are powers of two (Stockham's autosort, radix 2 and 4), a
// pass a launch: every thread does one butterfly of one line, neighbouring threads on neighbouring numbers.
#pragma once

#include <cstddef>

#include "cuda/runtime/index.h"

namespace libdose::cuda {

struct Complex {
    float re, im;
};
LIBDOSE_HD inline Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
LIBDOSE_HD inline Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
LIBDOSE_HD inline Complex operator*(Complex a, Complex b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

struct FourierPass {
    static constexpr Index3 block{
        64, 2, 1};       ///< x, y: butterfly and line along u, line and butterfly along v; z: image
    int size_u, size_v;  ///< pixels of an image
    bool along_v, inverse;
    int radix;             ///< 2 or 4
    int done;              ///< product of the radices of the passes before
    const Complex* roots;  ///< exp(-2 pi i n / length), n < length
    const Complex* from;
    Complex* to;

    LIBDOSE_HD int length() const { return along_v ? size_v : size_u; }
    LIBDOSE_HD Index3 threads(int images) const {
        return along_v ? Index3{size_u, size_v / radix, images} : Index3{size_u / radix, size_v, images};
    }
    LIBDOSE_HD void operator()(const Index3& at) const {
        const int butterfly = along_v ? at.y : at.x, line = along_v ? at.x : at.y, n = length();
        const std::size_t step = along_v ? static_cast<std::size_t>(size_u) : 1;
        const std::size_t begin =
            static_cast<std::size_t>(at.z) * static_cast<std::size_t>(size_u) *
                static_cast<std::size_t>(size_v) +
            static_cast<std::size_t>(line) * (along_v ? 1 : static_cast<std::size_t>(size_u));
        const int within = butterfly % done, apart = n / radix;
        Complex value[4] = {};
        for (int r = 0; r < 4; ++r) {  // of a fixed length, so that the values stay in registers
            if (r >= radix) continue;
            Complex root = roots[within * r * (n / (done * radix))];
            if (inverse) root.im = -root.im;
            value[r] = from[begin + static_cast<std::size_t>(butterfly + r * apart) * step] * root;
        }
        Complex* out = to + begin + static_cast<std::size_t>(butterfly / done * done * radix + within) * step;
        const std::size_t next = static_cast<std::size_t>(done) * step;
        if (radix == 2) {
            out[0] = value[0] + value[1];
            out[next] = value[0] - value[1];
            return;
        }
        const Complex a = value[0] + value[2], b = value[0] - value[2], c = value[1] + value[3],
                      d = value[1] - value[3];
        const Complex turned = inverse ? Complex{-d.im, d.re} : Complex{d.im, -d.re};  // d times i, or -i
        out[0] = a + c;
        out[next] = b + turned;
        out[2 * next] = a - c;
        out[3 * next] = b - turned;
    }
};

/// Every image times one and a factor.
struct MultiplyImages {
    static constexpr Index3 block{64, 2, 1};  ///< x: u, y: v, z: image
    int size_u, size_v;
    float factor;
    const Complex* by;
    Complex* images;

    LIBDOSE_HD void operator()(const Index3& at) const {
        const std::size_t pixel = static_cast<std::size_t>(at.y) * static_cast<std::size_t>(size_u) +
                                  static_cast<std::size_t>(at.x);
        Complex& value = images[static_cast<std::size_t>(at.z) * static_cast<std::size_t>(size_u) *
                                    static_cast<std::size_t>(size_v) +
                                pixel];
        const Complex product = value * by[pixel];
        value = {factor * product.re, factor * product.im};
    }
};

}  // namespace libdose::cuda
