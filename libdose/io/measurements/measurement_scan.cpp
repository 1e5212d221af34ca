#include "io/measurements/measurement_scan.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "libdose/error.h"

namespace libdose::io {

namespace {

void pass_over(SetBuilder& builder, const Scan& scan, const std::string& what) {
    builder.set.notes.push_back(scan.where + ": " + what + ", passed over");
}

/// From the axes of the room to those of the collimator. Which side of an oblong field is which, in a file
/// with a turned collimator, is not documented.
void turn_to_collimator(Scan& scan) {
    const double quarters = scan.collimator_deg / 90;
    const bool square = scan.side_x_mm && scan.side_x_mm == scan.side_y_mm;
    if (std::abs(quarters - std::round(quarters)) > 0.01) {
        if (!(scan.depth_scan && square))
            scan.unusable = "a collimator at " + short_number(scan.collimator_deg) + " degrees";
    } else if (std::lround(quarters) % 2 != 0) {
        if (!square)
            scan.unusable =
                "an oblong field with the collimator at " + short_number(scan.collimator_deg) + " degrees";
        if (scan.axis != ProfileAxis::diagonal)
            scan.axis = scan.axis == ProfileAxis::crossplane ? ProfileAxis::inplane : ProfileAxis::crossplane;
    }
}

/// Why the scan is not one of an open photon field in water; empty: it is.
std::string reason_to_pass_over(const Scan& scan) {
    if (!scan.photons) return "electrons";
    if (scan.wedge) return "a scan behind a wedge";
    if (!scan.depth_scan && !scan.profile)
        return scan.other.empty() ? "neither a depth dose nor a profile" : scan.other;
    if (scan.off_axis) return "a scan off the axis";
    return scan.unusable;
}

/// Takes out the points above the water: the surface is scanned from outside.
void remove_points_in_air(MeasuredCurve& curve) {
    constexpr double farthest_above_mm = 50;
    const double top = *std::min_element(curve.position_mm.begin(), curve.position_mm.end());
    if (top < -farthest_above_mm)
        throw bad_input("the depth dose begins " + short_number(-top) + " mm above the water", curve.source,
                        "Is it a profile, or does depth run upwards?");
    for (std::size_t i = curve.position_mm.size(); i-- > 0;)
        if (curve.position_mm[i] < 0) {
            curve.position_mm.erase(curve.position_mm.begin() + static_cast<std::ptrdiff_t>(i));
            curve.value.erase(curve.value.begin() + static_cast<std::ptrdiff_t>(i));
        }
}

/// The scan as a curve in its set-up: the file's, or else the user's. Throws bad_input where one is missing.
MeasuredCurve curve_of(const Scan& scan, const SetBuilder& builder) {
    const MeasurementQuestions& asked = builder.asked();
    MeasuredCurve curve;
    curve.kind = scan.depth_scan ? CurveKind::depth_dose : CurveKind::profile;
    curve.source = scan.where;
    curve.axis = scan.axis;
    curve.detector = scan.detector;
    if (!scan.side_x_mm || !scan.side_y_mm)
        throw bad_input("the scan does not state its field", scan.where, "The file may be truncated");
    curve.side_x_mm = *scan.side_x_mm;
    curve.side_y_mm = *scan.side_y_mm;
    curve.ssd_mm = *builder.settle(scan.ssd_mm, asked.ssd_mm, "the SSD", "--ssd-mm", scan.where, true);
    curve.sad_mm =
        builder.settle(scan.sad_mm, asked.sad_mm, "the SAD", "--sad-mm", scan.where, false).value_or(1000);
    if (scan.profile)
        curve.depth_mm = *builder.settle(scan.depth_mm, std::nullopt, "the depth of the profile",
                                         "the depth in the file", scan.where, true);
    if (scan.position_mm.size() < 3)
        throw bad_input("the scan has fewer than three points", scan.where, "The file may be truncated");
    curve.position_mm = scan.position_mm;
    curve.value = scan.value;
    if (scan.depth_scan) remove_points_in_air(curve);
    return curve;
}

/// Whether two curves are diagonals of one field at one depth. Its two diagonals are one curve in a model
/// with two planes of symmetry.
bool same_diagonal(const MeasuredCurve& a, const MeasuredCurve& b) {
    return a.kind == CurveKind::profile && a.axis == ProfileAxis::diagonal && a.kind == b.kind &&
           a.axis == b.axis && a.side_x_mm == b.side_x_mm && a.side_y_mm == b.side_y_mm &&
           a.depth_mm == b.depth_mm && a.ssd_mm == b.ssd_mm;
}

using Points = std::vector<std::array<double, 4>>;

constexpr double still_mm = 0.5, on_axis_mm = 2;

/// Smallest and largest x, y and z of the points.
struct Extent {
    std::array<double, 3> low{1e9, 1e9, 1e9}, high{-1e9, -1e9, -1e9};

