// The parts of a report as JSON (docs/reference/check-json.md).
#pragma once

#include <nlohmann/json.hpp>

#include "libdose/check/check.h"

namespace libdose::check {

/// A number rounded to some decimals, or null for what is not finite.
nlohmann::json number_json(double value, int decimals = 4);

nlohmann::json rows_json(const std::vector<Row>& rows);
/// Identity of patient, plan and the objects that were read, with hashes of their files.
nlohmann::json patient_json(const CheckInput& input);
nlohmann::json plan_json(const CheckInput& input);
nlohmann::json objects_json(const CheckInput& input);
/// Beams with their apertures, points and complexity.
nlohmann::json beams_json(const CheckInput& input, const CheckResult& result);
nlohmann::json histograms_json(const std::vector<ComparedHistogram>& histograms);
/// Contours of the structures on their planes.
nlohmann::json outlines_json(const CheckInput& input);
/// Everything but the volumes and the outlines.
nlohmann::json check_json(const CheckInput& input, const CheckResult& result, const CheckOptions& options);

}  // namespace libdose::check
