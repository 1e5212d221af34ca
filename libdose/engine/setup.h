// What every calculation on a plan begins with: checks, and the header that its results carry.
#pragma once

#include <string>
#include <vector>

#include "libdose/engine.h"

namespace libdose {

/// Throws what calculate() does for options, plan, CT, structures and models that do not fit each other.
void check_request(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                   const BeamModelProvider& models, const EngineOptions& options);

/// A dose without values: references and provenance.
Dose dose_header(const CtImage& ct, const StructureSet* structures, const Plan& plan, const Grid& grid,
                 const EngineOptions& options);
/// Hash and calibration of a beam model; a note where its dose per MU is assumed.
void name_model(const BeamModel& model, Provenance& provenance, std::vector<std::string>& notes);

}  // namespace libdose
