// Amounts of memory as messages state them.
#pragma once

#include <cmath>
#include <cstddef>
#include <string>

#include "base/text.h"

namespace libdose::cuda {

inline std::string in_mebibytes(std::size_t bytes) {
    return short_number(std::ceil(static_cast<double>(bytes) / (1024.0 * 1024))) + " MiB";
}

}  // namespace libdose::cuda
