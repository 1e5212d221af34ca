// Whether a field passes through a box in the patient.
#pragma once

#include <array>

#include "libdose/grid.h"
#include "physics/coordinates.h"

namespace libdose {

/// Whether a ray of the field meets the box. `opening_mm`: {low x, high x, low y, high y} of the field on the
/// isocentre plane. The box is in LPS, mm; what lies behind the source does not count.
bool field_meets_box(const physics::BeamFrame& frame, const std::array<double, 4>& opening_mm,
                     const Vec3& lower_mm, const Vec3& upper_mm);

}  // namespace libdose
