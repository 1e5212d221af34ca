// RT Dose Storage, as DICOM PS3.3 A.18.3 and C.8.8.3 have it, into a grid along the patient's axes.
#include <algorithm>
#include <cmath>
#include <limits>

#include "io/dicom/dicom_item.h"
#include "libdose/io/dicom.h"

namespace libdose::io {

namespace {

/// No voxel may lie farther than this part of a voxel from where the straight, even grid has it.
constexpr double small_part = 0.05;

/// Which axis of the patient an axis of the image follows.
struct AxisMap {
    int index;
    bool ascending;
};

/// Columns, rows and frames of the image in the patient.
struct ImageAxes {
    std::array<AxisMap, 3> axes;
    std::array<int, 3> counts;
    std::array<double, 3> steps_mm;
    Vec3 first_mm;  ///< centre of the first pixel of the first frame
};

DoseSummation summation_of(const DicomItem& root) {
    const std::string text = root.text(DCM_DoseSummationType);
    // A session is one fraction in the terms of libdose.
    if (text == "FRACTION_SESSION") return DoseSummation::fraction;
    if (text == "BEAM_SESSION") return DoseSummation::beam;
    for (const DoseSummation known :
         {DoseSummation::plan, DoseSummation::multi_plan, DoseSummation::fraction, DoseSummation::beam})
        if (to_string(known) == text) return known;
    throw bad_input("dose summation type " + text + " is not read", root.at(DCM_DoseSummationType),
                    "Export PLAN, MULTI_PLAN, FRACTION or BEAM");
}

void read_plan_references(const DicomItem& root, Dose& dose) {
    int beams = 0;
    for (const DicomItem& plan : root.items(DCM_ReferencedRTPlanSequence, "plan")) {
        const std::string uid = plan.text_or_empty(DCM_ReferencedSOPInstanceUID);
        if (!dose.referenced_plan_uid.empty()) {
            if (!uid.empty() && uid != dose.referenced_plan_uid) dose.further_plan_uids.push_back(uid);
            continue;
        }
        dose.referenced_plan_uid = uid;
        dose.referenced_plan_class_uid = plan.text_or_empty(DCM_ReferencedSOPClassUID);
        for (const DicomItem& group : plan.items(DCM_ReferencedFractionGroupSequence, "fraction group")) {
            dose.fraction_group = group.optional_integer(DCM_ReferencedFractionGroupNumber).value_or(1);
            for (const DicomItem& beam : group.items(DCM_ReferencedBeamSequence, "beam"))
                dose.beam_number =
                    ++beams == 1 ? beam.optional_integer(DCM_ReferencedBeamNumber).value_or(0) : 0;
        }
    }
    // libdose names the structure set in the Referenced Instance Sequence, others in the sequence of the RT
    // DVH module.
    for (const DicomItem& set : root.items(DCM_ReferencedInstanceSequence, "instance"))
        if (set.text_or_empty(DCM_ReferencedSOPClassUID) == UID_RTStructureSetStorage)
            dose.referenced_structure_set_uid = set.text_or_empty(DCM_ReferencedSOPInstanceUID);
    for (const DicomItem& set : root.items(DCM_ReferencedStructureSetSequence, "structure set"))
        dose.referenced_structure_set_uid = set.text_or_empty(DCM_ReferencedSOPInstanceUID);
}

/// The comment, without the medium that write_dose() begins it with.
void read_comment(const DicomItem& root, Dose& dose) {
    dose.comment = root.text_or_empty(DCM_DoseComment);
    for (const DoseMedium medium : {DoseMedium::medium, DoseMedium::water}) {
        const std::string words = medium == DoseMedium::water ? "dose to water" : "dose to medium";
        if (!dose.comment.starts_with(words)) continue;
        dose.medium = medium;
        dose.comment.erase(0, dose.comment.starts_with(words + ", ") ? words.size() + 2 : words.size());
        return;
    }
}

/// Description of the dose, without its voxels.
Dose read_header(const DicomItem& root) {
    const std::string sop_class = root.text(DCM_SOPClassUID);
    if (sop_class != UID_RTDoseStorage)
        throw bad_input("the file is not an RT Dose", root.at(DCM_SOPClassUID));
    if (const std::string units = root.text(DCM_DoseUnits); units != "GY")
        throw bad_input("the dose is given in " + units + ", not in GY", root.at(DCM_DoseUnits),
                        "Export it in gray");
    Dose dose;
    dose.type = root.text(DCM_DoseType);
    require_dose_type(dose.type, root.at(DCM_DoseType));
    dose.summation = summation_of(root);
    if (const std::string text = root.text(DCM_DoseSummationType);
        text == "FRACTION_SESSION" || text == "BEAM_SESSION")
        dose.fractions = 1;
    read_comment(root, dose);
    dose.patient_id = root.text_or_empty(DCM_PatientID);
    dose.frame_of_reference_uid = root.text_or_empty(DCM_FrameOfReferenceUID);
    dose.sop_instance_uid = root.text_or_empty(DCM_SOPInstanceUID);
    read_plan_references(root, dose);
    return dose;
}

Error turned(const DicomItem& root) {
    return bad_input("the dose grid is turned against the patient axes", root.at(DCM_ImageOrientationPatient),
                     "Export the dose on a grid along the axes");
}

/// The patient's axis that a direction of the image follows most.
AxisMap axis_of(const Vec3& direction) {
    int index = 0;
    direction.cwiseAbs().maxCoeff(&index);
    return {index, direction[index] > 0};
}

/// Distance of the frames, negative against the normal, and what the offsets are measured from.
struct FrameOffsets {
    double step_mm;
    bool absolute;  ///< they are z of the patient (option b of C.8.8.3.2), not distances along the normal
};

FrameOffsets frame_offsets(const DicomItem& root, int frames, double first_z_mm) {
    const std::vector<double> v = root.numbers(DCM_GridFrameOffsetVector, static_cast<std::size_t>(frames));
    const double step_mm = (v.back() - v.front()) / (frames - 1), allowed_mm = small_part * std::abs(step_mm);
    if (step_mm == 0)
        throw bad_input("the frames lie on top of each other", root.at(DCM_GridFrameOffsetVector));
    for (int f = 0; f < frames; ++f)
        if (std::abs(v[static_cast<std::size_t>(f)] - v.front() - f * step_mm) > allowed_mm)
            throw bad_input("the frames are not evenly spaced", root.at(DCM_GridFrameOffsetVector),
                            "Export the dose on an even grid");
    if (v.front() == 0) return {step_mm, false};
    if (std::abs(v.front() - first_z_mm) > allowed_mm)
        throw bad_input("the first frame offset is neither 0 nor the z of the image position",
                        root.at(DCM_GridFrameOffsetVector));
    return {step_mm, true};
}

/// Adds the frames to the image, which has its normal as third axis. A single frame without a thickness is a
/// plane, as thick as its pixels.
void place_frames(const DicomItem& root, ImageAxes& image, bool& plane) {
    AxisMap& normal = image.axes[2];
    if (image.counts[2] == 1) {
        const double thickness_mm = root.optional_number(DCM_SliceThickness).value_or(0);
        plane = !(thickness_mm > 0);
        image.steps_mm[2] = plane ? std::min(image.steps_mm[0], image.steps_mm[1]) : thickness_mm;
        return;
    }
    const FrameOffsets offsets = frame_offsets(root, image.counts[2], image.first_mm[2]);
    // DICOM defines z for head first supine only. It is the same where the normal points to the head, and
    // could be either elsewhere.
    if (offsets.absolute && (normal.index != 2 || !normal.ascending))
        throw bad_input(
            "the frame offsets begin with the z of the image position, which DICOM defines for frames "
            "towards the head only",
            root.at(DCM_GridFrameOffsetVector), "Export the dose with offsets that begin with 0");
    normal.ascending = normal.ascending == (offsets.step_mm > 0);
    image.steps_mm[2] = std::abs(offsets.step_mm);
}

/// Throws bad_input where the directions carry a voxel of the image too far beside the straight grid.
void check_straight(const DicomItem& root, const ImageAxes& image, const std::array<Vec3, 3>& directions) {
    Vec3 stray_mm = Vec3::Zero(), voxel_mm = Vec3::Zero();
    for (std::size_t a = 0; a < 3; ++a) {
        Vec3 beside = directions[a] * (image.steps_mm[a] * (image.counts[a] - 1));
        beside[image.axes[a].index] = 0;
        stray_mm += beside.cwiseAbs();
        voxel_mm[image.axes[a].index] = image.steps_mm[a];
    }
    if ((stray_mm.array() > small_part * voxel_mm.array()).any()) throw turned(root);
}

ImageAxes read_axes(const DicomItem& root, bool& plane) {
    const int rows = root.integer(DCM_Rows), columns = root.integer(DCM_Columns);
    const int frames = root.optional_integer(DCM_NumberOfFrames).value_or(1);
    if (rows < 1 || columns < 1 || frames < 1) throw bad_input("the dose grid is empty", root.at(DCM_Rows));
    const auto position = root.numbers(DCM_ImagePositionPatient, 3),
               cosines = root.numbers(DCM_ImageOrientationPatient, 6),
               spacing = root.numbers(DCM_PixelSpacing, 2);
    if (!(spacing[0] > 0 && spacing[1] > 0))
        throw bad_input("the pixel spacing is not positive", root.at(DCM_PixelSpacing));
    const Vec3 along_row(cosines[0], cosines[1], cosines[2]),
        along_column(cosines[3], cosines[4], cosines[5]), across = along_row.cross(along_column);
    for (const Vec3& direction : {along_row, along_column, across})
        if (!(std::abs(direction.norm() - 1) < 1e-2))
            throw bad_input("the direction cosines are not unit vectors at right angles",
                            root.at(DCM_ImageOrientationPatient));
    ImageAxes image;
    image.first_mm = Vec3(position[0], position[1], position[2]);
    image.counts = {columns, rows, frames};
    image.steps_mm = {spacing[1], spacing[0], 0};
    image.axes = {axis_of(along_row), axis_of(along_column), axis_of(across)};
    if (image.axes[0].index == image.axes[1].index || image.axes[0].index == image.axes[2].index ||
        image.axes[1].index == image.axes[2].index)
        throw turned(root);
    place_frames(root, image, plane);
    check_straight(root, image, {along_row.normalized(), along_column.normalized(), across.normalized()});
    return image;
}

Grid grid_of(const ImageAxes& image) {
    Grid grid;
    for (std::size_t a = 0; a < 3; ++a) {
        const auto [index, ascending] = image.axes[a];
        grid.size[static_cast<std::size_t>(index)] = image.counts[a];
        grid.spacing_mm[index] = image.steps_mm[a];
        grid.origin_mm[index] =
            image.first_mm[index] - (ascending ? 0.0 : image.steps_mm[a] * (image.counts[a] - 1));
    }
    return grid;
}

/// Stored values in the order of the file.
class Pixels {
public:
    Pixels(const DicomFile& file, const DicomItem& root, const std::string& dose_type)
        : bits_(root.integer(DCM_BitsAllocated)), root_(&root) {
        if (file.dataset().findAndGetElement(DCM_PixelData, element_).bad() || !element_)
            throw bad_input("there is no pixel data", root.at(DCM_PixelData));
        const DcmXfer syntax(file.dataset().getOriginalXfer());
        if (syntax.isEncapsulated())
            throw bad_input("compressed dose pixels are not read", root.at(DCM_PixelData),
                            "Decompress the file first, for example with gdcmconv --raw");
        if (bits_ != 16 && bits_ != 32)
            throw bad_input("the dose pixels have " + std::to_string(bits_) + " bits; 16 and 32 are read",
                            root.at(DCM_BitsAllocated));
        // DICOM packs them as two words, the lower first; most programs swap all four bytes. Nothing in the
        // file tells which was done.
        if (bits_ == 32 && syntax.isBigEndian())
            throw bad_input(
                "dose pixels of 32 bits in big endian are not read: programs differ in the order of their "
                "bytes",
                root.at(DCM_PixelData), "Export the dose in little endian");
        if (root.optional_integer(DCM_SamplesPerPixel).value_or(1) != 1)
            throw bad_input("the dose has several values per pixel", root.at(DCM_SamplesPerPixel));
        // DICOM wants all bits used; more than there are cannot mean anything else.
        stored_ = std::min(root.optional_integer(DCM_BitsStored).value_or(bits_), bits_);
        signed_ = root.integer(DCM_PixelRepresentation) != 0;
        const bool fewer = stored_ < bits_;
        if (stored_ < 1 ||
            (fewer && (signed_ || root.optional_integer(DCM_HighBit).value_or(stored_ - 1) != stored_ - 1)))
            throw bad_input("the bits of the dose pixels are not laid out as DICOM has it: " +
                                std::to_string(stored_) + " of " + std::to_string(bits_),
                            root.at(DCM_BitsStored), "Export the dose again");
        // A physical dose is not negative and a difference is signed (C.8.8.3.4): elsewhere the highest bit
        // has no certain meaning.
        high_bit_known_ = signed_ == (dose_type == "ERROR");
    }

