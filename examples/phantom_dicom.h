// Writes the phantom as DICOM: CT slices, structure set, plans. UIDs and dates are fixed, so that every run
// gives the same files.
#pragma once

#include <filesystem>

#include "libdose/grid.h"
#include "phantom_plans.h"

namespace phantom {

void write_ct(const libdose::Grid& grid, const std::filesystem::path& folder);
void write_structures(const libdose::Grid& grid, const std::filesystem::path& folder);
void write_plan(const PlanDescription& plan, int number, const std::filesystem::path& folder);

}  // namespace phantom
