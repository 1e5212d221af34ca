// The files of a check, written whole or not at all.
#include "libdose/check/report.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/csv.h"
#include "base/temporary_name.h"
#include "check/display_volumes.h"
#include "check/packed_bytes.h"
#include "check/report_parts.h"
#include "libdose/data.h"
#include "libdose/error.h"

namespace libdose::check {

namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw bad_input("a part of the report's page cannot be read", file.string());
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

/// Plotly's bundle: the file that LIBDOSE_PLOTLY names; else that of the data folder, of a wheel, of Debian's
/// package python3-plotly. Empty where there is none: the page has no curves then, and says so.
std::string plotly_text() {
    std::vector<fs::path> places{data_folder() / "report" / "plotly.min.js",
                                 "/usr/local/lib/python3/dist-packages/plotly/package_data/plotly.min.js",
                                 "/usr/share/python3-plotly/plotly.js"};
    if (const char* named = std::getenv("LIBDOSE_PLOTLY")) places = {named};
    for (const fs::path& place : places)
        if (fs::exists(place)) return text_of(place);
    return {};
}

/// Puts `text` in the place of a marker, which must stand in the page once.
void put(std::string& page, const std::string& marker, const std::string& text) {
    const std::size_t at = page.find(marker);
    if (at == std::string::npos) throw internal_error("the report's page lacks the marker " + marker);
    page.replace(at, marker.size(), text);
}

/// JSON that a browser does not take for the end of its script element.
std::string json_for_page(const nlohmann::json& json) {
    std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), safe;
    safe.reserve(text.size());
    for (const char c : text) {
        if (c == '<')
            safe += "\\u003c";
        else
            safe += c;
    }
    return safe;
}

std::string page_of(const CheckInput& input, const CheckResult& result, nlohmann::json json) {
    const fs::path parts = data_folder() / "report";
    json["volumes"] = display_volumes(input, result);
    json["outlines"] = outlines_json(input);
    std::string page = text_of(parts / "report.html");
    put(page, "/*CSS*/", text_of(parts / "report.css"));
    put(page, "/*JS*/", text_of(parts / "report.js"));
    const std::string plotly = plotly_text();
    put(page, "/*PLOTLY*/", plotly.empty() ? plotly : packed(plotly));
    put(page, "<!--DATA-->", json_for_page(json));
    return page;
}

std::string csv_of(const std::vector<Row>& rows) {
    std::ostringstream csv;
    csv << "section,id,name,subject,verdict,planned,calculated,value,unit,limit,source,reason\n";
    for (const Row& row : rows) {
        for (const std::string& text : {row.section, row.id, row.name, row.subject, to_string(row.verdict),
                                        row.planned, row.calculated})
            csv << csv_field(text) << ',';
        if (row.value) csv << *row.value;
        for (const std::string& text : {row.unit, row.limit, row.source, row.reason})
            csv << ',' << csv_field(text);
        csv << '\n';
    }
    return csv.str();
}

/// A folder beside the results that is removed with all that is still in it.
class WorkFolder {
public:
    explicit WorkFolder(const fs::path& folder) : path_(temporary_name(folder / "check")) {
        std::error_code error;
        fs::create_directories(path_, error);
        if (error)
            throw bad_input("the folder cannot be made: " + error.message(), folder.string(),
                            "Choose a folder that you may write to");
    }
    ~WorkFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    WorkFolder(const WorkFolder&) = delete;
    WorkFolder& operator=(const WorkFolder&) = delete;
    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

}  // namespace

ReportFiles write_report(const CheckInput& input, const CheckResult& result, const CheckOptions& options,
                         const fs::path& folder) {
    const nlohmann::json json = check_json(input, result, options);
    std::vector<std::string> names{"check.html", "check.json", "check.csv"};
    const WorkFolder work(folder);
    write_text(page_of(input, result, json), work.path() / names[0]);
    write_text(json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n",
               work.path() / names[1]);
    write_text(csv_of(result.rows), work.path() / names[2]);
    ReportFiles files{folder / names[0], folder / names[1], folder / names[2], {}};
    if (result.calculation && input.ct) {
        names.emplace_back("recalculated.dcm");
        io::write_dose(result.calculation->plan, *input.ct, work.path() / names.back());
        files.dose = folder / names.back();
    }
    for (const std::string& name : names) rename_into_place(work.path() / name, folder / name);
    return files;
}

}  // namespace libdose::check
