// Scans of water phantoms in the exchange formats of their makers: docs/data/measurements.md.
#include <algorithm>
#include <array>
#include <cmath>
#include <regex>

#include "io/measurement_text.h"
#include "libdose/error.h"
#include "model/text.h"

namespace libdose::io {

namespace {

/// One scan as its file describes it. Lengths in mm, positions in the frame of the collimator, depth down.
struct Scan {
    std::string where;
    bool photons = true, depth_scan = false, profile = false, wedge = false, off_axis = false;
    std::string other;  ///< what it is, when it is neither a depth dose nor a profile
    ProfileAxis axis = ProfileAxis::crossline;
    std::optional<double> energy_mv, ssd_mm, sad_mm, depth_mm, side_x_mm, side_y_mm;
    std::optional<std::string> fluence_mode;
    std::string detector;
    std::vector<double> position_mm, value;
};

void pass_over(SetBuilder& builder, const Scan& scan, const std::string& what) { builder.set.notes.push_back(scan.where + ": " + what + ", passed over"); }

void add_scan(const Scan& scan, SetBuilder& builder) {
    const MeasurementQuestions& asked = builder.asked();
    if (!scan.photons) return pass_over(builder, scan, "electrons");
    if (scan.wedge) return pass_over(builder, scan, "a scan behind a wedge");
    if (!scan.depth_scan && !scan.profile) return pass_over(builder, scan, scan.other.empty() ? "neither a depth dose nor a profile" : scan.other);
    if (scan.off_axis) return pass_over(builder, scan, "a scan off the axis");
    builder.energy(scan.energy_mv, scan.where);
    builder.fluence_mode(scan.fluence_mode, scan.where);
    MeasuredCurve curve;
    curve.kind = scan.depth_scan ? CurveKind::depth_dose : CurveKind::profile;
    curve.source = scan.where;
    curve.axis = scan.axis;
    curve.detector = scan.detector;
    if (!scan.side_x_mm || !scan.side_y_mm) throw bad_input("the scan does not state its field", scan.where, "The file may be truncated");
    curve.side_x_mm = *scan.side_x_mm, curve.side_y_mm = *scan.side_y_mm;
    curve.ssd_mm = *builder.settle(scan.ssd_mm, asked.ssd_mm, "the SSD", "--ssd-mm", scan.where, true);
    curve.sad_mm = builder.settle(scan.sad_mm, asked.sad_mm, "the SAD", "--sad-mm", scan.where, false).value_or(1000);
    if (scan.profile) curve.depth_mm = *builder.settle(scan.depth_mm, std::nullopt, "the depth of the profile", "the depth in the file", scan.where, true);
    if (scan.position_mm.size() < 3) throw bad_input("the scan has fewer than three points", scan.where, "The file may be truncated");
    curve.position_mm = scan.position_mm, curve.value = scan.value;
    // A water surface is scanned from outside: what lies above it is air.
    if (scan.depth_scan)
        for (std::size_t i = curve.position_mm.size(); i-- > 0;)
            if (curve.position_mm[i] < 0)
                curve.position_mm.erase(curve.position_mm.begin() + static_cast<std::ptrdiff_t>(i)),
                    curve.value.erase(curve.value.begin() + static_cast<std::ptrdiff_t>(i));
    builder.add(std::move(curve));
}

std::vector<std::string> words_of(const std::string& line) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : line + " ")
        if (c == ' ' || c == '\t' || c == ';') {
            if (!word.empty()) words.push_back(word);
            word.clear();
        } else {
            word += c;
        }
    return words;
}

/// What moves along a scan of points x, y, z, and where it lies.
void place(Scan& scan, const std::vector<std::array<double, 4>>& points) {
    if (points.size() < 3) throw bad_input("the scan has fewer than three points", scan.where, "The file may be truncated");
    std::array<double, 3> low{1e9, 1e9, 1e9}, high{-1e9, -1e9, -1e9};
    for (const auto& p : points)
        for (std::size_t a = 0; a < 3; ++a) low[a] = std::min(low[a], p[a]), high[a] = std::max(high[a], p[a]);
    const auto span = [&](std::size_t a) { return high[a] - low[a]; };
    constexpr double still_mm = 0.5, on_axis_mm = 2;
    if (scan.depth_scan) {
        scan.off_axis = std::abs(low[0]) > on_axis_mm || std::abs(low[1]) > on_axis_mm;
        if (span(0) > still_mm || span(1) > still_mm) throw bad_input("the depth dose moves sideways", scan.where);
        for (const auto& p : points) scan.position_mm.push_back(p[2]), scan.value.push_back(p[3]);
        return;
    }
    if (!scan.profile) return;
    if (span(2) > still_mm) throw bad_input("the depth of the profile changes along it", scan.where);
    scan.depth_mm = 0.5 * (low[2] + high[2]);
    const bool x = span(0) > still_mm, y = span(1) > still_mm;
    if (x && y) {
        scan.axis = ProfileAxis::diagonal;
        for (const auto& p : points) {
            if (std::abs(std::abs(p[0]) - std::abs(p[1])) > on_axis_mm)
                throw bad_input("the profile runs neither along an axis nor along a diagonal", scan.where);
            scan.position_mm.push_back(std::copysign(std::hypot(p[0], p[1]), p[0])), scan.value.push_back(p[3]);
        }
    } else {
        if (!x && !y) throw bad_input("the profile does not move", scan.where);
        scan.axis = x ? ProfileAxis::crossline : ProfileAxis::inline_axis;
        scan.off_axis = std::abs(x ? low[1] : low[0]) > on_axis_mm;
        for (const auto& p : points) scan.position_mm.push_back(x ? p[0] : p[1]), scan.value.push_back(p[3]);
    }
}

}  // namespace

