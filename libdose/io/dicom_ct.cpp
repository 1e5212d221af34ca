// CT images: single-frame series and enhanced multi-frame, onto one ascending LPS grid.
#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "io/dicom_ct_slice.h"
#include "io/dicom_item.h"
#include "libdose/io/dicom.h"

namespace libdose::io {

namespace {

std::string mm(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", value);
    return text;
}

/// Which LPS axis a direction cosine points along, and which way. Throws when it is oblique.
struct Axis {
    int index;
    bool ascending;
};
Axis axis_of(const Vec3& direction, const std::string& place) {
    int index = 0;
    direction.cwiseAbs().maxCoeff(&index);
    const double angle = std::acos(std::min(1.0, std::abs(direction[index]) / direction.norm())) * 180 / std::numbers::pi;
    // Scanners round direction cosines to a few digits; a tilt of 0.1 degrees shifts 0.9 mm over 50 cm.
    if (angle > 0.1)
        throw bad_input("the image axes are turned against the patient axes by " + mm(angle) + " degrees (oblique or tilted gantry)", place,
                        "Resample the CT onto axial slices");
    return {index, direction[index] > 0};
}

void check_same(const CtSlice& a, const CtSlice& b) {
    const auto differ = [&](const char* what) {
        throw bad_input(std::string("slices of one series differ in ") + what, a.file.filename().string() + " and " + b.file.filename().string(),
                        "Leave only one scan in the series");
    };
    if (a.rows != b.rows || a.columns != b.columns) differ("size");
    if (std::abs(a.row_spacing - b.row_spacing) > 1e-4 || std::abs(a.column_spacing - b.column_spacing) > 1e-4) differ("pixel spacing");
    if ((a.row_direction - b.row_direction).norm() > 1e-4 || (a.column_direction - b.column_direction).norm() > 1e-4) differ("orientation");
    if (a.frame_of_reference_uid != b.frame_of_reference_uid) differ("frame of reference");
}

/// Sorted, without duplicates.
std::vector<CtSlice> in_order(std::vector<CtSlice> slices, std::vector<std::string>& notes) {
    std::stable_sort(slices.begin(), slices.end(), [](const CtSlice& a, const CtSlice& b) { return a.position[2] < b.position[2]; });
    std::vector<CtSlice> unique;
    std::size_t duplicates = 0;
    for (CtSlice& slice : slices) {
        if (!unique.empty() && std::abs(slice.position[2] - unique.back().position[2]) < 0.01) {
            if (slice.hu != unique.back().hu)
                throw bad_input("two slices at z = " + mm(slice.position[2]) + " mm hold different images",
                                unique.back().file.filename().string() + " and " + slice.file.filename().string(), "Leave only one of the scans in the folder");
            ++duplicates;
            continue;
        }
        unique.push_back(std::move(slice));
    }
    if (duplicates > 0) notes.push_back("CT: " + std::to_string(duplicates) + " slices are there twice with the same image and are used once");
    return unique;
}

/// Distances between slices; throws for a gap that is a missing slice.
std::vector<double> checked_distances(const std::vector<CtSlice>& slices) {
    std::vector<double> distances;
    for (std::size_t i = 1; i < slices.size(); ++i) distances.push_back(slices[i].position[2] - slices[i - 1].position[2]);
    std::vector<double> sorted = distances;
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2), sorted.end());
    const double usual = sorted[sorted.size() / 2];
    for (std::size_t i = 0; i < distances.size(); ++i) {
        const double ratio = distances[i] / usual;
        if (ratio < 1.75 || std::abs(ratio - std::round(ratio)) > 0.05) continue;
        // A part of the scan with coarser slices has several such distances in a row; a single one is a gap.
        const auto same = [&](std::size_t j) { return j < distances.size() && std::abs(distances[j] - distances[i]) < 0.02 * distances[i]; };
        const std::size_t run = 1 + (same(i + 1) ? 1 + (same(i + 2) ? 1 : 0) : 0) + (i > 0 && same(i - 1) ? 1 + (i > 1 && same(i - 2) ? 1 : 0) : 0);
        if (run >= 3) continue;
        throw bad_input("slices are missing between z = " + mm(slices[i].position[2]) + " and " + mm(slices[i + 1].position[2]) + " mm (usual distance " +
                            mm(usual) + " mm)",
                        slices[i].file.parent_path().string(), "Add the missing files");
    }
    return distances;
}

}  // namespace

