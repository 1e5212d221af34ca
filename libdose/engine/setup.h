// What every calculation on a plan begins with: checks, dose grid, and the header that its results carry.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libdose/engine.h"

namespace libdose {

/// Throws what calculate() does for options, plan, CT, structures and models that do not fit each other.
void check_request(const CtImage& ct, const StructureSet* structures, const Plan& plan, const BeamModelProvider& models, const EngineOptions& options);

/// Rectangle {low u, high u, low v, high v} (mm, isocentre plane) through which a beam irradiates at a
/// moment; nullopt: none.
using FieldOpening = std::function<std::optional<std::array<double, 4>>(const Beam&, const ControlPoint&)>;

/// The patient's box, cut to the neighbourhood of the fields: of what jaws and leaves leave open, and of what
/// `also` says. Notes: by name the beams that miss the patient and those whose leaves are closed. Throws
/// bad_input when all of them do, and for a source inside the patient.
Grid dose_grid(const CtImage& ct, const StructureSet* structures, const Plan& plan,
               const BeamModelProvider& models, const EngineOptions& options, std::vector<std::string>& notes,
               const FieldOpening& also = {});
std::string grid_note(const Grid& grid);

/// A dose without values: references and provenance.
Dose dose_header(const CtImage& ct, const StructureSet* structures, const Plan& plan, const EngineOptions& options);
/// Hash and calibration of a beam model; a note where its dose per MU is assumed.
void name_model(const BeamModel& model, Provenance& provenance, std::vector<std::string>& notes);

}  // namespace libdose
