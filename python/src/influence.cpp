// Influence matrices.
#include "libdose/influence.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>

#include "arrays.h"
#include "bindings.h"
#include "libdose/error.h"
#include "libdose/io/influence.h"
#include "libdose/io/provenance.h"
#include "request.h"
#include "run.h"

namespace libdose::python {

namespace {

using namespace nb::literals;

/// A matrix in memory or in a file.
struct PythonInfluence {
    io::StoredInfluence stored;
    std::shared_ptr<const io::InfluenceFile> file;  ///< null: in memory

    const InfluenceHeader& header() const { return file ? file->header() : stored.matrix.header; }
    std::size_t entries() const { return file ? file->entries() : stored.matrix.columns.gy.size(); }
    std::size_t count() const { return header().beamlets.size(); }
};

std::shared_ptr<PythonInfluence> opened(const std::filesystem::path& path) {
    auto result = std::make_shared<PythonInfluence>();
    result->stored.file = path;
    result->file = std::make_shared<const io::InfluenceFile>(path);
    return result;
}

InfluenceOptions influence_options(const EngineOptions& engine, const nb::dict& beamlets) {
    InfluenceOptions options;
    options.engine = engine;
    options.beamlets.side_mm = nb::cast<double>(beamlets["beamlet_mm"]);
    options.beamlets.margin_mm = nb::cast<double>(beamlets["margin_mm"]);
    options.beamlets.target = nb::cast<std::string>(beamlets["target"]);
    options.cutoff = nb::cast<double>(beamlets["cutoff"]);
    options.first = nb::cast<std::size_t>(beamlets["first"]);
    options.last = nb::cast<std::size_t>(beamlets["last"]);
    options.memory_bytes = nb::cast<double>(beamlets["memory_bytes"]);
    return options;
}

/// (column begins, voxels, Gy) of columns: views of `columns`, which the arrays keep alive.
using Columns = std::tuple<nb::ndarray<nb::numpy, const std::int64_t, nb::ndim<1>>,
                           nb::ndarray<nb::numpy, const std::int32_t, nb::ndim<1>>,
                           nb::ndarray<nb::numpy, const float, nb::ndim<1>>>;
Columns arrays_of(std::shared_ptr<const InfluenceColumns> columns) {
    auto* kept = new std::shared_ptr<const InfluenceColumns>(std::move(columns));
    const nb::capsule owner(
        kept, [](void* p) noexcept { delete static_cast<std::shared_ptr<const InfluenceColumns>*>(p); });
    const InfluenceColumns& c = **kept;
    const auto view = [&](const auto& v) {
        using T = std::remove_cvref_t<decltype(v[0])>;
        return nb::ndarray<nb::numpy, const T, nb::ndim<1>>(v.data(), {v.size()}, owner);
    };
    return {view(c.begin), view(c.voxel), view(c.gy)};
}

/// Columns of an influence matrix as arrays: beam, control point, position.
nb::dict beamlets_of_matrix(const PythonInfluence& i) {
    std::vector<std::int32_t> beam, point;
    std::vector<double> u, v;
    for (const Beamlet& b : i.header().beamlets) {
        beam.push_back(b.beam);
        point.push_back(b.control_point);
        u.push_back(b.u_mm);
        v.push_back(b.v_mm);
    }
    nb::dict d;
    d["beam"] = array_of(beam);
    d["control_point"] = array_of(point);
    d["u_mm"] = array_of(u);
    d["v_mm"] = array_of(v);
    return d;
}

/// Columns [first, last) of a matrix: of one in memory the whole without a copy, parts as copies.
auto columns_of(nb::handle_t<PythonInfluence> self, std::size_t first, std::size_t last) {
    const PythonInfluence& i = nb::cast<const PythonInfluence&>(self);
    if (first > last || last > i.count())
        throw bad_input("columns " + std::to_string(first) + " to " + std::to_string(last) +
                            " are asked for, of " + std::to_string(i.count()),
                        "influence");
    if (i.file) return arrays_of(std::make_shared<const InfluenceColumns>(i.file->columns(first, last)));
    // A matrix in memory: the whole without a copy, parts as copies.
    const InfluenceColumns& c = i.stored.matrix.columns;
    if (first == 0 && last == i.count()) {
        const auto owner = nb::cast<std::shared_ptr<PythonInfluence>>(self);
        return arrays_of(std::shared_ptr<const InfluenceColumns>(owner, &c));
    }
    auto part = std::make_shared<InfluenceColumns>();
    for (std::size_t b = first; b < last; ++b) part->begin.push_back(c.begin[b + 1] - c.begin[first]);
    const auto from = static_cast<std::ptrdiff_t>(c.begin[first]),
               to = static_cast<std::ptrdiff_t>(c.begin[last]);
    part->voxel.assign(c.voxel.begin() + from, c.voxel.begin() + to);
    part->gy.assign(c.gy.begin() + from, c.gy.begin() + to);
    return arrays_of(part);
}

void write_matrix(const PythonInfluence& i, const std::filesystem::path& path) {
    const nb::gil_scoped_release unlocked;
    io::InfluenceWriter writer(path);
    constexpr std::size_t at_once = 64;
    if (!i.file) writer.append(i.stored.matrix.columns);
    for (std::size_t first = 0; i.file && first < i.count(); first += at_once)
        writer.append(i.file->columns(first, std::min(first + at_once, i.count())));
    writer.finish(i.header());
}

/// Writes parts of one calculation, in order, as one file. Throws bad_input for parts of different ones.
void join_matrices(const std::vector<std::shared_ptr<PythonInfluence>>& parts,
                   const std::filesystem::path& path) {
    const nb::gil_scoped_release unlocked;
    io::InfluenceWriter writer(path);
    if (parts.empty()) throw bad_input("there are no parts", "influence");
    InfluenceHeader header = parts.front()->header();
    header.beamlets.clear();
    for (const auto& part : parts) {
        const InfluenceHeader& other = part->header();
        if (!(other.grid == header.grid) || other.side_mm != header.side_mm ||
            other.cutoff != header.cutoff ||
            other.provenance.model_hashes != header.provenance.model_hashes ||
            other.provenance.settings != header.provenance.settings)
            throw bad_input("the parts are not of one calculation", "influence");
        writer.append(part->file ? part->file->columns(0, part->count()) : part->stored.matrix.columns);
        header.beamlets.insert(header.beamlets.end(), other.beamlets.begin(), other.beamlets.end());
    }
    writer.finish(header);
}

void bind_matrix(nb::module_& m) {
    nb::class_<PythonInfluence>(m, "Influence",
                                "Dose of every beamlet, column by column, in memory or in a file.")
        .def_prop_ro("count", &PythonInfluence::count, "Beamlets")
        .def_prop_ro("entries", &PythonInfluence::entries, "Values")
        .def_prop_ro(
            "file", [](const PythonInfluence& i) { return i.stored.file.string(); }, "Empty: in memory")
        .def_prop_ro("shape_zyx",
                     [](const PythonInfluence& i) {
                         const auto& s = i.header().grid.size;
                         return std::tuple(s[2], s[1], s[0]);
                     })
        .def_prop_ro("spacing_mm",
                     [](const PythonInfluence& i) { return triple(i.header().grid.spacing_mm); })
        .def_prop_ro("origin_mm", [](const PythonInfluence& i) { return triple(i.header().grid.origin_mm); })
        .def_prop_ro("beamlet_mm", [](const PythonInfluence& i) { return i.header().side_mm; })
        .def_prop_ro("cutoff", [](const PythonInfluence& i) { return i.header().cutoff; })
        .def_prop_ro("frame_of_reference_uid",
                     [](const PythonInfluence& i) { return i.header().frame_of_reference_uid; })
        .def_prop_ro("notes", [](const PythonInfluence& i) { return i.header().notes; })
        .def_prop_ro("seconds", [](const PythonInfluence& i) { return i.header().seconds; })
        .def_prop_ro("settings", [](const PythonInfluence& i) { return i.header().provenance.settings; })
        .def_prop_ro("model_hashes",
                     [](const PythonInfluence& i) { return i.header().provenance.model_hashes; })
        .def_prop_ro("beamlets", &beamlets_of_matrix)
        .def("columns", &columns_of, "first"_a, "last"_a)
        .def("write", &write_matrix, "file"_a)
        .def("__getstate__",
             [](const PythonInfluence& i) {
                 if (i.file) return nb::make_tuple(i.stored.file.string(), nb::none());
                 throw bad_input("an influence matrix in memory is not pickled", "Influence",
                                 "Write it to a file first, or pass its scipy matrix");
             })
        .def("__setstate__", [](PythonInfluence& self, const nb::tuple& state) {
            new (&self) PythonInfluence(*opened(nb::cast<std::string>(state[0])));
        });
}

}  // namespace

void bind_influence(nb::module_& m) {
    bind_matrix(m);
    m.def("read_influence", &opened, "file"_a);
    m.def("join_influence", &join_matrices, "parts"_a, "file"_a);
    m.def(
        "influence",
        [](nb::handle plan, const CtImage& ct, nb::handle structures, const nb::dict& settings,
           const nb::dict& beamlets, const std::filesystem::path& spill, nb::handle progress) {
            Request request(plan, ct, structures, settings);
            InfluenceOptions options = influence_options(request.options, beamlets);
            auto stored = run(progress, [&](const Report& report) {
                options.engine.progress = report;
                return io::influence_or_spill(ct, request.structure_set(), request.plan, request.materials,
                                              request.models.provider(), options, spill);
            });
            if (!stored.file.empty()) return opened(stored.file);
            auto result = std::make_shared<PythonInfluence>();
            result->stored = std::move(stored);
            return result;
        },
        "plan"_a, "ct"_a, "structures"_a.none(), "settings"_a, "beamlets"_a, "spill"_a, "progress"_a.none());
    m.def(
        "count_beamlets",
        [](nb::handle plan, const CtImage& ct, nb::handle structures, const nb::dict& settings,
           const nb::dict& beamlets) {
            Request request(plan, ct, structures, settings);
            const InfluenceOptions options = influence_options(request.options, beamlets);
            return beamlets_of(ct, request.structure_set(), request.plan, request.models.provider(), options)
                .size();
        },
        "plan"_a, "ct"_a, "structures"_a.none(), "settings"_a, "beamlets"_a);
    m.def(
        "calculate_beamlets",
        [](nb::handle plan, const CtImage& ct, nb::handle structures, const nb::dict& settings,
           const nb::dict& beamlets, const std::vector<double>& weights_mu, nb::handle progress) {
            Request request(plan, ct, structures, settings);
            InfluenceOptions options = influence_options(request.options, beamlets);
            CalculationResult result = run(progress, [&](const Report& report) {
                options.engine.progress = report;
                return calculate_beamlets(ct, request.structure_set(), request.plan, request.materials,
                                          request.models.provider(), options, weights_mu);
            });
            return dose_of(std::move(result), request);
        },
        "plan"_a, "ct"_a, "structures"_a.none(), "settings"_a, "beamlets"_a, "weights_mu"_a,
        "progress"_a.none());
}

}  // namespace libdose::python
