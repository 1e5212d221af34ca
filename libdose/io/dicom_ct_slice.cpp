#include "io/dicom_ct_slice.h"

#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>

#include <cmath>
#include <functional>
#include <mutex>

namespace libdose::io {

namespace {

/// Decoders for the compressed syntaxes that DCMTK has: RLE, JPEG, JPEG-LS. Registered once per process.
void register_decoders() {
    static std::once_flag once;
    std::call_once(once, [] {
        DcmRLEDecoderRegistration::registerCodecs();
        DJDecoderRegistration::registerCodecs();
        DJLSDecoderRegistration::registerCodecs();
    });
}

/// An element of a frame: in the frame's own functional group, the shared one, or at the top.
class FrameItems {
public:
    FrameItems(DicomItem root, std::vector<DicomItem> shared, std::vector<DicomItem> frames)
        : root_(std::move(root)), shared_(std::move(shared)), frames_(std::move(frames)) {}

    DicomItem group(std::size_t frame, DcmTagKey sequence, DcmTagKey element) const {
        const auto search = [&](const std::vector<DicomItem>& groups, std::size_t n) -> std::vector<DicomItem> {
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

}  // namespace

bool is_localizer(const DicomItem& root) { return root.text_or_empty(DCM_ImageType).find("LOCALIZER") != std::string::npos; }

std::vector<CtSlice> read_slices(const DicomFile& file, std::size_t& padded) {
    register_decoders();
    const DicomItem root = file.root();
    DcmDataset& dataset = file.dataset();
    const E_TransferSyntax syntax = dataset.getOriginalXfer();
    const int rows = root.integer(DCM_Rows), columns = root.integer(DCM_Columns);
    if (rows < 1 || columns < 1 || rows > 16384 || columns > 16384) throw bad_input("the image size is not plausible", root.at(DCM_Rows));
    const int allocated = root.integer(DCM_BitsAllocated), stored = root.integer(DCM_BitsStored), representation = root.integer(DCM_PixelRepresentation);
    const int high_bit = root.optional_integer(DCM_HighBit).value_or(stored - 1);
    if (allocated != 16 || stored < 8 || stored > 16 || high_bit != stored - 1)
        throw bad_input("only 16-bit CT pixels with the high bit on top are read", root.at(DCM_BitsAllocated));
    if (root.optional_integer(DCM_SamplesPerPixel).value_or(1) != 1) throw bad_input("the image is not grey", root.at(DCM_SamplesPerPixel));
    const std::string photometric = root.text(DCM_PhotometricInterpretation);
    if (photometric != "MONOCHROME2")
        throw bad_input("the photometric interpretation is " + photometric + ", not MONOCHROME2", root.at(DCM_PhotometricInterpretation));
    const bool multi_frame = root.text_or_empty(DCM_SOPClassUID) == UID_EnhancedCTImageStorage || root.optional_integer(DCM_NumberOfFrames).value_or(1) > 1;
    const auto frames = static_cast<std::size_t>(multi_frame ? root.integer(DCM_NumberOfFrames) : 1);

    DcmElement* element = nullptr;
    if (dataset.findAndGetElement(DCM_PixelData, element).bad() || !element) throw bad_input("there is no pixel data", root.at(DCM_PixelData));
    const DcmXfer xfer(syntax);
    if (xfer.isEncapsulated()) {
        if (dataset.chooseRepresentation(EXS_LittleEndianExplicit, nullptr).bad() || !dataset.canWriteXfer(EXS_LittleEndianExplicit))
            throw bad_input(std::string("pixels compressed as ") + xfer.getXferName() + " cannot be read", root.place(),
                            "Decompress the files first, for example with gdcmconv --raw");
        dataset.findAndGetElement(DCM_PixelData, element);
    }
    Uint16* pixels = nullptr;
    if (element->getUint16Array(pixels).bad() || !pixels) throw bad_input("the pixel data cannot be read", root.at(DCM_PixelData));
    const std::size_t per_frame = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
    if (element->getLength() / 2 < per_frame * frames)
        throw bad_input("the pixel data is shorter than the image", root.at(DCM_PixelData), "The file may be truncated");

    const FrameItems items(root, root.items(DCM_SharedFunctionalGroupsSequence, "shared group"), root.items(DCM_PerFrameFunctionalGroupsSequence, "frame"));
    const std::uint32_t mask = (1u << stored) - 1, sign = 1u << (stored - 1);
    const auto value_of = [&](std::uint32_t raw) {
        raw &= mask;
        return representation == 1 && (raw & sign) ? static_cast<int>(raw) - static_cast<int>(mask) - 1 : static_cast<int>(raw);
    };
    const auto padding = root.optional_integer(DCM_PixelPaddingValue), padding_end = root.optional_integer(DCM_PixelPaddingRangeLimit);
    const auto as_stored = [&](int value) { return value_of(static_cast<std::uint32_t>(value)); };
    std::vector<CtSlice> slices;
    for (std::size_t f = 0; f < frames; ++f) {
        CtSlice slice;
        slice.file = file.path();
        slice.rows = rows, slice.columns = columns;
        slice.frame_of_reference_uid = root.text(DCM_FrameOfReferenceUID);
        const auto position = items.group(f, DCM_PlanePositionSequence, DCM_ImagePositionPatient).numbers(DCM_ImagePositionPatient, 3);
        const auto orientation = items.group(f, DCM_PlaneOrientationSequence, DCM_ImageOrientationPatient).numbers(DCM_ImageOrientationPatient, 6);
        const auto spacing = items.group(f, DCM_PixelMeasuresSequence, DCM_PixelSpacing).numbers(DCM_PixelSpacing, 2);
        slice.position = Vec3(position[0], position[1], position[2]);
        slice.row_direction = Vec3(orientation[0], orientation[1], orientation[2]);
        slice.column_direction = Vec3(orientation[3], orientation[4], orientation[5]);
        if (std::abs(slice.row_direction.norm() - 1) > 1e-3 || std::abs(slice.column_direction.norm() - 1) > 1e-3 ||
            std::abs(slice.row_direction.dot(slice.column_direction)) > 1e-3)
            throw bad_input("the direction cosines are not two unit vectors at right angles", root.at(DCM_ImageOrientationPatient));
        slice.row_spacing = spacing[0], slice.column_spacing = spacing[1];
        if (!(spacing[0] > 0) || !(spacing[1] > 0)) throw bad_input("the pixel spacing is not positive", root.at(DCM_PixelSpacing));
        if (!multi_frame && std::abs(root.optional_number(DCM_GantryDetectorTilt).value_or(0)) > 0.1 &&
            std::abs(slice.row_direction.cross(slice.column_direction)[2]) > 1 - 1e-6)
            throw bad_input("the gantry was tilted by " + root.text(DCM_GantryDetectorTilt) + " degrees, but the image orientation is straight",
                            root.at(DCM_GantryDetectorTilt), "The two contradict each other; resample the CT onto straight slices");
        const DicomItem rescale = items.group(f, DCM_PixelValueTransformationSequence, DCM_RescaleSlope);
        const double slope = rescale.number(DCM_RescaleSlope), intercept = rescale.number(DCM_RescaleIntercept);
        const std::string type = rescale.text_or_empty(DCM_RescaleType);
        if (!type.empty() && type != "HU") throw bad_input("the pixel values are \"" + type + "\", not HU", rescale.at(DCM_RescaleType));
        if (slope == 0) throw bad_input("the rescale slope is zero", rescale.at(DCM_RescaleSlope));
        slice.hu.resize(per_frame);
        for (std::size_t p = 0; p < per_frame; ++p) {
            const int value = value_of(pixels[f * per_frame + p]);
            bool pad = false;
            if (padding) {
                const int a = as_stored(*padding), b = padding_end ? as_stored(*padding_end) : a;
                pad = value >= std::min(a, b) && value <= std::max(a, b);
            }
            if (pad) ++padded;
            slice.hu[p] = pad ? -1000.0f : static_cast<float>(slope * value + intercept);
        }
        slices.push_back(std::move(slice));
    }
    return slices;
}

}  // namespace libdose::io
