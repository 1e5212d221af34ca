// One axial image of a CT as it stands in its file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/dicom_item.h"
#include "libdose/grid.h"

namespace libdose::io {

struct CtSlice {
    std::filesystem::path file;
    Vec3 position, row_direction, column_direction;  ///< Image Position and Orientation (Patient), mm LPS
    double row_spacing = 0, column_spacing = 0;      ///< mm between rows, between columns
    int rows = 0, columns = 0;
    std::string frame_of_reference_uid;
    std::vector<float> hu;  ///< [row][column]
};

bool is_localizer(const DicomItem& root);

/// The slices of a file: one, or one per frame. Padding pixels become -1000 HU and are added to `padded`. Throws bad_input for an
/// encoding that cannot be read, a rescale type other than HU, a missing geometry.
std::vector<CtSlice> read_slices(const DicomFile& file, std::size_t& padded);

}  // namespace libdose::io
