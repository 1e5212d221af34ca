#include "base/csv.h"

#include <charconv>
#include <cmath>
#include <fstream>

#include "libdose/error.h"

namespace libdose {

namespace {

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> cells;
    std::size_t begin = 0;
    for (;;) {
        const auto comma = line.find(',', begin);
        cells.push_back(trimmed(line.substr(begin, comma == std::string::npos ? comma : comma - begin)));
        if (comma == std::string::npos) return cells;
        begin = comma + 1;
    }
}

struct Row {
    std::vector<std::string> cells;
    std::string where;  ///< file and line
};

/// The rows below the header, which must be `header`.
std::vector<Row> read_rows(const std::filesystem::path& file, const std::vector<std::string>& header) {
    std::ifstream stream(file);
    if (!stream)
        throw bad_input("cannot open the table", file.string(), "Check the path and its permissions");
    std::vector<Row> rows;
    std::string line;
    bool header_seen = false;
    for (int number = 1; std::getline(stream, line); ++number) {
        const std::string text = trimmed(line);
        if (text.empty() || text[0] == '#') continue;
        const std::string where = file.string() + ", line " + std::to_string(number);
        auto cells = split(text);
        if (!header_seen) {
            if (cells != header) {
                std::string wanted;
                for (const auto& h : header) wanted += (wanted.empty() ? "" : ",") + h;
                throw bad_input("unexpected header \"" + text + "\"", where,
                                "The first line must be: " + wanted);
            }
            header_seen = true;
            continue;
        }
        if (cells.size() != header.size())
            throw bad_input(
                "row has " + std::to_string(cells.size()) + " columns, not " + std::to_string(header.size()),
                where);
        rows.push_back({std::move(cells), where});
    }
    if (rows.empty()) throw bad_input("the table is empty", file.string());
    return rows;
}

double finite_number(const std::string& text, const std::string& where, const std::string& column) {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end || !std::isfinite(value))
        throw bad_input("\"" + text + "\" is not a finite number", where, column);
    return value;
}

}  // namespace

CsvTable read_csv_table(const std::filesystem::path& file, const std::vector<std::string>& header,
                        int name_columns) {
    CsvTable table;
    for (Row& row : read_rows(file, header)) {
        std::vector<double> numbers;
        for (std::size_t c = static_cast<std::size_t>(name_columns); c < row.cells.size(); ++c)
            numbers.push_back(finite_number(row.cells[c], row.where, "Column " + header[c]));
        if (name_columns > 0) table.names.push_back(row.cells[0]);
        table.texts.emplace_back(row.cells.begin(), row.cells.begin() + name_columns);
        table.numbers.push_back(std::move(numbers));
    }
    return table;
}

CsvQuantities::CsvQuantities(const std::filesystem::path& file) : file_(file.string()) {
    for (const Row& row : read_rows(file, {"quantity", "value"}))
        if (!values_.emplace(row.cells[0], row.cells[1]).second)
            throw bad_input("the quantity \"" + row.cells[0] + "\" is given twice", row.where);
}

std::optional<std::string> CsvQuantities::take(const std::string& name) {
    const auto found = values_.find(name);
    if (found == values_.end()) return std::nullopt;
    std::string value = found->second;
    values_.erase(found);
    if (value.empty()) throw bad_input("the quantity \"" + name + "\" has no value", file_);
    return value;
}

std::optional<double> CsvQuantities::optional_number(const std::string& name, double low, double high) {
    const auto text = take(name);
    if (!text) return std::nullopt;
    const double value = finite_number(*text, file_, "Quantity " + name);
    if (!(value >= low && value <= high))
        throw bad_input("the quantity \"" + name + "\" is not between " + std::to_string(low) + " and " +
                            std::to_string(high),
                        file_);
    return value;
}

double CsvQuantities::number(const std::string& name, double low, double high) {
    if (const auto value = optional_number(name, low, high)) return *value;
    throw bad_input("the quantity \"" + name + "\" is missing", file_);
}

std::string CsvQuantities::optional_text(const std::string& name) { return take(name).value_or(""); }

std::string CsvQuantities::text(const std::string& name) {
    if (const auto value = take(name)) return *value;
    throw bad_input("the quantity \"" + name + "\" is missing", file_);
}

void CsvQuantities::finish() const {
    if (!values_.empty())
        throw bad_input("the quantity \"" + values_.begin()->first + "\" is not known", file_);
}

std::string csv_field(const std::string& text) {
    std::string field = "\"";
    for (const char c : text) field += c == '"' ? std::string("\"\"") : std::string(1, c);
    return field + '"';
}

}  // namespace libdose
