// Whether the structures that a calculation stands on are whole: the body, supports and boluses.
#pragma once

#include <string>
#include <vector>

#include "geometry/coordinates.h"
#include "geometry/rect.h"
#include "libdose/engine.h"

namespace libdose {

/// A part of a structure beyond one side of the CT; corners in mm, LPS.
struct PartBeyond {
    Vec3 lower_mm, upper_mm;
    int axis;
    double outwards;  ///< sign of the side's outer normal
};

/// A structure that goes beyond the CT.
struct StructureBeyondCt {
    std::string name;       ///< with what it is to the patient: the body "BODY"
    std::string structure;  ///< name in the structure set
    double volume_cm3 = 0;
    std::vector<PartBeyond> parts;
};

struct StructureReport {
    std::vector<std::string> notes;
    std::vector<StructureBeyondCt> beyond_ct;
};

/// Body, supports and boluses of a plan. Throws bad_input, naming the structure: one that encloses nothing,
/// or loses more than a hundredth of what its outlines enclose; a body with missing planes, unless
/// options.accept_gaps. Notes: parts beyond the CT, overlapping contours, and whatever else contour_notes()
/// says of these structures and of those with a density of their own, unless the structure set says it
/// already.
StructureReport examine_patient_structures(const CtImage& ct, const StructureSet* structures,
                                           const Plan& plan, const EngineOptions& options);

/// Throws bad_input for a field, a rectangle of the isocentre plane, that
/// enters the patient through a part beyond the CT. `passing` and `where`: of the message, "the beam passes
/// there".
void require_no_field_through(const std::vector<StructureBeyondCt>& structures,
                              const physics::BeamFrame& frame, const Rect& opening,
                              const std::string& passing, const std::string& where);
/// The same for every moment of a beam.
void require_no_beam_through(const std::vector<StructureBeyondCt>& structures, const Beam& beam,
                             PatientPosition position, double field_radius_mm, const EngineOptions& options);

/// Both, for all beams of a plan. Returns the notes.
std::vector<std::string> check_patient_structures(const CtImage& ct, const StructureSet* structures,
                                                  const Plan& plan, const BeamModelProvider& models,
                                                  const EngineOptions& options);

}  // namespace libdose