CtImage read_ct(const std::vector<std::filesystem::path>& files) {
    if (files.empty()) throw bad_input("there is no CT file to read");
    CtImage image;
    std::vector<CtSlice> slices;
    std::size_t padded = 0, localizers = 0;
    bool first = true;
    std::string position;
    for (const std::filesystem::path& path : files) {
        const DicomFile file(path);
        const DicomItem root = file.root();
        if (is_localizer(root)) {
            ++localizers;
            continue;
        }
        const std::string series = root.text(DCM_SeriesInstanceUID);
        if (first) {
            image.series_uid = series;
            image.notes = file.notes();
            image.patient_id = root.text_or_empty(DCM_PatientID);
            image.patient_name = root.text_or_empty(DCM_PatientName);
            image.patient_birth_date = root.text_or_empty(DCM_PatientBirthDate);
            image.patient_sex = root.text_or_empty(DCM_PatientSex);
            image.study_uid = root.text(DCM_StudyInstanceUID);
            image.study_date = root.text_or_empty(DCM_StudyDate);
            image.study_time = root.text_or_empty(DCM_StudyTime);
            image.study_id = root.text_or_empty(DCM_StudyID);
            image.accession_number = root.text_or_empty(DCM_AccessionNumber);
            image.frame_of_reference_uid = root.text(DCM_FrameOfReferenceUID);
            position = root.text_or_empty(DCM_PatientPosition);
            first = false;
        } else if (series != image.series_uid) {
            throw bad_input("the files belong to different CT series", path.string(), image.series_uid + " and " + series);
        }
        if (root.text_or_empty(DCM_PatientPosition) != position)
            throw bad_input("slices of one series differ in patient position", root.at(DCM_PatientPosition));
        image.sop_instance_uids.push_back(root.text(DCM_SOPInstanceUID));
        for (CtSlice& slice : read_slices(file, padded)) slices.push_back(std::move(slice));
    }
    if (slices.empty()) throw bad_input("the CT holds only localizer images", files.front().string());
    if (localizers > 0) image.notes.push_back("CT: " + std::to_string(localizers) + " localizer images are left out");
    if (padded > 0) image.notes.push_back("CT: " + std::to_string(padded) + " padding pixels count as air (-1000 HU)");
    if (position.empty()) {
        image.position_stated = false;
        image.notes.push_back("CT: no patient position (0018,5100); the plan's is used");
    } else {
        image.position = patient_position_from_string(position);
    }

    for (const CtSlice& slice : slices) check_same(slices.front(), slice);
    const Axis along_columns = axis_of(slices.front().row_direction, slices.front().file.filename().string());
    const Axis along_rows = axis_of(slices.front().column_direction, slices.front().file.filename().string());
    if (along_columns.index == 2 || along_rows.index == 2 || along_columns.index == along_rows.index)
        throw bad_input("the slices are not axial", slices.front().file.filename().string(), "Resample the CT onto axial slices");
    slices = in_order(std::move(slices), image.notes);
    if (slices.size() < 2)
        throw bad_input("the CT has a single slice", slices.front().file.string(), "A dose calculation needs a volume; add the other slices of the series");
    for (const CtSlice& slice : slices)
        if (std::abs(slice.position[0] - slices.front().position[0]) > 0.1 || std::abs(slice.position[1] - slices.front().position[1]) > 0.1)
            throw bad_input("the slices are shifted against each other (tilted gantry or a stack of two scans)",
                            slices.front().file.filename().string() + " and " + slice.file.filename().string(), "Resample the CT onto a straight stack");
    const std::vector<double> distances = checked_distances(slices);
    const double smallest = *std::min_element(distances.begin(), distances.end()), largest = *std::max_element(distances.begin(), distances.end());

    // In-plane: a pixel (column i, row j) goes to one LPS cell; flips and swaps lose nothing.
    const CtSlice& reference = slices.front();
    Grid& grid = image.hu.grid;
    const double steps[2] = {reference.column_spacing, reference.row_spacing};
    const int counts[2] = {reference.columns, reference.rows};
    const Axis axes[2] = {along_columns, along_rows};
    for (int a = 0; a < 2; ++a) {
        grid.size[static_cast<std::size_t>(axes[a].index)] = counts[a];
        grid.spacing_mm[axes[a].index] = steps[a];
        grid.origin_mm[axes[a].index] = reference.position[axes[a].index] - (axes[a].ascending ? 0.0 : steps[a] * (counts[a] - 1));
    }
    const double length = slices.back().position[2] - slices.front().position[2];
    const bool even = largest - smallest < 0.01 + 1e-3 * smallest;
    const int layers = even ? static_cast<int>(slices.size()) : static_cast<int>(std::ceil(length / smallest - 1e-6)) + 1;
    grid.size[2] = layers;
    grid.spacing_mm[2] = length / (layers - 1);
    grid.origin_mm[2] = slices.front().position[2];
    if (!even)
        image.notes.push_back("CT: slice distances from " + mm(smallest) + " to " + mm(largest) + " mm, interpolated linearly onto " + std::to_string(layers) +
                              " slices of " + mm(grid.spacing_mm[2]) + " mm");
    grid.check(reference.file.string());
    image.hu.values.resize(grid.voxel_count());
    std::size_t below = 0;
    for (int k = 0; k < layers; ++k) {
        const double z = grid.origin_mm[2] + k * grid.spacing_mm[2];
        double part = 0;
        if (even) {
            below = static_cast<std::size_t>(k);
        } else {
            while (below + 2 < slices.size() && slices[below + 1].position[2] <= z) ++below;
            part = std::clamp((z - slices[below].position[2]) / distances[below], 0.0, 1.0);
        }
        const std::vector<float>& low = slices[below].hu;
        const std::vector<float>& high = part > 0 ? slices[below + 1].hu : low;
        for (int j = 0; j < reference.rows; ++j)
            for (int i = 0; i < reference.columns; ++i) {
                std::array<int, 3> to{0, 0, k};
                to[static_cast<std::size_t>(along_columns.index)] = along_columns.ascending ? i : reference.columns - 1 - i;
                to[static_cast<std::size_t>(along_rows.index)] = along_rows.ascending ? j : reference.rows - 1 - j;
                const std::size_t from = static_cast<std::size_t>(j) * static_cast<std::size_t>(reference.columns) + static_cast<std::size_t>(i);
                image.hu.at(to[0], to[1], to[2]) = static_cast<float>((1 - part) * static_cast<double>(low[from]) + part * static_cast<double>(high[from]));
            }
    }
    return image;
}

}  // namespace libdose::io
