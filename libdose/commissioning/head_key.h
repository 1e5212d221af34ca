// What tells one head from another.
#pragma once

#include <string>
#include <vector>

#include "libdose/beam_model.h"

namespace libdose::commission {

/// Every number and every text of a head.
struct HeadKey {
    std::vector<double> numbers;
    std::vector<std::string> texts;
    bool operator==(const HeadKey&) const = default;
};

/// Heads that differ in any member have different keys.
HeadKey key_of(const HeadModel& head);

}  // namespace libdose::commission
