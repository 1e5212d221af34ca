// A treatment plan as the engine sees it: photon beams whose control points are complete
// (values that DICOM leaves out are carried forward by the reader).
//
// Angles: IEC 61217, degrees. Device positions: mm at the isocentre plane, IEC beam-limiting-device frame.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "libdose/ct_image.h"
#include "libdose/grid.h"

namespace libdose {

/// A multileaf collimator: which way its leaves move, and their edges.
struct MultileafCollimator {
    enum class Motion { along_x, along_y };  ///< MLCX: leaves move along x and are stacked along y
    std::string type;                        ///< as in DICOM: MLCX, MLCY, MLCX1, …
    Motion motion = Motion::along_x;
    std::vector<double> leaf_boundaries_mm;  ///< leaf pairs + 1, ascending
    int leaf_pairs() const { return static_cast<int>(leaf_boundaries_mm.size()) - 1; }
};

/// Opening of one pair of jaws along an axis; x[0] <= x[1].
struct JawOpening {
    double lower_mm = 0, upper_mm = 0;
};

/// Leaf tips of one multileaf collimator: lower bank (A side, smaller coordinate) and upper bank.
struct LeafPositions {
    std::vector<double> lower_mm, upper_mm;  ///< one per leaf pair
};

/// A wedge that the beam has at hand; the control points say when it is in. What it does to the beam is in
/// the beam model.
struct Wedge {
    enum class Kind {
        physical,
        motorised,
        dynamic
    };  ///< DICOM STANDARD, MOTORIZED, DYNAMIC (a jaw that moves)
    int number = 0;
    Kind kind = Kind::physical;
    std::string id;        ///< as in DICOM; may be empty
    double angle_deg = 0;  ///< nominal
    double orientation_deg =
        0;  ///< from the beam-limiting-device frame to the wedge's, whose +y axis points to the thin end
    std::optional<double> factor;  ///< wedge factor of the planning system: compared with, not used
};
std::string to_string(Wedge::Kind kind);

/// A block on a tray. The outline is as projected from the source on the isocentre plane,
/// beam-limiting-device frame.
struct Block {
    int number = 0;
    std::string name;
    bool aperture = false;        ///< open inside the outline and shielded outside; else shielded inside
    bool divergent = true;        ///< its sides follow the rays; else they are parallel to the beam's axis
    double transmission = 0;      ///< of its full thickness, 0 … 1
    double tray_distance_mm = 0;  ///< source to tray
    double thickness_mm = 0;
    bool source_side = false;  ///< mounted on the tray's side that faces the source; else on the patient's
    std::vector<double> x_mm, y_mm;  ///< closed polygon
};

/// A bolus structure that lies on the patient during this beam.
struct BeamBolus {
    int structure_number = 0;  ///< Structure::number
    std::string id;            ///< may be empty
};

/// Where the machine is when a part of the MU is given.
struct ControlPoint {
    double gantry_deg = 0, collimator_deg = 0, couch_deg = 0;
    Vec3 isocentre_mm = Vec3::Zero();        ///< LPS
    std::optional<JawOpening> jaw_x, jaw_y;  ///< absent: the beam has no such jaw
    std::vector<LeafPositions> leaves;       ///< one per Beam::collimators
    std::vector<bool> wedge_in;              ///< one per Beam::wedges
    double cumulative_weight = 0;            ///< cumulative meterset weight, as in the plan
};

enum class Rotation { none, clockwise, counter_clockwise };

/// A photon beam: its devices and control points.
struct Beam {
    int number = 0;
    std::string name, machine;                ///< machine: the local name of the treatment machine
    std::string manufacturer, machine_model;  ///< of the machine; may be empty
    double nominal_energy_mv = 0;
    std::string fluence_mode =
        "STANDARD";  ///< STANDARD, or the FluenceModeID ("FFF", "SRS", …) of NON_STANDARD
    double meterset_mu = 0;
    double source_axis_distance_mm = 1000;
    double final_cumulative_weight = 1;  ///< denominator of the MU of a segment
    std::vector<MultileafCollimator> collimators;
    std::vector<Wedge> wedges;
    std::vector<Block> blocks;
    double tray_factor = 1;    ///< what comes through the trays of wedges and blocks
    double tray_water_mm = 0;  ///< water-equivalent thickness of trays that have no factor
    std::vector<BeamBolus> boluses;
    std::vector<ControlPoint> control_points;  ///< at least two
    std::vector<Rotation> gantry_rotation;     ///< per control point: direction towards the next one
    std::optional<Vec3> dose_point_mm;         ///< Beam Dose Specification Point, LPS
    std::optional<double> dose_point_gy;       ///< Beam Dose (0300A,0084) per fraction

    /// MU given between control points i and i + 1: meterset x Δ(cumulative weight) / final weight.
    double segment_mu(int i) const {
        return meterset_mu *
               (control_points[static_cast<std::size_t>(i) + 1].cumulative_weight -
                control_points[static_cast<std::size_t>(i)].cumulative_weight) /
               final_cumulative_weight;
    }

    std::string place() const;  ///< "beam 3 'anterior'": where an error is
    /// Throws bad_input for values that are not finite or contradict each other, and refused_plan for what is
    /// not modelled or has two meanings: docs/reference/plan.md, "What every plan is checked for".
    void check() const;
};

/// Verdict on one attribute of a plan file (docs/reference/plan.md, "The gate").
struct GateEntry {
    enum class Verdict { honoured, harmless, accepted, refused };
    Verdict verdict = Verdict::honoured;
    int beam = 0;           ///< number of the beam; 0: the plan as a whole
    std::string tag, name;  ///< "(300a,00d0)", "NumberOfWedges"; empty when it is no single attribute
    std::string where, value, reason;  ///< where: of the first that is refused, or of the first
    std::size_t count = 1;             ///< how often it stands there
    bool acceptable = false;           ///< refused because it is not known: may be accepted by its tag
    std::string text() const;          ///< one line
};
std::string to_string(GateEntry::Verdict verdict);

/// The beams of a fraction group, and what was read with them.
struct Plan {
    std::string label, name, sop_instance_uid, patient_id, frame_of_reference_uid;
    std::string sop_class_uid;
    std::string referenced_structure_set_uid;  ///< may be empty
    PatientPosition position = PatientPosition::hfs;
    int fraction_group = 1;
    int fractions = 1;               ///< number of fractions planned
    std::vector<Beam> beams;         ///< beams that are delivered
    std::vector<std::string> notes;  ///< what was left out, and why
    std::vector<GateEntry>
        gate;  ///< every attribute of the file that was looked at; empty for a plan from elsewhere
    /// Checks every beam and what they share, as every calculation does first. Throws as Beam::check().
    void check() const;
};

}  // namespace libdose
