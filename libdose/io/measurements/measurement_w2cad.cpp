// Varian w2CAD ASCII: docs/reference/measurements.md.
#include <cmath>

#include "base/text.h"
#include "io/measurements/measurement_scan.h"
#include "libdose/error.h"

namespace libdose::io {

namespace {

void scan_type(ScanFile& file, const ScanLine& line) {
    const std::string& type = line.words[1];
    file.scan.depth_scan = type == "OPD";
    file.scan.profile = type == "OPP" || type == "DPR";
    file.scan.wedge = type.rfind("WDD", 0) == 0 || type == "WLP" || type == "WDP";
    file.scan.other = "a scan of type " + type;
}

void field(ScanFile& file, const ScanLine& line) {
    const std::vector<std::string> sides = split(line.text.substr(line.words[0].size()), '*');
    if (sides.size() != 2) throw bad_input("the field is not SIDE*SIDE", line.where);
    file.scan.side_x_mm = number_of(sides[0], line.where);
    file.scan.side_y_mm = number_of(sides[1], line.where);
}

const ScanKeywords keywords{
    {"%TYPE", scan_type},
    {"%BMTY", [](ScanFile& file, const ScanLine& line) { file.scan.photons = line.words[1] == "PHO"; }},
    {"%FLSZ", field},
    {"%SSD", [](ScanFile& file, const ScanLine& line) { file.scan.ssd_mm = line.number(1); }},
    {"%PNTS", [](ScanFile& file, const ScanLine& line) { file.stated_points = line.count(1); }},
    {"%DPTH", [](ScanFile& file, const ScanLine& line) { file.scan.depth_mm = line.number(1); }},
    {"%DETY", [](ScanFile& file, const ScanLine& line) { file.scan.detector = line.words[1]; }}};

/// "<x y z dose>" as a point of the scan.
std::array<double, 4> point_in(const ScanLine& line) {
    const auto close = line.text.find('>');
    const std::vector<std::string> values =
        words_of(line.text.substr(1, close == std::string::npos ? close : close - 1));
    if (values.size() != 4 || close == std::string::npos)
        throw bad_input("a point is not <x y z dose>", line.where, "The file may be truncated");
    return {number_of(values[0], line.where), number_of(values[1], line.where),
            number_of(values[2], line.where), number_of(values[3], line.where)};
}

/// Takes the scan into the set. Throws bad_input where its points do not lie at the depth that its header
/// states; a depth of 0 states nothing.
void end_scan(ScanFile& file) {
    const double stated_mm = file.scan.depth_mm.value_or(0);
    file.scan.depth_mm.reset();
    file.place_points(ProfileAxis::crossplane);
    const std::optional<double>& depth_mm = file.scan.depth_mm;
    if (depth_mm && stated_mm > 0 && std::abs(stated_mm - *depth_mm) > 0.5)
        throw bad_input("%DPTH says " + short_number(stated_mm) + " mm, the points are " +
                            short_number(*depth_mm) + " mm deep",
                        file.scan.where);
    file.add();
}

}  // namespace

/// Its x, y and sides are the collimator's.
void read_w2cad(const std::filesystem::path& path, SetBuilder& builder) {
    ScanFile file(path, builder);
    for (const ScanLine& line : scan_lines(path, trimmed)) {
        const std::string& key = line.words[0];
        const bool valued = line.words.size() > 1;
        if (key == "$NUMS" && valued) {
            file.stated_scans = line.count(1);
        } else if (key == "$STOM") {
            file.begin(line);
        } else if (key == "$ENOM") {
            if (!file.open()) throw bad_input("a scan ends that had not begun", line.where);
            end_scan(file);
        } else if (!file.open()) {
            continue;
        } else if (line.text[0] == '<') {
            file.points.push_back(point_in(line));
        } else if (const auto known = keywords.find(key); valued && known != keywords.end()) {
            known->second(file, line);
        }
    }
    file.require_closed();
    file.require_scans();
}

}  // namespace libdose::io
