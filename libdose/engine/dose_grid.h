// The dose grid of a calculation: the patient's box, cut to the neighbourhood of the fields.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "fluence/fluence_map.h"
#include "geometry/rect.h"
#include "libdose/engine.h"
#include "patient/density.h"

namespace libdose {

/// Rectangle of the isocentre plane through which a beam irradiates at a moment; nullopt: none.
using FieldOpening = std::function<std::optional<Rect>(const Beam&, const ControlPoint&)>;

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
/// "2.5", or "2.5 x 2.5 x 3" where the spacings differ.
std::string spacing_text(const Grid& grid);

/// What a beam's field passes of the patient, mm, LPS; nullopt where it misses it. A note says where its
/// leaves are closed. Throws bad_input for a source inside the patient.
std::optional<PatientBox> box_of_beam(const PatientBox& patient, const Beam& beam, PatientPosition position,
                                      double field_radius_mm, const EngineOptions& options,
                                      std::vector<std::string>& notes);

/// Rectangle of the isocentre plane around the pixels of a map that get at least a tenth of its largest
/// value: the field without what comes through jaws and leaves.
Rect field_of_map_mm(const FluenceMap& map);
/// What the field of a map passes of the patient. Throws bad_input, with `where`, for a source inside it.
std::optional<PatientBox> box_of_map(const PatientBox& patient, const FluenceMap& map,
                                     const std::string& where);

}  // namespace libdose
