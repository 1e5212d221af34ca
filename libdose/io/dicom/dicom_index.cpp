// Index of the DICOM files below some paths.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <tuple>

#include "base/utf8.h"
#include "io/dicom/dicom_bytes.h"
#include "io/dicom/dicom_item.h"
#include "libdose/io/dicom.h"

namespace libdose::io {

namespace {

namespace fs = std::filesystem;

/// The files below paths, through links to files and folders. Each folder and each file counts once, whatever
/// leads to it, so that links in a circle end.
class Walk {
public:
    explicit Walk(const std::vector<fs::path>& paths) {
        for (const fs::path& path : paths) {
            std::error_code error;
            if (!fs::exists(path, error))
                throw bad_input("there is no such file or folder", path.string(), "Check the path");
            add(path);
        }
        std::sort(files_.begin(), files_.end());
    }
    const std::vector<fs::path>& files() const { return files_; }

private:
    void add(const fs::path& path) {
        std::error_code error;
        const bool folder = fs::is_directory(path, error);
        if (!folder && !fs::is_regular_file(path, error)) return;  // a link that leads nowhere, a socket
        const fs::path real = fs::canonical(path, error);
        if (!seen_.insert(error ? path : real).second) return;
        if (!folder) {
            files_.push_back(path);
            return;
        }
        fs::directory_iterator walk(path, error);
        std::vector<fs::path> inside;
        for (; !error && walk != fs::directory_iterator(); walk.increment(error))
            inside.push_back(walk->path());
        if (error) throw bad_input("the folder cannot be read: " + error.message(), path.string());
        // Files in the folder itself go before those that a link leads to, so that files keep the names that
        // they have here.
        std::stable_partition(inside.begin(), inside.end(),
                              [](const fs::path& one) { return !fs::is_symlink(one); });
        for (const fs::path& one : inside) add(one);
    }

    std::vector<fs::path> files_;
    std::set<fs::path> seen_;
};

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

/// Text of a tag; empty when it is absent or, in a file that cannot be parsed, no text.
std::string text_if_any(const DicomItem& item, DcmTagKey tag) {
    try {
        return item.text_or_empty(tag);
    } catch (const Error&) {
        return {};
    }
}

DicomEntry entry_of(const DicomItem& item, const fs::path& file) {
    DicomEntry entry;
    const auto text = [&](DcmTagKey tag) { return text_if_any(item, tag); };
    entry.file = file;
    entry.sop_class_uid = text(DCM_SOPClassUID);
    entry.kind = kind_of(entry.sop_class_uid);
    entry.modality = text(DCM_Modality);
    entry.patient_id = text(DCM_PatientID);
    entry.patient_name = text(DCM_PatientName);
    entry.study_uid = text(DCM_StudyInstanceUID);
    entry.series_uid = text(DCM_SeriesInstanceUID);
    entry.sop_instance_uid = text(DCM_SOPInstanceUID);
    entry.frame_of_reference_uid = text(DCM_FrameOfReferenceUID);
    entry.label = text(entry.kind == "RTPLAN"     ? DCM_RTPlanLabel
                       : entry.kind == "RTSTRUCT" ? DCM_StructureSetLabel
                       : entry.kind == "RTDOSE"   ? DCM_DoseSummationType
                                                  : DCM_SeriesDescription);
    entry.date = text(entry.kind == "RTPLAN"     ? DCM_RTPlanDate
                      : entry.kind == "RTSTRUCT" ? DCM_StructureSetDate
                                                 : DCM_StudyDate);
    if (entry.kind == "CT") entry.image_type = text(DCM_ImageType);
    return entry;
}

/// Adds a file to the part of the index that it belongs to.
void look_at(const fs::path& file, DicomIndex& index) {
    const bool marked = has_dicom_mark(file);
    DcmFileFormat format;
    const OFCondition status =
        format.loadFileUntilTag(file.c_str(), EXS_Unknown, EGL_noChange, 4096, ERM_autoDetect, DCM_PixelData);
    DcmDataset* dataset = format.getDataset();
    recover_unknown(*dataset);
    static_cast<void>(turn_into_utf8(*dataset));  // noted where the file is read
    DicomEntry entry = entry_of({*dataset, valid_utf8(file.string())}, file);
    const bool parsed = status.good() && dataset->card() > 0;
    // Without the mark a file is DICOM when it has a class of stored objects: anything else can look like a
    // few elements.
    const bool dicom = marked || entry.sop_class_uid.starts_with("1.2.840.10008.5.1.4.1.1.");
    if (!parsed && dicom) {
        entry.problem = status.bad() ? status.text() : "it is empty";
        index.broken.push_back(std::move(entry));
    } else if (!parsed || entry.sop_class_uid.empty()) {
        index.not_dicom.push_back(file);  // a directory file and whatever is not DICOM
    } else {
        index.entries.push_back(std::move(entry));
    }
}

}  // namespace

DicomIndex index_dicom(const std::vector<fs::path>& paths) {
    const QuietDcmtk quiet;
    DicomIndex index;
    const Walk walk(paths);
    for (const fs::path& file : walk.files()) look_at(file, index);
    std::sort(index.entries.begin(), index.entries.end(), [](const DicomEntry& a, const DicomEntry& b) {
        return std::tie(a.kind, a.series_uid, a.file) < std::tie(b.kind, b.series_uid, b.file);
    });
    return index;
}

}  // namespace libdose::io
