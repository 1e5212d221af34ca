#include <algorithm>
#include <cmath>
#include <filesystem>
#include <mutex>

#include "capi/handles.h"
#include "libdose/io/dicom.h"
#include "libdose/io/hdf5.h"

using namespace libdose;
using namespace libdose::capi;

void libdose_dose_info_init(libdose_dose_info* info, size_t struct_size) {
    init_struct(info, struct_size, libdose_dose_info{});
}

libdose_status libdose_dose_create(const libdose_grid* grid, const float* gy, size_t count,
                                   const char* frame_of_reference_uid, libdose_dose** dose) {
    return guarded([&] {
        Output<libdose_dose> made(dose, "dose");
        made->dose.gy.grid = grid_of(grid, "grid");
        require_count(count, made->dose.gy.grid.voxel_count(), "gy");
        required(gy, "gy");
        for (size_t v = 0; v < count; ++v)
            if (!std::isfinite(gy[v]))
                throw bad_input("the value of voxel " + std::to_string(v) + " is not a finite number", "gy");
        made->dose.gy.values.assign(gy, gy + count);
        made->dose.frame_of_reference_uid = text_or_empty(frame_of_reference_uid);
        made.hand_over();
    });
}

libdose_status libdose_dose_read(const char* file, libdose_dose** dose) {
    return guarded([&] {
        Output<libdose_dose> made(dose, "dose");
        const std::filesystem::path path = text_of(file, "file");
        made->dose = path.extension() == ".h5" || path.extension() == ".hdf5" ? io::read_dose_hdf5(path)
                                                                              : io::read_dose(path);
        made.hand_over();
    });
}

libdose_status libdose_dose_get_info(const libdose_dose* dose, libdose_dose_info* info) {
    return guarded([&] {
        const libdose_dose& held = handle(dose, "dose");
        static_assert(static_cast<int>(DoseSummation::fraction) == LIBDOSE_SUMMATION_FRACTION &&
                      static_cast<int>(DoseSummation::beam) == LIBDOSE_SUMMATION_BEAM &&
                      static_cast<int>(DoseSummation::multi_plan) == LIBDOSE_SUMMATION_MULTI_PLAN &&
                      static_cast<int>(DoseMedium::water) == LIBDOSE_TO_WATER);
        libdose_dose_info values{};
        values.maximum_gy =
            static_cast<double>(*std::max_element(held.dose.gy.values.begin(), held.dose.gy.values.end()));
        values.beam_count = held.beams.size();
        values.note_count = held.notes.size();
        values.summation = static_cast<int32_t>(held.dose.summation);
        values.medium = static_cast<int32_t>(held.dose.medium);
        values.beam_number = held.dose.beam_number;
        values.fractions = held.dose.fractions.value_or(0);
        write_struct(info, values, "info");
    });
}

libdose_status libdose_dose_grid(const libdose_dose* dose, libdose_grid* grid) {
    return guarded([&] { write_struct(grid, grid_struct(handle(dose, "dose").dose.gy.grid), "grid"); });
}

libdose_status libdose_dose_values(const libdose_dose* dose, const float** gy, size_t* count) {
    return guarded([&] {
        const std::vector<float>& values = handle(dose, "dose").dose.gy.values;
        required(gy, "gy") = values.data();
        if (count) *count = values.size();
    });
}

libdose_status libdose_dose_copy(const libdose_dose* dose, float* gy, size_t count) {
    return guarded([&] {
        const std::vector<float>& values = handle(dose, "dose").dose.gy.values;
        require_count(count, values.size(), "gy");
        std::copy(values.begin(), values.end(), &required(gy, "gy"));
    });
}

libdose_status libdose_dose_copy_on_grid(const libdose_dose* dose, const libdose_grid* grid, float* gy,
                                         size_t count) {
    return guarded([&] {
        const Volume<float>& values = handle(dose, "dose").dose.gy;
        const Grid wanted = grid_of(grid, "grid");
        require_count(count, wanted.voxel_count(), "gy");
        float* out = &required(gy, "gy");
        for (int k = 0; k < wanted.size[2]; ++k)
            for (int j = 0; j < wanted.size[1]; ++j)
                for (int i = 0; i < wanted.size[0]; ++i)
                    *out++ = static_cast<float>(interpolate(values, wanted.centre_mm(i, j, k)));
    });
}

libdose_status libdose_dose_at(const libdose_dose* dose, const double point_mm[3], double* gy) {
    return guarded([&] {
        const double* p = &required(point_mm, "point_mm");
        for (int a = 0; a < 3; ++a) require_finite(p[a], "point_mm");
        required(gy, "gy") = interpolate(handle(dose, "dose").dose.gy, Vec3(p[0], p[1], p[2]));
    });
}

