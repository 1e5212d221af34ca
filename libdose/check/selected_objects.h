// Which of the files are the plan, its structure set and its CT, as far as they are there.
#pragma once

#include "libdose/check/input.h"

namespace libdose::check {

/// Fills plan_file, structures_file, ct_files and the facts of them. What is missing or not clear is a row,
/// and what else can be chosen by references is still chosen.
void select_objects(CheckInput& input, const Selection& selection);

}  // namespace libdose::check
