// PTW MCC: docs/reference/measurements.md.
#include <cmath>

#include "base/text.h"
#include "io/measurements/measurement_scan.h"
#include "libdose/error.h"

namespace libdose::io {

namespace {

/// Keys of a scan's header that say something only together.
struct Header {
    std::string curve_type, diagonal = "NOT_DIAGONAL", device, medium;
    double angle_deg = 0;
};

struct MccScan {
    Scan& scan;
    Header header;
};

/// A line KEY=VALUE of a scan's header.
struct Entry {
    std::string key, value, where;

    double number() const { return number_of(value, where + ", " + key); }
};

std::string fluence_mode(const Entry& entry) {
    if (entry.value == "FFF") return "FFF";
    if (entry.value == "FF") return "STANDARD";
    throw bad_input("the filter \"" + entry.value + "\" is neither FF nor FFF", entry.where);
}

void wedge(MccScan& m, const Entry& entry) { m.scan.wedge = m.scan.wedge || says_wedge(entry.value); }

void block(MccScan& m, const Entry& entry) {
    if (entry.value != "0") m.scan.unusable = "a blocked field";
}

void field_type(MccScan& m, const Entry& entry) {
    if (entry.value != "RECTANGULAR") m.scan.unusable = "a field of type " + entry.value;
}

void field_offset(MccScan& m, const Entry& entry) {
    if (entry.number() != 0) m.scan.unusable = "a field that is not centred";
}

void scan_offset(MccScan& m, const Entry& entry) {
    constexpr double on_axis_mm = 2;
    m.scan.off_axis = m.scan.off_axis || std::abs(entry.number()) > on_axis_mm;
}

void detector(MccScan& m, const Entry& entry) { m.scan.detector = entry.value; }

const std::map<std::string, void (*)(MccScan&, const Entry&)> keywords{
    {"MODALITY", [](MccScan& m, const Entry& e) { m.scan.photons = e.value == "X"; }},
    {"ENERGY", [](MccScan& m, const Entry& e) { m.scan.energy_mv = e.number(); }},
    {"FILTER", [](MccScan& m, const Entry& e) { m.scan.fluence_mode = fluence_mode(e); }},
    {"SSD", [](MccScan& m, const Entry& e) { m.scan.ssd_mm = e.number(); }},
    {"ISOCENTER", [](MccScan& m, const Entry& e) { m.scan.sad_mm = e.number(); }},
    {"FIELD_CROSSPLANE", [](MccScan& m, const Entry& e) { m.scan.side_x_mm = e.number(); }},
    {"FIELD_INPLANE", [](MccScan& m, const Entry& e) { m.scan.side_y_mm = e.number(); }},
    {"SCAN_DEPTH", [](MccScan& m, const Entry& e) { m.scan.depth_mm = e.number(); }},
    {"WEDGE_ANGLE", wedge},
    {"WEDGE", wedge},
    {"BLOCK", block},
    {"FIELD_TYPE", field_type},
    {"COLL_OFFSET_INPLANE", field_offset},
    {"COLL_OFFSET_CROSSPLANE", field_offset},
    {"COLL_ANGLE", [](MccScan& m, const Entry& e) { m.scan.collimator_deg = e.number(); }},
    {"DETECTOR", detector},
    {"DETECTOR_NAME", detector},
    {"SCAN_OFFAXIS_INPLANE", scan_offset},
    {"SCAN_OFFAXIS_CROSSPLANE", scan_offset},
    {"SCAN_CURVETYPE", [](MccScan& m, const Entry& e) { m.header.curve_type = e.value; }},
    {"SCAN_DIAGONAL", [](MccScan& m, const Entry& e) { m.header.diagonal = e.value; }},
    {"SCAN_ANGLE", [](MccScan& m, const Entry& e) { m.header.angle_deg = e.number(); }},
    {"SCAN_DEVICE", [](MccScan& m, const Entry& e) { m.header.device = e.value; }},
    {"MEAS_MEDIUM", [](MccScan& m, const Entry& e) { m.header.medium = lower_case(e.value); }}};

/// Reads one line of a scan's header, if its keyword is known.
void read_entry(MccScan& m, const ScanLine& line) {
    const auto equal = line.text.find('=');
    if (equal == std::string::npos) return;
    const Entry entry{line.text.substr(0, equal), trimmed(line.text.substr(equal + 1)), line.where};
    if (const auto known = keywords.find(entry.key); known != keywords.end()) known->second(m, entry);
}

void read_point(Scan& scan, const ScanLine& line) {
    if (line.words.size() < 2) throw bad_input("a line of data has no value", line.where);
    scan.position_mm.push_back(line.number(0));
    scan.value.push_back(line.number(1));
}

/// Sets kind and axis of the scan. A diagonal has the type of the axis that it is nearer to, and says so by
/// SCAN_DIAGONAL.
void set_kind(MccScan& m) {
    const std::string& type = m.header.curve_type;
    const bool straight = m.header.diagonal == "NOT_DIAGONAL", cross = type == "CROSSPLANE_PROFILE",
               in = type == "INPLANE_PROFILE";
    m.scan.depth_scan = type == "PDD";
    m.scan.profile = cross || in || type == "DIAGONAL_PROFILE" || type == "FIRST_DIAGONAL_PROFILE";
    m.scan.other = "a scan of type " + type;
    m.scan.axis = !straight || (!cross && !in) ? ProfileAxis::diagonal
                  : cross                      ? ProfileAxis::crossplane
                                               : ProfileAxis::inplane;
    if (m.scan.profile && straight && std::fmod(m.header.angle_deg, 90) != 0)
        m.scan.unusable = "a profile at " + short_number(m.header.angle_deg) + " degrees";
}

/// Marks a scan as unusable where it was not made in water. Arrays of detectors state no medium.
void set_medium(MccScan& m) {
    const auto device_is = [&](const char* name) { return m.header.device.find(name) != std::string::npos; };
    if (!m.header.medium.empty() && m.header.medium != "water")
        m.scan.unusable = "a scan in " + m.header.medium;
    if (m.header.medium.empty() && (device_is("STARCHECK") || device_is("OCTAVIUS")))
        m.scan.unusable = "an array of detectors";
}

/// Reads the scans of a file, line by line.
class MccReader {
public:
    MccReader(const std::filesystem::path& path, SetBuilder& builder) : path_(path), file_(path, builder) {}

