// From the devices of a beam to fluence maps, on the CPU.
#pragma once

#include <vector>

#include "fluence/fluence_map.h"
#include "fluence/fluence_options.h"
#include "libdose/beam_model.h"
#include "libdose/plan.h"

namespace libdose::cpu {

/// One map per geometry of the beam: all segments that share gantry, collimator, couch and isocentre are
/// summed; a segment in which one of them moves is cut into steps of at most sub_arc_deg, each with its own
/// map at its middle. Values are MU × relative fluence (FluenceMap). Devices move linearly with MU between
/// control points. Throws refused_plan for a wedge that the head does not hold.
std::vector<FluenceMap> beam_fluence(const Beam& beam, PatientPosition position, const HeadModel& head,
                                     const FluenceOptions& options);

}  // namespace libdose::cpu