    /// Throws bad_input when there are fewer than `count`.
    void load(std::size_t count) {
        if (element_->getLength() < count * static_cast<std::size_t>(bits_) / 8)
            throw bad_input("the pixel data is shorter than the dose grid", root_->at(DCM_PixelData),
                            "The file may be truncated");
        if (element_->getUint16Array(words_).bad() || !words_) {
            if (element_->getUint8Array(bytes_).bad() || !bytes_)
                throw bad_input("the pixel data cannot be read", root_->at(DCM_PixelData));
        }
    }

    double operator[](std::size_t pixel) const {
        const std::uint32_t raw = bits_ == 16 ? word(pixel) : word(2 * pixel) | word(2 * pixel + 1) << 16;
        if (stored_ < bits_ && raw >> stored_ != 0)
            throw bad_input("a dose value needs more than the " + std::to_string(stored_) +
                                " bits that are said to be stored",
                            root_->at(DCM_BitsStored), "Export the dose again");
        const bool high = (raw >> (bits_ - 1)) != 0;
        if (high && !high_bit_known_)
            throw bad_input(
                "a dose value has its highest bit set, which its pixel representation and dose type leave "
                "open",
                root_->at(DCM_PixelRepresentation),
                "Doses are unsigned, differences of type ERROR are signed; export the dose again");
        return high && signed_ ? static_cast<double>(raw) - std::exp2(bits_) : static_cast<double>(raw);
    }

private:
    /// DCMTK keeps OW as words of this machine, whatever the file's order of bytes, and anything else as the
    /// bytes of the file.
    std::uint32_t word(std::size_t n) const {
        return words_ ? words_[n]
                      : static_cast<std::uint32_t>(bytes_[2 * n]) |
                            static_cast<std::uint32_t>(bytes_[2 * n + 1]) << 8;
    }

