// The parts that read_plan() is made of.
#pragma once

#include <string>
#include <vector>

#include "io/dicom_item.h"
#include "libdose/plan.h"

namespace libdose::io {

/// Throws refused_plan for the first thing in the plan, its fraction group, a beam or its control points that the
/// engine does not model. What passes but is worth knowing is added to `notes`.
void refuse_unmodelled_plan(const DicomItem& plan);
void refuse_unmodelled_fraction_group(const DicomItem& group);
void refuse_unmodelled_beam(const DicomItem& beam, std::vector<std::string>& notes);

/// Number, name, machine, energy, fluence mode, distances, collimators and control points. The item's place names
/// the beam. MU and dose point are the caller's, from the fraction group.
Beam read_beam(const DicomItem& item, std::vector<std::string>& notes);

}  // namespace libdose::io
