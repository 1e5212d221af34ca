// The files of a check: one page to sign, and the same for programs. Part of libdose::check.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "libdose/check/check.h"

namespace libdose::check {

/// What write_report() wrote.
struct ReportFiles {
    std::filesystem::path html, json, csv;
    std::optional<std::filesystem::path> dose;  ///< RTDOSE of the recalculation, where there is one
};

/// The check as JSON (docs/reference/check-json.md): rows, doses, provenance, no volumes.
std::string report_json(const CheckInput& input, const CheckResult& result, const CheckOptions& options);

/// Writes check.html (one file that needs no other and no network), check.json, check.csv and
/// recalculated.dcm into a folder, which is made if it is not there: all of them or none. Throws bad_input
/// where the folder cannot be written.
ReportFiles write_report(const CheckInput& input, const CheckResult& result, const CheckOptions& options,
                         const std::filesystem::path& folder);

}  // namespace libdose::check
