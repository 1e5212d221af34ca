// Which part of the patient a field passes through.
#pragma once

#include <array>
#include <optional>

#include "geometry/coordinates.h"
#include "patient/density.h"

namespace libdose {

/// Bounding box of what a box and the pyramid from the source through a rectangle {low u, high u, low v, high
/// v} (mm, isocentre plane, beam-limiting-device frame) have in common, exact but for rounding; nullopt where
/// they have nothing in common. mm, LPS.
std::optional<PatientBox> box_in_field(const physics::BeamFrame& frame,
                                       const std::array<double, 4>& opening_mm, const PatientBox& box);

/// The point lies in the box or on its faces. mm, LPS.
bool contains(const PatientBox& box, const Vec3& point_mm);

}  // namespace libdose
