// Which part of the patient a field passes through.
#pragma once

#include <optional>

#include "geometry/coordinates.h"
#include "geometry/rect.h"
#include "patient/density.h"

namespace libdose {

/// Bounding box of what a box and the pyramid from the source through a rectangle of the isocentre plane have
/// in common, exact but for rounding; nullopt where
/// they have nothing in common. mm, LPS.
std::optional<PatientBox> box_in_field(const physics::BeamFrame& frame, const Rect& opening,
                                       const PatientBox& box);

/// The point lies in the box or on its faces. mm, LPS.
bool contains(const PatientBox& box, const Vec3& point_mm);

}  // namespace libdose