    int bits_, stored_ = 0;
    const DicomItem* root_;
    DcmElement* element_ = nullptr;
    Uint16* words_ = nullptr;
    Uint8* bytes_ = nullptr;
    bool signed_ = false, high_bit_known_ = true;
};

}  // namespace

Dose read_dose(const std::filesystem::path& path) {
    const DicomFile file(path);
    const DicomItem root = file.root();
    Dose dose = read_header(root);
    const ImageAxes image = read_axes(root, dose.plane);
    dose.gy.grid = grid_of(image);
    dose.gy.grid.check(root.place());
    const double scaling = root.number(DCM_DoseGridScaling);
    if (!(scaling > 0))
        throw bad_input("the dose grid scaling is not positive", root.at(DCM_DoseGridScaling));
    Pixels pixels(file, root, dose.type);
    pixels.load(dose.gy.grid.voxel_count());
    dose.gy.values.resize(dose.gy.grid.voxel_count());
    std::size_t p = 0;
    for (int f = 0; f < image.counts[2]; ++f)
        for (int j = 0; j < image.counts[1]; ++j)
            for (int i = 0; i < image.counts[0]; ++i, ++p) {
                std::array<int, 3> to{};
                const std::array<int, 3> at{i, j, f};
                for (std::size_t a = 0; a < 3; ++a)
                    to[static_cast<std::size_t>(image.axes[a].index)] =
                        image.axes[a].ascending ? at[a] : image.counts[a] - 1 - at[a];
                dose.gy.at(to[0], to[1], to[2]) = static_cast<float>(pixels[p] * scaling);
            }
    return dose;
}

CtImage read_patient(const std::filesystem::path& path) {
    const DicomFile file(path);
    const DicomItem root = file.root();
    CtImage patient;
    patient.patient_name = root.text_or_empty(DCM_PatientName);
    patient.patient_id = root.text_or_empty(DCM_PatientID);
    patient.patient_birth_date = root.text_or_empty(DCM_PatientBirthDate);
    patient.patient_sex = root.text_or_empty(DCM_PatientSex);
    patient.study_uid = root.text_or_empty(DCM_StudyInstanceUID);
    patient.study_id = root.text_or_empty(DCM_StudyID);
    patient.study_date = root.text_or_empty(DCM_StudyDate);
    patient.study_time = root.text_or_empty(DCM_StudyTime);
    patient.accession_number = root.text_or_empty(DCM_AccessionNumber);
    patient.frame_of_reference_uid = root.text_or_empty(DCM_FrameOfReferenceUID);
    return patient;
}

}  // namespace libdose::io
