// Whether the structures that a calculation stands on are whole: the body, supports and boluses.
#pragma once

#include <string>
#include <vector>

#include "libdose/engine.h"

namespace libdose {

/// Throws bad_input, naming the structure: a body, support or bolus that encloses nothing, or loses more than
/// a hundredth of what its outlines enclose; a body with missing planes, unless options.accept_gaps; a beam
/// that enters through a part beyond the CT. Returns what the user should know: parts beyond the CT,
/// overlapping contours, and whatever else contour_notes() says of these structures and of those with a
/// density of their own, unless the structure set says it already.
std::vector<std::string> check_patient_structures(const CtImage& ct, const StructureSet* structures,
                                                  const Plan& plan, const BeamModelProvider& models,
                                                  const EngineOptions& options);

}  // namespace libdose