libdose_status libdose_dose_at_points(const libdose_dose* dose, const double* points_mm, size_t point_count,
                                      double* gy) {
    return guarded([&] {
        const Dose& held = handle(dose, "dose").dose;
        if (point_count == 0) return;
        const double* p = &required(points_mm, "points_mm");
        double* out = &required(gy, "gy");
        std::vector<Vec3> points;
        for (size_t n = 0; n < point_count; ++n, p += 3) {
            for (int a = 0; a < 3; ++a) require_finite(p[a], "points_mm");
            points.emplace_back(p[0], p[1], p[2]);
        }
        const std::vector<double> values = dose_at(held, points);
        std::copy(values.begin(), values.end(), out);
    });
}

libdose_status libdose_dose_type(const libdose_dose* dose, const char** type) {
    return guarded([&] { required(type, "type") = handle(dose, "dose").dose.type.c_str(); });
}

libdose_status libdose_dose_frame(const libdose_dose* dose, const char** frame_of_reference_uid) {
    return guarded([&] {
        required(frame_of_reference_uid, "frame_of_reference_uid") =
            handle(dose, "dose").dose.frame_of_reference_uid.c_str();
    });
}

libdose_status libdose_dose_describe(libdose_dose* dose, int32_t summation, int32_t fractions,
                                     const char* type) {
    return guarded([&] {
        Dose& held = handle(dose, "dose").dose;
        one_of(summation, 4, "summation");
        if (fractions < 0)
            throw bad_input("the number of fractions is " + std::to_string(fractions), "fractions",
                            "0: not known");
        const std::string text = text_of(type, "type");
        require_dose_type(text, "type");
        held.summation = static_cast<DoseSummation>(summation);
        held.fractions = fractions > 0 ? std::optional<int>(fractions) : std::nullopt;
        held.type = text;
    });
}

libdose_status libdose_dose_sum(const libdose_dose* const* doses, const double* weights, size_t dose_count,
                                int32_t grid, libdose_dose** sum) {
    return guarded([&] {
        Output<libdose_dose> made(sum, "sum");
        static_assert(static_cast<int>(SumGrid::first) == LIBDOSE_SUM_FIRST_GRID &&
                      static_cast<int>(SumGrid::common) == LIBDOSE_SUM_COMMON_GRID);
        one_of(grid, 3, "grid");
        std::vector<const Dose*> terms;
        for (size_t n = 0; n < dose_count; ++n)
            terms.push_back(&handle(*(&required(doses, "doses") + n), "doses").dose);
        const std::vector<double> factors =
            weights ? std::vector<double>(weights, weights + dose_count) : std::vector<double>();
        made->dose = sum_of_doses(terms, factors, static_cast<SumGrid>(grid));
        made.hand_over();
    });
}

libdose_status libdose_dose_whole_course(const libdose_dose* dose, int32_t fractions, libdose_dose** course) {
    return guarded([&] {
        Output<libdose_dose> made(course, "course");
        made->dose = whole_course(handle(dose, "dose").dose, fractions);
        made.hand_over();
    });
}

libdose_status libdose_dose_beam(const libdose_dose* dose, size_t index, libdose_dose** beam) {
    return guarded([&] {
        Output<libdose_dose> made(beam, "beam");
        made->dose = item(handle(dose, "dose").beams, index, "index");
        made.hand_over();
    });
}

libdose_status libdose_dose_note(const libdose_dose* dose, size_t index, const char** note) {
    return guarded(
        [&] { required(note, "note") = item(handle(dose, "dose").notes, index, "index").c_str(); });
}

libdose_status libdose_dose_write_dicom(const libdose_dose* dose, const libdose_ct* ct, const char* file) {
    return guarded([&] {
        const libdose_dose& held = handle(dose, "dose");
        const libdose_ct& scan = handle(ct, "ct");
        // DCMTK numbers the UIDs that it makes: one at a time, so that they are unique.
        static std::mutex numbering;
        const std::lock_guard lock(numbering);
        io::write_dose(held.dose, scan.image, text_of(file, "file"));
    });
}

libdose_status libdose_dose_write_hdf5(const libdose_dose* dose, const char* file) {
    return guarded([&] {
        const libdose_dose& held = handle(dose, "dose");
        io::write_doses_hdf5(held.dose, held.beams, text_of(file, "file"));
    });
}

void libdose_dose_free(libdose_dose** dose) { free_handle(dose); }
