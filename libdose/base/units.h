// Units. Geometry is in millimetres, the physics of kernels and attenuation in centimetres.
#pragma once

namespace libdose {

inline constexpr double cm_per_mm = 0.1, mm_per_cm = 10.0;

}  // namespace libdose
