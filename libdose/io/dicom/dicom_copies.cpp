// Files that hold one and the same object, and files that only say so.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcostrmb.h>
#include <dcmtk/dcmdata/dcwcache.h>

#include <map>

#include "io/dicom/dicom_ct_slice.h"
#include "io/dicom/dicom_item.h"
#include "libdose/io/dicom.h"

namespace libdose::io {

namespace {

/// The data set of a file in one encoding for all: no compression, no VRs, no padding, no group lengths.
std::string content_of(const std::filesystem::path& path) {
    register_decoders();
    const DicomFile file(path);
    DcmDataset& dataset = file.dataset();
    E_TransferSyntax syntax = EXS_LittleEndianImplicit;
    // A compression that DCMTK cannot read is compared as it is.
    if (dataset.chooseRepresentation(EXS_LittleEndianExplicit, nullptr).bad() ||
        !dataset.canWriteXfer(syntax))
        syntax = dataset.getOriginalXfer();
    std::vector<char> part(std::size_t{1} << 20);
    DcmOutputBufferStream stream(part.data(), static_cast<offile_off_t>(part.size()));
    DcmWriteCache cache;
    std::string content;
    OFCondition status;
    dataset.transferInit();
    do {
        status = dataset.write(stream, syntax, EET_ExplicitLength, &cache, EGL_withoutGL, EPD_withoutPadding);
        void* bytes = nullptr;
        offile_off_t count = 0;
        stream.flushBuffer(bytes, count);
        content.append(static_cast<const char*>(bytes), static_cast<std::size_t>(count));
    } while (status == EC_StreamNotifyClient);
    dataset.transferEnd();
    if (status.bad())
        throw bad_input(std::string("the file cannot be compared with its copy: ") + status.text(),
                        path.string());
    return content;
}

}  // namespace

std::vector<DicomEntry> without_copies(const std::vector<DicomEntry>& entries) {
    std::map<std::string, std::vector<const DicomEntry*>> by_uid;
    std::vector<DicomEntry> once;
    for (const DicomEntry& entry : entries) {
        if (entry.sop_instance_uid.empty()) {
            once.push_back(entry);
            continue;
        }
        auto& same = by_uid[entry.sop_instance_uid];
        if (same.empty()) once.push_back(entry);
        same.push_back(&entry);
    }
    for (const auto& [uid, same] : by_uid) {
        if (same.size() < 2) continue;
        const std::string content = content_of(same.front()->file);
        for (std::size_t i = 1; i < same.size(); ++i)
            if (content_of(same[i]->file) != content)
                throw bad_input("two files have one SOP Instance UID, " + uid + ", but different contents",
                                same.front()->file.string() + " and " + same[i]->file.string(),
                                "Leave only the right one among the files");
    }
    return once;
}

}  // namespace libdose::io
