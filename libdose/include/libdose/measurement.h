// Measurements of one photon beam by a centre: the input of commissioning. Lengths: mm. Layout of the files:
// docs/reference/measurements.md.
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
    wedge_factor,  ///< dose at a depth in water behind a wedge over that without it, the same field and MU,
                   ///< against the field
    leaf_gap,      ///< dose at a depth in water while a gap of leaves sweeps the field over that of the open
                   ///< field, against the gap
};

/// "depth_dose", "tpr", "profile", "output_factor", "output_factor_in_air", "primary_fluence",
/// "wedge_factor", "leaf_gap"
std::string to_string(CurveKind kind);
CurveKind curve_kind_from_string(const std::string& text);  ///< throws bad_input, listing what there is

enum class ProfileAxis {
    crossplane,              ///< along the collimator's x
    inplane,                 ///< along the collimator's y
    diagonal,                ///< from (-,-) to (+,+)
    crossline = crossplane,  ///< synonym, until version 0.3
    inline_axis = inplane    ///< synonym, until version 0.3
};

std::string to_string(ProfileAxis axis);  ///< "crossplane", "inplane", "diagonal"

/// The wedge of a measurement.
struct MeasuredWedge {
    std::string kind;  ///< "physical", "motorised" or "enhanced" (a jaw of Varian's that moves)
    double angle_deg = 0;
    std::string id;  ///< as plans name it; may be empty
    /// Direction of the wedge's y axis, which points to its thin end, as in a plan: 0 thin end at +y, 90 at
    /// -x, 180 at -y, 270 at +x. Profiles need it.
    std::optional<double> orientation_deg;
    std::string words() const;  ///< "physical wedge 60 degrees"
};

/// A scan or a table of points as it was measured.
struct MeasuredCurve {
    CurveKind kind = CurveKind::depth_dose;
    /// The leaves shape the field, within jaws that stand elsewhere.
    bool shaped_by_leaves() const { return !leaves.empty() && kind != CurveKind::leaf_gap; }
    /// Behind a wedge or through leaves: not of an open field of the jaws.
    bool through_device() const {
        return wedge || !leaves.empty() || kind == CurveKind::wedge_factor || kind == CurveKind::leaf_gap;
    }
    std::string name;                     ///< unique in its set, for people: "tpr 100 x 100 mm"
    std::string source;                   ///< file and column, or file and scan
    double side_x_mm = 0, side_y_mm = 0;  ///< field at the isocentre plane: of the leaves where they shape
                                          ///< it, else of the jaws; 0 for output factors and primary fluence
    double ssd_mm = 0;                    ///< source to surface; 0 for tissue-phantom ratios and in air
    double sad_mm = 1000;                 ///< source to isocentre
    double depth_mm =
        0;  ///< of the detector, for profiles and output factors; of the value 1 for tissue-phantom ratios
    ProfileAxis axis = ProfileAxis::crossplane;
    /// Ascending: depth; position off the axis at the detector; side of the field along x (output and wedge
    /// factors); radius at the isocentre plane; gap between the leaves as a plan has it.
    std::vector<double> position_mm;
    std::vector<double>
        side_y_of_mm;  ///< output and wedge factors only, as long as position_mm: side of the field along y
    std::vector<double> value;  ///< relative; of any scale for depth doses and profiles
    double normalisation_mm =
        0;  ///< position (output factors: side of the square) at which the value is 1, where `normalised`
    bool normalised = false;
    std::string detector;  ///< as the file names it; may be empty
    std::optional<MeasuredWedge> wedge;
    std::string
        leaves;  ///< leaf gaps, and fields that leaves shape: name of the leaf design, which travels along x
    double jaw_x_mm = 0, jaw_y_mm = 0;  ///< fields that leaves shape: opening of the jaws
    bool unity_of_leaves = false;  ///< output factors through leaves: the field of the value 1 is shaped by
                                   ///< them in the same jaws, else by jaws alone
    double travel_mm =
        0;  ///< leaf gaps: way of the gap's middle, at constant speed and symmetric about the axis
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
    std::string fluence_mode;                  ///< "STANDARD" or "FFF"
    std::vector<MeasuredCurve> curves;         ///< of open fields
    std::vector<MeasuredCurve> device_curves;  ///< behind a wedge, or through leaves
    std::optional<AbsoluteDose> absolute;
    std::optional<double> jaw_transmission, leaf_transmission;  ///< 0 … 1
    std::vector<std::string> files;  ///< names without folders, in the order in which they were read
    std::vector<std::string> notes;  ///< what was passed over, and why
    std::string data_hash;           ///< SHA-256 of the files' bytes, in that order

    /// Throws bad_input naming the curve: not finite, not ascending, negative, lengths that differ, no curve,
    /// a duplicated name, a set-up that is missing.
    void check() const;
};

/// One remark of the linter.
struct Finding {
    enum class Severity { note, warning, error };
    Severity severity = Severity::note;
    std::string curve;  ///< name, or empty for the whole set
    std::string text;   ///< what, how large, what to do
};

/// Looks at orientation, units, normalisation, noise, symmetry, missing curves, contradicting set-ups, and
/// each quantity against the published spread. An error says that a fit would be wrong;
/// docs/theory/commissioning.md has the figures and their sources.
std::vector<Finding> lint(const MeasurementSet& set);

}  // namespace libdose
