// Averages of a fluence map over rectangles.
#pragma once

#include <vector>

#include "fluence/fluence_map.h"
#include "fluence/fluence_views.h"
#include "geometry/rect.h"

namespace libdose {

/// Smallest rectangle that holds every pixel that is not zero; of an empty map all edges are zero.
Rect nonzero_bounds(const FluenceMap& map);

/// Variance that averages of a map lose along u and v, at the isocentre plane, by second differences between
/// points a distance apart.
struct Sharpening {
    double variance_u_mm2 = 0, variance_v_mm2 = 0;
    double distance_u_mm = 1, distance_v_mm = 1;
};

/// Box averages of a map in constant time, sharpened or as they are.
class FluenceIntegral {
public:
    explicit FluenceIntegral(const FluenceMap& map, const Sharpening& sharpening = {});
    /// Average over the rectangle centred on (u, v); parts outside the map count as zero. The variance that
    /// it loses grows with the square of the magnification.
    double average(double u_mm, double v_mm, double width_u_mm, double width_v_mm,
                   double magnification = 1) const {
        return view().average(u_mm, v_mm, width_u_mm, width_v_mm, magnification);
    }
    physics::FluenceIntegralView view() const {
        return {size_u_, size_v_, pixel_mm_, lower_u_mm_, lower_v_mm_, sums_.data()};
    }
    /// Running sums [v][u], one more than pixels along each axis. The raster reaches beyond the map's by what
    /// sharpening needs.
    const std::vector<physics::FluenceSums>& sums() const { return sums_; }
    /// Differences of large sums leave rounding noise where there is no fluence: values below this are none.
    double noise() const { return noise_; }

private:
    int size_u_, size_v_;
    double pixel_mm_, lower_u_mm_, lower_v_mm_;
    std::vector<physics::FluenceSums> sums_;
    double noise_ = 0;
};

}  // namespace libdose
