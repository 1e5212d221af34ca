// The open field in air from profiles in water, where no primary fluence was measured.
#pragma once

#include <functional>

#include "commissioning/fit_model.h"
#include "commissioning/predict.h"

namespace libdose::commission {

/// Multiplies the radial profile by measured over calculated of the widest profile at its least depth, a few
/// times over.
void fit_open_field(ModelMaker& maker, const MeasurementSet& set, FieldCache& cache,
                    const std::function<void(double)>& progress);

}  // namespace libdose::commission
