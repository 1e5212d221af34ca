// PTW MCC: docs/reference/measurements.md.
#include <cmath>

#include "base/text.h"
#include "io/measurements/measurement_scan.h"
#include "libdose/error.h"

namespace libdose::io {

void read_mcc(const std::filesystem::path& path, SetBuilder& builder) {
    const std::vector<std::string> lines = lines_of(path);
    Scan scan;
    bool open = false, data = false, ended = false;
    std::size_t count = 0;
    std::string curve_type, diagonal = "NOT_DIAGONAL", device, medium;
    double angle_deg = 0;
    // What only all of its keys together say.
    const auto finish = [&] {
        const bool straight = diagonal == "NOT_DIAGONAL", cross = curve_type == "CROSSPLANE_PROFILE";
        scan.depth_scan = curve_type == "PDD";
        scan.profile = cross || curve_type == "INPLANE_PROFILE" || curve_type == "DIAGONAL_PROFILE" ||
                       curve_type == "FIRST_DIAGONAL_PROFILE";
        scan.other = "a scan of type " + curve_type;
        // A diagonal has the type of the axis that it is nearer to, and says so by SCAN_DIAGONAL.
        scan.axis = !straight || (!cross && curve_type != "INPLANE_PROFILE") ? ProfileAxis::diagonal
                    : cross                                                  ? ProfileAxis::crossline
                                                                             : ProfileAxis::inline_axis;
        if (scan.profile && straight && std::fmod(angle_deg, 90) != 0)
            scan.unusable = "a profile at " + short_number(angle_deg) + " degrees";
        if (!medium.empty() && medium != "water") scan.unusable = "a scan in " + medium;
        if (medium.empty() &&
            (device.find("STARCHECK") != std::string::npos || device.find("OCTAVIUS") != std::string::npos))
            scan.unusable = "an array of detectors";
    };
    for (std::size_t n = 0; n < lines.size(); ++n) {
        const std::string line = trimmed(lines[n]), at = path.string() + ", line " + std::to_string(n + 1);
        if (line.rfind("BEGIN_SCAN_DATA", 0) == 0) continue;
        if (line.rfind("END_SCAN_DATA", 0) == 0) {
            ended = true;
            continue;
        }
        if (line.rfind("BEGIN_SCAN", 0) == 0) {
            if (open) throw bad_input("a scan begins before the last one ended", at);
            scan = Scan{};
            open = true;
            scan.where = path.string() + ", scan " + std::to_string(++count);
            curve_type = device = medium = "";
            diagonal = "NOT_DIAGONAL";
            angle_deg = 0;
        } else if (line.rfind("END_SCAN", 0) == 0) {
            if (!open || data) throw bad_input("a scan ends that had not begun, or within its data", at);
            finish();
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
            scan.position_mm.push_back(number_of(words[0], at));
            scan.value.push_back(number_of(words[1], at));
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
                scan.fluence_mode =
                    value == "FFF" ? "FFF"
                    : value == "FF"
                        ? "STANDARD"
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
                scan.wedge = scan.wedge || says_wedge(value);
            else if (key == "BLOCK")
                scan.unusable = value == "0" ? scan.unusable : "a blocked field";
            else if (key == "FIELD_TYPE")
                scan.unusable = value == "RECTANGULAR" ? scan.unusable : "a field of type " + value;
            else if (key == "COLL_OFFSET_INPLANE" || key == "COLL_OFFSET_CROSSPLANE")
                scan.unusable = number() == 0 ? scan.unusable : "a field that is not centred";
            else if (key == "COLL_ANGLE")
                scan.collimator_deg = number();
            else if (key == "DETECTOR" || key == "DETECTOR_NAME")
                scan.detector = value;
            else if (key == "SCAN_OFFAXIS_INPLANE" || key == "SCAN_OFFAXIS_CROSSPLANE")
                scan.off_axis = scan.off_axis || std::abs(number()) > 2;
            else if (key == "SCAN_CURVETYPE")
                curve_type = value;
            else if (key == "SCAN_DIAGONAL")
                diagonal = value;
            else if (key == "SCAN_ANGLE")
                angle_deg = number();
            else if (key == "SCAN_DEVICE")
                device = value;
            else if (key == "MEAS_MEDIUM")
                medium = lower_case(value);
        }
    }
    if (open) throw bad_input("the file ends within a scan", scan.where, "It is truncated; export it again");
    if (!ended)
        throw bad_input("the file ends without END_SCAN_DATA", path.string(),
                        "It is truncated; export it again");
    require_scans(count, 0, path);
}

}  // namespace libdose::io
