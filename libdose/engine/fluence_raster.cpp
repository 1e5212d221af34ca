// Fluence of the caller: what is checked of it.
#include <cmath>

#include "base/text.h"
#include "geometry/coordinates.h"
#include "libdose/error.h"
#include "libdose/prepared_patient.h"

namespace libdose {

namespace {

void require_axes(const FluenceRaster& raster, const std::string& where) {
    constexpr double rounding = 1e-6;
    const bool orthonormal =
        (raster.axes.transpose() * raster.axes - Eigen::Matrix3d::Identity()).cwiseAbs().maxCoeff() <
        rounding;
    if (!orthonormal || !(raster.axes.determinant() > 0))
        throw bad_input("the axes of the fluence are not three unit vectors at right angles, right-handed",
                        where, "Take them from beam_axes()");
}

void require_size(const FluenceRaster& raster, const std::string& where) {
    constexpr int most_pixels = 8192;
    if (raster.size_u < 1 || raster.size_v < 1 || raster.size_u > most_pixels || raster.size_v > most_pixels)
        throw bad_input("a fluence of " + std::to_string(raster.size_u) + " x " +
                            std::to_string(raster.size_v) + " pixels is not between 1 and " +
                            std::to_string(most_pixels) + " on a side",
                        where);
    const auto pixels = static_cast<std::size_t>(raster.size_u) * static_cast<std::size_t>(raster.size_v);
    if (raster.values.size() != pixels)
        throw bad_input(std::to_string(raster.values.size()) + " values are given for " +
                            std::to_string(raster.size_u) + " x " + std::to_string(raster.size_v) + " pixels",
                        where);
    if (!(raster.pixel_mm >= 0.1 && raster.pixel_mm <= 20))
        throw bad_input(
            "pixels of " + short_number(raster.pixel_mm) + " mm are not between 0.1 and 20 mm wide", where);
}

}  // namespace

void FluenceRaster::check(const std::string& where) const {
    require_size(*this, where);
    require_axes(*this, where);
    if (!isocentre_mm.allFinite() || !std::isfinite(lower_u_mm) || !std::isfinite(lower_v_mm))
        throw bad_input("a position of the fluence is not finite", where);
    if (!(source_axis_distance_mm >= 100 && source_axis_distance_mm <= 10000))
        throw bad_input("the source-axis distance " + short_number(source_axis_distance_mm) +
                            " mm is not between 100 and 10000",
                        where);
    for (std::size_t n = 0; n < values.size(); ++n)
        if (!(std::isfinite(values[n]) && values[n] >= 0))
            throw bad_input("the fluence of pixel " + std::to_string(n) + " is negative or not finite", where,
                            "Fluence times MU is a number of at least 0");
}

Eigen::Matrix3d beam_axes(PatientPosition position, double gantry_deg, double collimator_deg,
                          double couch_deg) {
    return physics::beam_frame(position, gantry_deg, collimator_deg, couch_deg, Vec3::Zero(), 1000).axes;
}

}  // namespace libdose
