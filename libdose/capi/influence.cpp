// Influence matrices.
#include "libdose/io/influence.h"

#include "capi/request.h"

using namespace libdose;
using namespace libdose::capi;

struct libdose_influence {
    static constexpr const char* kind = "influence matrix";
    Tag tag{kind};
    std::unique_ptr<io::InfluenceMatrix> matrix;
};

namespace {

const io::InfluenceMatrix& matrix_of(const libdose_influence* matrix, const char* name = "matrix") {
    return *handle(matrix, name).matrix;
}

void require_at_least_0(double value, const char* name) {
    require_finite(value, name);
    if (value < 0) throw bad_input("the value is negative", name);
}

/// What the caller asks for with the defaults where it does not. `file` becomes the one for a large matrix.
InfluenceOptions influence_options(const EngineOptions& engine, const libdose_influence_options* given,
                                   std::string* file = nullptr) {
    InfluenceOptions options;
    options.engine = engine;
    if (!given) return options;
    const libdose_influence_options values = read_struct(given, "influence");
    require_finite(values.beamlet_mm, "influence->beamlet_mm");
    require_at_least_0(values.margin_mm, "influence->margin_mm");
    require_at_least_0(values.cutoff, "influence->cutoff");
    require_at_least_0(values.memory_bytes, "influence->memory_bytes");
    const bool all = values.first == 0 && values.last == 0;
    if (!all && values.first >= values.last)
        throw bad_input(
            "columns " + std::to_string(values.first) + " to " + std::to_string(values.last) + " are none",
            "influence->first, last", "0, 0 are all of them");
    options.beamlets.side_mm = values.beamlet_mm;
    options.beamlets.margin_mm = values.margin_mm;
    options.beamlets.target = text_or_empty(values.target);
    options.cutoff = values.cutoff;
    options.memory_bytes = values.memory_bytes;
    options.first = values.first;
    options.last = values.last;
    if (file) *file = text_or_empty(values.file);
    return options;
}

std::vector<double> weights_of(const double* weights_mu, std::size_t count) {
    if (count == 0) return {};
    const double* weights = &required(weights_mu, "weights_mu");
    return {weights, weights + count};
}

template <class Value>
void copy_to(const std::vector<Value>& values, Value* place, const char* name) {
    if (!values.empty()) std::copy(values.begin(), values.end(), &required(place, name));
}

}  // namespace

void libdose_influence_options_init(libdose_influence_options* options, size_t struct_size) {
    const InfluenceOptions defaults;
    libdose_influence_options values{};
    values.beamlet_mm = defaults.beamlets.side_mm;
    values.margin_mm = defaults.beamlets.margin_mm;
    values.cutoff = defaults.cutoff;
    init_struct(options, struct_size, values);
}
void libdose_influence_info_init(libdose_influence_info* info, size_t struct_size) {
    init_struct(info, struct_size, libdose_influence_info{});
}
void libdose_beamlet_init(libdose_beamlet* beamlet, size_t struct_size) {
    init_struct(beamlet, struct_size, libdose_beamlet{});
}

libdose_status libdose_influence_beamlet_count(const libdose_ct* ct, const libdose_structures* structures,
                                               const libdose_plan* plan, const libdose_models* models,
                                               const libdose_options* options,
                                               const libdose_influence_options* influence, size_t* count) {
    return guarded([&] {
        size_t& place = required(count, "count");
        Request request(ct, structures, plan, models, options);
        place = beamlets_of(request.ct, request.structures, request.plan, request.models(),
                            influence_options(request.engine, influence))
                    .size();
    });
}

libdose_status libdose_influence_calculate(const libdose_ct* ct, const libdose_structures* structures,
                                           const libdose_plan* plan, const libdose_models* models,
                                           const libdose_options* options,
                                           const libdose_influence_options* influence,
                                           libdose_influence** matrix) {
    return guarded([&] {
        Output<libdose_influence> made(matrix, "matrix");
        Request request(ct, structures, plan, models, options);
        std::string file;
        InfluenceOptions wanted = influence_options(request.engine, influence, &file);
        request.run([&] {
            wanted.engine.progress = request.engine.progress;
            made->matrix = std::make_unique<io::InfluenceMatrix>(
                io::influence_or_spill(request.ct, request.structures, request.plan, request.materials,
                                       request.models(), wanted, file));
        });
        made.hand_over();
    });
}

libdose_status libdose_influence_read(const char* file, libdose_influence** matrix) {
    return guarded([&] {
        Output<libdose_influence> made(matrix, "matrix");
        made->matrix = std::make_unique<io::InfluenceMatrix>(std::filesystem::path(text_of(file, "file")));
        made.hand_over();
    });
}

