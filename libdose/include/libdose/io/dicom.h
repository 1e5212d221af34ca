// DICOM in and out (DCMTK). Part of libdose::io; the core does not know DICOM.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "libdose/ct_image.h"
#include "libdose/dose.h"
#include "libdose/plan.h"
#include "libdose/structure.h"

namespace libdose::io {

/// One line of an index of DICOM files. `kind` is one of "CT", "RTSTRUCT", "RTPLAN", "RTDOSE", "other".
struct DicomEntry {
    std::filesystem::path file;
    std::string kind, modality, patient_id, patient_name, study_uid, series_uid, sop_instance_uid,
        sop_class_uid;
    std::string frame_of_reference_uid, label, date;
    std::string
        image_type;  ///< image type of a CT: "ORIGINAL\\PRIMARY\\AXIAL", "ORIGINAL\\PRIMARY\\LOCALIZER", …
    std::string problem;  ///< why the file cannot be read; empty for a file that can
};

/// DICOM files that were found below some paths.
struct DicomIndex {
    std::vector<DicomEntry> entries;               ///< sorted by kind, series, file
    std::vector<std::filesystem::path> not_dicom;  ///< files that were looked at and are not DICOM
    std::vector<DicomEntry> broken;  ///< DICOM files that cannot be parsed, with what could be read of them
};

/// Looks at every file below the paths (files or folders, any names, recursive, through links; each once). A
/// file that begins as DICOM but cannot be parsed (truncated) goes to `broken`. Throws bad_input for a path
/// that does not exist or cannot be read.
DicomIndex index_dicom(const std::vector<std::filesystem::path>& paths);

/// Files of one calculation, picked by references; `notes` says which and why.
struct DicomCase {
    std::vector<DicomEntry> ct;          ///< files of one CT series
    std::vector<DicomEntry> structures;  ///< 1, or 0 when they are left out
    std::vector<DicomEntry> plan;        ///< exactly 1 when a plan was asked for
    std::vector<DicomEntry> doses;       ///< RTDOSEs that refer to the plan
    std::vector<std::string> notes;
};

/// Whether a calculation may go without a structure set: it says what the body is and which densities it
/// holds.
enum class StructureUse {
    required,  ///< the set that the plan refers to; when it refers to none, the only one of the patient
    left_out   ///< none, by wish: the whole CT counts as the patient
};

/// Picks plan -> structure set -> CT series by UID references (then by frame of reference). `plan_selector`
/// is empty, a SOP Instance UID or a plan label; it must be given when there are several plans. `series`:
/// Series Instance UID of the CT, for when the structure set names several or none. Copies of one object
/// count once. Throws bad_input, listing the candidates, when the choice is not clear; when a structure set
/// is required and not among the files; naming the files, when one SOP Instance UID has two contents, or when
/// a file that is needed is broken.
DicomCase select_case(const DicomIndex& index, const std::string& plan_selector = {},
                      const std::string& series = {}, StructureUse structures = StructureUse::required);

/// One entry for each SOP Instance UID, the first. Throws bad_input, naming the files, when the others of
/// that UID hold something else: another data set, whatever the transfer syntax, the meta header and the
/// padding.
std::vector<DicomEntry> without_copies(const std::vector<DicomEntry>& entries);

CtImage read_ct(const std::vector<std::filesystem::path>& files);
StructureSet read_structures(const std::filesystem::path& file);
/// Throws refused_plan with beam, tag and reason for anything that is not modelled. `fraction_group` 0: the
/// only one, an error listing them if there are several. `accepted`: tags ("300a,01a0") of attributes that
/// libdose does not know and that the user says cannot change the dose; one that nothing in the plan needs is
/// bad_input.
Plan read_plan(const std::filesystem::path& file, int fraction_group = 0,
               const std::vector<std::string>& accepted = {});
/// The verdict on every attribute of the plan, its fraction group and its delivered beams; what read_plan()
/// would refuse is listed, not thrown. Throws bad_input as read_plan() does, and refused_plan for a file of
/// another kind (ion plans).
std::vector<GateEntry> gate_plan(const std::filesystem::path& file, int fraction_group = 0,
                                 const std::vector<std::string>& accepted = {});
/// Dose of an RTDOSE in Gy, of any Dose Type (docs/reference/rtdose.md). Throws bad_input, naming the tag,
/// for what is not read.
Dose read_dose(const std::filesystem::path& file);
/// Patient and study of any DICOM file, as write_dose() takes them: a CT without voxels.
CtImage read_patient(const std::filesystem::path& file);

/// Writes an RT Dose Storage object: 32-bit, GY; signed where the Dose Type is ERROR. Patient and study are
/// copied from `ct`; the file is written under a temporary name in the same folder and renamed. Returns the
/// new SOP Instance UID. Throws bad_input for negative values in a dose of another type.
std::string write_dose(const Dose& dose, const CtImage& ct, const std::filesystem::path& file);

}  // namespace libdose::io
