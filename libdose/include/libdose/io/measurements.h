// A centre's measurements from its files. Part of libdose::io. The layouts: docs/reference/measurements.md.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "libdose/measurement.h"

namespace libdose::io {

/// Set-up that the user states for files that do not state it. Where both do, they must agree.
struct MeasurementQuestions {
    std::optional<double> energy_mv, ssd_mm, sad_mm, depth_mm;
    std::optional<std::string> fluence_mode;  ///< "STANDARD" or "FFF"
    std::optional<std::string> machine;       ///< as plans name it
    std::optional<std::string> unit;          ///< "mm" or "cm", of columns whose names do not say
};

/// Reads one file, or every file of a folder: CSV, YAML (measurements.yaml), IBA RFA300 (.asc), PTW MCC
/// (.mcc), Varian w2CAD (.asc, .data). Files that are documents (.md, .pdf, .html) are passed over. Throws
/// bad_input naming file and line: what is missing, twice, contradicting or not a number, and what to do.
MeasurementSet read_measurements(const std::filesystem::path& path, const MeasurementQuestions& asked = {});

}  // namespace libdose::io
