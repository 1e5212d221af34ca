// CT images: single-frame series and enhanced multi-frame, onto one ascending LPS grid.
#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "io/dicom/dicom_ct_slice.h"
#include "io/dicom/dicom_item.h"
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
    const double angle =
        std::acos(std::min(1.0, std::abs(direction[index]) / direction.norm())) * 180 / std::numbers::pi;
    // Scanners round direction cosines to a few digits; a tilt of 0.1 degrees shifts 0.9 mm over 50 cm.
    if (angle > 0.1)
        throw bad_input("the image axes are turned against the patient axes by " + mm(angle) +
                            " degrees (oblique or tilted gantry)",
                        place, "Resample the CT onto axial slices");
    return {index, direction[index] > 0};
}

/// Numbers of one series may be rounded otherwise from slice to slice; nothing may move more than this by it.
constexpr double rounding_mm = 0.25;
/// Slices nearer than this are one place that was rounded twice; so far, and by a fiftieth of their distance,
/// an even stack may be off.
constexpr double same_place_mm = 0.1;

std::string names_of(const CtSlice& a, const CtSlice& b) {
    return a.file.filename() == b.file.filename()
               ? a.file.string() + " and " + b.file.string()
               : a.file.filename().string() + " and " + b.file.filename().string();
}

double middle_of(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// The series as its files give it.
struct Series {
    CtImage image;  ///< without voxels
    std::vector<CtSlice> slices;
    CtPixelReport pixels;
    std::string position;
    std::map<std::string, std::vector<std::string>> left_out;  ///< files by the reason why they are no slices
};

/// Sets what all files of a series share, or throws when the file says something else.
void add_header(Series& series, const DicomItem& root, const std::filesystem::path& path) {
    CtImage& image = series.image;
    const std::string uid = root.text(DCM_SeriesInstanceUID),
                      position = root.text_or_empty(DCM_PatientPosition);
    if (image.series_uid.empty()) {
        image.series_uid = uid;
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
        series.position = position;
    } else if (uid != image.series_uid) {
        throw bad_input("the files belong to different CT series", path.string(),
                        image.series_uid + " and " + uid);
    }
    if (position != series.position)
        throw bad_input("slices of one series differ in patient position", root.at(DCM_PatientPosition));
    image.sop_instance_uids.push_back(root.text(DCM_SOPInstanceUID));
}

void add_file(Series& series, const std::filesystem::path& path) {
    const auto leave_out = [&](const std::string& reason) {
        if (!reason.empty()) series.left_out[reason].push_back(path.filename().string());
        return !reason.empty();
    };
    try {
        const DicomFile file(path);
        const DicomItem root = file.root();
        if (leave_out(why_no_slice(root))) return;
        std::vector<CtSlice> read = read_slices(file, series.pixels);
        if (series.slices.empty()) series.image.notes = file.notes();  // the others are written alike
        add_header(series, root, path);
        std::move(read.begin(), read.end(), std::back_inserter(series.slices));
    } catch (const Error&) {
        // An image that is not needed may be broken; a slice may not.
        if (!leave_out(why_no_slice(path))) throw;
    }
}

void note_left_out(const Series& series, std::vector<std::string>& notes) {
    for (const auto& [reason, files] : series.left_out) {
        std::string names;
        for (std::size_t i = 0; i < std::min<std::size_t>(files.size(), 3); ++i)
            names += (i > 0 ? ", " : "") + files[i];
        if (files.size() > 3) names += ", ...";
        notes.push_back("CT: " + std::to_string(files.size()) + " " + reason + " images are left out (" +
                        names + ")");
    }
}

/// Leaves out pictures of another size or spacing that were made from the scan, such as reports in the
/// series.
void leave_out_reports(Series& series) {
    std::vector<double> sizes, spacings;
    for (const CtSlice& slice : series.slices) {
        sizes.push_back(slice.rows * 65536.0 + slice.columns);
        spacings.push_back(slice.row_spacing);
    }
    if (sizes.empty()) return;
    const double size = middle_of(sizes), spacing = middle_of(spacings);
    std::erase_if(series.slices, [&](const CtSlice& slice) {
        const bool other = slice.rows * 65536.0 + slice.columns != size ||
                           std::abs(slice.row_spacing - spacing) > 0.1 * spacing;
        const bool report = slice.image_type.starts_with("DERIVED\\SECONDARY") &&
                            slice.image_type.find("AXIAL") == std::string::npos;
        if (other && report) series.left_out["derived"].push_back(slice.file.filename().string());
        return other && report;
    });
}

[[noreturn]] void refuse_difference(const char* what, const CtSlice& a, const CtSlice& b) {
    throw bad_input(std::string("slices of one series differ in ") + what, names_of(a, b),
                    "Leave only one scan in the series");
}

/// Throws when two slices cannot be of one stack.
void check_same(const CtSlice& a, const CtSlice& b) {
    if (a.rows != b.rows || a.columns != b.columns) refuse_difference("size", a, b);
    const auto same = [&](const Vec3& one, const Vec3& other) {
        const Axis first = axis_of(one, a.file.filename().string());
        const Axis second = axis_of(other, b.file.filename().string());
        return first.index == second.index && first.ascending == second.ascending;
    };
    if (!same(a.row_direction, b.row_direction) || !same(a.column_direction, b.column_direction))
        refuse_difference("orientation", a, b);
    if (a.frame_of_reference_uid != b.frame_of_reference_uid) refuse_difference("frame of reference", a, b);
}

/// Makes one spacing of those of all slices: the one in the middle, which is that of most. Throws when a
/// pixel would move by more than rounding.
void settle_spacing(std::vector<CtSlice>& slices, std::vector<std::string>& notes) {
    std::vector<double> rows, columns;
    for (const CtSlice& slice : slices) {
        rows.push_back(slice.row_spacing);
        columns.push_back(slice.column_spacing);
    }
    const double row = middle_of(rows), column = middle_of(columns);
    const auto usual = [&](const CtSlice& s) { return s.row_spacing == row && s.column_spacing == column; };
    const auto found = std::find_if(slices.begin(), slices.end(), usual);
    const CtSlice& reference = found == slices.end() ? slices.front() : *found;
    const auto others =
        slices.size() - static_cast<std::size_t>(std::count_if(slices.begin(), slices.end(), usual));
    for (const CtSlice& slice : slices)
        if (std::abs(slice.row_spacing - row) * slice.rows > rounding_mm ||
            std::abs(slice.column_spacing - column) * slice.columns > rounding_mm)
            refuse_difference("pixel spacing", reference, slice);
    for (CtSlice& slice : slices) {
        slice.row_spacing = row;
        slice.column_spacing = column;
    }
    if (others > 0)
        notes.push_back("CT: " + std::to_string(others) +
                        " slices have a pixel spacing that is rounded otherwise; " + mm(row) + " x " +
                        mm(column) + " mm is used for all");
}

/// A tilt in the header beside straight images: what has been straightened keeps the tilt of its scan.
void note_tilt(const std::vector<CtSlice>& slices, std::vector<std::string>& notes) {
    const auto tilted = std::find_if(slices.begin(), slices.end(),
                                     [](const CtSlice& s) { return std::abs(s.tilt_deg) > 0.1; });
    if (tilted != slices.end())
        notes.push_back("CT: the header has a gantry tilt of " + mm(tilted->tilt_deg) +
                        " degrees (0018,1120), orientation and positions are straight: the images count as "
                        "straight, as after resampling");
}

/// Slices of one place, ascending.
using Place = std::vector<CtSlice*>;

/// Sorted, each place once. Of positions that were rounded otherwise the one that makes the stack even is
/// kept.
std::vector<CtSlice> in_order(std::vector<CtSlice> slices, std::vector<std::string>& notes) {
    std::stable_sort(slices.begin(), slices.end(),
                     [](const CtSlice& a, const CtSlice& b) { return a.position[2] < b.position[2]; });
    const double mean = (slices.back().position[2] - slices.front().position[2]) /
                        std::max<double>(1, static_cast<double>(slices.size()) - 1);
    const double near = std::max(0.01, std::min(same_place_mm, 0.1 * mean));
    std::vector<Place> places;
    for (CtSlice& slice : slices) {
        if (places.empty() || slice.position[2] - places.back().front()->position[2] >= near) {
            places.push_back({&slice});
            continue;
        }
        const CtSlice& first = *places.back().front();
        if (slice.hu != first.hu)
            throw bad_input("two slices at z = " + mm(first.position[2]) + " and " + mm(slice.position[2]) +
                                " mm, one place, hold different images",
                            names_of(first, slice), "Leave only one of the scans in the folder");
        places.back().push_back(&slice);
    }
    std::vector<CtSlice> unique;
    std::size_t duplicates = 0;
    for (std::size_t k = 0; k < places.size(); ++k) {
        const Place& place = places[k];
        duplicates += place.size() - 1;
        CtSlice* kept = place.front();
        if (k > 0 && k + 1 < places.size()) {
            const double middle = 0.5 * (unique.back().position[2] + places[k + 1].front()->position[2]);
            const auto off = [&](const CtSlice* s) { return std::abs(s->position[2] - middle); };
            kept = *std::min_element(place.begin(), place.end(),
                                     [&](const CtSlice* a, const CtSlice* b) { return off(a) < off(b); });
        }
        unique.push_back(std::move(*kept));
    }
    if (duplicates > 0)
        notes.push_back("CT: " + std::to_string(duplicates) +
                        " slices are there twice with the same image and are used once");
    return unique;
}

/// Distances between slices; throws for a gap that is a missing slice.
std::vector<double> checked_distances(const std::vector<CtSlice>& slices) {
    std::vector<double> distances;
    for (std::size_t i = 1; i < slices.size(); ++i)
        distances.push_back(slices[i].position[2] - slices[i - 1].position[2]);
    const double usual = middle_of(distances);
    for (std::size_t i = 0; i < distances.size(); ++i) {
        const double ratio = distances[i] / usual;
        if (ratio < 1.75 || (ratio < 2.5 && std::abs(ratio - std::round(ratio)) > 0.05)) continue;
        // A part of the scan with coarser slices has several such distances in a row; a single one is a gap.
        const auto same = [&](std::size_t j) {
            return j < distances.size() && std::abs(distances[j] - distances[i]) < 0.02 * distances[i];
        };
        const std::size_t run = 1 + (same(i + 1) ? 1 + (same(i + 2) ? 1 : 0) : 0) +
                                (i > 0 && same(i - 1) ? 1 + (i > 1 && same(i - 2) ? 1 : 0) : 0);
        if (run >= 3) continue;
        throw bad_input("slices are missing between z = " + mm(slices[i].position[2]) + " and " +
                            mm(slices[i + 1].position[2]) + " mm (usual distance " + mm(usual) + " mm)",
                        slices[i].file.parent_path().string(), "Add the missing files");
    }
    return distances;
}

/// Along z: as many layers as slices when these are even; otherwise as fine as the finest slices, but no
/// finer than a fourth of the usual distance, for a single small step says nothing of the rest.
void set_layers(Grid& grid, const std::vector<CtSlice>& slices, const std::vector<double>& distances,
                std::vector<std::string>& notes, bool& even) {
    const double length = slices.back().position[2] - slices.front().position[2];
    const double step = length / static_cast<double>(distances.size());
    const double limit = std::max(0.01, std::min(same_place_mm, 0.02 * step));
    double off = 0;
    for (std::size_t k = 0; k < slices.size(); ++k)
        off = std::max(off, std::abs(slices[k].position[2] - slices.front().position[2] -
                                     static_cast<double>(k) * step));
    even = off <= limit;
    const auto [smallest, largest] = std::minmax_element(distances.begin(), distances.end());
    const double finest = std::max(*smallest, 0.25 * middle_of(distances));
    const int layers =
        even ? static_cast<int>(slices.size()) : static_cast<int>(std::ceil(length / finest - 1e-6)) + 1;
    grid.size[2] = layers;
    grid.spacing_mm[2] = length / (layers - 1);
    grid.origin_mm[2] = slices.front().position[2];
    if (!even)
        notes.push_back("CT: slice distances from " + mm(*smallest) + " to " + mm(*largest) +
                        " mm, interpolated linearly onto " + std::to_string(layers) + " slices of " +
                        mm(grid.spacing_mm[2]) + " mm");
}

/// The slices onto one grid. In the plane a pixel (column i, row j) goes to one LPS cell: flips and swaps
/// lose nothing.
Volume<float> stacked(const std::vector<CtSlice>& slices, const std::vector<double>& distances,
                      std::vector<std::string>& notes) {
    const CtSlice& reference = slices.front();
    const std::string place = reference.file.filename().string();
    const Axis axes[2] = {axis_of(reference.row_direction, place),
                          axis_of(reference.column_direction, place)};
    const double steps[2] = {reference.column_spacing, reference.row_spacing};
    const int counts[2] = {reference.columns, reference.rows};
    Volume<float> volume;
    Grid& grid = volume.grid;
    for (int a = 0; a < 2; ++a) {
        grid.size[static_cast<std::size_t>(axes[a].index)] = counts[a];
        grid.spacing_mm[axes[a].index] = steps[a];
        grid.origin_mm[axes[a].index] =
            reference.position[axes[a].index] - (axes[a].ascending ? 0.0 : steps[a] * (counts[a] - 1));
    }
    bool even = true;
    set_layers(grid, slices, distances, notes, even);
    grid.check(reference.file.string());
    volume.values.resize(grid.voxel_count());
    std::size_t below = 0;
    for (int k = 0; k < grid.size[2]; ++k) {
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
                to[static_cast<std::size_t>(axes[0].index)] =
                    axes[0].ascending ? i : reference.columns - 1 - i;
                to[static_cast<std::size_t>(axes[1].index)] = axes[1].ascending ? j : reference.rows - 1 - j;
                const std::size_t from =
                    static_cast<std::size_t>(j) * static_cast<std::size_t>(reference.columns) +
                    static_cast<std::size_t>(i);
                volume.at(to[0], to[1], to[2]) = static_cast<float>(
                    (1 - part) * static_cast<double>(low[from]) + part * static_cast<double>(high[from]));
            }
    }
    return volume;
}