libdose_status libdose_influence_write(const libdose_influence* matrix, const char* file) {
    return guarded([&] { matrix_of(matrix).write(text_of(file, "file")); });
}

libdose_status libdose_influence_join(const libdose_influence* const* parts, size_t part_count,
                                      const char* file) {
    return guarded([&] {
        std::vector<const io::InfluenceMatrix*> joined;
        for (size_t n = 0; n < part_count; ++n)
            joined.push_back(&matrix_of(*(&required(parts, "parts") + n), "parts"));
        io::join_influence(joined, text_of(file, "file"));
    });
}

libdose_status libdose_influence_get_info(const libdose_influence* matrix, libdose_influence_info* info) {
    return guarded([&] {
        const io::InfluenceMatrix& held = matrix_of(matrix);
        libdose_influence_info values{};
        values.beamlet_count = held.count();
        values.entry_count = held.entries();
        values.note_count = held.header().notes.size();
        values.beamlet_mm = held.header().side_mm;
        values.cutoff = held.header().cutoff;
        values.medium = static_cast<int32_t>(held.header().medium);
        values.in_file = held.in_memory() ? 0 : 1;
        write_struct(info, values, "info");
    });
}

libdose_status libdose_influence_grid(const libdose_influence* matrix, libdose_grid* grid) {
    return guarded([&] { write_struct(grid, grid_struct(matrix_of(matrix).header().grid), "grid"); });
}

libdose_status libdose_influence_note(const libdose_influence* matrix, size_t index, const char** note) {
    return guarded(
        [&] { required(note, "note") = item(matrix_of(matrix).header().notes, index, "index").c_str(); });
}

libdose_status libdose_influence_beamlet(const libdose_influence* matrix, size_t column,
                                         libdose_beamlet* beamlet) {
    return guarded([&] {
        const Beamlet& held = item(matrix_of(matrix).header().beamlets, column, "column");
        libdose_beamlet values{};
        values.u_mm = held.u_mm;
        values.v_mm = held.v_mm;
        values.beam_index = held.beam;
        values.control_point = held.control_point;
        write_struct(beamlet, values, "beamlet");
    });
}

libdose_status libdose_influence_columns(const libdose_influence* matrix, const int64_t** begin,
                                         const int32_t** voxel, const float** gy) {
    return guarded([&] {
        const InfluenceColumns* columns = matrix_of(matrix).in_memory();
        if (!columns)
            throw bad_input("the columns are in a file", "matrix",
                            "Copy them in parts: libdose_influence_copy_columns");
        required(begin, "begin") = columns->begin.data();
        required(voxel, "voxel") = columns->voxel.data();
        required(gy, "gy") = columns->gy.data();
    });
}

libdose_status libdose_influence_copy_columns(const libdose_influence* matrix, size_t first, size_t last,
                                              int64_t* begin, int32_t* voxel, float* gy, size_t capacity,
                                              size_t* count) {
    return guarded([&] {
        const InfluenceColumns columns = matrix_of(matrix).columns(first, last);
        const size_t entries = columns.gy.size();
        if (capacity > 0 && capacity < entries)
            throw bad_input("the columns have " + std::to_string(entries) + " entries, there is room for " +
                                std::to_string(capacity),
                            "capacity");
        if (count) *count = entries;
        if (begin || capacity > 0) copy_to(columns.begin, begin, "begin");
        if (capacity == 0) return;
        copy_to(columns.voxel, voxel, "voxel");
        copy_to(columns.gy, gy, "gy");
    });
}

libdose_status libdose_influence_dose(const libdose_influence* matrix, const double* weights_mu, size_t count,
                                      libdose_dose** dose) {
    return guarded([&] {
        Output<libdose_dose> made(dose, "dose");
        const io::InfluenceMatrix& held = matrix_of(matrix);
        made->dose = held.dose(weights_of(weights_mu, count));
        made->notes = held.header().notes;
        made.hand_over();
    });
}

libdose_status libdose_calculate_beamlets(const libdose_ct* ct, const libdose_structures* structures,
                                          const libdose_plan* plan, const libdose_models* models,
                                          const libdose_options* options,
                                          const libdose_influence_options* influence,
                                          const double* weights_mu, size_t count, libdose_dose** dose) {
    return guarded([&] {
        Output<libdose_dose> made(dose, "dose");
        Request request(ct, structures, plan, models, options);
        const std::vector<double> weights = weights_of(weights_mu, count);
        InfluenceOptions wanted = influence_options(request.engine, influence);
        request.run([&] {
            wanted.engine.progress = request.engine.progress;
            request.hand_to(*made, calculate_beamlets(request.ct, request.structures, request.plan,
                                                      request.materials, request.models(), wanted, weights));
        });
        made.hand_over();
    });
}

void libdose_influence_free(libdose_influence** matrix) { free_handle(matrix); }