void read_rfa300(const std::filesystem::path& path, SetBuilder& builder) {
    const std::vector<std::string> lines = lines_of(path);
    Scan scan;
    std::vector<std::array<double, 4>> points;
    std::size_t stated = 0;  // 0: not stated
    bool open = false;
    int count = 0;
    for (std::size_t n = 0; n < lines.size(); ++n) {
        std::string line = lines[n];
        if (const auto remark = line.find('#'); remark != std::string::npos) line.resize(remark);
        const std::vector<std::string> words = words_of(line);
        if (words.empty()) continue;
        const std::string at = path.string() + ", line " + std::to_string(n + 1), &key = words[0];
        const auto number = [&](std::size_t i) {
            if (i >= words.size()) throw bad_input(key + " has too few values", at);
            return number_of(words[i], at);
        };
        if (key == "%VNR" || (key == ":SYS" && !open)) {
            if (open && key == "%VNR" && points.empty()) continue;
            scan = Scan{}, points.clear(), stated = 0, open = true;
            scan.where = path.string() + ", scan " + std::to_string(++count);
        } else if (key == ":EOM") {
            if (!open) continue;
            if (stated > 0 && stated != points.size())
                throw bad_input("the scan has " + std::to_string(points.size()) + " points, its header says " + std::to_string(stated), scan.where,
                                "The file may be truncated");
            if (scan.photons && !scan.wedge) place(scan, points);
            add_scan(scan, builder);
            open = false;
        } else if (!open) {
            continue;
        } else if (key == "%SCN") {
            const std::string type = words.size() > 1 ? words[1] : "";
            scan.depth_scan = type == "DPT", scan.profile = type == "PRO" || type == "DIA", scan.other = "a scan of type " + type;
        } else if (key == "%FSZ") {
            scan.side_x_mm = number(1), scan.side_y_mm = number(2);
        } else if (key == "%BMT") {
            scan.photons = words.size() > 1 && words[1] == "PHO";
            if (words.size() > 2) scan.energy_mv = number(2);
        } else if (key == "%SSD") {
            scan.ssd_mm = number(1);
        } else if (key == "%WEG") {
            scan.wedge = number(1) != 0;
        } else if (key == "%PTS") {
            stated = static_cast<std::size_t>(number(1));
        } else if (key == "%FLD") {
            if (words.size() > 1) scan.detector = words[1];
        } else if (key == "=") {
            points.push_back({number(1), number(2), number(3), number(4)});
        }
    }
    if (open) throw bad_input("the file ends within a scan", scan.where, "It is truncated; export it again");
    if (count == 0) throw bad_input("there is no scan in the file", path.string());
}

