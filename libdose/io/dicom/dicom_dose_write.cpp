// RT Dose Storage, as DICOM PS3.3 A.18.3 has it: 32-bit pixels along the patient's axes.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "base/temporary_name.h"
#include "base/utf8.h"
#include "io/dicom/dicom_item.h"
#include "libdose/io/dicom.h"

namespace libdose::io {

namespace {

std::string new_uid() {
    char uid[100];
    return dcmGenerateUniqueIdentifier(uid, SITE_INSTANCE_UID_ROOT);
}

/// Shortest decimal string of at most 16 characters that is nearest to the value.
std::string decimal(double value) {
    char text[40];
    for (int digits = 15; digits > 5; --digits) {
        std::snprintf(text, sizeof text, "%.*g", digits, value);
        if (std::string(text).size() <= 16) return text;
    }
    throw internal_error("a number does not fit a DICOM decimal string");
}

/// The file is in UTF-8, and the limits of DICOM are in characters.
std::string limited(const std::string& text, std::size_t length) {
    return first_characters(valid_utf8(text), length);
}

class Builder {
public:
    explicit Builder(DcmItem& item) : item_(item) {}
    void text(DcmTagKey tag, const std::string& value) {
        check(item_.putAndInsertString(tag, valid_utf8(value).c_str()), tag);
    }
    void number(DcmTagKey tag, Uint16 value) { check(item_.putAndInsertUint16(tag, value), tag); }
    Builder item(DcmTagKey sequence, long position = -2) {
        DcmItem* inner = nullptr;
        check(item_.findOrCreateSequenceItem(sequence, inner, position), sequence);
        return Builder(*inner);
    }
    void empty(DcmTagKey tag) { check(item_.insertEmptyElement(tag), tag); }
    void numbers(DcmTagKey tag, std::initializer_list<double> values) { text(tag, joined({values})); }
    void numbers(DcmTagKey tag, const std::vector<double>& values) { text(tag, joined(values)); }

private:
    static std::string joined(const std::vector<double>& values) {
        std::string result;
        for (const double value : values) result += (result.empty() ? "" : "\\") + decimal(value);
        return result;
    }
    static void check(const OFCondition& status, DcmTagKey tag) {
        if (status.bad())
            throw internal_error(std::string("cannot set ") + tag_text(tag) + ": " + status.text());
    }
    DcmItem& item_;
};

/// Provenance as text blocks of at most 1024 characters (the limit of a Contribution Description).
std::vector<std::string> provenance_blocks(const Provenance& p) {
    std::vector<std::string> lines{
        "engine " + p.engine + ", backend " + p.backend + ", libdose " + p.engine_version,
        "HU curve " + p.hu_curve_name + " sha256 " + p.hu_curve_hash};
    for (const auto& [name, hash] : p.model_hashes) lines.push_back("beam model " + name + " sha256 " + hash);
    for (const auto& [name, value] : p.settings) lines.push_back("setting " + name + " = " + value);
    for (const auto& [name, value] : p.input_uids) lines.push_back("input " + name + " " + value);
    std::vector<std::string> blocks;
    for (std::string line : lines) {
        std::replace(line.begin(), line.end(), '\\', '/');
        line = limited(line, 1000);
        if (blocks.empty() || blocks.back().size() + line.size() + 2 > 1024)
            blocks.push_back(line);
        else
            blocks.back() += "\r\n" + line;
    }
    return blocks;
}

void sync_to_disk(const std::filesystem::path& file) {
    const int descriptor = open(file.c_str(), O_RDONLY);
    if (descriptor < 0) return;
    fsync(descriptor);
    close(descriptor);
}

/// The dose in pixels of 32 bits. 31 of them hold the value, so that readers that take them as signed see the
/// same.
struct EncodedDose {
    std::string scaling_text;
    std::vector<Uint16> words;  ///< pairs, the lower word first
    bool is_signed = false;
};

/// Values below 0 by less than this part of the largest are rounding of the calculation and become 0.
constexpr float rounding_below_zero = 1e-5f;

EncodedDose encode(const Dose& dose, const std::string& where) {
    EncodedDose encoded;
    encoded.is_signed = dose.type == "ERROR";
    float lowest = 0, highest = 0;
    for (const float value : dose.gy.values) {
        if (!std::isfinite(value)) throw internal_error("the dose holds a value that is not finite", where);
        lowest = std::min(lowest, value);
        highest = std::max(highest, value);
    }
    if (!encoded.is_signed && -lowest > rounding_below_zero * highest)
        throw bad_input("a dose of type " + dose.type + " holds negative values, down to " +
                            std::to_string(lowest) + " Gy",
                        where,
                        "A difference of doses is of type ERROR: make it with difference_of_doses(), `dose "
                        "sum` or a - b, or set the type");
    const double largest = static_cast<double>(encoded.is_signed ? std::max(highest, -lowest) : highest);
    constexpr double full_scale = 2147483647.0;
    encoded.scaling_text = decimal(largest > 0 ? largest / full_scale * (1 + 1e-9) : 1e-9);
    const double scaling = std::stod(encoded.scaling_text), least = encoded.is_signed ? -full_scale : 0.0;
    encoded.words.resize(2 * dose.gy.values.size());
    for (std::size_t v = 0; v < dose.gy.values.size(); ++v) {
        const double value =
            std::clamp(std::round(static_cast<double>(dose.gy.values[v]) / scaling), least, full_scale);
        const auto raw = static_cast<std::uint32_t>(static_cast<std::int32_t>(value));
        encoded.words[2 * v] = static_cast<Uint16>(raw & 0xffff);
        encoded.words[2 * v + 1] = static_cast<Uint16>(raw >> 16);
    }
    return encoded;
}

void put_plan(Builder& out, const Dose& dose) {
    if (dose.referenced_plan_uid.empty()) return;
    const std::string plan_class =
        dose.referenced_plan_class_uid.empty() ? UID_RTPlanStorage : dose.referenced_plan_class_uid;
    Builder plan = out.item(DCM_ReferencedRTPlanSequence, 0);
    plan.text(DCM_ReferencedSOPClassUID, plan_class);
    plan.text(DCM_ReferencedSOPInstanceUID, dose.referenced_plan_uid);
    long further = 0;
    for (const std::string& uid : dose.further_plan_uids) {
        Builder other = out.item(DCM_ReferencedRTPlanSequence, ++further);
        other.text(DCM_ReferencedSOPClassUID, plan_class);
        other.text(DCM_ReferencedSOPInstanceUID, uid);
    }
    if (is_whole_course(dose)) return;
    Builder group = plan.item(DCM_ReferencedFractionGroupSequence, 0);
    group.text(DCM_ReferencedFractionGroupNumber, std::to_string(dose.fraction_group));
    if (dose.summation == DoseSummation::beam && dose.beam_number != 0)
        group.item(DCM_ReferencedBeamSequence, 0)
            .text(DCM_ReferencedBeamNumber, std::to_string(dose.beam_number));
}

void put_patient_and_study(Builder& out, const CtImage& ct) {
    out.text(DCM_PatientName, ct.patient_name);
    out.text(DCM_PatientID, ct.patient_id);
    out.text(DCM_PatientBirthDate, ct.patient_birth_date);
    out.text(DCM_PatientSex, ct.patient_sex);
    out.text(DCM_StudyInstanceUID, ct.study_uid.empty() ? new_uid() : ct.study_uid);
    out.text(DCM_StudyDate, ct.study_date);
    out.text(DCM_StudyTime, ct.study_time);
    out.text(DCM_StudyID, ct.study_id);
    out.text(DCM_AccessionNumber, ct.accession_number);
    out.empty(DCM_ReferringPhysicianName);
}

void put_series_and_equipment(Builder& out, const Dose& dose, const CtImage& ct) {
    const std::string system = limited("libdose " + dose.provenance.engine, 64);
    out.text(DCM_Modality, "RTDOSE");
    out.text(DCM_SeriesInstanceUID, new_uid());
    out.empty(DCM_SeriesNumber);
    out.text(DCM_SeriesDescription, system);
    out.empty(DCM_OperatorsName);
    out.text(DCM_Manufacturer, "libdose");
    out.text(DCM_ManufacturerModelName, system);
    out.text(DCM_SoftwareVersions, limited(dose.provenance.engine_version, 64));
    out.text(DCM_FrameOfReferenceUID,
             dose.frame_of_reference_uid.empty() ? ct.frame_of_reference_uid : dose.frame_of_reference_uid);
    out.empty(DCM_PositionReferenceIndicator);
    long block = 0;
    for (const std::string& text : provenance_blocks(dose.provenance)) {
        Builder item = out.item(DCM_ContributingEquipmentSequence, block++);
        Builder purpose = item.item(DCM_PurposeOfReferenceCodeSequence, 0);
        purpose.text(DCM_CodeValue, "109102");
        purpose.text(DCM_CodingSchemeDesignator, "DCM");
        purpose.text(DCM_CodeMeaning, "Processing Equipment");
        item.text(DCM_Manufacturer, "libdose");
        item.text(DCM_ContributionDescription, text);
    }
}

void put_image(Builder& out, const Dose& dose, bool is_signed) {
    const Grid& grid = dose.gy.grid;
    out.text(DCM_InstanceNumber, "1");
    out.text(DCM_ImageType, "DERIVED\\SECONDARY");
    out.numbers(DCM_ImagePositionPatient, {grid.origin_mm[0], grid.origin_mm[1], grid.origin_mm[2]});
    out.numbers(DCM_ImageOrientationPatient, {1, 0, 0, 0, 1, 0});
    out.numbers(DCM_PixelSpacing, {grid.spacing_mm[1], grid.spacing_mm[0]});
    if (dose.plane)
        out.empty(DCM_SliceThickness);
    else
        out.numbers(DCM_SliceThickness, {grid.spacing_mm[2]});
    out.number(DCM_SamplesPerPixel, 1);
    out.text(DCM_PhotometricInterpretation, "MONOCHROME2");
    out.text(DCM_NumberOfFrames, std::to_string(grid.size[2]));
    std::vector<double> offsets;
    for (int k = 0; k < grid.size[2]; ++k) offsets.push_back(k * grid.spacing_mm[2]);
    out.numbers(DCM_GridFrameOffsetVector, offsets);
    out.number(DCM_Rows, static_cast<Uint16>(grid.size[1]));
    out.number(DCM_Columns, static_cast<Uint16>(grid.size[0]));
    out.number(DCM_BitsAllocated, 32);
    out.number(DCM_BitsStored, 32);
    out.number(DCM_HighBit, 31);
    out.number(DCM_PixelRepresentation, is_signed ? 1 : 0);
}

void put_dose(Builder& out, const Dose& dose, const std::string& scaling_text) {
    const std::string medium = dose.medium == DoseMedium::medium ? "medium" : "water";
    out.text(DCM_DoseUnits, "GY");
    out.text(DCM_DoseType, dose.type);
    out.text(DCM_DoseSummationType, to_string(dose.summation));
    out.text(DCM_DoseComment,
             limited("dose to " + medium + (dose.comment.empty() ? "" : ", " + dose.comment), 64));
    out.text(DCM_TissueHeterogeneityCorrection, "IMAGE");
    out.text(DCM_DoseGridScaling, scaling_text);
    put_plan(out, dose);
    if (dose.referenced_structure_set_uid.empty()) return;
    // Not the Referenced Structure Set Sequence: that one belongs to the RT DVH module and demands
    // histograms.
    Builder set = out.item(DCM_ReferencedInstanceSequence, 0);
    set.text(DCM_ReferencedSOPClassUID, UID_RTStructureSetStorage);
    set.text(DCM_ReferencedSOPInstanceUID, dose.referenced_structure_set_uid);
    Builder purpose = set.item(DCM_PurposeOfReferenceCodeSequence, 0);
    purpose.text(DCM_CodeValue, "STRUCTURE-SET");
    purpose.text(DCM_CodingSchemeDesignator, "99LIBDOSE");
    purpose.text(DCM_CodeMeaning, "RT Structure Set of the calculation");
}

void check_writable(const Dose& dose, const std::string& where) {
    const Grid& grid = dose.gy.grid;
    grid.check("dose to write");
    if (dose.gy.values.size() != grid.voxel_count())
        throw internal_error("the dose does not fill its grid", where);
    if (grid.size[0] > 65535 || grid.size[1] > 65535)
        throw bad_input("the dose grid has more than 65535 rows or columns", where);
    if (dose.plane && grid.size[2] != 1)
        throw bad_input("a plane of dose that is not axial is not written as RTDOSE", where,
                        "Write it as HDF5");
    require_dose_type(dose.type, where);
}

void save(DcmFileFormat& format, const std::filesystem::path& path) {
    const std::filesystem::path temporary = temporary_name(path);
    const OFCondition status = format.saveFile(temporary.c_str(), EXS_LittleEndianExplicit);
    if (status.bad()) {
        std::error_code ignored;
        std::filesystem::remove(temporary, ignored);
        throw bad_input(std::string("the dose cannot be written: ") + status.text(), path.string(),
                        "Check the folder, its permissions and the space on the disk");
    }
    sync_to_disk(temporary);
    rename_into_place(temporary, path);
}

}  // namespace

std::string write_dose(const Dose& dose, const CtImage& ct, const std::filesystem::path& path) {
    const QuietDcmtk quiet;
    check_writable(dose, path.string());
    const EncodedDose encoded = encode(dose, path.string());
    DcmFileFormat format;
    Builder out(*format.getDataset());
    const std::string uid = new_uid();
    char date[16], time[16];
    const std::time_t now = std::time(nullptr);
    std::tm broken{};
    localtime_r(&now, &broken);
    std::strftime(date, sizeof date, "%Y%m%d", &broken);
    std::strftime(time, sizeof time, "%H%M%S", &broken);
    out.text(DCM_SpecificCharacterSet, "ISO_IR 192");
    out.text(DCM_SOPClassUID, UID_RTDoseStorage);
    out.text(DCM_SOPInstanceUID, uid);
    for (const auto& [day, hour] : {std::pair(DCM_InstanceCreationDate, DCM_InstanceCreationTime),
                                    std::pair(DCM_ContentDate, DCM_ContentTime)}) {
        out.text(day, date);
        out.text(hour, time);
    }
    put_patient_and_study(out, ct);
    put_series_and_equipment(out, dose, ct);
    put_image(out, dose, encoded.is_signed);
    if (format.getDataset()->putAndInsertTagKey(DCM_FrameIncrementPointer, DCM_GridFrameOffsetVector).bad())
        throw internal_error("cannot set the frame increment pointer");
    put_dose(out, dose, encoded.scaling_text);
    auto pixels = std::make_unique<DcmPixelData>(DCM_PixelData);
    pixels->setVR(EVR_OW);
    if (pixels->putUint16Array(encoded.words.data(), static_cast<unsigned long>(encoded.words.size()))
            .bad() ||
        format.getDataset()->insert(pixels.get(), true).bad())
        throw internal_error("cannot set the dose pixels");
    static_cast<void>(pixels.release());  // owned by the data set
    save(format, path);
    return uid;
}

}  // namespace libdose::io
