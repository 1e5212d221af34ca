// Beam models for calculations: by name, file or object, as Python gives them.
#pragma once

#include <nanobind/nanobind.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "libdose/engine.h"

namespace libdose::python {

namespace nb = nanobind;

/// The model of each beam. Made with the interpreter's lock, used without.
class Models {
public:
    /// model: None (by the beam's energy, fluence mode and machine), a name, a file, a BeamModel, or several
    /// BeamModels to choose from. calibration_depth: None, "maximum" or "10cm".
    Models(nb::handle model, nb::handle calibration_depth);
    BeamModelProvider provider();

private:
    std::string depth_;
    std::vector<std::string> forced_;  ///< names in the store; empty: all of the data folder
    std::mutex mutex_;
    std::map<std::string, BeamModel> copies_;
};

}  // namespace libdose::python