/// Throws unless the images are axial and lie straight above each other.
void check_stack(const std::vector<CtSlice>& slices) {
    const CtSlice& first = slices.front();
    const std::string place = first.file.filename().string();
    for (const CtSlice& slice : slices) check_same(first, slice);
    const int columns = axis_of(first.row_direction, place).index,
              rows = axis_of(first.column_direction, place).index;
    if (columns == 2 || rows == 2 || columns == rows)
        throw bad_input("the slices are not axial", place, "Resample the CT onto axial slices");
    for (const CtSlice& slice : slices)
        if (std::abs(slice.position[0] - first.position[0]) > 0.1 ||
            std::abs(slice.position[1] - first.position[1]) > 0.1)
            throw bad_input(
                "the slices are shifted against each other (tilted gantry or a stack of two scans)",
                names_of(first, slice), "Resample the CT onto a straight stack");
}

}  // namespace

CtImage read_ct(const std::vector<std::filesystem::path>& files) {
    if (files.empty()) throw bad_input("there is no CT file to read");
    Series series;
    for (const std::filesystem::path& path : files) add_file(series, path);
    leave_out_reports(series);
    if (series.slices.empty()) {
        if (series.left_out.contains("not axial"))
            throw bad_input("the slices are not axial", series.left_out["not axial"].front(),
                            "Resample the CT onto axial slices");
        throw bad_input("the CT holds only localizer images", files.front().string());
    }
    CtImage image = std::move(series.image);
    note_left_out(series, image.notes);
    series.pixels.finish(image.notes);
    if (series.position.empty()) {
        image.position_stated = false;
        image.notes.push_back("CT: no patient position (0018,5100); the plan's is used");
    } else {
        image.position = patient_position_from_string(series.position);
    }
    check_stack(series.slices);
    settle_spacing(series.slices, image.notes);
    note_tilt(series.slices, image.notes);
    const std::vector<CtSlice> slices = in_order(std::move(series.slices), image.notes);
    if (slices.size() < 2)
        throw bad_input("the CT has a single slice", slices.front().file.string(),
                        "A dose calculation needs a volume; add the other slices of the series");
    image.hu = stacked(slices, checked_distances(slices), image.notes);
    return image;
}

}  // namespace libdose::io
