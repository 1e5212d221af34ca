// IBA RFA300 ASCII: docs/reference/measurements.md.
#include "base/text.h"
#include "io/measurements/measurement_scan.h"
#include "libdose/error.h"

namespace libdose::io {

/// Its x and its field's first side run from gun to target (inline), y and the second side across.
void read_rfa300(const std::filesystem::path& path, SetBuilder& builder) {
    const std::vector<std::string> lines = lines_of(path);
    Scan scan;
    std::vector<std::array<double, 4>> points;
    std::size_t stated = 0, scans = 0;  // points and scans; 0: not stated
    bool open = false;
    std::size_t count = 0;
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
        if (key == ":MSR") {
            scans = static_cast<std::size_t>(number(1));
        } else if (key == "%VNR") {
            if (open) throw bad_input("a scan begins before the last one ended", at);
            scan = Scan{};
            points.clear();
            stated = 0;
            open = true;
            scan.where = path.string() + ", scan " + std::to_string(++count);
        } else if (key == ":EOM") {
            if (!open) continue;
            if (stated > 0 && stated != points.size())
                throw bad_input("the scan has " + std::to_string(points.size()) +
                                    " points, its header says " + std::to_string(stated),
                                scan.where, "The file may be truncated");
            if (scan.photons && !scan.wedge) place(scan, points, ProfileAxis::inline_axis);
            add_scan(scan, builder);
            open = false;
        } else if (!open) {
            continue;
        } else if (key == "%SCN") {
            const std::string type = words.size() > 1 ? words[1] : "";
            scan.depth_scan = type == "DPT";
            scan.profile = type == "PRO" || type == "DIA";
            scan.other = "a scan of type " + type;
        } else if (key == "%FSZ") {
            scan.side_y_mm = number(1);
            scan.side_x_mm = number(2);
        } else if (key == "%BMT") {
            scan.photons = words.size() > 1 && words[1] == "PHO";
            if (words.size() > 2) scan.energy_mv = number(2);
        } else if (key == "%SSD") {
            scan.ssd_mm = number(1);
        } else if (key == "%WEG") {
            scan.wedge = scan.wedge || (words.size() > 1 && says_wedge(words[1]));
        } else if (key == "%MEA") {
            const double type = number(1);
            scan.wedge = scan.wedge || (type >= 4 && type <= 6);
        } else if (key == "%CPO") {
            scan.collimator_deg = number(1);
        } else if (key == "%FSH") {
            if (number(1) == 0 || number(1) == 2) scan.unusable = "a field that is not rectangular";
        } else if (key == "%PTS") {
            stated = static_cast<std::size_t>(number(1));
        } else if (key == "%FLD") {
            if (words.size() > 1) scan.detector = words[1];
        } else if (key == "=") {
            points.push_back({number(1), number(2), number(3), number(4)});
        }
    }
    if (open) throw bad_input("the file ends within a scan", scan.where, "It is truncated; export it again");
    require_scans(count, scans, path);
}

}  // namespace libdose::io