void read_mcc(const std::filesystem::path& path, SetBuilder& builder) {
    const std::vector<std::string> lines = lines_of(path);
    Scan scan;
    bool open = false, data = false;
    int count = 0;
    for (std::size_t n = 0; n < lines.size(); ++n) {
        const std::string line = trimmed(lines[n]), at = path.string() + ", line " + std::to_string(n + 1);
        if (line.rfind("BEGIN_SCAN_DATA", 0) == 0 || line.rfind("END_SCAN_DATA", 0) == 0) continue;
        if (line.rfind("BEGIN_SCAN", 0) == 0) {
            if (open) throw bad_input("a scan begins before the last one ended", at);
            scan = Scan{}, open = true, scan.where = path.string() + ", scan " + std::to_string(++count);
        } else if (line.rfind("END_SCAN", 0) == 0) {
            if (!open || data) throw bad_input("a scan ends that had not begun, or within its data", at);
            add_scan(scan, builder);
            open = false;
        } else if (line == "BEGIN_DATA") {
            data = true;
        } else if (line == "END_DATA") {
            data = false;
        } else if (data) {
            const std::vector<std::string> words = words_of(line);
            if (words.empty()) continue;
            if (words.size() < 2) throw bad_input("a line of data has no value", at);
            scan.position_mm.push_back(number_of(words[0], at)), scan.value.push_back(number_of(words[1], at));
        } else if (open) {
            const auto equal = line.find('=');
            if (equal == std::string::npos) continue;
            const std::string key = line.substr(0, equal), value = trimmed(line.substr(equal + 1));
            const auto number = [&] { return number_of(value, at + ", " + key); };
            if (key == "MODALITY")
                scan.photons = value == "X";
            else if (key == "ENERGY")
                scan.energy_mv = number();
            else if (key == "FILTER")
                scan.fluence_mode = value == "FFF"  ? "FFF"
                                    : value == "FF" ? "STANDARD"
                                                    : throw bad_input("the filter \"" + value + "\" is neither FF nor FFF", at);
            else if (key == "SSD")
                scan.ssd_mm = number();
            else if (key == "ISOCENTER")
                scan.sad_mm = number();
            else if (key == "FIELD_CROSSPLANE")
                scan.side_x_mm = number();
            else if (key == "FIELD_INPLANE")
                scan.side_y_mm = number();
            else if (key == "SCAN_DEPTH")
                scan.depth_mm = number();
            else if (key == "WEDGE_ANGLE" || key == "WEDGE")
                scan.wedge = scan.wedge || (value != "0" && value != "NONE" && std::strtod(value.c_str(), nullptr) != 0);
            else if (key == "DETECTOR" || key == "DETECTOR_NAME")
                scan.detector = value;
            else if (key == "SCAN_OFFAXIS_INPLANE" || key == "SCAN_OFFAXIS_CROSSPLANE")
                scan.off_axis = scan.off_axis || std::abs(number()) > 2;
            else if (key == "SCAN_CURVETYPE") {
                scan.depth_scan = value == "PDD";
                scan.profile = value == "CROSSPLANE_PROFILE" || value == "INPLANE_PROFILE" || value == "DIAGONAL_PROFILE" || value == "FIRST_DIAGONAL_PROFILE";
                scan.axis = value == "CROSSPLANE_PROFILE" ? ProfileAxis::crossline
                            : value == "INPLANE_PROFILE"  ? ProfileAxis::inline_axis
                                                          : ProfileAxis::diagonal;
                scan.other = "a scan of type " + value;
            }
        }
    }
    if (open) throw bad_input("the file ends within a scan", scan.where, "It is truncated; export it again");
    if (count == 0) throw bad_input("there is no scan in the file", path.string());
}

void read_w2cad(const std::filesystem::path& path, SetBuilder& builder) {
    const std::vector<std::string> lines = lines_of(path);
    Scan scan;
    std::vector<std::array<double, 4>> points;
    std::size_t stated = 0;  // 0: not stated
    bool open = false;
    int count = 0;
    for (std::size_t n = 0; n < lines.size(); ++n) {
        const std::string line = trimmed(lines[n]), at = path.string() + ", line " + std::to_string(n + 1);
        const std::vector<std::string> words = words_of(line);
        if (words.empty()) continue;
        if (words[0] == "$STOM") {
            if (open) throw bad_input("a scan begins before the last one ended", at);
            scan = Scan{}, points.clear(), stated = 0, open = true, scan.where = path.string() + ", scan " + std::to_string(++count);
        } else if (words[0] == "$ENOM") {
            if (!open) throw bad_input("a scan ends that had not begun", at);
            if (stated > 0 && stated != points.size())
                throw bad_input("the scan has " + std::to_string(points.size()) + " points, its header says " + std::to_string(stated), scan.where,
                                "The file may be truncated");
            if (scan.photons && !scan.wedge) place(scan, points);
            add_scan(scan, builder);
            open = false;
        } else if (!open) {
            continue;
        } else if (line[0] == '<') {
            std::string inside = line.substr(1, line.find('>') == std::string::npos ? std::string::npos : line.find('>') - 1);
            const std::vector<std::string> values = words_of(inside);
            if (values.size() != 4 || line.find('>') == std::string::npos) throw bad_input("a point is not <x y z dose>", at, "The file may be truncated");
            points.push_back({number_of(values[0], at), number_of(values[1], at), number_of(values[2], at), number_of(values[3], at)});
        } else if (words[0] == "%TYPE" && words.size() > 1) {
            const std::string& type = words[1];
            scan.depth_scan = type == "OPD", scan.profile = type == "OPP" || type == "DPR";
            scan.wedge = type == "WDD" || type == "WLP" || type == "WDP";
            scan.other = "a scan of type " + type;
        } else if (words[0] == "%BMTY" && words.size() > 1) {
            scan.photons = words[1] == "PHO";
        } else if (words[0] == "%FLSZ" && words.size() > 1) {
            const std::vector<std::string> sides = split(words[1], '*');
            if (sides.size() != 2) throw bad_input("the field is not SIDE*SIDE", at);
            scan.side_x_mm = number_of(sides[0], at), scan.side_y_mm = number_of(sides[1], at);
        } else if (words[0] == "%SSD" && words.size() > 1) {
            scan.ssd_mm = number_of(words[1], at);
        } else if (words[0] == "%PNTS" && words.size() > 1) {
            stated = static_cast<std::size_t>(number_of(words[1], at));
        } else if (words[0] == "%DETY" && words.size() > 1) {
            scan.detector = words[1];
        }
    }
    if (open) throw bad_input("the file ends within a scan", scan.where, "It is truncated; export it again");
    if (count == 0) throw bad_input("there is no scan in the file", path.string());
}

}  // namespace libdose::io