    explicit Extent(const Points& points) {
        for (const auto& p : points)
            for (std::size_t a = 0; a < 3; ++a) {
                low[a] = std::min(low[a], p[a]);
                high[a] = std::max(high[a], p[a]);
            }
    }
    bool moves(std::size_t axis) const { return high[axis] - low[axis] > still_mm; }
    bool off_axis(std::size_t axis) const { return std::abs(low[axis]) > on_axis_mm; }
};

void place_along(Scan& scan, const Points& points, std::size_t axis) {
    for (const auto& p : points) {
        scan.position_mm.push_back(p[axis]);
        scan.value.push_back(p[3]);
    }
}

void place_along_diagonal(Scan& scan, const Points& points) {
    scan.axis = ProfileAxis::diagonal;
    for (const auto& p : points) {
        if (std::abs(std::abs(p[0]) - std::abs(p[1])) > on_axis_mm)
            throw bad_input("the profile runs neither along an axis nor along a diagonal", scan.where);
        scan.position_mm.push_back(std::copysign(std::hypot(p[0], p[1]), p[0]));
        scan.value.push_back(p[3]);
    }
}

void place_depth_dose(Scan& scan, const Points& points) {
    const Extent extent(points);
    scan.off_axis = extent.off_axis(0) || extent.off_axis(1);
    if (extent.moves(0) || extent.moves(1)) throw bad_input("the depth dose moves sideways", scan.where);
    place_along(scan, points, 2);
}

void place_profile(Scan& scan, const Points& points, ProfileAxis along_x) {
    const Extent extent(points);
    if (extent.moves(2)) throw bad_input("the depth of the profile changes along it", scan.where);
    scan.depth_mm = 0.5 * (extent.low[2] + extent.high[2]);
    const bool x = extent.moves(0), y = extent.moves(1);
    if (x && y) return place_along_diagonal(scan, points);
    if (!x && !y) throw bad_input("the profile does not move", scan.where);
    const ProfileAxis along_y =
        along_x == ProfileAxis::crossplane ? ProfileAxis::inplane : ProfileAxis::crossplane;
    scan.axis = x ? along_x : along_y;
    scan.off_axis = extent.off_axis(x ? 1 : 0);
    place_along(scan, points, x ? 0 : 1);
}

}  // namespace

void add_scan(Scan scan, SetBuilder& builder) {
    turn_to_collimator(scan);
    if (const std::string reason = reason_to_pass_over(scan); !reason.empty())
        return pass_over(builder, scan, reason);
    builder.energy(scan.energy_mv, scan.where);
    builder.fluence_mode(scan.fluence_mode, scan.where);
    MeasuredCurve curve = curve_of(scan, builder);
    for (const MeasuredCurve& other : builder.set.curves)
        if (same_diagonal(curve, other))
            return pass_over(builder, scan, "a second diagonal of the same field and depth");
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

bool says_wedge(const std::string& text) {
    char* end = nullptr;
    const double angle = std::strtod(text.c_str(), &end);
    return *end == 0 ? angle != 0 : lower_case(text) != "none";
}

void place(Scan& scan, const std::vector<std::array<double, 4>>& points, ProfileAxis along_x) {
    if (points.size() < 3)
        throw bad_input("the scan has fewer than three points", scan.where, "The file may be truncated");
    if (scan.depth_scan)
        place_depth_dose(scan, points);
    else if (scan.profile)
        place_profile(scan, points, along_x);
}

double ScanLine::number(std::size_t n) const {
    if (n >= words.size()) throw bad_input(words[0] + " has too few values", where);
    return number_of(words[n], where);
}

std::vector<ScanLine> scan_lines(const std::filesystem::path& path,
                                 std::string (*clean)(const std::string&)) {
    std::vector<ScanLine> lines;
    std::size_t n = 0;
    for (const std::string& line : lines_of(path)) {
        ++n;
        const std::string text = clean(line);
        std::vector<std::string> words = words_of(text);
        if (!words.empty())
            lines.push_back({text, path.string() + ", line " + std::to_string(n), std::move(words)});
    }
    return lines;
}

void ScanFile::begin(const ScanLine& line) {
    if (open_) throw bad_input("a scan begins before the last one ended", line.where);
    scan = Scan{};
    points.clear();
    stated_points = 0;
    open_ = true;
    scan.where = path_.string() + ", scan " + std::to_string(++count_);
}

void ScanFile::place_points(ProfileAxis along_x) {
    if (stated_points > 0 && stated_points != points.size())
        throw bad_input("the scan has " + std::to_string(points.size()) + " points, its header says " +
                            std::to_string(stated_points),
                        scan.where, "The file may be truncated");
    if (scan.photons && !scan.wedge) place(scan, points, along_x);
}

void ScanFile::add() {
    add_scan(scan, builder_);
    open_ = false;
}

void ScanFile::require_closed() const {
    if (open_) throw bad_input("the file ends within a scan", scan.where, "It is truncated; export it again");
}

void ScanFile::require_scans() const {
    if (count_ == 0) throw bad_input("there is no scan in the file", path_.string());
    if (count_ < stated_scans)
        throw bad_input("the file has " + std::to_string(count_) + " scans, its header says " +
                            std::to_string(stated_scans),
                        path_.string(), "It is truncated; export it again");
}

}  // namespace libdose::io
