// A dose distribution with what is needed to know what it is and how it was made.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libdose/grid.h"

namespace libdose {

/// Whole course / one fraction / one beam, one fraction / the whole courses of several plans.
enum class DoseSummation { plan, fraction, beam, multi_plan };
enum class DoseMedium { medium, water };  ///< dose to the local medium or to water

/// How a result came about; travels in every output. Keys of `settings` are command-line names.
struct Provenance {
    std::string engine_version;                       ///< library version
    std::string engine;                               ///< "collapsed-cone" or "pencil-beam"
    std::string backend = "cpu";                      ///< "cpu", or "cuda" with the device that calculated
    std::map<std::string, std::string> model_hashes;  ///< beam model name -> SHA-256
    std::string hu_curve_name, hu_curve_hash;
    std::map<std::string, std::string> settings;
    std::map<std::string, std::string> input_uids;  ///< "ct_series", "structure_set", "plan", …
    std::vector<std::string> gate;  ///< a line for each attribute of the plan: honoured, harmless or accepted
};

/// Dose on a grid.
struct Dose {
    Volume<float> gy;  ///< Gy, finite; negative only where `type` is ERROR
    DoseSummation summation = DoseSummation::plan;
    DoseMedium medium = DoseMedium::medium;
    /// DICOM Dose Type: PHYSICAL, EFFECTIVE (biological), or ERROR (a difference of doses).
    std::string type = "PHYSICAL";
    bool plane = false;   ///< one plane of points: the spacing across it is nominal, and it has no volume
    int beam_number = 0;  ///< for DoseSummation::beam; 0: several beams
    int fraction_group = 1;
    /// Fractions that the values include; none: not known (an RTDOSE does not say).
    std::optional<int> fractions;
    std::string comment;
    std::string patient_id;  ///< set when read from an RTDOSE
    std::string frame_of_reference_uid, referenced_plan_uid, referenced_plan_class_uid;
    /// For DoseSummation::multi_plan: the plans beside referenced_plan_uid.
    std::vector<std::string> further_plan_uids;
    std::string referenced_structure_set_uid;
    std::string sop_instance_uid;  ///< set when read from a file
    Provenance provenance;
};

/// Whether the values include all fractions of one or several plans.
inline bool is_whole_course(const Dose& dose) {
    return dose.summation == DoseSummation::plan || dose.summation == DoseSummation::multi_plan;
}
/// As DICOM has it: "PLAN", "FRACTION", "BEAM", "MULTI_PLAN".
std::string to_string(DoseSummation summation);
/// Throws bad_input; `where`: of the message.
DoseSummation dose_summation_from_string(const std::string& text, const std::string& where = {});

/// Throws bad_input for a text that is no DICOM Dose Type (PHYSICAL, EFFECTIVE, ERROR); `where`: of the
/// message.
void require_dose_type(const std::string& type, const std::string& where);

/// Doses at points (mm, LPS) in Gy, trilinear; NaN outside the dose's voxels. Doses on grids hold no NaN.
std::vector<double> dose_at(const Dose& dose, const std::vector<Vec3>& points_mm);

/// The grid of a sum of doses that are on different grids.
enum class SumGrid {
    same,   ///< there is one grid, or the sum is refused
    first,  ///< that of the first dose; the others are interpolated, and refused where they do not cover it
    common  ///< the voxels of the first dose's grid that all doses cover; the others are interpolated
};
std::string to_string(SumGrid grid);                    ///< "same", "first", "common"
SumGrid sum_grid_from_string(const std::string& text);  ///< throws bad_input

/// Sum of doses times their weights (none: 1 each), voxel by voxel. Keeps the frame of reference; what the
/// doses have in common of fractions, references and beam; and the provenance of all, with the formula under
/// `settings["sum"]`. Doses of several plans make a MULTI_PLAN dose. With a negative weight, or a dose of
/// type ERROR, the sum is of type ERROR. Throws bad_input for doses of different frames of reference,
/// patients, summations or numbers of fractions, for biological (EFFECTIVE) doses, and for grids that `grid`
/// does not allow.
Dose sum_of_doses(const std::vector<const Dose*>& doses, const std::vector<double>& weights = {},
                  SumGrid grid = SumGrid::same);
/// a − b, of type ERROR. Refused as a sum is.
Dose difference_of_doses(const Dose& a, const Dose& b, SumGrid grid = SumGrid::same);
/// The dose times a factor; what it is stays, but a negative factor makes it type ERROR. Throws bad_input for
/// a factor that is not finite.
Dose scaled_dose(const Dose& dose, double factor);
/// Dose of all fractions from that of one: a FRACTION becomes a PLAN, a BEAM stays the dose of a beam. Throws
/// bad_input for a dose that is that of a course, or known to be of several fractions.
Dose whole_course(const Dose& dose, int fractions);

}  // namespace libdose
