// One MU through a rectangular opening of the jaws, and what else is put into it.
#pragma once

#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "libdose/beam_model.h"
#include "libdose/plan.h"

namespace libdose {

/// One MU through jaws that are centred on the axis: two control points, nothing else in the beam.
Beam jaw_beam(double side_x_mm, double side_y_mm, double source_axis_mm = 1000);

/// Fluence of a beam of one geometry, along +z of the patient system with x and y as u and v; the isocentre
/// at `isocentre_mm`.
FluenceMap field_along_axis(const Beam& beam, const HeadModel& head, const FluenceOptions& options,
                            const Vec3& isocentre_mm = Vec3::Zero());

/// Both: the field of an opening of the jaws.
FluenceMap jaw_field(const HeadModel& head, double side_x_mm, double side_y_mm,
                     const Vec3& isocentre_mm = Vec3::Zero(), double source_axis_mm = 1000,
                     double pixel_mm = 1.0);

}  // namespace libdose
