// Fluence of open squares instead of a beam's devices: what optimisers weigh.
#pragma once

#include <vector>

#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "fluence/open_square.h"
#include "libdose/beam_model.h"
#include "libdose/plan.h"
namespace libdose::cpu {

/// Map of squares that may lie anywhere, with the geometry, wedges and monitor of a control point; nothing
/// comes through beside them. Focal spot, profile, extrafocal source and electrons are the head's, so that
/// the map of several squares is the sum of their maps.
FluenceMap square_fluence(const Beam& beam, const ControlPoint& point, PatientPosition position,
                          const HeadModel& head, const FluenceOptions& options,
                          const std::vector<OpenSquare>& squares, double side_mm);

}  // namespace libdose::cpu
