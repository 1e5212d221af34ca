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
void check_request(const CtImage& ct, const StructureSet* structures, const Plan& plan,
                   const BeamModelProvider& models, const EngineOptions& options);

/// Rectangle {low u, high u, low v, high v} (mm, isocentre plane) through which a beam irradiates at a
/// moment; nullopt: none.
using FieldOpening = std::function<std::optional<std::array<double, 4>>(const Beam&, const ControlPoint&)>;

/// The patient's box, cut to the neighbourhood of the fields: of what jaws and leaves leave open, and of what
/// `also` says. Of a given grid (EngineOptions::grid): its voxels, continued over that box. Notes: by name
/// the beams that miss the patient and those whose leaves are closed. Throws bad_input when all of them do,
/// and for a source inside the patient.
Grid dose_grid(const CtImage& ct, const StructureSet* structures, const Plan& plan,
               const BeamModelProvider& models, const EngineOptions& options, std::vector<std::string>& notes,
               const FieldOpening& also = {});
/// The part of a dose on dose_grid() that the given grid asks for, 0 where there is no patient; without a
/// given grid the dose stays as it is.
void put_on_given_grid(const EngineOptions& options, Volume<float>& gy);
std::string grid_note(const Grid& grid);
std::string grid_note(const Grid& grid, const EngineOptions& options);  ///< of dose_grid()

/// A dose without values: references and provenance.
Dose dose_header(const CtImage& ct, const StructureSet* structures, const Plan& plan, const Grid& grid,
                 const EngineOptions& options);
/// Hash and calibration of a beam model; a note where its dose per MU is assumed.
void name_model(const BeamModel& model, Provenance& provenance, std::vector<std::string>& notes);

}  // namespace libdose
