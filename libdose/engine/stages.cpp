#include "engine/stages.h"

#include <cmath>

#include "physics/head.h"

namespace libdose {

physics::BasisPath BeamFilter::path(double u_mm, double v_mm) const {
    physics::BasisPath sum{tray_water_g_cm2, 0};
    if (!softening_radius_mm.empty()) sum.water -= physics::table_value(softening_radius_mm, softening_g_cm2, std::hypot(u_mm, v_mm));
    if (!wedge_mm.empty()) {
        const double along = -wedge_sin * u_mm + wedge_cos * v_mm;  // the wedge's y axis, turned by its orientation
        sum.water += physics::table_value(wedge_mm, wedge_water_g_cm2, along);
        sum.high_z += physics::table_value(wedge_mm, wedge_high_z_g_cm2, along);
    }
    return sum;
}

double CoarseMap::at(double u_mm, double v_mm) const {
    const double x = (u_mm - lower_u_mm) / pixel_mm - 0.5, y = (v_mm - lower_v_mm) / pixel_mm - 0.5;
    const int i = static_cast<int>(std::floor(x)), j = static_cast<int>(std::floor(y));
    const double fx = x - i, fy = y - j;
    const auto value = [&](int a, int b) {
        return a < 0 || b < 0 || a >= size_u || b >= size_v
                   ? 0.0
                   : static_cast<double>(values[static_cast<std::size_t>(b) * static_cast<std::size_t>(size_u) + static_cast<std::size_t>(a)]);
    };
    return (1 - fy) * ((1 - fx) * value(i, j) + fx * value(i + 1, j)) + fy * ((1 - fx) * value(i, j + 1) + fx * value(i + 1, j + 1));
}

}  // namespace libdose
