// Request of a calculation, taken over from Python so that it can run without the interpreter.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>
#include <optional>

#include "libdose/engine.h"
#include "model.h"
#include "volumes.h"

namespace libdose::python {

struct Request {
    Plan plan;
    const CtImage& ct;  ///< of a Python object that the caller holds
    std::optional<StructureSet> structures;
    MaterialTable materials;
    EngineOptions options;
    Models models;

    Request(nanobind::handle plan, const CtImage& ct, nanobind::handle structures,
            const nanobind::dict& settings);
    const StructureSet* structure_set() const { return structures ? &*structures : nullptr; }
};

std::shared_ptr<PythonDose> dose_of(CalculationResult&& result, const Request& request);

}  // namespace libdose::python
