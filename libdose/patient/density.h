// From a CT and structures to the density on the dose grid.
#pragma once

#include <vector>

#include "libdose/density.h"
#include "libdose/material.h"
#include "libdose/plan.h"

namespace libdose {

/// Everything that belongs to the patient, as one box (mm, LPS): the body with supports and the boluses if
/// there is one, else the whole CT.
struct PatientBox {
    Vec3 lower_mm, upper_mm;
};
PatientBox patient_box(const CtImage& ct, const StructureSet* structures,
                       const std::vector<BeamBolus>& boluses = {});

/// Density of a uniform phantom of one material: for calibration and tests.
DensityGrid uniform_density(const Grid& grid, const MaterialProperties& material);

/// Mass density from HU, overrides from structures and from the caller, nothing outside body, supports and
/// the boluses that are on the patient, averaged over the voxels of `grid` so that mass is kept; then
/// attenuation and electrons by density. Other structures of type BOLUS are left out together with their
/// overrides. Throws bad_input for an override of an unknown structure, a density that is not positive and a
/// bolus that is no structure of type BOLUS. What was done is in the result's notes.
DensityGrid density_on_grid(const CtImage& ct, const StructureSet* structures, const HuCurve& curve,
                            const MaterialTable& materials, const std::vector<DensityOverride>& overrides,
                            const Grid& grid, const std::vector<BeamBolus>& boluses = {});

}  // namespace libdose
