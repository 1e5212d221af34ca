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
            scan.axis =
                scan.axis == ProfileAxis::crossline ? ProfileAxis::inline_axis : ProfileAxis::crossline;
    }
}

}  // namespace

void add_scan(Scan scan, SetBuilder& builder) {
    const MeasurementQuestions& asked = builder.asked();
    if (!scan.photons) return pass_over(builder, scan, "electrons");
    if (scan.wedge) return pass_over(builder, scan, "a scan behind a wedge");
    if (!scan.depth_scan && !scan.profile)
        return pass_over(builder, scan,
                         scan.other.empty() ? "neither a depth dose nor a profile" : scan.other);
    if (scan.off_axis) return pass_over(builder, scan, "a scan off the axis");
    turn_to_collimator(scan);
    if (!scan.unusable.empty()) return pass_over(builder, scan, scan.unusable);
    builder.energy(scan.energy_mv, scan.where);
    builder.fluence_mode(scan.fluence_mode, scan.where);
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
    if (scan.depth_scan) {
        // A water surface is scanned from outside: what lies above it is air.
        constexpr double farthest_above_mm = 50;
        const double top = *std::min_element(curve.position_mm.begin(), curve.position_mm.end());
        if (top < -farthest_above_mm)
            throw bad_input("the depth dose begins " + short_number(-top) + " mm above the water", scan.where,
                            "Is it a profile, or does depth run upwards?");
        for (std::size_t i = curve.position_mm.size(); i-- > 0;)
            if (curve.position_mm[i] < 0) {
                curve.position_mm.erase(curve.position_mm.begin() + static_cast<std::ptrdiff_t>(i));
                curve.value.erase(curve.value.begin() + static_cast<std::ptrdiff_t>(i));
            }
    }
    // A field has two diagonals, which are one curve in a model with two planes of symmetry.
    if (scan.profile && curve.axis == ProfileAxis::diagonal)
        for (const MeasuredCurve& other : builder.set.curves)
            if (other.kind == curve.kind && other.axis == curve.axis && other.side_x_mm == curve.side_x_mm &&
                other.side_y_mm == curve.side_y_mm && other.depth_mm == curve.depth_mm &&
                other.ssd_mm == curve.ssd_mm)
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
    std::array<double, 3> low{1e9, 1e9, 1e9}, high{-1e9, -1e9, -1e9};
    for (const auto& p : points)
        for (std::size_t a = 0; a < 3; ++a) {
            low[a] = std::min(low[a], p[a]);
            high[a] = std::max(high[a], p[a]);
        }
    const auto span = [&](std::size_t a) { return high[a] - low[a]; };
    constexpr double still_mm = 0.5, on_axis_mm = 2;
    if (scan.depth_scan) {
        scan.off_axis = std::abs(low[0]) > on_axis_mm || std::abs(low[1]) > on_axis_mm;
        if (span(0) > still_mm || span(1) > still_mm)
            throw bad_input("the depth dose moves sideways", scan.where);
        for (const auto& p : points) {
            scan.position_mm.push_back(p[2]);
            scan.value.push_back(p[3]);
        }
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
            scan.position_mm.push_back(std::copysign(std::hypot(p[0], p[1]), p[0]));
            scan.value.push_back(p[3]);
        }
    } else {
        if (!x && !y) throw bad_input("the profile does not move", scan.where);
        const ProfileAxis along_y =
            along_x == ProfileAxis::crossline ? ProfileAxis::inline_axis : ProfileAxis::crossline;
        scan.axis = x ? along_x : along_y;
        scan.off_axis = std::abs(x ? low[1] : low[0]) > on_axis_mm;
        for (const auto& p : points) {
            scan.position_mm.push_back(x ? p[0] : p[1]);
            scan.value.push_back(p[3]);
        }
    }
}

void require_scans(std::size_t count, std::size_t stated, const std::filesystem::path& path) {
    if (count == 0) throw bad_input("there is no scan in the file", path.string());
    if (count < stated)
        throw bad_input(
            "the file has " + std::to_string(count) + " scans, its header says " + std::to_string(stated),
            path.string(), "It is truncated; export it again");
}

}  // namespace libdose::io
