// One step of the collapsed-cone recursion (Ahnesjö 1989, Med. Phys. 16:577; here with exact volume sources).
//
// Along a line, in a step of optical length x = a·η·Δ for the rate a: the energy E that arrives and the energy q that is
// released evenly in the step leave
//     deposit = E (1 - e) + q (1 - g),    E_out = E e + q g,    e = exp(-x),   g = (1 - e)/x,
// so that deposit + E_out = E + q. With h = (1 - g)/x: 1 - e = x g and 1 - g = x h, hence
//     deposit = x (E g + q h): finite per unit of η where η goes to zero.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "physics/host_device.h"

namespace libdose::physics {

/// exp(-x) for x >= 0 in single precision, relative error below (3 + 1.2 x) 1e-7; zero beyond 87. Branch-free, so loops vectorise.
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

/// Up to this optical length four terms of the series of h are enough, up to the second one seven: no cancellation, and no exponential.
template <class Real>
inline constexpr Real short_series_limit = Real(0.25);
template <class Real>
inline constexpr Real long_series_limit = Real(1);

/// From h: 1 - x h = g, 1 - x g = e.
template <class Real>
LIBDOSE_HD inline StepFactors<Real> step_factors_of(Real x, Real h) {
    const Real g = Real(1) - x * h;
    return {Real(1) - x * g, g, h};
}

/// h = 1/2! - x/3! + x²/4! - …; the next term is below 2e-7 at the limit.
template <class Real>
LIBDOSE_HD inline StepFactors<Real> step_factors_short_series(Real x) {
    return step_factors_of(x, Real(0.5) + x * (Real(-1.0 / 6) + x * (Real(1.0 / 24) + x * (Real(-1.0 / 120) + x * Real(1.0 / 720)))));
}

/// The same with terms up to x⁷/9!; the next is below 3e-7 at the limit.
template <class Real>
LIBDOSE_HD inline StepFactors<Real> step_factors_long_series(Real x) {
    const Real tail = Real(1.0 / 720) + x * (Real(-1.0 / 5040) + x * (Real(1.0 / 40320) + x * Real(-1.0 / 362880)));
    return step_factors_of(x, Real(0.5) + x * (Real(-1.0 / 6) + x * (Real(1.0 / 24) + x * (Real(-1.0 / 120) + x * tail))));
}

template <class Real>
LIBDOSE_HD inline StepFactors<Real> step_factors(Real x) {
    const StepFactors<Real> series = step_factors_short_series(x);
    const bool small = x <= short_series_limit<Real>;
    const Real safe = small ? Real(1) : x;
    const Real inverse = Real(1) / safe, e = exp_minus(safe), g = (Real(1) - e) * inverse, h = (Real(1) - g) * inverse;
    return {small ? series.e : e, small ? series.g : g, small ? series.h : h};
}

}  // namespace libdose::physics
