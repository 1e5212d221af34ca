// Areas of discs within rectangles, in closed form.
#pragma once

#include <algorithm>
#include <cmath>

namespace libdose::physics {

/// Area of the disc of a radius around the origin within [0, x] × [0, y]; odd in x and in y, so that the area
/// within any rectangle is the alternating sum over its corners.
inline double disc_in_rectangle(double radius, double x, double y) {
    const double sign = (x < 0) == (y < 0) ? 1 : -1;
    x = std::min(std::abs(x), radius);
    y = std::min(std::abs(y), radius);
    if (x * x + y * y <= radius * radius) return sign * x * y;
    // Up to u0 the rectangle ends before the circle, from there on the circle before the rectangle.
    const double u0 = std::sqrt(radius * radius - y * y);
    const auto below_arc = [&](double u) {
        return 0.5 * (u * std::sqrt(std::max(0.0, radius * radius - u * u)) +
                      radius * radius * std::asin(u / radius));
    };
    return sign * (y * u0 + below_arc(x) - below_arc(u0));
}

}  // namespace libdose::physics
