// Devices of a beam: which leaves they are, which model serves the beam, and what cannot be calculated.
// docs/theory/leaves.md.
#pragma once

#include <string>
#include <vector>

#include "libdose/admission.h"
#include "libdose/beam_model.h"
#include "libdose/dose.h"
#include "libdose/engine.h"
#include "libdose/leaf_design.h"
#include "libdose/plan.h"
#include "machine/leaf_edges.h"

namespace libdose {

/// The design of a collimator: by its leaf boundaries and device type, then by the manufacturer of the
/// machine. `forced` (a name; may be empty) goes before, wherever its boundaries fit. Null only when there
/// are no designs: the leaves are sharp by the user's wish. Throws refused_plan when none fits or several do,
/// bad_input when `forced` is no design's name.
const LeafDesign* find_design(const Beam& beam, const MultileafCollimator& collimator,
                              const std::vector<LeafDesign>& designs, const std::string& forced = {});

/// Throws bad_input when `forced` is no design's name or fits no collimator of the plan.
void check_forced_leaves(const Plan& plan, const std::vector<LeafDesign>& designs, const std::string& forced);

/// Throws refused_plan for what cannot be calculated in the beam: a collimator without a design or of
/// another design than the model's measured one, a wedge that the model does not hold.
void require_modelled(const Beam& beam, const BeamModel& model, const std::vector<LeafDesign>& designs,
                      const std::string& forced);

/// How the leaves of a design end in the model's beam, with the offset and transmission that the model has of
/// them.
LeafEdges edges_of(const LeafDesign& design, double source_axis_mm, const BeamModel& model);

/// How the leaves of each collimator end and what comes through them; the designs are named in the
/// provenance.
std::vector<LeafEdges> leaf_edges(const Beam& beam, const BeamModel& model,
                                  const std::vector<LeafDesign>& designs, const std::string& forced,
                                  Provenance& provenance, std::vector<std::string>& notes);

/// What the user should know of the beam's wedges: generic ones are of no machine; the planning system's
/// factor beside ours.
void note_wedges(const Beam& beam, const BeamModel& model, std::vector<std::string>& notes);

}  // namespace libdose
