// A CT as the engine sees it: Hounsfield units on a regular grid in patient coordinates.
#pragma once

#include <string>
#include <vector>

#include "libdose/grid.h"

namespace libdose {

/// DICOM Patient Position (0018,5100): head/feet first, supine, prone, decubitus right/left.
enum class PatientPosition { hfs, hfp, ffs, ffp, hfdr, hfdl, ffdr, ffdl };

std::string to_string(PatientPosition position);                        ///< "HFS", …
PatientPosition patient_position_from_string(const std::string& text);  ///< throws bad_input

/// A CT and whose it is.
struct CtImage {
    Volume<float> hu;  ///< Hounsfield units after rescale; grid is LPS, ascending, regular
    PatientPosition position = PatientPosition::hfs;
    bool position_stated = true;  ///< false: the CT does not say; the plan's position counts
    std::string patient_id, patient_name, study_uid, series_uid, frame_of_reference_uid;
    std::string study_date, study_time, study_id, accession_number, patient_birth_date,
        patient_sex;  ///< copied into outputs
    std::vector<std::string> sop_instance_uids;
    std::vector<std::string> notes;  ///< what the reader decided or repaired, for the user
};

}  // namespace libdose
