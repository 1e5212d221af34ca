// Admission of a plan: what can be said of its beams before anything is calculated. What becomes of every
// attribute of a DICOM plan: io::gate_plan(). docs/reference/plan.md.
#pragma once

#include <string>
#include <vector>

#include "libdose/beam_model.h"
#include "libdose/engine.h"
#include "libdose/leaf_design.h"
#include "libdose/plan.h"

namespace libdose {

/// The same nominal energy and fluence mode, and generic or of the beam's machine.
bool model_fits(const BeamModel& model, const Beam& beam);

/// Null for an empty name; throws bad_input, listing what there is, for one that no design has.
const LeafDesign* design_by_name(const std::vector<LeafDesign>& designs, const std::string& name);

/// The designs that the leaves of a plan are looked for in, those of the data folder when the caller gives
/// none; none for sharp ends and for a plan without leaves. Throws bad_input when a design is named and sharp
/// ends are asked for, too.
std::vector<LeafDesign> leaf_designs_for(const Plan& plan, const EngineOptions& options);

/// One entry for each beam of a plan: honoured, with the name of its beam model, or refused, with the reason:
/// no model for it, leaves that no design fits, a wedge that the model does not hold. `options`: leaf ends
/// and designs count. Throws bad_input for a name of leaves that no design has.
std::vector<GateEntry> admit_beams(const Plan& plan, const BeamModelProvider& models,
                                   const EngineOptions& options);

}  // namespace libdose
