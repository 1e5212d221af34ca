// Provenance of a result: the inputs of its calculation, written into it. Part of libdose::io.
#pragma once

#include "libdose/ct_image.h"
#include "libdose/dose.h"
#include "libdose/engine.h"
#include "libdose/plan.h"
#include "libdose/structure.h"

namespace libdose::io {

/// Completes the provenance of a dose: the hash of the HU table and the UIDs of plan, CT series and structure
/// set (may be null).
void add_inputs(Provenance& provenance, const HuCurve& hu_curve, const CtImage& ct,
                const StructureSet* structures, const Plan& plan);

}  // namespace libdose::io
