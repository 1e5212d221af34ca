#include "io/dicom/dicom_ct_slice.h"

#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>

#include <cmath>
#include <functional>
#include <mutex>

namespace libdose::io {

namespace {

/// An element of a frame: in the frame's own functional group, the shared one, or at the top.
class FrameItems {
public:
    FrameItems(DicomItem root, std::vector<DicomItem> shared, std::vector<DicomItem> frames)
        : root_(std::move(root)), shared_(std::move(shared)), frames_(std::move(frames)) {}

    DicomItem group(std::size_t frame, DcmTagKey sequence, DcmTagKey element) const {
        const auto search = [&](const std::vector<DicomItem>& groups,
                                std::size_t n) -> std::vector<DicomItem> {
            return n < groups.size() ? groups[n].items(sequence, "group") : std::vector<DicomItem>{};
        };
        for (const auto& items : {search(frames_, frame), search(shared_, 0)})
            for (const DicomItem& item : items)
                if (item.optional_text(element)) return item;
        return root_;
    }

private:
    DicomItem root_;
    std::vector<DicomItem> shared_, frames_;
};

/// The pixels of all frames, without compression.
const Uint16* words_of(const DicomFile& file, std::size_t count) {
    register_decoders();
    const DicomItem root = file.root();
    DcmDataset& dataset = file.dataset();
    DcmElement* element = nullptr;
    if (dataset.findAndGetElement(DCM_PixelData, element).bad() || !element)
        throw bad_input("there is no pixel data", root.at(DCM_PixelData));
    const DcmXfer xfer(dataset.getOriginalXfer());
    if (xfer.isEncapsulated()) {
        if (dataset.chooseRepresentation(EXS_LittleEndianExplicit, nullptr).bad() ||
            !dataset.canWriteXfer(EXS_LittleEndianExplicit))
            throw bad_input(std::string("pixels compressed as ") + xfer.getXferName() + " cannot be read",
                            root.place(), "Decompress the files first, for example with gdcmconv --raw");
        dataset.findAndGetElement(DCM_PixelData, element);
    }
    Uint16* words = nullptr;
    if (element->getUint16Array(words).bad() || !words)
        throw bad_input("the pixel data cannot be read", root.at(DCM_PixelData));
    if (element->getLength() / 2 < count)
        throw bad_input("the pixel data is shorter than the image", root.at(DCM_PixelData),
                        "The file may be truncated");
    return words;
}

/// Where a frame lies.
CtSlice placed_slice(const DicomItem& root, const FrameItems& items, std::size_t frame) {
    CtSlice slice;
    const auto position = items.group(frame, DCM_PlanePositionSequence, DCM_ImagePositionPatient)
                              .numbers(DCM_ImagePositionPatient, 3);
    const auto orientation = items.group(frame, DCM_PlaneOrientationSequence, DCM_ImageOrientationPatient)
                                 .numbers(DCM_ImageOrientationPatient, 6);
    const auto spacing =
        items.group(frame, DCM_PixelMeasuresSequence, DCM_PixelSpacing).numbers(DCM_PixelSpacing, 2);
    slice.position = Vec3(position[0], position[1], position[2]);
    slice.row_direction = Vec3(orientation[0], orientation[1], orientation[2]);
    slice.column_direction = Vec3(orientation[3], orientation[4], orientation[5]);
    if (std::abs(slice.row_direction.norm() - 1) > 1e-3 ||
        std::abs(slice.column_direction.norm() - 1) > 1e-3 ||
        std::abs(slice.row_direction.dot(slice.column_direction)) > 1e-3)
        throw bad_input("the direction cosines are not two unit vectors at right angles",
                        root.at(DCM_ImageOrientationPatient));
    slice.row_spacing = spacing[0];
    slice.column_spacing = spacing[1];
    if (!(spacing[0] > 0) || !(spacing[1] > 0))
        throw bad_input("the pixel spacing is not positive", root.at(DCM_PixelSpacing));
    return slice;
}

/// Value of a stored value in a frame.
struct Rescale {
    double slope, intercept;
};
Rescale rescale_of(const FrameItems& items, std::size_t frame) {
    const DicomItem item = items.group(frame, DCM_PixelValueTransformationSequence, DCM_RescaleSlope);
    const Rescale rescale{item.number(DCM_RescaleSlope), item.number(DCM_RescaleIntercept)};
    const std::string type = item.text_or_empty(DCM_RescaleType);
    if (!type.empty() && type != "HU")
        throw bad_input("the pixel values are \"" + type + "\", not HU", item.at(DCM_RescaleType));
    if (rescale.slope == 0) throw bad_input("the rescale slope is zero", item.at(DCM_RescaleSlope));
    return rescale;
}

}  // namespace

void register_decoders() {
    static std::once_flag once;
    std::call_once(once, [] {
        DcmRLEDecoderRegistration::registerCodecs();
        DJDecoderRegistration::registerCodecs();
        DJLSDecoderRegistration::registerCodecs();
    });
}

std::string why_no_slice(const DicomItem& root) {
    const std::string type = root.text_or_empty(DCM_ImageType);
    if (type.find("LOCALIZER") != std::string::npos) return "localizer";
    if (type.find("SCREEN SAVE") != std::string::npos) return "screen save";
    const auto cosines = root.optional_numbers(DCM_ImageOrientationPatient);
    if (cosines.size() != 6) return {};
    const Vec3 normal =
        Vec3(cosines[0], cosines[1], cosines[2]).cross(Vec3(cosines[3], cosines[4], cosines[5]));
    return normal.norm() > 0.5 && std::abs(normal[2]) < 0.5 ? "not axial" : "";
}

std::string why_no_slice(const std::filesystem::path& file) {
    const QuietDcmtk quiet;
    DcmFileFormat format;
    (void)format.loadFileUntilTag(file.c_str(), EXS_Unknown, EGL_noChange, 4096, ERM_autoDetect,
                                  DCM_PixelData);
    return why_no_slice({*format.getDataset(), file.filename().string()});
}

std::vector<CtSlice> read_slices(const DicomFile& file, CtPixelReport& report) {
    const DicomItem root = file.root();
    const int rows = root.integer(DCM_Rows), columns = root.integer(DCM_Columns);
    if (rows < 1 || columns < 1 || rows > 16384 || columns > 16384)
        throw bad_input("the image size is not plausible", root.at(DCM_Rows));
    const CtPixels pixels(root);
    const bool multi_frame = root.text_or_empty(DCM_SOPClassUID) == UID_EnhancedCTImageStorage ||
                             root.optional_integer(DCM_NumberOfFrames).value_or(1) > 1;
    const auto frames = static_cast<std::size_t>(multi_frame ? root.integer(DCM_NumberOfFrames) : 1);
    const std::size_t per_frame = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
    const Uint16* words = words_of(file, per_frame * frames);
    const FrameItems items(root, root.items(DCM_SharedFunctionalGroupsSequence, "shared group"),
                           root.items(DCM_PerFrameFunctionalGroupsSequence, "frame"));
    std::vector<CtSlice> slices;
    for (std::size_t f = 0; f < frames; ++f) {
        const std::string frame_of_reference = root.text(DCM_FrameOfReferenceUID);
        CtSlice slice = placed_slice(root, items, f);
        slice.file = file.path();
        slice.rows = rows;
        slice.columns = columns;
        slice.frame_of_reference_uid = frame_of_reference;
        slice.image_type = root.text_or_empty(DCM_ImageType);
        if (!multi_frame) slice.tilt_deg = root.optional_number(DCM_GantryDetectorTilt).value_or(0);
        const Rescale rescale = rescale_of(items, f);
        slice.hu = pixels.hu(words + f * per_frame, rows, columns, rescale.slope, rescale.intercept, report);
        slices.push_back(std::move(slice));
    }
    return slices;
}

}  // namespace libdose::io
