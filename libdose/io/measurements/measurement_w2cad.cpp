// Varian w2CAD ASCII: docs/reference/measurements.md.
#include <cmath>

#include "base/text.h"
#include "io/measurements/measurement_scan.h"
#include "libdose/error.h"

namespace libdose::io {

/// Its x, y and sides are the collimator's.
void read_w2cad(const std::filesystem::path& path, SetBuilder& builder) {
    const std::vector<std::string> lines = lines_of(path);
    Scan scan;
    std::vector<std::array<double, 4>> points;
    double depth_mm = 0;                // 0: not stated
    std::size_t stated = 0, scans = 0;  // points and scans; 0: not stated
    bool open = false;
    std::size_t count = 0;
    for (std::size_t n = 0; n < lines.size(); ++n) {
        const std::string line = trimmed(lines[n]), at = path.string() + ", line " + std::to_string(n + 1);
        const std::vector<std::string> words = words_of(line);
        if (words.empty()) continue;
        if (words[0] == "$NUMS" && words.size() > 1) {
            scans = static_cast<std::size_t>(number_of(words[1], at));
        } else if (words[0] == "$STOM") {
            if (open) throw bad_input("a scan begins before the last one ended", at);
            scan = Scan{};
            points.clear();
            stated = 0;
            depth_mm = 0;
            open = true;
            scan.where = path.string() + ", scan " + std::to_string(++count);
        } else if (words[0] == "$ENOM") {
            if (!open) throw bad_input("a scan ends that had not begun", at);
            if (stated > 0 && stated != points.size())
                throw bad_input("the scan has " + std::to_string(points.size()) +
                                    " points, its header says " + std::to_string(stated),
                                scan.where, "The file may be truncated");
            if (scan.photons && !scan.wedge) place(scan, points, ProfileAxis::crossline);
            if (scan.depth_mm && depth_mm > 0 && std::abs(depth_mm - *scan.depth_mm) > 0.5)
                throw bad_input("%DPTH says " + short_number(depth_mm) + " mm, the points are " +
                                    short_number(*scan.depth_mm) + " mm deep",
                                scan.where);
            add_scan(scan, builder);
            open = false;
        } else if (!open) {
            continue;
        } else if (line[0] == '<') {
            std::string inside =
                line.substr(1, line.find('>') == std::string::npos ? std::string::npos : line.find('>') - 1);
            const std::vector<std::string> values = words_of(inside);
            if (values.size() != 4 || line.find('>') == std::string::npos)
                throw bad_input("a point is not <x y z dose>", at, "The file may be truncated");
            points.push_back({number_of(values[0], at), number_of(values[1], at), number_of(values[2], at),
                              number_of(values[3], at)});
        } else if (words[0] == "%TYPE" && words.size() > 1) {
            const std::string& type = words[1];
            scan.depth_scan = type == "OPD";
            scan.profile = type == "OPP" || type == "DPR";
            scan.wedge = type.rfind("WDD", 0) == 0 || type == "WLP" || type == "WDP";
            scan.other = "a scan of type " + type;
        } else if (words[0] == "%BMTY" && words.size() > 1) {
            scan.photons = words[1] == "PHO";
        } else if (words[0] == "%FLSZ" && words.size() > 1) {
            const std::vector<std::string> sides = split(line.substr(words[0].size()), '*');
            if (sides.size() != 2) throw bad_input("the field is not SIDE*SIDE", at);
            scan.side_x_mm = number_of(sides[0], at);
            scan.side_y_mm = number_of(sides[1], at);
        } else if (words[0] == "%SSD" && words.size() > 1) {
            scan.ssd_mm = number_of(words[1], at);
        } else if (words[0] == "%PNTS" && words.size() > 1) {
            stated = static_cast<std::size_t>(number_of(words[1], at));
        } else if (words[0] == "%DPTH" && words.size() > 1) {
            depth_mm = number_of(words[1], at);
        } else if (words[0] == "%DETY" && words.size() > 1) {
            scan.detector = words[1];
        }
    }
    if (open) throw bad_input("the file ends within a scan", scan.where, "It is truncated; export it again");
    require_scans(count, scans, path);
}

}  // namespace libdose::io
