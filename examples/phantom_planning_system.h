// Stands for a planning system: the phantom's plan with a prescription, beam doses and its RTDOSE.
#pragma once

#include <filesystem>

#include "phantom_plans.h"

namespace phantom {

/// Calculates a plan of a folder that holds the phantom, with the finest settings and on a grid of 3 mm, and
/// writes its dose, RD_<label>.dcm. Writes the plan again, approved, with the dose of each beam at the
/// isocentre and the median dose of the target as its prescription. `number`: as for write_plan().
void write_planned_dose(PlanDescription plan, int number, const std::filesystem::path& folder);

}  // namespace phantom
