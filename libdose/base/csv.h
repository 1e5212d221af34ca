// Small comma-separated tables: one header line, optional names in the first columns, numbers in the rest;
// and lists of named quantities, whose values are numbers or words.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace libdose {

struct CsvTable {
    std::vector<std::string> names;               ///< first column of each row, when there is a name column
    std::vector<std::vector<std::string>> texts;  ///< [row][column] of all name columns
    std::vector<std::vector<double>> numbers;     ///< [row][column], finite
};

/// Reads a file whose header must be exactly `header`; lines that begin with # and empty lines are skipped.
/// The first `name_columns` columns are text. Throws bad_input with file and line number.
CsvTable read_csv_table(const std::filesystem::path& file, const std::vector<std::string>& header,
                        int name_columns = 0);

/// A file of the columns quantity,value. Every quantity is taken once by name; what nobody took is refused at
/// the end, so that a misspelt optional quantity is not passed over. Everything throws bad_input with file
/// and quantity.
class CsvQuantities {
public:
    explicit CsvQuantities(const std::filesystem::path& file);
    double number(const std::string& name, double low, double high);
    std::optional<double> optional_number(const std::string& name, double low, double high);
    std::string text(const std::string& name);
    std::string optional_text(const std::string& name);  ///< empty when absent
    void finish() const;                                 ///< throws when a quantity is left
    const std::string& file() const { return file_; }

private:
    std::optional<std::string> take(const std::string& name);
    std::string file_;
    std::map<std::string, std::string> values_;
};

/// A field of a table that is written (RFC 4180): in quotes, a quote within twice.
std::string csv_field(const std::string& text);

}  // namespace libdose
