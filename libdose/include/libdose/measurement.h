// What a centre measured of one photon beam: the input of commissioning. Lengths: mm. Layout of the files: docs/data/measurements.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace libdose {

enum class CurveKind {
    depth_dose,            ///< dose on the axis in water against depth, at a fixed source-surface distance
    tissue_phantom_ratio,  ///< dose at the isocentre against the depth of water over it
    profile,               ///< dose in water across the beam, at a fixed depth and source-surface distance
    output_factor,         ///< dose at a depth in water per MU against the field
    output_factor_in_air,  ///< the same in air with build-up: head scatter
    primary_fluence,       ///< open field in air against the radius at the isocentre plane
};

/// "depth_dose", "tpr", "profile", "output_factor", "output_factor_in_air", "primary_fluence"
std::string to_string(CurveKind kind);
CurveKind curve_kind_from_string(const std::string& text);  ///< throws bad_input, listing what there is

enum class ProfileAxis { crossline, inline_axis, diagonal };  ///< crossline: along the collimator's x; inline: along its y; diagonal: from (-,-) to (+,+)

std::string to_string(ProfileAxis axis);  ///< "crossline", "inline", "diagonal"

/// A scan or a table of points as it was measured.
struct MeasuredCurve {
    CurveKind kind = CurveKind::depth_dose;
    std::string name;                     ///< unique in its set, for people: "tpr 100 x 100 mm"
    std::string source;                   ///< file and column, or file and scan
    double side_x_mm = 0, side_y_mm = 0;  ///< field at the isocentre plane; 0 for output factors and primary fluence
    double ssd_mm = 0;                    ///< source to surface; 0 for tissue-phantom ratios and in air
    double sad_mm = 1000;                 ///< source to isocentre
    double depth_mm = 0;                  ///< of the detector, for profiles and output factors; of the value 1 for tissue-phantom ratios
    ProfileAxis axis = ProfileAxis::crossline;
    /// Ascending: depth; position off the axis at the detector; side of the field along x (output factors); radius at the isocentre plane.
    std::vector<double> position_mm;
    std::vector<double> side_y_of_mm;  ///< output factors only, as long as position_mm: side of the field along y
    std::vector<double> value;         ///< relative; of any scale for depth doses and profiles
    double normalisation_mm = 0;       ///< position (output factors: side of the square) at which the value is 1, where `normalised`
    bool normalised = false;
    std::string detector;  ///< as the file names it; may be empty
};

/// Dose per MU in a stated set-up in water.
struct AbsoluteDose {
    double gy_per_mu = 0, ssd_mm = 0, depth_mm = 0, side_mm = 0;
};

/// Everything that was measured of a beam.
struct MeasurementSet {
    std::string machine;  ///< as plans name it; empty: not stated
    std::string title;    ///< what the files say of themselves
    double nominal_energy_mv = 0;
    std::string fluence_mode;  ///< "STANDARD" or "FFF"
    std::vector<MeasuredCurve> curves;
    std::optional<AbsoluteDose> absolute;
    std::optional<double> jaw_transmission, leaf_transmission;  ///< 0 … 1
    std::vector<std::string> files;                             ///< names without folders, in the order in which they were read
    std::vector<std::string> notes;                             ///< what was passed over, and why
    std::string data_hash;                                      ///< SHA-256 of the files' bytes, in that order

    /// Throws bad_input naming the curve: not finite, not ascending, negative, lengths that differ, no curve, a duplicated name,
    /// a set-up that is missing.
    void check() const;
};

/// One remark of the linter.
struct Finding {
    enum class Severity { note, warning, error };
    Severity severity = Severity::note;
    std::string curve;  ///< name, or empty for the whole set
    std::string text;   ///< what, how large, what to do
};

/// Looks at orientation, units, normalisation, noise, symmetry, missing curves, contradicting set-ups, and each quantity against the
/// published spread. An error says that a fit would be wrong; docs/methods/commissioning.md has the figures and their sources.
std::vector<Finding> lint(const MeasurementSet& set);

}  // namespace libdose
