#include "analysis/box_gamma.h"

#include <algorithm>
#include <cmath>

namespace libdose {

bool box_gamma_passes(const BoxAverage& integral, const Vec3& low, const Vec3& high, double dose,
                      double tolerance, double distance_mm) {
    if (std::abs(integral.average(low, high) - dose) <= tolerance) return true;
    if (!(distance_mm > 0)) return false;
    // A coarse raster first. The average is a continuous function of the shift: where it is above the dose at
    // one shift and below it at another, it agrees in between. Far from agreement, a quarter of the range to
    // spare, the fine search is spared too.
    constexpr int coarse = 3;
    double low_dose = integral.average(low, high), high_dose = low_dose;
    for (int c = -coarse; c <= coarse; ++c)
        for (int b = -coarse; b <= coarse; ++b)
            for (int a = -coarse; a <= coarse; ++a) {
                const Vec3 shift = Vec3(a, b, c) * (distance_mm / coarse);
                if (a * a + b * b + c * c > coarse * coarse || !integral.contains(low + shift, high + shift))
                    continue;
                const double value = integral.average(low + shift, high + shift);
                low_dose = std::min(low_dose, value);
                high_dose = std::max(high_dose, value);
                if (low_dose <= dose && dose <= high_dose) return true;
            }
    const double spare = 0.25 * (high_dose - low_dose);
    if (dose < low_dose - spare - tolerance || dose > high_dose + spare + tolerance) return false;
    constexpr double step = 0.1;
    const int steps = static_cast<int>(std::lround(distance_mm / step));
    // Moved along x the average changes by the difference of the means over the two faces, over the width:
    // steps on which it cannot come within the tolerance are skipped.
    const Vec3 reach = Vec3::Constant(distance_mm);
    const double per_step =
        1.001 * integral.range(low - reach, high + reach) * step / (high[0] - low[0]) + 1e-300;
    for (int c = -steps; c <= steps; ++c)
        for (int b = -steps; b <= steps; ++b)
            for (int a = -steps; a <= steps; ++a) {
                const double part = (a * a + b * b + c * c) / (static_cast<double>(steps) * steps);
                if (part > 1) continue;
                const Vec3 shift(a * step, b * step, c * step);
                if (!integral.contains(low + shift, high + shift)) continue;
                const double difference = integral.average(low + shift, high + shift) - dose;
                if (difference * difference <= (1 + 1e-12 - part) * tolerance * tolerance) return true;
                const double beyond = (std::abs(difference) - tolerance) / per_step;
                if (beyond > 1) a += static_cast<int>(std::min(beyond, 2.0 * steps)) - 1;
            }
    return false;
}

}  // namespace libdose
