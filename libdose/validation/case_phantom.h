// The phantom and the beam of a Monte Carlo reference case, as the engine sees them.
#pragma once

#include "fluence/fluence_map.h"
#include "geometry/rectilinear.h"
#include "libdose/density.h"
#include "libdose/material.h"
#include "libdose/reference_case.h"

namespace libdose {

/// "1: lung (ICRU 44 composition), 0.26 g/cm3" -> name in the material table. Throws bad_input.
std::string case_material_name(const std::string& text, const std::string& where);

struct CaseBeam {
    FluenceMap map;
    bool along_z = true;
};
/// Point source with a sharp rectangular field on the plane 100 cm away; fluence falls as 1/R². Throws
/// bad_input.
CaseBeam case_beam(const ReferenceCase& reference);

Edges case_edges_mm(const ReferenceCase& reference);

/// The phantom averaged over voxels of `grid_mm`.
DensityGrid case_density(const ReferenceCase& reference, const MaterialTable& materials, const Vec3& grid_mm);

}  // namespace libdose
