#include "model/csv.h"

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

}  // namespace

CsvTable read_csv_table(const std::filesystem::path& file, const std::vector<std::string>& header, int name_columns) {
    std::ifstream stream(file);
    if (!stream) throw bad_input("cannot open the table", file.string(), "Check the path and its permissions");
    CsvTable table;
    std::string line;
    bool header_seen = false;
    for (int number = 1; std::getline(stream, line); ++number) {
        const std::string text = trimmed(line);
        if (text.empty() || text[0] == '#') continue;
        const std::string where = file.string() + ", line " + std::to_string(number);
        const auto cells = split(text);
        if (!header_seen) {
            if (cells != header) {
                std::string wanted;
                for (const auto& h : header) wanted += (wanted.empty() ? "" : ",") + h;
                throw bad_input("unexpected header \"" + text + "\"", where, "The first line must be: " + wanted);
            }
            header_seen = true;
            continue;
        }
        if (cells.size() != header.size()) throw bad_input("row has " + std::to_string(cells.size()) + " columns, not " + std::to_string(header.size()), where);
        std::vector<double> row;
        for (std::size_t c = static_cast<std::size_t>(name_columns); c < cells.size(); ++c) {
            double value = 0;
            const char* end = cells[c].data() + cells[c].size();
            const auto [stop, error] = std::from_chars(cells[c].data(), end, value);
            if (error != std::errc() || stop != end || !std::isfinite(value))
                throw bad_input("\"" + cells[c] + "\" is not a finite number", where, "Column " + header[c]);
            row.push_back(value);
        }
        if (name_columns > 0) table.names.push_back(cells[0]);
        table.texts.emplace_back(cells.begin(), cells.begin() + name_columns);
        table.numbers.push_back(std::move(row));
    }
    if (!header_seen || table.numbers.empty()) throw bad_input("the table is empty", file.string());
    return table;
}

}  // namespace libdose
