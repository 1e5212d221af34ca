// Wedges of a plan found in the beam model: what the engine knows about them, or why the plan is refused.
#pragma once

#include "libdose/beam_model.h"
#include "libdose/plan.h"

namespace libdose {

/// The model of a physical or motorised wedge: same kind, nominal angle within 0.1 degrees, and the same id
/// where the model's has one; one with the id goes before one for any. Throws refused_plan listing what the
/// model has.
const WedgeModel& wedge_model_for(const Wedge& wedge, const HeadModel& head);

enum class DynamicWedgeKind {
    enhanced,      ///< Varian: the jaw follows a segmented treatment table
    virtual_wedge  ///< Siemens: the jaw moves while the dose rate follows an exponential
};

/// By the id (EDW…, VW…), else by the machine's manufacturer. Throws refused_plan when neither tells.
DynamicWedgeKind dynamic_wedge_kind(const Beam& beam, const Wedge& wedge);

/// Throws refused_plan when the model cannot calculate the wedge, of any kind.
void require_wedge(const Beam& beam, const Wedge& wedge, const BeamModel& model);

}  // namespace libdose
