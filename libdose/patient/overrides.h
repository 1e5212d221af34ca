// Which structures set the density of the voxels in them, and to what.
#pragma once

#include <string>
#include <vector>

#include "libdose/density.h"
#include "libdose/material.h"
#include "libdose/plan.h"
#include "libdose/structure.h"

namespace libdose {

/// Density of one structure; a later one replaces an earlier one where both are.
struct Override {
    const Structure* structure;
    double density_g_cm3;
    const MaterialProperties* material;  ///< null: composition by density
    std::string origin;
};

/// The structures of the boluses. Throws bad_input, saying `where`, for one that is not there, is not of type
/// BOLUS or has no contours.
std::vector<const Structure*> bolus_structures(const StructureSet* structures,
                                               const std::vector<BeamBolus>& boluses,
                                               const std::string& where);

/// Overrides of the structure set in its order, then the requests. A structure of type BOLUS counts only
/// where it is one of `worn`, and is water where nothing says its density. Throws bad_input for a request of
/// an unknown structure and for a density that is not between 0 and 25 g/cm3.
std::vector<Override> all_overrides(const StructureSet* structures,
                                    const std::vector<DensityOverride>& requested,
                                    const MaterialTable& materials,
                                    const std::vector<const Structure*>& worn);

}  // namespace libdose
