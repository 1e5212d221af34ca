// What DICOM objects say of themselves beyond what a dose calculation needs: prescriptions, approval, dates,
// references. Part of libdose::io.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace libdose::io {

/// Whose object it is, as its file says.
struct PatientFacts {
    std::string id, name, birth_date, sex, study_uid;
};

/// A dose that a plan prescribes (Dose Reference Sequence 300A,0010).
struct Prescription {
    int number = 0;  ///< Dose Reference Number
    std::string description;
    std::string structure_type;             ///< POINT, VOLUME, COORDINATES, SITE
    std::string type;                       ///< TARGET, ORGAN_AT_RISK
    int structure_number = 0;               ///< Referenced ROI Number; 0: none
    std::optional<double> target_dose_gy;   ///< Target Prescription Dose, whole course
    std::optional<double> maximum_dose_gy;  ///< Organ at Risk Maximum Dose or Target Maximum Dose
};

/// A fraction group as the plan states it (Fraction Group Sequence 300A,0070).
struct FractionGroupFacts {
    int number = 0;
    std::optional<int> fractions;
    int stated_beams = 0;                ///< Number of Beams (300A,0080)
    std::vector<int> beams;              ///< Referenced Beam Numbers
    std::map<int, double> beam_mu;       ///< Beam Meterset (300A,0086)
    std::map<int, double> beam_dose_gy;  ///< Beam Dose (300A,0084), one fraction
};

/// What an RTPLAN says.
struct PlanFacts {
    PatientFacts patient;
    std::string sop_instance_uid, label, name, date, time, intent;
    std::string approval, reviewer, review_date;  ///< APPROVED, UNAPPROVED, REJECTED; empty: not stated
    std::string manufacturer, model, software;    ///< of the planning system
    std::string structure_set_uid;
    std::vector<std::string> dose_uids;  ///< Referenced Dose Sequence
    std::string frame_of_reference_uid;
    std::vector<Prescription> prescriptions;
    std::vector<FractionGroupFacts> fraction_groups;
    std::map<int, std::string> beam_types;  ///< Treatment Delivery Type by beam number
};

/// What an RTSTRUCT says.
struct StructureFacts {
    PatientFacts patient;
    std::string sop_instance_uid, label, date, approval, manufacturer, model;
    std::vector<std::string> series_uids;  ///< CT series that it refers to
    /// Images as listed, each once, by the series that they are listed under.
    std::map<std::string, std::vector<std::string>> series_images;
    std::vector<std::string> contour_image_uids;  ///< images that contours were drawn on, each once
    std::vector<std::string> frame_of_reference_uids;
};

/// What an RTDOSE says.
struct DoseFacts {
    std::filesystem::path file;
    PatientFacts patient;
    std::string sop_instance_uid, date, summation, units, type, manufacturer, model, software;
    std::string plan_uid, structure_set_uid, frame_of_reference_uid;
    int beam_number = 0, fraction_group = 0;
};

/// What a CT slice says of its scan, beyond its voxels.
struct CtFacts {
    PatientFacts patient;
    std::string series_uid, frame_of_reference_uid, date, manufacturer, model, station, kernel;
    std::optional<double> tube_kv;
};

/// Each throws bad_input for a file that cannot be parsed or is of another kind. Attributes that are absent,
/// or do not hold what they should, are empty: the readers of the objects say what is wrong with them.
PlanFacts read_plan_facts(const std::filesystem::path& file);
StructureFacts read_structure_facts(const std::filesystem::path& file);
DoseFacts read_dose_facts(const std::filesystem::path& file);
CtFacts read_ct_facts(const std::filesystem::path& file);

}  // namespace libdose::io
