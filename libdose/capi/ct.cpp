#include <algorithm>
#include <cmath>
#include <filesystem>

#include "capi/handles.h"
#include "libdose/io/dicom.h"

using namespace libdose;
using namespace libdose::capi;

namespace {

template <class T>
libdose_status create(const libdose_grid* grid, const T* hu, size_t count, libdose_patient_position position,
                      const char* frame_of_reference_uid, libdose_ct** ct) {
    return guarded([&] {
        Output<libdose_ct> made(ct, "ct");
        CtImage& image = made->image;
        image.hu.grid = grid_of(grid, "grid");
        require_count(count, image.hu.grid.voxel_count(), "hu");
        required(hu, "hu");
        image.hu.values.reserve(count);
        for (size_t v = 0; v < count; ++v) {
            const auto value = static_cast<float>(hu[v]);
            if (!std::isfinite(value))
                throw bad_input("the value of voxel " + std::to_string(v) + " is not a finite number", "hu");
            image.hu.values.push_back(value);
        }
        image.position = position_of(position);
        image.frame_of_reference_uid = text_or_empty(frame_of_reference_uid);
        made.hand_over();
    });
}

}  // namespace

libdose_status libdose_ct_create_int16(const libdose_grid* grid, const int16_t* hu, size_t count,
                                       libdose_patient_position position, const char* frame_of_reference_uid,
                                       libdose_ct** ct) {
    return create(grid, hu, count, position, frame_of_reference_uid, ct);
}

libdose_status libdose_ct_create_float(const libdose_grid* grid, const float* hu, size_t count,
                                       libdose_patient_position position, const char* frame_of_reference_uid,
                                       libdose_ct** ct) {
    return create(grid, hu, count, position, frame_of_reference_uid, ct);
}

libdose_status libdose_ct_read(const char* const* files, size_t file_count, libdose_ct** ct) {
    return guarded([&] {
        Output<libdose_ct> made(ct, "ct");
        std::vector<std::filesystem::path> paths;
        for (const std::string& file : texts_of(files, file_count, "files")) paths.emplace_back(file);
        made->image = io::read_ct(paths);
        made.hand_over();
    });
}

libdose_status libdose_ct_grid(const libdose_ct* ct, libdose_grid* grid) {
    return guarded([&] { write_struct(grid, grid_struct(handle(ct, "ct").image.hu.grid), "grid"); });
}

libdose_status libdose_ct_copy_hu(const libdose_ct* ct, float* hu, size_t count) {
    return guarded([&] {
        const std::vector<float>& values = handle(ct, "ct").image.hu.values;
        require_count(count, values.size(), "hu");
        std::copy(values.begin(), values.end(), &required(hu, "hu"));
    });
}

libdose_status libdose_ct_note_count(const libdose_ct* ct, size_t* count) {
    return guarded([&] { required(count, "count") = handle(ct, "ct").image.notes.size(); });
}

libdose_status libdose_ct_note(const libdose_ct* ct, size_t index, const char** note) {
    return guarded(
        [&] { required(note, "note") = item(handle(ct, "ct").image.notes, index, "index").c_str(); });
}

void libdose_ct_free(libdose_ct** ct) { free_handle(ct); }
