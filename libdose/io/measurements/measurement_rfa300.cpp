// IBA RFA300 ASCII: docs/reference/measurements.md.
#include "io/measurements/measurement_scan.h"

namespace libdose::io {

namespace {

std::string without_remark(const std::string& line) { return line.substr(0, line.find('#')); }

void scan_type(ScanFile& file, const ScanLine& line) {
    const std::string type = line.word(1);
    file.scan.depth_scan = type == "DPT";
    file.scan.profile = type == "PRO" || type == "DIA";
    file.scan.other = "a scan of type " + type;
}

/// Its first side runs from gun to target, the second across.
void field(ScanFile& file, const ScanLine& line) {
    file.scan.side_y_mm = line.number(1);
    file.scan.side_x_mm = line.number(2);
}

void beam(ScanFile& file, const ScanLine& line) {
    file.scan.photons = line.word(1) == "PHO";
    if (line.words.size() > 2) file.scan.energy_mv = line.number(2);
}

void wedge(ScanFile& file, const ScanLine& line) {
    if (line.words.size() > 1 && says_wedge(line.words[1])) file.scan.wedge = true;
}

/// Types 4 to 6 are those behind a wedge.
void measurement_type(ScanFile& file, const ScanLine& line) {
    const double type = line.number(1);
    if (type >= 4 && type <= 6) file.scan.wedge = true;
}

void field_shape(ScanFile& file, const ScanLine& line) {
    const double shape = line.number(1);
    if (shape == 0 || shape == 2) file.scan.unusable = "a field that is not rectangular";
}

void detector(ScanFile& file, const ScanLine& line) {
    if (line.words.size() > 1) file.scan.detector = line.words[1];
}

const ScanKeywords keywords{
    {"%SCN", scan_type},
    {"%FSZ", field},
    {"%BMT", beam},
    {"%SSD", [](ScanFile& file, const ScanLine& line) { file.scan.ssd_mm = line.number(1); }},
    {"%WEG", wedge},
    {"%MEA", measurement_type},
    {"%CPO", [](ScanFile& file, const ScanLine& line) { file.scan.collimator_deg = line.number(1); }},
    {"%FSH", field_shape},
    {"%PTS", [](ScanFile& file, const ScanLine& line) { file.stated_points = line.count(1); }},
    {"%FLD", detector},
    {"=", [](ScanFile& file, const ScanLine& line) {
         file.points.push_back({line.number(1), line.number(2), line.number(3), line.number(4)});
     }}};

}  // namespace

/// Its x runs from gun to target (inplane), and y across.
void read_rfa300(const std::filesystem::path& path, SetBuilder& builder) {
    ScanFile file(path, builder);
    for (const ScanLine& line : scan_lines(path, without_remark)) {
        const std::string& key = line.words[0];
        if (key == ":MSR") {
            file.stated_scans = line.count(1);
        } else if (key == "%VNR") {
            file.begin(line);
        } else if (!file.open()) {
            continue;
        } else if (key == ":EOM") {
            file.place_points(ProfileAxis::inplane);
            file.add();
        } else if (const auto known = keywords.find(key); known != keywords.end()) {
            known->second(file, line);
        }
    }
    file.require_closed();
    file.require_scans();
}

}  // namespace libdose::io
