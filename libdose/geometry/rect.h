// A rectangle of the isocentre plane.
#pragma once

#include <algorithm>

namespace libdose {

/// Edges along the axes u and v of the beam-limiting device, mm on the isocentre plane.
struct Rect {
    double low_u_mm = 0, high_u_mm = 0, low_v_mm = 0, high_v_mm = 0;

    /// Has no point: around() of it and another is the other.
    static constexpr Rect nothing() { return {1e30, -1e30, 1e30, -1e30}; }
    static constexpr Rect point(double u_mm, double v_mm) { return {u_mm, u_mm, v_mm, v_mm}; }
    static constexpr Rect square(double u_mm, double v_mm, double half_side_mm) {
        return point(u_mm, v_mm).grown(half_side_mm);
    }

    constexpr double width_u_mm() const { return high_u_mm - low_u_mm; }
    constexpr double width_v_mm() const { return high_v_mm - low_v_mm; }
    constexpr bool has_area() const { return high_u_mm > low_u_mm && high_v_mm > low_v_mm; }
    /// Corner 0 … 3: bit 0 chooses the high edge along u, bit 1 that along v.
    constexpr double corner_u_mm(int corner) const { return corner & 1 ? high_u_mm : low_u_mm; }
    constexpr double corner_v_mm(int corner) const { return corner & 2 ? high_v_mm : low_v_mm; }

    /// Moves every edge outwards.
    constexpr Rect grown(double margin_mm) const {
        return {low_u_mm - margin_mm, high_u_mm + margin_mm, low_v_mm - margin_mm, high_v_mm + margin_mm};
    }
    /// The part that lies in both.
    constexpr Rect common(const Rect& other) const {
        return {std::max(low_u_mm, other.low_u_mm), std::min(high_u_mm, other.high_u_mm),
                std::max(low_v_mm, other.low_v_mm), std::min(high_v_mm, other.high_v_mm)};
    }
    /// The smallest rectangle that holds both.
    constexpr Rect around(const Rect& other) const {
        return {std::min(low_u_mm, other.low_u_mm), std::max(high_u_mm, other.high_u_mm),
                std::min(low_v_mm, other.low_v_mm), std::max(high_v_mm, other.high_v_mm)};
    }
    bool operator==(const Rect&) const = default;
};

}  // namespace libdose
