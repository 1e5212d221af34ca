// CT, doses, difference and gamma on one grid in few bits, for the planes of a report's page.
#pragma once

#include <nlohmann/json.hpp>

#include "libdose/check/check.h"

namespace libdose::check {

/// The part "volumes" of docs/reference/check-json.md; null without a CT and a dose.
nlohmann::json display_volumes(const CheckInput& input, const CheckResult& result);

}  // namespace libdose::check
