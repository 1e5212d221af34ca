// The parts that read_plan() is made of.
#pragma once

#include <string>
#include <vector>

#include "io/dicom_item.h"
#include "libdose/plan.h"

namespace libdose::io {

/// Number, name, machine, energy, fluence mode, distances, collimators and control points. The item's place names
/// the beam. MU and dose point are the caller's, from the fraction group.
Beam read_beam(const DicomItem& item, std::vector<std::string>& notes);

}  // namespace libdose::io
