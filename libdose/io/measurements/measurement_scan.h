// One scan of a water phantom, which the exchange formats of the makers all hold:
// docs/reference/measurements.md.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/measurements/measurement_text.h"

namespace libdose::io {

/// One scan as its file describes it. Lengths in mm, depth down. `add_scan` takes care of a turned
/// collimator.
struct Scan {
    std::string where;
    bool photons = true, depth_scan = false, profile = false, wedge = false, off_axis = false;
    std::string other;          ///< what it is, when it is neither a depth dose nor a profile
    std::string unusable;       ///< why an open photon field in water cannot be had from it; empty: it can
    double collimator_deg = 0;  ///< the axes of the scan and its field are those of the room
    ProfileAxis axis = ProfileAxis::crossline;
    std::optional<double> energy_mv, ssd_mm, sad_mm, depth_mm, side_x_mm, side_y_mm;
    std::optional<std::string> fluence_mode;
    std::string detector;
    std::vector<double> position_mm, value;
};

/// Words of a line, which blanks and semicolons part.
std::vector<std::string> words_of(const std::string& line);
/// Whether a header's angle of a wedge, or its name, says that there is one.
bool says_wedge(const std::string& text);
/// What moves along a scan of points x, y, z, and where it lies. `along_x`: what the format calls a profile
/// along its x.
void place(Scan& scan, const std::vector<std::array<double, 4>>& points, ProfileAxis along_x);
/// Takes it into the set, or passes it over with a note where it is no open photon field in water.
void add_scan(Scan scan, SetBuilder& builder);
/// A file that holds fewer scans than it says (0: does not say), or none, is an error.
void require_scans(std::size_t count, std::size_t stated, const std::filesystem::path& path);

}  // namespace libdose::io
