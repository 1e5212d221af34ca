// One step of the collapsed-cone recursion (Ahnesjö 1989, Med. Phys. 16:577; here with exact volume sources).
//
// Along a line, in a step of optical length x = a·η·Δ for the rate a: the energy E that arrives and the
// energy q that is released evenly in the step leave
//     deposit = E (1 - e) + q (1 - g),    E_out = E e + q g,    e = exp(-x),   g = (1 - e)/x,
// so that deposit + E_out = E + q. With h = (1 - g)/x: 1 - e = x g and 1 - g = x h, hence
//     deposit = x (E g + q h): finite per unit of η where η goes to zero.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "base/host_device.h"

namespace libdose::physics {

/// exp(-x) for x >= 0 in single precision, relative error below (3 + 1.2 x) 1e-7; zero beyond 87.
/// Branch-free, so loops vectorise.
LIBDOSE_HD inline float exp_minus(float x) {
    const float y = (x > 87.0f ? 87.0f : x) * -1.44269504f;
    const float n = (y + 12582912.0f) - 12582912.0f;  // nearest integer
    const float f = (y - n) * 0.693147182f;           // |f| <= ln2 / 2
    float p = 1.0f / 720.0f;
    p = p * f + 1.0f / 120.0f;
    p = p * f + 1.0f / 24.0f;
    p = p * f + 1.0f / 6.0f;
    p = p * f + 0.5f;
    p = p * f + 1.0f;
    p = p * f + 1.0f;
    const auto bits = static_cast<std::uint32_t>((static_cast<std::int32_t>(n) + 127) << 23);
    return p * std::bit_cast<float>(bits);
}
LIBDOSE_HD inline double exp_minus(double x) { return std::exp(-x); }

template <class Real>
struct StepFactors {
    Real e, g, h;
};

/// From h: 1 - x h = g, 1 - x g = e.
template <class Real>
LIBDOSE_HD inline StepFactors<Real> step_factors_of(Real x, Real h) {
    const Real g = fused(-x, h, Real(1));
    return {fused(-x, g, Real(1)), g, h};
}

/// h = 1/2! - x/3! + x²/4! - …; the next term is below 2e-7 at the limit: no cancellation.
template <class Real>
inline constexpr Real series_limit = Real(0.25);
template <class Real>
LIBDOSE_HD inline StepFactors<Real> step_factors_series(Real x) {
    return step_factors_of(
        x, Real(0.5) +
               x * (Real(-1.0 / 6) + x * (Real(1.0 / 24) + x * (Real(-1.0 / 120) + x * Real(1.0 / 720)))));
}

template <class Real>
LIBDOSE_HD inline StepFactors<Real> step_factors(Real x) {
    const StepFactors<Real> series = step_factors_series(x);
    const bool small = x <= series_limit<Real>;
    const Real safe = small ? Real(1) : x;
    const Real inverse = Real(1) / safe, e = exp_minus(safe), g = (Real(1) - e) * inverse,
               h = (Real(1) - g) * inverse;
    return {small ? series.e : e, small ? series.g : g, small ? series.h : h};
}

/// Polynomials in single precision for lines that stay below an optical length, without exponential or
/// division: for h that whose largest error from 0 to the limit is least (Remez), coefficients from the
/// constant on. Energy is conserved whatever h is; e and g are within 3e-6, 5e-7 up to 1.
template <std::size_t count>
struct StepPolynomial {
    float limit;
    float h[count];

    StepFactors<float> factors(float x) const {
        float sum = h[count - 1];
        for (std::size_t n = count - 1; n-- > 0;) sum = fused(sum, x, h[n]);
        return step_factors_of(x, sum);
    }
};
inline constexpr StepPolynomial<2> thin_step{1.0f / 32, {0.499994961f, -0.165372679f}};
inline constexpr StepPolynomial<4> short_step{0.25f,
                                              {0.499999961f, -0.166661657f, 0.0415653889f, -0.00767318195f}};
inline constexpr StepPolynomial<5> middle_step{
    1.0f, {0.499999731f, -0.166652881f, 0.0415532177f, -0.00800267637f, 0.000982318613f}};
inline constexpr StepPolynomial<8> long_step{
    4.0f,
    {0.499999881f, -0.16666267f, 0.0416446288f, -0.00828667057f, 0.0013395864f, -0.000169246809f,
     1.46319953e-05f, -6.2437597e-07f}};

}  // namespace libdose::physics
