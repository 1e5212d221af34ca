// Images and doses as Python sees them: the library's objects with numpy views of their voxels.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libdose/ct_image.h"
#include "libdose/density.h"
#include "libdose/dose.h"

namespace libdose::python {

/// A dose and how it came about.
struct PythonDose {
    Dose dose;
    std::vector<std::string> notes;
    std::map<std::string, double> seconds;
    std::vector<std::shared_ptr<PythonDose>> beams;
};

}  // namespace libdose::python
