// One scan of a water phantom, and the file of a maker's exchange format that holds several:
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
    ProfileAxis axis = ProfileAxis::crossplane;
    std::optional<double> energy_mv, ssd_mm, sad_mm, depth_mm, side_x_mm, side_y_mm;
    std::optional<std::string> fluence_mode;
    std::string detector;
    std::vector<double> position_mm, value;
};

/// Words of a line, which blanks and semicolons part.
std::vector<std::string> words_of(const std::string& line);
/// Whether a header's angle of a wedge, or its name, says that there is one.
bool says_wedge(const std::string& text);
/// Sets the positions and values of a scan from its points x, y, z and value; of a profile also axis and
/// depth. `along_x`: axis of a profile along the format's x.
void place(Scan& scan, const std::vector<std::array<double, 4>>& points, ProfileAxis along_x);
/// Takes it into the set, or passes it over with a note where it is no open photon field in water.
void add_scan(Scan scan, SetBuilder& builder);

/// One line of a file of scans: its words, and where it stands.
struct ScanLine {
    std::string text, where;
    std::vector<std::string> words;  ///< at least one

    /// The word as a number. Throws bad_input where the line has too few.
    double number(std::size_t word) const;
    std::size_t count(std::size_t word) const { return static_cast<std::size_t>(number(word)); }
    /// The word, or nothing where the line has too few.
    std::string word(std::size_t n) const { return n < words.size() ? words[n] : ""; }
};

/// Lines of a file that have words once they are cleaned: trimmed, or without a remark.
std::vector<ScanLine> scan_lines(const std::filesystem::path& path, std::string (*clean)(const std::string&));

/// The scans of a file while its lines are read, one after the other.
class ScanFile {
public:
    ScanFile(const std::filesystem::path& path, SetBuilder& builder) : path_(path), builder_(builder) {}

    Scan scan;                                        ///< the one that is open
    std::vector<std::array<double, 4>> points;        ///< points of the scan: x, y, z and value
    std::size_t stated_points = 0, stated_scans = 0;  ///< as the header says; 0: it does not

    bool open() const { return open_; }
    /// Opens an empty scan. Throws bad_input where the last one has not ended.
    void begin(const ScanLine& line);
    /// Throws bad_input where the scan has not as many points as its header says. Then `place`s them, if the
    /// scan is one of an open photon field.
    void place_points(ProfileAxis along_x);
    /// Adds the scan to the set, and closes it.
    void add();
    /// Throws bad_input where the file ends within a scan.
    void require_closed() const;
    /// Throws bad_input where the file holds no scan, or fewer than it says.
    void require_scans() const;

private:
    const std::filesystem::path& path_;
    SetBuilder& builder_;
    bool open_ = false;
    std::size_t count_ = 0;
};

/// Handler of each keyword of a header: it sets the keyword's value in the open scan.
using ScanKeywords = std::map<std::string, void (*)(ScanFile&, const ScanLine&)>;

}  // namespace libdose::io
