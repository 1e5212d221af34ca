// One MU through a rectangular opening of the jaws.
#pragma once

#include "engine/stages.h"
#include "libdose/beam_model.h"

namespace libdose {

/// Fluence of a field centred on the axis, at the isocentre plane, along +z of the patient system with x and y as u and v; the isocentre at `isocentre_mm`.
FluenceMap jaw_field(const HeadModel& head, double side_x_mm, double side_y_mm, const Vec3& isocentre_mm = Vec3::Zero(), double source_axis_mm = 1000,
                     double pixel_mm = 1.0);

}  // namespace libdose
