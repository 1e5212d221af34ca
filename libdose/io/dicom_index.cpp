// What DICOM files are below some paths.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <fstream>
#include <tuple>

#include "io/dicom_bytes.h"
#include "io/dicom_item.h"
#include "libdose/io/dicom.h"
#include "model/utf8.h"

namespace libdose::io {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_below(const std::vector<fs::path>& paths) {
    std::vector<fs::path> files;
    for (const fs::path& path : paths) {
        std::error_code error;
        if (!fs::exists(path, error)) throw bad_input("there is no such file or folder", path.string(), "Check the path");
        if (!fs::is_directory(path, error)) {
            files.push_back(path);
            continue;
        }
        fs::recursive_directory_iterator walk(path, error);
        if (error) throw bad_input("the folder cannot be read: " + error.message(), path.string());
        for (; walk != fs::recursive_directory_iterator(); walk.increment(error)) {
            if (error) throw bad_input("the folder cannot be read: " + error.message(), path.string());
            if (walk->is_regular_file(error)) files.push_back(walk->path());
        }
    }
    std::sort(files.begin(), files.end());
    files.erase(std::unique(files.begin(), files.end()), files.end());
    return files;
}

bool has_dicom_mark(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw bad_input("the file cannot be opened", file.string(), "Check its permissions");
    char head[132] = {};
    stream.read(head, sizeof head);
    return stream.gcount() == sizeof head && std::string(head + 128, 4) == "DICM";
}

std::string kind_of(const std::string& sop_class) {
    if (sop_class == UID_CTImageStorage || sop_class == UID_EnhancedCTImageStorage) return "CT";
    if (sop_class == UID_RTStructureSetStorage) return "RTSTRUCT";
    if (sop_class == UID_RTPlanStorage) return "RTPLAN";
    if (sop_class == UID_RTDoseStorage) return "RTDOSE";
    return "other";
}

}  // namespace

DicomIndex index_dicom(const std::vector<fs::path>& paths) {
    const QuietDcmtk quiet;
    DicomIndex index;
    for (const fs::path& file : files_below(paths)) {
        const bool marked = has_dicom_mark(file);
        DcmFileFormat format;
        const OFCondition status = format.loadFileUntilTag(file.c_str(), EXS_Unknown, EGL_noChange, 4096, ERM_autoDetect, DCM_PixelData);
        DcmDataset* dataset = format.getDataset();
        if (marked && (status.bad() || dataset->card() == 0))
            throw bad_input(std::string("the file begins as DICOM but cannot be read: ") + (status.bad() ? status.text() : "it is empty"), file.string(),
                            "It may be truncated; export it again or leave it out");
        recover_unknown(*dataset);
        static_cast<void>(turn_into_utf8(*dataset));  // noted where the file is read
        const DicomItem item(*dataset, valid_utf8(file.string()));
        DicomEntry entry;
        if (status.good() && dataset->card() > 0) {
            try {
                entry.sop_class_uid = item.text_or_empty(DCM_SOPClassUID);
            } catch (const Error&) {
                if (marked) throw;
            }
        }
        if (entry.sop_class_uid.empty()) {
            // A directory file and whatever is not DICOM.
            index.not_dicom.push_back(file);
            continue;
        }
        entry.file = file;
        entry.kind = kind_of(entry.sop_class_uid);
        entry.modality = item.text_or_empty(DCM_Modality);
        entry.patient_id = item.text_or_empty(DCM_PatientID);
        entry.patient_name = item.text_or_empty(DCM_PatientName);
        entry.study_uid = item.text_or_empty(DCM_StudyInstanceUID);
        entry.series_uid = item.text_or_empty(DCM_SeriesInstanceUID);
        entry.sop_instance_uid = item.text_or_empty(DCM_SOPInstanceUID);
        entry.frame_of_reference_uid = item.text_or_empty(DCM_FrameOfReferenceUID);
        entry.label = entry.kind == "RTPLAN"     ? item.text_or_empty(DCM_RTPlanLabel)
                      : entry.kind == "RTSTRUCT" ? item.text_or_empty(DCM_StructureSetLabel)
                      : entry.kind == "RTDOSE"   ? item.text_or_empty(DCM_DoseSummationType)
                                                 : item.text_or_empty(DCM_SeriesDescription);
        entry.date = item.text_or_empty(entry.kind == "RTPLAN" ? DCM_RTPlanDate : entry.kind == "RTSTRUCT" ? DCM_StructureSetDate : DCM_StudyDate);
        index.entries.push_back(std::move(entry));
    }
    std::sort(index.entries.begin(), index.entries.end(),
              [](const DicomEntry& a, const DicomEntry& b) { return std::tie(a.kind, a.series_uid, a.file) < std::tie(b.kind, b.series_uid, b.file); });
    return index;
}

}  // namespace libdose::io
