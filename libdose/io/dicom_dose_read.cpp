#include <algorithm>
#include <cmath>

#include "io/dicom_item.h"
#include "libdose/io/dicom.h"

namespace libdose::io {

namespace {

/// Heights of the frames above the first, mm. GridFrameOffsetVector is relative (begins with 0) or absolute (begins with the
/// z of the Image Position), DICOM PS3.3 C.8.8.3.2.
std::vector<double> frame_offsets(const DicomItem& root, std::size_t frames, double first_z) {
    const std::vector<double> offsets = root.numbers(DCM_GridFrameOffsetVector, frames);
    std::vector<double> result;
    if (offsets.front() != 0 && std::abs(offsets.front() - first_z) > 1e-3)
        throw bad_input("the first frame offset is neither 0 nor the z of the image position", root.at(DCM_GridFrameOffsetVector));
    for (const double offset : offsets) result.push_back(offset - offsets.front());
    return result;
}

struct AxisMap {
    int index;
    bool ascending;
};

AxisMap axis_of(const Vec3& direction, const DicomItem& root) {
    int index = 0;
    direction.cwiseAbs().maxCoeff(&index);
    if (std::abs(std::abs(direction[index]) - 1) > 1e-4)
        throw bad_input("the dose grid is turned against the patient axes", root.at(DCM_ImageOrientationPatient), "Export the dose on an axial grid");
    return {index, direction[index] > 0};
}

}  // namespace

Dose read_dose(const std::filesystem::path& path) {
    const DicomFile file(path);
    const DicomItem root = file.root();
    const std::string sop_class = root.text(DCM_SOPClassUID);
    if (sop_class != UID_RTDoseStorage) throw bad_input("the file is not an RT Dose", root.at(DCM_SOPClassUID));
    if (const std::string units = root.text(DCM_DoseUnits); units != "GY")
        throw bad_input("the dose is given in " + units + ", not in GY", root.at(DCM_DoseUnits), "Export it in gray");
    Dose dose;
    dose.type = root.text(DCM_DoseType);
    const std::string summation = root.text(DCM_DoseSummationType);
    if (summation == "PLAN")
        dose.summation = DoseSummation::plan;
    else if (summation == "FRACTION")
        dose.summation = DoseSummation::fraction;
    else if (summation == "BEAM")
        dose.summation = DoseSummation::beam;
    else
        throw bad_input("dose summation type " + summation + " is not read", root.at(DCM_DoseSummationType), "Export PLAN, FRACTION or BEAM");
    dose.comment = root.text_or_empty(DCM_DoseComment);
    dose.frame_of_reference_uid = root.text_or_empty(DCM_FrameOfReferenceUID);
    dose.sop_instance_uid = root.text_or_empty(DCM_SOPInstanceUID);
    for (const DicomItem& plan : root.items(DCM_ReferencedRTPlanSequence, "plan")) {
        dose.referenced_plan_uid = plan.text_or_empty(DCM_ReferencedSOPInstanceUID);
        dose.referenced_plan_class_uid = plan.text_or_empty(DCM_ReferencedSOPClassUID);
        for (const DicomItem& group : plan.items(DCM_ReferencedFractionGroupSequence, "fraction group")) {
            dose.fraction_group = group.optional_integer(DCM_ReferencedFractionGroupNumber).value_or(1);
            for (const DicomItem& beam : group.items(DCM_ReferencedBeamSequence, "beam"))
                dose.beam_number = beam.optional_integer(DCM_ReferencedBeamNumber).value_or(0);
        }
        break;
    }
    // libdose names the structure set in the Referenced Instance Sequence, others in the sequence of the RT DVH module.
    for (const DicomItem& set : root.items(DCM_ReferencedInstanceSequence, "instance"))
        if (set.text_or_empty(DCM_ReferencedSOPClassUID) == UID_RTStructureSetStorage)
            dose.referenced_structure_set_uid = set.text_or_empty(DCM_ReferencedSOPInstanceUID);
    for (const DicomItem& set : root.items(DCM_ReferencedStructureSetSequence, "structure set"))
        dose.referenced_structure_set_uid = set.text_or_empty(DCM_ReferencedSOPInstanceUID);

    const int rows = root.integer(DCM_Rows), columns = root.integer(DCM_Columns);
    const int frames = root.optional_integer(DCM_NumberOfFrames).value_or(1);
    if (rows < 1 || columns < 1 || frames < 1) throw bad_input("the dose grid is empty", root.at(DCM_Rows));
    const auto position = root.numbers(DCM_ImagePositionPatient, 3), orientation = root.numbers(DCM_ImageOrientationPatient, 6),
               spacing = root.numbers(DCM_PixelSpacing, 2);
    const Vec3 row_direction(orientation[0], orientation[1], orientation[2]), column_direction(orientation[3], orientation[4], orientation[5]);
    const Vec3 origin(position[0], position[1], position[2]);
    const AxisMap along_columns = axis_of(row_direction, root), along_rows = axis_of(column_direction, root);
    if (along_columns.index == along_rows.index) throw bad_input("the direction cosines are parallel", root.at(DCM_ImageOrientationPatient));
    const AxisMap normal = axis_of(row_direction.cross(column_direction), root);
    const std::vector<double> offsets = frames > 1 ? frame_offsets(root, static_cast<std::size_t>(frames), origin[2]) : std::vector<double>{0.0};
    double step = frames > 1 ? (offsets.back() - offsets.front()) / (frames - 1) : root.optional_number(DCM_SliceThickness).value_or(0);
    for (int f = 0; f < frames; ++f)
        if (std::abs(offsets[static_cast<std::size_t>(f)] - f * step) > 0.01)
            throw bad_input("the frames are not evenly spaced", root.at(DCM_GridFrameOffsetVector), "Export the dose on an even grid");
    if (frames == 1 && !(step > 0)) throw bad_input("a dose of one frame needs a slice thickness", root.at(DCM_SliceThickness));
    if (step == 0) throw bad_input("the frames lie on top of each other", root.at(DCM_GridFrameOffsetVector));
    const bool frames_ascending = normal.ascending == (step > 0);

    Grid& grid = dose.gy.grid;
    const AxisMap axes[3] = {along_columns, along_rows, {normal.index, frames_ascending}};
    const int counts[3] = {columns, rows, frames};
    const double steps[3] = {spacing[1], spacing[0], std::abs(step)};
    for (int a = 0; a < 3; ++a) {
        grid.size[static_cast<std::size_t>(axes[a].index)] = counts[a];
        grid.spacing_mm[axes[a].index] = steps[a];
        grid.origin_mm[axes[a].index] = origin[axes[a].index] - (axes[a].ascending ? 0.0 : steps[a] * (counts[a] - 1));
    }
    grid.check(root.place());

    const double scaling = root.number(DCM_DoseGridScaling);
    if (!(scaling > 0)) throw bad_input("the dose grid scaling is not positive", root.at(DCM_DoseGridScaling));
    const int bits = root.integer(DCM_BitsAllocated);
    if (root.integer(DCM_PixelRepresentation) != 0 && dose.type != "ERROR")
        throw bad_input("signed dose pixels are not read", root.at(DCM_PixelRepresentation));
    DcmElement* element = nullptr;
    if (file.dataset().findAndGetElement(DCM_PixelData, element).bad() || !element) throw bad_input("there is no pixel data", root.at(DCM_PixelData));
    if (DcmXfer(file.dataset().getOriginalXfer()).isEncapsulated())
        throw bad_input("compressed dose pixels are not read", root.at(DCM_PixelData), "Decompress the file first, for example with gdcmconv --raw");
    const std::size_t count = grid.voxel_count();
    if (element->getLength() < count * static_cast<std::size_t>(bits) / 8)
        throw bad_input("the pixel data is shorter than the dose grid", root.at(DCM_PixelData), "The file may be truncated");
    Uint16* words = nullptr;
    if ((bits != 16 && bits != 32) || element->getUint16Array(words).bad() || !words)
        throw bad_input("the dose pixels have " + std::to_string(bits) + " bits; 16 and 32 are read", root.at(DCM_BitsAllocated));
    dose.gy.values.resize(count);
    std::size_t p = 0;
    for (int f = 0; f < frames; ++f)
        for (int j = 0; j < rows; ++j)
            for (int i = 0; i < columns; ++i, ++p) {
                // DCMTK keeps 32-bit pixels as pairs of little-endian words.
                const double raw = bits == 16 ? words[p] : static_cast<double>(words[2 * p]) + 65536.0 * static_cast<double>(words[2 * p + 1]);
                std::array<int, 3> to{};
                const int at[3] = {i, j, f};
                for (int a = 0; a < 3; ++a) to[static_cast<std::size_t>(axes[a].index)] = axes[a].ascending ? at[a] : counts[a] - 1 - at[a];
                dose.gy.at(to[0], to[1], to[2]) = static_cast<float>(raw * scaling);
            }
    return dose;
}

}  // namespace libdose::io
