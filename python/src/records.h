// Plain records of the library (plans, structures) as the dataclasses of libdose/records.py, field by field,
// and back.
#pragma once

#include <nanobind/nanobind.h>

#include <string>
#include <vector>

#include "libdose/plan.h"
#include "libdose/structure.h"

namespace libdose::python {

namespace nb = nanobind;

nb::object to_python(const Plan& plan);
nb::object to_python(const StructureSet& structures);
nb::object to_python(const std::vector<GateEntry>& entries);
/// Throws TypeError naming the field for a value of another kind, bad_input for a word that is not known.
Plan plan_of(nb::handle plan);
StructureSet structures_of(nb::handle structures);
Structure structure_of(nb::handle structure);

}  // namespace libdose::python