    void read(const ScanLine& line) {
        const auto begins = [&](const char* word) { return line.text.rfind(word, 0) == 0; };
        if (begins("BEGIN_SCAN_DATA")) return;
        if (begins("END_SCAN_DATA"))
            ended_ = true;
        else if (begins("BEGIN_SCAN"))
            begin_scan(line);
        else if (begins("END_SCAN"))
            end_scan(line);
        else if (line.text == "BEGIN_DATA" || line.text == "END_DATA")
            data_ = line.text == "BEGIN_DATA";
        else if (data_)
            read_point(file_.scan, line);
        else if (file_.open())
            read_entry(mcc_, line);
    }

    /// Throws bad_input where the file is truncated, or holds no scan.
    void require_whole() const {
        file_.require_closed();
        if (!ended_)
            throw bad_input("the file ends without END_SCAN_DATA", path_.string(),
                            "It is truncated; export it again");
        file_.require_scans();
    }

private:
    void begin_scan(const ScanLine& line) {
        file_.begin(line);
        mcc_.header = Header{};
    }
    void end_scan(const ScanLine& line) {
        if (!file_.open() || data_)
            throw bad_input("a scan ends that had not begun, or within its data", line.where);
        set_kind(mcc_);
        set_medium(mcc_);
        file_.add();
    }

    const std::filesystem::path& path_;
    ScanFile file_;
    MccScan mcc_{file_.scan, {}};
    bool data_ = false, ended_ = false;
};

}  // namespace

void read_mcc(const std::filesystem::path& path, SetBuilder& builder) {
    MccReader reader(path, builder);
    for (const ScanLine& line : scan_lines(path, trimmed)) reader.read(line);
    reader.require_whole();
}

}  // namespace libdose::io
