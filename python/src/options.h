// Settings of a calculation from Python's keywords.
#pragma once

#include <nanobind/nanobind.h>

#include "libdose/engine.h"

namespace libdose::python {

/// `settings`: every field of libdose.Engine. Reads leaf designs and the HU curve.
EngineOptions options_of(const nanobind::dict& settings);

}  // namespace libdose::python
