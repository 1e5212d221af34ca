// One axial image of a CT as it stands in its file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/dicom/dicom_ct_pixels.h"
#include "io/dicom/dicom_item.h"
#include "libdose/grid.h"

namespace libdose::io {

struct CtSlice {
    std::filesystem::path file;
    Vec3 position, row_direction, column_direction;  ///< Image Position and Orientation (Patient), mm LPS
    double row_spacing = 0, column_spacing = 0;      ///< mm between rows, between columns
    int rows = 0, columns = 0;
    double tilt_deg = 0;  ///< Gantry/Detector Tilt, degrees; 0 when absent
    std::string frame_of_reference_uid, image_type;
    std::vector<float> hu;  ///< [row][column]
};

/// Decoders for the compressed syntaxes that DCMTK has: RLE, JPEG, JPEG-LS. Registered once per process.
void register_decoders();

/// Why an image of a CT series can be no slice of the scan: "localizer", "screen save", "not axial"; empty
/// when it can be one.
std::string why_no_slice(const DicomItem& root);
/// The same of a file of which perhaps only the header can be read.
std::string why_no_slice(const std::filesystem::path& file);

/// The slices of a file: one, or one per frame. Throws bad_input for an encoding that cannot be read, a
/// rescale type other than HU, a missing geometry.
std::vector<CtSlice> read_slices(const DicomFile& file, CtPixelReport& pixels);

}  // namespace libdose::io
