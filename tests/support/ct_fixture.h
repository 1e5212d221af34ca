// Small CT slices with knobs.
#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "libdose/grid.h"

namespace libdose::test {

struct CtOptions {
    int columns = 6, rows = 5;
    std::string orientation = "1\\0\\0\\0\\1\\0";
    Vec3 position = Vec3(-10, -20, 0);  ///< of pixel (0, 0), without z
    double column_spacing = 2, row_spacing = 3;
    std::string series = "1.2.3.4", patient_position = "HFS";
    double slope = 1, intercept = -1024;
    E_TransferSyntax syntax = EXS_LittleEndianExplicit;
    std::function<int(int column, int row)> stored = [](int i, int j) { return 1000 + 10 * i + 100 * j; };
    std::function<void(DcmDataset&)> change;  ///< last word on the data set
};

inline void write_slice(const std::filesystem::path& file, double z, const CtOptions& o = {}) {
    DcmFileFormat format;
    DcmDataset& d = *format.getDataset();
    const auto set = [&](DcmTagKey tag, const std::string& value) {
        d.putAndInsertString(tag, value.c_str());
    };
    char uid[100];
    set(DCM_SOPClassUID, UID_CTImageStorage);
    set(DCM_SOPInstanceUID, dcmGenerateUniqueIdentifier(uid));
    set(DCM_Modality, "CT");
    set(DCM_ImageType, "ORIGINAL\\PRIMARY\\AXIAL");
    set(DCM_PatientID, "P1");
    set(DCM_PatientName, "Test^Patient");
    set(DCM_StudyInstanceUID, "1.2.3");
    set(DCM_SeriesInstanceUID, o.series);
    set(DCM_FrameOfReferenceUID, "1.2.3.9");
    set(DCM_PatientPosition, o.patient_position);
    set(DCM_ImageOrientationPatient, o.orientation);
    set(DCM_ImagePositionPatient,
        std::to_string(o.position[0]) + "\\" + std::to_string(o.position[1]) + "\\" + std::to_string(z));
    set(DCM_PixelSpacing, std::to_string(o.row_spacing) + "\\" + std::to_string(o.column_spacing));
    set(DCM_RescaleSlope, std::to_string(o.slope));
    set(DCM_RescaleIntercept, std::to_string(o.intercept));
    set(DCM_PhotometricInterpretation, "MONOCHROME2");
    d.putAndInsertUint16(DCM_SamplesPerPixel, 1);
    d.putAndInsertUint16(DCM_Rows, static_cast<Uint16>(o.rows));
    d.putAndInsertUint16(DCM_Columns, static_cast<Uint16>(o.columns));
    d.putAndInsertUint16(DCM_BitsAllocated, 16);
    d.putAndInsertUint16(DCM_BitsStored, 16);
    d.putAndInsertUint16(DCM_HighBit, 15);
    d.putAndInsertUint16(DCM_PixelRepresentation, 0);
    std::vector<Uint16> pixels;
    for (int j = 0; j < o.rows; ++j)
        for (int i = 0; i < o.columns; ++i) pixels.push_back(static_cast<Uint16>(o.stored(i, j)));
    d.putAndInsertUint16Array(DCM_PixelData, pixels.data(), static_cast<unsigned long>(pixels.size()));
    if (o.change) o.change(d);
    if (o.syntax != EXS_LittleEndianExplicit) d.chooseRepresentation(o.syntax, nullptr);
    format.saveFile(file.c_str(), o.syntax);
}

}  // namespace libdose::test
