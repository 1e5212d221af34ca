// Small comma-separated tables: one header line, optional names in the first columns, numbers in the rest.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace libdose {

struct CsvTable {
    std::vector<std::string> names;               ///< first column of each row, when there is a name column
    std::vector<std::vector<std::string>> texts;  ///< [row][column] of all name columns
    std::vector<std::vector<double>> numbers;     ///< [row][column], finite
};

/// Reads a file whose header must be exactly `header`; lines that begin with # and empty lines are skipped. The first
/// `name_columns` columns are text. Throws bad_input with file and line number.
CsvTable read_csv_table(const std::filesystem::path& file, const std::vector<std::string>& header, int name_columns = 0);

}  // namespace libdose
