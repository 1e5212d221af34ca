// The parts of the extension module.
#pragma once

#include <nanobind/nanobind.h>

#include <string>

#include "libdose/grid.h"

namespace libdose::python {

namespace nb = nanobind;

void bind_volumes(nb::module_& m);
void bind_model(nb::module_& m);
void bind_dicom(nb::module_& m);
void bind_engine(nb::module_& m);
void bind_prepared(nb::module_& m);
void bind_influence(nb::module_& m);
void bind_analysis(nb::module_& m);
void bind_check(nb::module_& m);

std::string text_of(const Grid& grid);

}  // namespace libdose::python
