// What a commissioned model says of itself: where its numbers come from, and what was not measured.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "commissioning/fit_model.h"
#include "libdose/beam_model.h"
#include "libdose/measurement.h"

namespace libdose::commission {

std::string description_of(const MeasurementSet& set);

/// Quantity of the model -> where its numbers come from: fitted, measured, or of the generic model.
/// `leaves_fitted`: the offset of the leaves' ends was.
std::map<std::string, std::string> sources_of(const BeamModel& model, const MeasurementSet& set,
                                              const BeamModel& generic, const std::vector<Quantity>& fitted,
                                              bool leaves_fitted);

/// A note of each quantity whose source says that the measurements do not tell it.
std::vector<std::string> notes_of_unmeasured(const std::map<std::string, std::string>& sources);

/// What the centre says of the commissioning, with the measured files, the engine and the starting model.
std::map<std::string, std::string> lineage_of(const MeasurementSet& set, const BeamModel& generic,
                                              std::map<std::string, std::string> of_centre);

}  // namespace libdose::commission
