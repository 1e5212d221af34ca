// The report of a commissioning: one HTML file without outside parts, and JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "libdose/commission.h"

namespace libdose::cli {

std::string commission_html(const CommissionResult& result, const MeasurementSet& set);
/// `curves[]`: kind, name, max_abs_percent, rms_percent, before_residual_table (output factors: the largest
/// difference without the table), of the collapsed cone, with the pencil beam's figures in `pencil_beam`.
/// docs/theory/commissioning.md has all keys.
nlohmann::json commission_json(const CommissionResult& result, const MeasurementSet& set);
nlohmann::json as_json(const std::vector<Finding>& findings);
const char* severity_name(Finding::Severity severity);

}  // namespace libdose::cli
